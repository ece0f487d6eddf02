"""What must be true of every call that changes an account, looked up apart from the code that is checked.

The tables are read here with queries of their own, and what a person said is known from who said it, not from how the
assistant understood it. A call has to come from a live question that its owner answered in this very turn (X1, X12),
after policy said "act" of it (law 6), while nothing holds self-service back (U10, X10, X11).
"""

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from account_access.settings import Settings
from tests.account_access.fake_system import FakeSystem

# The connectors' methods that change an account, and the act that may lead to each; None: none that begins in chat.
ACT_OF = {"unlock": "unlock", "remove_factor": "reset_mfa", "end_sessions": "reset_mfa", "mint_reset_link": None}
# Answers that a yes may mean where a question has no Yes.
ALSO_YES = ("recover_access", "view_answer")
# Unlike the settings, the requirement says how long a typed answer is good (X12).
TYPED_WITHIN = timedelta(hours=2)


@dataclass
class WatchedSystem(FakeSystem):
    """A fake that lets somebody look before it changes an account, and keeps when it really changed one."""

    watch: Callable[[str, str, str | None], None] = lambda method, external_id, factor_id: None
    changed: list[tuple[datetime, str, str]] = field(default_factory=list)

    def unlock(self, external_id: str) -> None:
        self.watch("unlock", external_id, None)
        self._noting("unlock", external_id, lambda: super(WatchedSystem, self).unlock(external_id))

    def remove_factor(self, external_id: str, factor_id: str) -> None:
        self.watch("remove_factor", external_id, factor_id)
        self._noting("reset_mfa", external_id, lambda: super(WatchedSystem, self).remove_factor(external_id, factor_id))

    def end_sessions(self, external_id: str) -> None:
        self.watch("end_sessions", external_id, None)
        super().end_sessions(external_id)

    def mint_reset_link(self, external_id: str):
        self.watch("mint_reset_link", external_id, None)
        return super().mint_reset_link(external_id)

    def _noting(self, act: str, external_id: str, doing: Callable[[], None]) -> None:
        before = len(self.unlocked) + len(self.removed)
        try:
            doing()
        finally:
            if len(self.unlocked) + len(self.removed) > before:
                self.changed.append((self.clock.now(), external_id, act))

    def acts_on(self, external_id: str | None, act: str | None, since: datetime, before: datetime) -> set[datetime]:
        """When acts were done between two instants, on one account or all, of one kind or all; one a turn."""
        return {
            at
            for at, whose, kind in self.changed
            if since < at < before and external_id in (None, whose) and act in (None, kind)
        }


@dataclass(frozen=True)
class Speech:
    """What a person really did: a click on one answer, or words.

    They can be a `yes`, a `number`, a `title`, or mean `every` one of two.
    """

    person_id: str
    inbound_id: str
    received_at: datetime
    before_seq: int
    click: tuple[str, str] | None = None
    yes: bool = False
    number: int | None = None
    title: str | None = None
    every: bool = False


