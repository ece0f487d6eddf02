"""Why somebody was locked, from what the log happens to tell (X9)."""

from datetime import datetime, timedelta, timezone

import pytest

from account_access.connectors.base import SignInEvent, SignInOutcome
from account_access.connectors.lockout_cause import cause_of

LOCKED_AT = datetime(2026, 11, 24, 17, 0, tzinfo=timezone.utc)
FAILED, REFUSED, SUCCEEDED = SignInOutcome.FAILED, SignInOutcome.REFUSED, SignInOutcome.SUCCEEDED
PHONE = dict(ip="198.51.100.77", city="Oakland", client="Exchange ActiveSync", unattended=True)
LAPTOP = dict(ip="203.0.113.24", city="San Francisco", client="Chrome on Windows 10")


def at(seconds: float, outcome: SignInOutcome = FAILED, **who) -> SignInEvent:
    """An event so many seconds after the lockout."""
    return SignInEvent(LOCKED_AT + timedelta(seconds=seconds), outcome, **(who or PHONE))


LOCK = at(0, SignInOutcome.LOCKED)
CASES = [
    ("a phone", [*(at(-s) for s in (40, 30, 20, 10, 0)), LOCK], 5, ["Exchange ActiveSync"], "Exchange ActiveSync"),
    ("a person", [*(at(-s, **LAPTOP) for s in (9, 5, 2)), LOCK], 3, ["Chrome on Windows 10"], None),
    ("nothing known", [], 0, [], None),
    ("the lock alone", [LOCK], 0, [], None),
    ("both, most first", [at(-9, **LAPTOP), at(-5), at(-2), LOCK], 3, ["Exchange ActiveSync", "Chrome on Windows 10"],
     "Exchange ActiveSync"),
    ("a success sets the count back", [at(-9), at(-8, SUCCEEDED, **LAPTOP), at(-1), LOCK], 1, ["Exchange ActiveSync"],
     "Exchange ActiveSync"),
    ("an earlier lockout is another story", [at(-99), at(-90, SignInOutcome.LOCKED), at(-80, SignInOutcome.UNLOCKED),
                                             at(-1), LOCK], 1, ["Exchange ActiveSync"], "Exchange ActiveSync"),
    ("it goes on trying", [at(-1, **LAPTOP), LOCK, at(30, REFUSED), at(90, REFUSED)], 1,
     ["Exchange ActiveSync", "Chrome on Windows 10"], "Exchange ActiveSync"),
    ("the log names no lock yet", [at(-2), at(-1)], 2, ["Exchange ActiveSync"], "Exchange ActiveSync"),
    ("the log's clock is a little off", [at(-2), at(-1), at(3, SignInOutcome.LOCKED)], 2, ["Exchange ActiveSync"],
     "Exchange ActiveSync"),
]  # fmt: skip


@pytest.mark.parametrize(("history", "failures", "clients", "stale"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_x9_cause(history, failures, clients, stale):
    cause = cause_of(sorted(history, key=lambda event: event.at), LOCKED_AT)
    assert (cause.failures, [source.client for source in cause.sources]) == (failures, clients)
    assert (cause.stale_device and cause.stale_device.client) == stale


def test_x9_counts_of_each_source_before_and_since_the_lockout():
    history = [at(-2), at(-1), LOCK, at(60, REFUSED), at(120, REFUSED), at(180, REFUSED)]
    (source,) = cause_of(history, LOCKED_AT).sources
    assert (source.failures, source.since_lockout, source.last_at) == (2, 3, LOCKED_AT + timedelta(seconds=180))
    assert (source.ip, source.city, source.country) == ("198.51.100.77", "Oakland", None)


def test_x9_of_two_lockouts_in_a_minute_the_one_asked_about_counts():
    history = [at(-30), at(-25, SignInOutcome.LOCKED), at(-20, SignInOutcome.UNLOCKED), at(-1), LOCK]
    assert cause_of(history, LOCKED_AT).failures == 1
    assert cause_of(history, LOCKED_AT - timedelta(seconds=25)).first_at == LOCKED_AT - timedelta(seconds=30)
