"""Okta's filter expressions (the SCIM subset it documents): parsed once, then asked of one document after another.

`search` on users has no `ne` and no `not`, compares text without regard to case and knows every property; `filter` on
users knows a handful of properties by equality (lastUpdated also by order); `filter` on the System Log knows all.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sandbox.moments import instant

# fmt: off
TIMES = frozenset({
    "activated", "created", "lastLogin", "lastUpdated", "passwordChanged", "published", "statusChanged",
})
USER_PROPERTIES = frozenset({"id", "status", "type.id"}) | (TIMES - {"published"})
FILTER_PROPERTIES = frozenset({
    "status", "lastUpdated", "id", "profile.login", "profile.email", "profile.firstName", "profile.lastName",
})
LOG_ROOTS = frozenset({
    "actor", "authenticationContext", "client", "debugContext", "device", "displayMessage", "eventType",
    "legacyEventType", "outcome", "published", "request", "securityContext", "severity", "target", "transaction",
    "uuid", "version",
})
ORDER = frozenset({"eq", "gt", "ge", "lt", "le"})
# fmt: on

Predicate = Callable[[Mapping[str, Any]], bool]


class InvalidFilter(ValueError):
    """The expression is malformed, or asks for an operator or property that this endpoint does not support."""


@dataclass(frozen=True)
class Dialect:
    """What one endpoint's expressions may say."""

    operators: frozenset[str]
    knows: Callable[[str], bool]
    negation: bool = False
    ignores_case: bool = False
    orders: Callable[[str], bool] = lambda attribute: True
    contains: Callable[[str], bool] = lambda attribute: True


USER_SEARCH = Dialect(
    operators=ORDER | {"sw", "co", "pr"},
    knows=lambda attribute: attribute in USER_PROPERTIES or attribute.startswith("profile."),
    ignores_case=True,
    contains=frozenset({"profile.login", "profile.email", "profile.firstName", "profile.lastName"}).__contains__,
)
USER_FILTER = Dialect(
    operators=ORDER, knows=FILTER_PROPERTIES.__contains__, orders=lambda attribute: attribute == "lastUpdated"
)
LOG_FILTER = Dialect(
    operators=ORDER | {"ne", "sw", "ew", "co", "pr"},
    knows=lambda attribute: attribute.split(".")[0] in LOG_ROOTS,
    negation=True,
)


@dataclass(frozen=True)
class Filter:
    """A parsed expression: whether a document matches, and the status and ids that matches have (None: any)."""

    matches: Predicate
    status: str | None = None
    ids: frozenset[str] | None = None


TOKEN = re.compile(r'\s*(?:(?P<paren>[()])|(?P<string>"(?:[^"\\]|\\.)*")|(?P<word>[^\s()"]+))')
WORDS = {"true": True, "false": False, "null": None}


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at, text = [], 0, text.strip()
    while at < len(text):
        match = TOKEN.match(text, at)
        if not match:
            raise InvalidFilter(f"cannot read {text[at : at + 20]!r}")
        found.append((match.lastgroup or "", match.group(match.lastgroup or 0)))
        at = match.end()
    return found


