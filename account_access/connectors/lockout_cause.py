"""Why an account is locked, read from its sign-in history: how often, from where, with what (X9). Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from account_access.connectors.base import SignInEvent, SignInOutcome

# The log and the account's status are written by different parts of a system.
SKEW = timedelta(minutes=1)
COUNTED = (SignInOutcome.FAILED, SignInOutcome.REFUSED)
STARTS_ANEW = (SignInOutcome.SUCCEEDED, SignInOutcome.UNLOCKED, SignInOutcome.LOCKED)


@dataclass(frozen=True)
class Source:
    """One client at one place, with its failed attempts that led to the lockout and those since. Instants are UTC."""

    client: str | None
    ip: str | None
    city: str | None
    country: str | None
    failures: int
    since_lockout: int
    last_at: datetime
    unattended: bool


@dataclass(frozen=True)
class LockoutCause:
    """What led to a lockout, as far as the log tells; `sources` by their attempts, most first. Instants are UTC.

    `stale_device` is the client that probably sends an old password by itself; a browser is never accused of it.
    """

    locked_at: datetime
    failures: int
    first_at: datetime | None
    last_at: datetime | None
    sources: tuple[Source, ...]
    stale_device: Source | None


def cause_of(history: Sequence[SignInEvent], locked_at: datetime) -> LockoutCause:
    """The cause of the lockout that began at this instant (UTC), from a history that is oldest first.

    Failures count from the last success, unlock or earlier lockout on. A log that came late or tells nothing leaves
    zero failures and no sources: say that it is not known.
    """
    locks = [e.at for e in history if e.outcome is SignInOutcome.LOCKED and abs(e.at - locked_at) <= SKEW]
    begun = min(locks, key=lambda at: abs(at - locked_at), default=locked_at)
    start = max((e.at for e in history if e.outcome in STARTS_ANEW and e.at < begun), default=None)
    tried = [e for e in history if e.outcome in COUNTED and (start is None or e.at > start)]
    # The log orders events of one instant as it likes: what failed at the instant of the lockout led to it.
    failed = [e for e in tried if e.outcome is SignInOutcome.FAILED and e.at <= begun]
    since = [e for e in tried if e.at > begun or (e.outcome is SignInOutcome.REFUSED and e.at == begun)]
    sources = _sources(failed, since)
    return LockoutCause(
        begun,
        len(failed),
        failed[0].at if failed else None,
        failed[-1].at if failed else None,
        sources,
        next((source for source in sources if source.unattended), None),
    )


def _sources(failed: Iterable[SignInEvent], since: Iterable[SignInEvent]) -> tuple[Source, ...]:
    events: dict[tuple, list[SignInEvent]] = {}
    counts: dict[tuple, list[int]] = {}
    for after, group in enumerate((failed, since)):
        for event in group:
            key = (event.client, event.ip)
            events.setdefault(key, []).append(event)
            counts.setdefault(key, [0, 0])[after] += 1
    found = [_source(seen[-1], *counts[key]) for key, seen in events.items()]
    return tuple(sorted(found, key=lambda source: -(source.failures + source.since_lockout)))


def _source(last: SignInEvent, failures: int, since_lockout: int) -> Source:
    return Source(last.client, last.ip, last.city, last.country, failures, since_lockout, last.at, last.unattended)