class Laws:
    """Looks at every call and every confirmed request, and keeps what was broken. `raw` sees what is committed."""

    def __init__(self, raw: sqlite3.Connection, systems: Mapping[str, FakeSystem], settings: Settings) -> None:
        self._raw, self._systems, self._settings = raw, systems, settings
        self.broken: list[str] = []
        self.lawful: frozenset[str] = frozenset()
        self._speech: Speech | None = None
        self._asked: dict[str, dict] = {}

    def begin(self, speech: Speech | None) -> None:
        """A turn begins with this message; None: the schedulers begin it."""
        self._speech = speech
        self._asked = {offer["id"]: offer for offer in offers_in(self._raw)}

    def called(self, method: str, external_id: str, factor_id: str | None) -> None:
        """A connector is about to be asked to change an account."""
        act = ACT_OF[method]
        # One that was put off is still "executing", but nobody has claimed it.
        claimed = [
            request for request in self._requests() if request["claimed_until"] and request["state"] == "executing"
        ]
        found = [request for request in claimed if (request["external_id"], request["act"]) == (external_id, act)]
        if len(found) != 1:
            self._break(f"{method} of {external_id} is called while {len(found)} requests for it are being run")
            return
        request = found[0]
        self._confirmed(request)
        memberships = self._systems[request["system"]].memberships[external_id]
        wanted = self._settings.mfa.verification_by_group.keys() & memberships
        if act == "reset_mfa" and wanted and _approval_of(request) not in self.lawful:
            self._break(f"{method} of {external_id} is called without the manager's word")
        if factor_id and factor_id not in json.loads(request["factor_ids"]):
            self._break(f"{factor_id} is removed, which nobody said yes to")
        for problem in [*self._undecided(request), *self._held(request), *self._disowned(request)]:
            self._break(f"{method} of {external_id} is called, but {problem}")

    def end(self) -> None:
        """The turn is over: what it confirmed has to be lawful, whether or not it came to a call."""
        for request in self._requests():
            self._confirmed(request)
            if request["approved_at"]:
                self._approved(request)

    def _requests(self) -> list[dict]:
        return _dicts(self._raw, "SELECT * FROM requests")

    def _break(self, problem: str) -> None:
        if problem not in self.broken:
            self.broken.append(problem)

    def _confirmed(self, request: dict) -> None:
        if request["id"] in self.lawful:
            return
        problems = list(self._why_not_confirmed(request))
        for problem in problems:
            self._break(f"a request to {request['act']} {request['external_id']} is there, but {problem}")
        if not problems:
            self.lawful |= {request["id"]}

    def _approved(self, request: dict) -> None:
        """The manager's word is kept once it is found lawful, in the turn in which it was given (M9)."""
        if _approval_of(request) in self.lawful:
            return
        problems = list(self._why_not_approved(request))
        for problem in problems:
            self._break(f"a reset of {request['external_id']} is approved, but {problem}")
        if not problems:
            self.lawful |= {_approval_of(request)}

    def _why_not_approved(self, request: dict):
        """Why nobody may have approved this request in this turn: a live question, answered by the manager of now."""
        speech = self._speech
        if speech is None:
            yield "nobody said anything in this turn"
            return
        asked = [one for one in self._asked.values() if one["subject"].get("request") == request["id"]]
        asked = [one for one in asked if one["question"] == "approve" and _live(speech, one)]
        if not any(self._answers(speech, one) for one in asked):
            yield "no live question about it was answered with a yes"
        manager = self._systems[request["system"]].managers.get(request["external_id"])
        owners = _dicts(self._raw, "SELECT person_id FROM accounts WHERE external_id = ?", str(manager))
        if [owner["person_id"] for owner in owners] != [speech.person_id]:
            yield "who said so is not the manager"
        if speech.person_id == request["person_id"]:
            yield "who said so is the one who asked"
        signed_in = _dicts(self._raw, "SELECT auth_time FROM inbound WHERE id = ?", speech.inbound_id)[0]["auth_time"]
        if speech.received_at - instant(signed_in) > timedelta(hours=self._settings.mfa.fresh_hours):
            yield "who said so had signed in too long ago"
        if speech.received_at - instant(request["confirmed_at"]) >= timedelta(minutes=30):
            yield "it was asked for more than half an hour before"

    def _why_not_confirmed(self, request: dict):
        """Why nobody may have confirmed this request in this turn (X1, X3, X12)."""
        speech, offer = self._speech, self._asked.get(request["offer_id"])
        if speech is None:
            yield "nobody said anything in this turn"
            return
        if offer is None:
            yield "its question was not asked before this turn"
            return
        if offer["subject"].get("act") != request["act"] or request["external_id"] not in _accounts(offer):
            yield "its question was about something else"
        if not speech.person_id == offer["person_id"] == request["person_id"]:
            yield "its question was somebody else's"
        if offer["shown_seq"] is None or offer["shown_seq"] >= speech.before_seq:
            yield "its question had not been shown"
        if offer["state"] != "open" and offer["answered_by"] != speech.inbound_id:
            yield f"its question was no longer open ({offer['state']})"
        if offer["expires_at"] <= speech.received_at:
            yield "its question had expired"
        if not self._answers(speech, offer, request["external_id"]):
            yield "neither a click nor an allowed typed answer said yes to it"

    def _answers(self, speech: Speech, offer: dict, account: str | None = None) -> bool:
        """Whether this click, or these words, are a yes to this question about this account."""
        wanted = (offer["id"], account)
        if speech.click is not None:
            asked = self._asked.get(speech.click[0])
            return asked is not None and _live(speech, asked) and wanted in self._yes(asked, speech.click[1])
        # Words answer what was shown at most two hours before.
        oldest = speech.received_at - TYPED_WITHIN
        live = [asked for asked in self._asked.values() if _live(speech, asked) and asked["shown_at"] > oldest]
        live.sort(key=lambda asked: asked["shown_seq"])
        if offer not in live:
            return False
        if speech.number is not None:
            # Of what was shown last and nothing else, even if that is over by now (X2).
            last = max((asked for asked in self._asked.values() if _shown(speech, asked)), key=lambda a: a["shown_seq"])
            chosen = last["answers"][speech.number - 1 : speech.number] if last in live else ()
            return any(wanted in self._yes(last, answer["id"]) for answer in chosen)
        if speech.every and self._every(live, offer, account):
            return True
        if speech.title is not None:
            titled = [(asked, a) for asked in live for a in asked["answers"] if a["title"] == speech.title]
            if any(wanted in self._yes(asked, answer["id"]) for asked, answer in titled):
                return len({_about(asked) for asked, _ in titled}) == 1
            return False
        if not speech.yes:
            return False
        # People answer what they read last: that has to have a yes (X12).
        if not any(answer["intent"] == "affirm" for answer in live[-1]["answers"]):
            return False
        # One thing that a yes may mean: two questions about the same act on the same account are one (X2, X12), and a
        # "which one?" means those of its questions that are still open.
        said = [(asked, answer) for asked in live for answer in asked["answers"] if answer["intent"] == "affirm"]
        yes = {offer_id for asked, answer in said for offer_id, _ in self._yes(asked, answer["id"])}
        meant = {_about(asked) for asked in self._asked.values() if asked["id"] in yes and _live(speech, asked)}
        return meant == {_about(offer)}

    def _every(self, live: list[dict], offer: dict, account: str) -> bool:
        """Whether "both" is a yes to this: by a question that has it, else to two lockouts and to nothing else (U9)."""
        whole = [(asked, a) for asked in live for a in asked["answers"] if a["intent"] == "choose_all"]
        if whole:
            asked, answer = whole[-1]
            return (offer["id"], account) in self._yes(asked, answer["id"]) and len(_accounts(offer)) == 2
        yes = [asked for asked in live for a in asked["answers"] if a["intent"] in ("affirm", *ALSO_YES)]
        about = {_about(asked) for asked in yes}
        return offer in yes and len(about) == 2 and all(kind[0] == "unlock" for kind in about)

    def _yes(self, asked: dict, answer_id: str) -> set[tuple[str, str | None]]:
        """To which questions, and about which of their accounts, this answer is a yes.

        Its own, or that of the question for whose answer it stands in a "which one?".
        """
        answer = next((one for one in asked["answers"] if one["id"] == answer_id), None)
        if answer is None:
            return set()
        if answer.get("target"):
            behind = self._asked.get(answer["target"][0])
            return self._yes(behind, answer["target"][1]) if behind else set()
        accounts = _accounts(asked)
        if answer["intent"] == "choose_system" and asked["subject"].get("act"):
            return {(asked["id"], accounts[int(answer_id) - 1])}
        if answer["intent"] in ("affirm", "choose_all"):
            return {(asked["id"], account) for account in accounts}
        return set()

    def _undecided(self, request: dict):
        """Why policy did not decide "act" for this very run of the request (law 6)."""
        decided = _dicts(self._raw, "SELECT result, detail FROM audit WHERE act = ?", f"decide_{request['act']}")
        mine = {"request": request["id"], "attempt": request["attempts"]}
        verdicts = [row["result"] for row in decided if json.loads(row["detail"] or "{}") == mine]
        if verdicts != ["act"]:
            yield f"the audit trail has no decision to act on it, but {verdicts}"
        protected = self._settings.systems[request["system"]].protected_groups
        if self._systems[request["system"]].memberships[request["external_id"]] & protected:
            yield "the account is protected"

    def _disowned(self, request: dict):
        """Why it is not the account of who asked (law 1)."""
        owned = "SELECT 1 FROM accounts WHERE system = ? AND external_id = ? AND person_id = ?"
        if not _dicts(self._raw, owned, request["system"], request["external_id"], request["person_id"]):
            yield "it is not its owner's any more"

    def _held(self, request: dict):
        """Why nothing may be done now: a freeze, the breaker, or the limits (U10, X10, X11)."""
        system = self._systems[request["system"]]
        now, mass = system.clock.now(), self._settings.breaker
        frozen = "SELECT id FROM freezes WHERE person_id = ? AND lifted_at IS NULL"
        if _dicts(self._raw, frozen, request["person_id"]):
            yield "its owner said that it was not them"
        tripped = "SELECT loud_at FROM breakers WHERE system = ? AND tripped_at IS NOT NULL"
        quiet = timedelta(minutes=mass.quiet_minutes)
        if any(now < instant(row["loud_at"]) + quiet for row in _dicts(self._raw, tripped, request["system"])):
            yield "the breaker is open"
        limits = self._settings.unlock if request["act"] == "unlock" else self._settings.mfa
        since = now - timedelta(hours=limits.window_hours)
        own = system.acts_on(request["external_id"], request["act"], since, now)
        if len(own) >= limits.max_per_window:
            yield f"that was done {len(own)} times in {limits.window_hours:g} hours"
        lately = system.acts_on(None, None, now - timedelta(minutes=mass.window_minutes), now)
        if len(lately) >= mass.max_acts:
            yield f"the system saw {len(lately)} acts in {mass.window_minutes:g} minutes"


