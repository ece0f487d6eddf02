"""What people, the directory and the identity systems do in the period, as JSON lines."""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from account_access.cadence import contractors, passwords
from account_access.cadence.directory import folded
from account_access.simulation import cells
from account_access.simulation.people_file import is_utf8
from account_access.simulation.problems import Problems, quoted
from account_access.spelling import did_you_mean

PASSWORD_CHANGED, UPDATE, LOCKED_OUT, UNLOCKED = "password_changed", "update", "locked_out", "unlocked"
# What may be answered to which kind of notice, and what else can happen, with the fields it needs.
ANSWERS = {
    passwords.REMINDER: passwords.REMINDER_ANSWERS,
    passwords.EXPIRED: passwords.EXPIRED_ANSWERS,
    contractors.CONTRACTOR: contractors.ANSWERS,
}
EVENTS = {
    PASSWORD_CHANGED: "password_expires_at",
    UPDATE: "set",
    LOCKED_OUT: "system",
    UNLOCKED: "system",
}
EXAMPLES = {
    "at": "an instant, e.g. 2027-02-28T17:00:00+00:00",
    "login": "whose action it is",
    "notice": f"one of {', '.join(ANSWERS)}",
    "action": "what was done",
    "password_expires_at": "an instant, or null for never",
    "set": '{"status": "disabled"} or the like',
    "system": "which system, as text",
}
# Half a character, written as an escape: no file could hold it.
_HALF = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Action:
    """One line: an answer if `notice` is a kind of notice, something that happened otherwise. `key` tells whose."""

    at: datetime
    line: int
    key: str
    action: str
    notice: str | None = None
    system: str | None = None
    expires_at: datetime | None = None
    changes: dict[str, Any] = field(default_factory=dict)


def read(content: bytes, logins: Collection[str] | None, people: str, problems: Problems) -> list[Action]:
    """The actions as they are played: by instant, then by line.

    `logins`: the keys of everyone there is, in the file that is called `people`; None if that is not known.
    """
    actions = []
    for number, raw in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if raw.strip():
            document = _document(raw, number, problems)
            if document is not None:
                actions.append(_Line(number, document, problems).read(logins, people))
    return sorted((a for a in actions if a is not None), key=lambda action: (action.at, action.line))


class _Twice(ValueError):
    """A field that a line has twice."""


def _document(raw: bytes, line: int, problems: Problems) -> dict[str, Any] | None:
    """The line's object, None if it has none."""
    if not is_utf8(raw):
        problems.add(line, "line", "is not UTF-8; save the file in this encoding")
        return None
    try:
        document = json.loads(raw, object_pairs_hook=_once)
    except _Twice as twice:
        problems.add(line, str(twice), "field is there twice; keep one of them")
        return None
    except (ValueError, RecursionError) as error:
        why = getattr(error, "msg", "too deep or too long")
        problems.add(line, "line", f"is not JSON ({why}); write one object a line")
        return None
    if not isinstance(document, dict):
        problems.add(line, "line", f"{quoted(document)} is not an object; write {{…}}")
        return None
    if b"\\u" in raw and _HALF.search(json.dumps(document, ensure_ascii=False)):
        problems.add(line, "line", r"has half a character (\ud800 to \udfff); write the whole one")
        return None
    return document


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(next(name for name in names if names.count(name) > 1))
    return document


