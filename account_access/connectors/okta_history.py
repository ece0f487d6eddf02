"""Okta's System Log as the sign-in history of one account (X9).

https://developer.okta.com/docs/api/openapi/okta-management/management/tag/SystemLog/
"""

import itertools
import json
import re
from typing import Any

from account_access.connectors import clients
from account_access.connectors.base import SignInEvent, SignInOutcome, TemporarilyUnavailable
from account_access.connectors.okta_reading import instant, mapping, optional, text, words

RICH_CLIENT = "user.authentication.auth_via_richclient"
SIGN_INS = frozenset({"user.session.start", "user.authentication.auth_via_mfa", RICH_CLIENT})
OUTCOMES = {
    "user.account.lock": SignInOutcome.LOCKED,
    "user.account.unlock": SignInOutcome.UNLOCKED,
    "user.account.unlock_by_admin": SignInOutcome.UNLOCKED,
}
EVENT_TYPES = (*sorted(SIGN_INS), *OUTCOMES)
# Programs that send a stored password by themselves, as their user agents say. A browser is never one of them.
UNATTENDED = ("activesync", "imap", "pop3", "smtp", "outlook", "exchange", "microsoft office", "caldav", "carddav",
              "thunderbird", "dataaccessd", "accountsd")  # fmt: skip
LONGEST = 120
# A user agent is what a stranger's program says, and we say it to the account's owner: a few words that look like a
# program's name, no sentence, no address, no telephone number.
PROGRAM = re.compile(r"(?![A-Za-z0-9-]*\d{5})([A-Za-z][A-Za-z0-9-]{0,29}(?:/\d{1,4}(?:\.\d{1,3})?)?)(?:\.[\d.]*)?")
PROGRAM_WORDS = 3


def filter_for(external_id: str) -> str:
    """The log's filter for what concerns the sign-ins of one account; a failed sign-in has it as its actor."""
    types = " or ".join(f'eventType eq "{name}"' for name in EVENT_TYPES)
    whose = json.dumps(external_id)
    return f"({types}) and (actor.id eq {whose} or target.id eq {whose})"


def history_of(answer: list[Any]) -> tuple[SignInEvent, ...]:
    """The events in the order in which they happened; two records of one attempt count once."""
    read: dict[tuple[str, SignInOutcome], SignInEvent] = {}
    for number, each in enumerate(answer):
        event = mapping(each)
        outcome = _outcome(event)
        if outcome is not None:
            attempt = optional(event.get("transaction")).get("id") or f"event {number}"
            read.setdefault((str(attempt), outcome), _event(event, outcome))
    return tuple(sorted(read.values(), key=lambda event: event.at))


def _outcome(event: dict[str, Any]) -> SignInOutcome | None:
    kind, told = text(event, "eventType"), optional(event.get("outcome"))
    if kind not in SIGN_INS:
        return OUTCOMES.get(kind)
    if told.get("result") == "SUCCESS":
        # A factor is half of a sign-in; the session's start says that it succeeded.
        return None if kind == "user.authentication.auth_via_mfa" else SignInOutcome.SUCCEEDED
    if told.get("result") != "FAILURE":
        return None
    return SignInOutcome.REFUSED if told.get("reason") == "LOCKED_OUT" else SignInOutcome.FAILED


def _event(event: dict[str, Any], outcome: SignInOutcome) -> SignInEvent:
    at = instant(event.get("published"))
    if at is None:
        raise TemporarilyUnavailable("a log event has no published")
    client = optional(event.get("client"))
    place = optional(client.get("geographicalContext"))
    agent = optional(client.get("userAgent"))
    raw = words(agent, "rawUserAgent", 500) or ""
    unattended = event["eventType"] == RICH_CLIENT or any(mark in raw.lower() for mark in UNATTENDED)
    return SignInEvent(
        at,
        outcome,
        words(client, "ipAddress", LONGEST),
        words(place, "city", LONGEST),
        words(place, "country", LONGEST),
        _client(agent, raw, unattended),
        unattended,
    )


def _client(agent: dict[str, Any], raw: str, unattended: bool) -> str | None:
    """`Chrome on Windows 10` for a browser Okta knows, `an iPhone (mail app)`, or what the program calls itself."""
    browser, system = words(agent, "browser", LONGEST), words(agent, "os", LONGEST)
    known_system = system if system and system.upper() != "UNKNOWN" else None
    if unattended or not browser or browser.upper() == "UNKNOWN":
        return (clients.known_by(raw) if unattended else None) or _program(raw) or known_system
    name = browser.replace("_", " ").title()
    return f"{name} on {known_system}" if known_system else name


def _program(raw: str) -> str | None:
    """`Microsoft Office/16.0` of `Microsoft Office/16.0.17328 (Windows NT 10.0; …)`, as far as it looks like a name."""
    said = re.sub(r"\([^()]*\)", " ", raw).split()[:PROGRAM_WORDS]
    shaped = itertools.takewhile(bool, map(PROGRAM.fullmatch, said))
    return " ".join(match[1] for match in shaped) or None