def _approval_of(request: dict) -> str:
    """How `lawful` knows the manager's word on a request."""
    return f"approval of {request['id']}"


def _live(speech: Speech, asked: dict) -> bool:
    """Whether the question was the speaker's own, shown, open and unexpired when this was said."""
    still_open = asked["state"] == "open" or asked["answered_by"] == speech.inbound_id
    return _shown(speech, asked) and still_open and asked["expires_at"] > speech.received_at


def _shown(speech: Speech, asked: dict) -> bool:
    """Whether the question had been shown to the speaker before this was said."""
    shown = asked["shown_seq"] is not None and asked["shown_seq"] < speech.before_seq
    return shown and asked["person_id"] == speech.person_id


def _kept(request: dict, name: str) -> object:
    """What the request says of it, as questions write it."""
    value = request[name]
    if name == "locked_at" and value:
        return instant(value).isoformat()
    return json.loads(value) if name == "factor_ids" else value


def _accounts(asked: dict) -> list[str | None]:
    """The external ids of the accounts that a question is about, in its answers' order; [None] where of none."""
    return [about.get("external_id") for about in asked["subject"].get("choices") or [asked["subject"]]]


def _about(asked: dict) -> tuple[str, ...]:
    act = asked["subject"].get("act")
    choices = asked["subject"].get("choices") or [asked["subject"]]
    return (act, *(about["system"] for about in choices)) if act else (asked["id"],)


def offers_in(raw: sqlite3.Connection) -> list[dict]:
    """Every offer with when it was shown (`shown_at`, `shown_seq`: its inbox row's), the last shown last."""
    shown = "SELECT offers.*, inbox.created_at AS shown_at, inbox.seq AS shown_seq FROM offers LEFT JOIN inbox"
    found = _dicts(raw, f"{shown} ON inbox.offer_id = offers.id ORDER BY inbox.seq")
    for offer in found:
        offer["subject"], offer["answers"] = json.loads(offer["subject"]), json.loads(offer["answers"])
        offer["expires_at"] = instant(offer["expires_at"])
        offer["shown_at"] = instant(offer["shown_at"]) if offer["shown_at"] else None
    return found


def instant(stored: str) -> datetime:
    """A time as SQLite keeps it, which is UTC."""
    return datetime.fromisoformat(stored).replace(tzinfo=timezone.utc)


def _dicts(raw: sqlite3.Connection, query: str, *values: str) -> list[dict]:
    found = raw.execute(query, values)
    return [dict(zip((column[0] for column in found.description), row, strict=True)) for row in found]