class _Parser:
    """Recursive descent: `or` binds less than `and`, `and` less than `not`."""

    def __init__(self, text: str, dialect: Dialect):
        self.tokens, self.at, self.dialect = _tokens(text), 0, dialect

    def parse(self) -> Filter:
        parsed = self._any()
        if self.at != len(self.tokens):
            raise InvalidFilter(f"unexpected {self.tokens[self.at][1]!r}")
        return parsed

    def _next(self, kind: str) -> str:
        if self.at >= len(self.tokens) or self.tokens[self.at][0] != kind:
            raise InvalidFilter(f"expected a {kind}")
        self.at += 1
        return self.tokens[self.at - 1][1]

    def _accept(self, kind: str, text: str) -> bool:
        if self.at < len(self.tokens) and self.tokens[self.at][0] == kind and self.tokens[self.at][1].lower() == text:
            self.at += 1
            return True
        return False

    def _any(self) -> Filter:
        parts = [self._all()]
        while self._accept("word", "or"):
            parts.append(self._all())
        if len(parts) == 1:
            return parts[0]
        tests, ids = [part.matches for part in parts], [part.ids for part in parts]
        named = None if None in ids else frozenset().union(*ids)
        return Filter(lambda document: any(test(document) for test in tests), ids=named)

    def _all(self) -> Filter:
        parts = [self._one()]
        while self._accept("word", "and"):
            parts.append(self._one())
        if len(parts) == 1:
            return parts[0]
        tests = [part.matches for part in parts]
        status = next((part.status for part in parts if part.status), None)
        ids = next((part.ids for part in parts if part.ids is not None), None)
        return Filter(lambda document: all(test(document) for test in tests), status, ids)

    def _one(self) -> Filter:
        if self.dialect.negation and self._accept("word", "not"):
            inner = self._group().matches
            return Filter(lambda document: not inner(document))
        if self.at < len(self.tokens) and self.tokens[self.at] == ("paren", "("):
            return self._group()
        return self._comparison()

    def _group(self) -> Filter:
        if not self._accept("paren", "("):
            raise InvalidFilter("expected (")
        inner = self._any()
        if not self._accept("paren", ")"):
            raise InvalidFilter("expected )")
        return inner

    def _comparison(self) -> Filter:
        attribute, operator = self._next("word"), self._next("word").lower()
        if not self.dialect.knows(attribute) or operator not in self.dialect.operators:
            raise InvalidFilter(f"{attribute} {operator} is not supported here")
        if operator == "pr":
            return Filter(lambda document: any(value not in (None, "", []) for value in values(document, attribute)))
        if operator in ORDER - {"eq"} and not self.dialect.orders(attribute):
            raise InvalidFilter(f"{attribute} supports eq only")
        if operator == "co" and not self.dialect.contains(attribute):
            raise InvalidFilter(f"{attribute} does not support co")
        wanted = self._value(attribute)
        status = wanted if (attribute, operator) == ("status", "eq") and isinstance(wanted, str) else None
        exactly = (attribute, operator) == ("id", "eq") and not self.dialect.ignores_case
        ids = frozenset({wanted}) if exactly and isinstance(wanted, str) else None
        return Filter(_test(attribute, operator, wanted, self.dialect.ignores_case), status and status.upper(), ids)

    def _value(self, attribute: str) -> Any:
        if self.at < len(self.tokens) and self.tokens[self.at][0] == "string":
            try:
                text = json.loads(self._next("string"))
                return instant(text) if attribute in TIMES else text
            except ValueError as error:
                raise InvalidFilter(f"{attribute}: {error}") from error
        word = self._next("word")
        if word.lower() in WORDS:
            return WORDS[word.lower()]
        try:
            return float(word)
        except ValueError as error:
            raise InvalidFilter(f"{word!r} is no value: text goes in double quotes") from error


def values(document: Any, path: str) -> list[Any]:
    """Every value at a dotted path; a list on the way stands for each of its members."""
    found = [document]
    for name in path.split("."):
        found = [item.get(name) for item in found if isinstance(item, Mapping)]
        found = [each for item in found for each in (item if isinstance(item, list) else [item])]
    return found


COMPARE = {
    "eq": lambda have, want: have == want,
    "gt": lambda have, want: have > want,
    "ge": lambda have, want: have >= want,
    "lt": lambda have, want: have < want,
    "le": lambda have, want: have <= want,
    "sw": lambda have, want: have.startswith(want),
    "ew": lambda have, want: have.endswith(want),
    "co": lambda have, want: want in have,
}


def _test(attribute: str, operator: str, wanted: Any, ignores_case: bool) -> Predicate:
    if operator == "ne":
        equal = _test(attribute, "eq", wanted, ignores_case)
        return lambda document: not equal(document)
    if operator in ("sw", "ew", "co") and not isinstance(wanted, str):
        raise InvalidFilter(f"{operator} compares text")
    fold = str.casefold if ignores_case else str
    want = fold(wanted) if isinstance(wanted, str) else wanted

    def holds(have: Any) -> bool:
        if have is None or want is None:
            return operator == "eq" and have is want
        if attribute in TIMES:
            have = instant(have)
        elif isinstance(have, str):
            have = fold(have)
        elif isinstance(have, int) and not isinstance(have, bool):
            have = float(have)
        return type(have) is type(want) and COMPARE[operator](have, want)

    return lambda document: any(holds(have) for have in values(document, attribute))


@lru_cache(maxsize=256)
def parse(text: str, dialect: Dialect) -> Filter:
    """Reads an expression. Raises InvalidFilter, which the API answers with Okta's E0000031."""
    if not text.strip():
        raise InvalidFilter("the expression is empty")
    return _Parser(text, dialect).parse()