class _Line:
    """One line on its way to an action."""

    def __init__(self, number: int, document: dict[str, Any], problems: Problems):
        self.number, self.document, self.problems = number, document, problems
        self.good = True

    def read(self, logins: Collection[str] | None, people: str) -> Action | None:
        """The action, or None with everything that is wrong with it told."""
        action = self._action()
        wanted = self._fields(action)
        for name in self.document:
            if name not in wanted:
                self._wrong(name, f"unknown field; {did_you_mean(name, wanted)}")
        for name in wanted:
            if name not in self.document:
                self._wrong(name, f"missing; write {EXAMPLES[name]}")
        at = self._cell("at", cells.instant)
        key = self._login(logins, people)
        more = self._more(action) if action in EVENTS else {}
        if not self.good:
            return None
        return Action(at=at, line=self.number, key=key, action=action, notice=self.document.get("notice"), **more)

    def _action(self) -> str | None:
        """What was done; None if that is not known, or does not fit its notice."""
        if "action" not in self.document:
            return None
        action, notice = self.document["action"], self.document.get("notice")
        answers = {answer for answers in ANSWERS.values() for answer in answers}
        if "notice" not in self.document:
            if isinstance(action, str) and action in EVENTS:
                return action
            if isinstance(action, str) and action in answers:
                # What is missing is told as such, see _fields.
                return action
            self._wrong("action", f"{quoted(action)} is not known; {_meant(action, (*EVENTS, *sorted(answers)))}")
            return None
        if not isinstance(notice, str) or notice not in ANSWERS:
            self._wrong("notice", f"{quoted(notice)} is not known; {_meant(notice, ANSWERS)}")
            return None
        if action not in ANSWERS[notice]:
            self._wrong("action", f"{quoted(action)} does not fit {notice}; write {' or '.join(ANSWERS[notice])}")
            return None
        return action

    def _fields(self, action: str | None) -> list[str]:
        """The fields that this line has to have."""
        if "notice" in self.document or (action is not None and action not in EVENTS):
            return ["at", "login", "notice", "action"]
        if action is None:
            # Not known which line it should be: what any could have is not held against it.
            return [
                "at",
                "login",
                "action",
                *(name for name in dict.fromkeys(EVENTS.values()) if name in self.document),
            ]
        return ["at", "login", "action", EVENTS[action]]

    def _login(self, logins: Collection[str] | None, people: str) -> str | None:
        login = self.document.get("login")
        if "login" not in self.document:
            return None
        if not isinstance(login, str) or not login.strip():
            self._wrong("login", f"{quoted(login)} is no login; write one of {people}")
            return None
        if logins is not None and folded(login) not in logins:
            self._wrong("login", f"{quoted(login)} is not in {people}; correct it or add the person")
        return folded(login)

    def _more(self, action: str) -> dict[str, Any]:
        if action == PASSWORD_CHANGED:
            return {"expires_at": self._cell("password_expires_at", _instant_or_never)}
        if action == UPDATE:
            return {"changes": self._changes()}
        return {"system": self._cell("system", _text)}

    def _changes(self) -> dict[str, Any]:
        changes = self.document.get("set", {})
        if not isinstance(changes, dict):
            self._wrong("set", f"{quoted(changes)} is not an object; write {EXAMPLES['set']}")
            return {}
        free = [column for column in cells.COLUMNS if column not in cells.FIXED]
        values = {}
        for column, text in changes.items():
            if column in cells.FIXED:
                self._wrong(f"set.{column}", f"{quoted(text)} cannot be set; leave {column} out")
            elif column not in free:
                self._wrong(f"set.{column}", f"unknown column; {did_you_mean(column, free)}")
            elif not isinstance(text, str):
                self._wrong(f"set.{column}", f"{quoted(text)} is not text; write it in quotes, as in the CSV")
            else:
                values[column] = self._value(f"set.{column}", text, lambda cell, name=column: cells.read(name, cell))
        return values

    def _cell(self, name: str, read) -> Any:
        return self._value(name, self.document[name], read) if name in self.document else None

    def _value(self, name: str, value: Any, read) -> Any:
        try:
            return read(value)
        except ValueError as error:
            self._wrong(name, str(error))
            return None

    def _wrong(self, column: str, text: str) -> None:
        self.good = False
        self.problems.add(self.number, column, text)


def _meant(word: Any, known: Collection[str]) -> str:
    return did_you_mean(word, known) if isinstance(word, str) else f"write {' or '.join(known)}"


def _instant_or_never(value: Any) -> datetime | None:
    return None if value is None else cells.instant(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{quoted(value)} is no name of a system; write it in quotes")
    return value
