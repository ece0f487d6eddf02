"""Resolved by fact: an act is looked at again after 2, 5 and 10 minutes, whatever anybody claims (X8).

A check is a row with its time, made from the finished request, so that a kill at any instant loses none. An act that
did not last opens its ticket again and its owner is told, with the device that probably undid it where the log names
one (U8).
"""

import logging
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, func, or_, select, update
from sqlalchemy.engine import Connection

from account_access import audit, faults, notices, requests, tickets
from account_access.clock import Clock
from account_access.connectors.base import SystemFailure
from account_access.connectors.lockout_cause import cause_of
from account_access.connectors.registry import System
from account_access.requests import Request
from account_access.store import Store, claims, tables

logger = logging.getLogger(__name__)

AFTER_MINUTES = (2, 5, 10)
VERIFIED, RELAPSED, UNKNOWN, VOID = "verified", "relapsed", "unknown", "void"
# The outcomes of acts that changed something which should last, by act.
LASTING = {"unlock": ("unlocked",), "reset_mfa": ("mfa_reset",)}
# Requests that ended before this are not looked at any more: they are not about now.
REACH = timedelta(hours=24)
CLAIM_SECONDS = 60
# A system that is silent is asked again so often, then what became of the act is unknown.
RETRY_SECONDS, MAX_ATTEMPTS = 60, 10
HISTORY = timedelta(hours=24)


@dataclass(frozen=True)
class Check:
    """One look that is due; `due_at` is UTC."""

    id: str
    request_id: str
    after_minutes: int
    due_at: datetime
    attempts: int


@dataclass(frozen=True)
class Seen:
    """What a look showed: VERIFIED or RELAPSED, and since when (UTC) if the account is locked again."""

    result: str
    reason: str
    locked_at: datetime | None = None


_COLUMNS = [tables.checks.c[name] for name in Check.__dataclass_fields__]


class Verification:
    """The checks of one installation, for the schedulers."""

    def __init__(self, store: Store, clock: Clock):
        self.store = store
        self.clock = clock

    def plan(self) -> int:
        """Writes the checks of every act that has none yet; returns of how many acts."""
        table, checks, now = tables.requests, tables.checks, self.clock.now()
        known = select(checks.c.id).where(checks.c.request_id == table.c.id).exists()
        lasting = [outcome for outcomes in LASTING.values() for outcome in outcomes]
        query = select(table.c.id, table.c.finished_at).where(
            table.c.state == "done", table.c.outcome.in_(lasting), table.c.finished_at > now - REACH, ~known
        )
        with self.store.reading() as connection:
            found = connection.execute(query).all()
        for row in found:
            with self.store.begin() as connection:
                self._write(connection, row.id, row.finished_at)
        return len(found)

    def _write(self, connection: Connection, request_id: str, finished_at: datetime) -> None:
        table = tables.checks
        if connection.execute(select(table.c.id).where(table.c.request_id == request_id)).first():
            return
        for minutes in AFTER_MINUTES:
            values = dict(id=str(uuid.uuid4()), request_id=request_id, after_minutes=minutes, state="waiting")
            due_at = finished_at + timedelta(minutes=minutes)
            connection.execute(table.insert().values(**values, due_at=due_at, attempts=0))

    def due(self, limit: int = 50) -> list[tuple[Check, Request]]:
        """Checks whose time has come and that nobody is at, with their requests; the earliest first."""
        table, now = tables.checks, self.clock.now()
        query = (
            select(*_COLUMNS)
            .where(
                table.c.state == "waiting",
                table.c.due_at <= now,
                or_(table.c.claimed_until.is_(None), table.c.claimed_until <= now),
            )
            .order_by(table.c.due_at)
            .limit(limit)
        )
        with self.store.reading() as connection:
            found = [Check(*row) for row in connection.execute(query)]
            return [(check, requests.find(connection, check.request_id)) for check in found]

    def run(self, system: System, check: Check, request: Request) -> str | None:
        """Looks and records what it saw: verified, relapsed or unknown; None if somebody else has it, or it waits."""
        if not self._claim(check):
            return None
        try:
            seen = self._look(system, request)
            device = self._stale_device(system, request, seen) if seen.result == RELAPSED else None
        except SystemFailure as error:
            return self._later(check, request, f"{type(error).__name__}: {error}")
        faults.point("check_looked")
        return self._record(check, request, seen, device)

    def _claim(self, check: Check) -> bool:
        table, now = tables.checks, self.clock.now()
        with self.store.begin() as connection:
            taken = connection.execute(
                update(table)
                .where(
                    table.c.id == check.id,
                    table.c.state == "waiting",
                    or_(table.c.claimed_until.is_(None), table.c.claimed_until <= now),
                )
                .values(
                    claimed_until=now + timedelta(seconds=CLAIM_SECONDS),
                    claimed_by=claims.holder(),
                    attempts=table.c.attempts + 1,
                )
            )
            return taken.rowcount == 1

    def _look(self, system: System, request: Request) -> Seen:
        if request.act == "unlock":
            return self._still_unlocked(system, request)
        return self._still_gone(system, request)

    def _still_unlocked(self, system: System, request: Request) -> Seen:
        account = system.connector.account(request.external_id)
        if account.locked:
            return Seen(RELAPSED, f"locked again at {account.locked_at}", account.locked_at)
        with self.store.reading() as connection:
            since = _locked_meanwhile(connection, request, self._finished(connection, request))
        return Seen(RELAPSED, f"was locked again at {since}") if since else Seen(VERIFIED, "not locked")

    def _still_gone(self, system: System, request: Request) -> Seen:
        standing = {factor.id for factor in system.connector.factors(request.external_id)}
        back = sorted(standing & set(request.factor_ids or ()))
        return Seen(RELAPSED, f"{len(back)} factors stand again") if back else Seen(VERIFIED, "the factors are gone")

    def _finished(self, connection: Connection, request: Request) -> datetime:
        table = tables.requests
        return connection.execute(select(table.c.finished_at).where(table.c.id == request.id)).scalar_one()

    def _stale_device(self, system: System, request: Request, seen: Seen) -> str | None:
        """The program that probably sends an old password, as the log calls it; a log that is silent names none."""
        if seen.locked_at is None or not system.can("history"):
            return None
        try:
            history = system.connector.sign_in_history(request.external_id, seen.locked_at - HISTORY)
        except SystemFailure as error:
            logger.warning("The history of %s could not be read: %s", request.external_id, error)
            return None
        source = cause_of(history, seen.locked_at).stale_device
        return source.client if source else None

    def _later(self, check: Check, request: Request, reason: str) -> str | None:
        if check.attempts + 1 >= MAX_ATTEMPTS:
            with self.store.begin() as connection:
                self._close(connection, check, request, UNKNOWN, reason)
            return UNKNOWN
        table = tables.checks
        later = self.clock.now() + timedelta(seconds=RETRY_SECONDS)
        with self.store.begin() as connection:
            values = dict(claimed_until=None, due_at=later, reason=reason[:300])
            connection.execute(update(table).where(table.c.id == check.id).values(**values))
        return None

    def _record(self, check: Check, request: Request, seen: Seen, device: str | None) -> str:
        with self.store.begin() as connection:
            self._close(connection, check, request, seen.result, seen.reason)
            if seen.result == RELAPSED:
                self._relapse(connection, request, seen, device)
        return seen.result

    def _close(self, connection: Connection, check: Check, request: Request, result: str, reason: str) -> None:
        table, now = tables.checks, self.clock.now()
        values = dict(state="done", result=result, reason=reason[:300], checked_at=now, claimed_until=None)
        connection.execute(update(table).where(table.c.id == check.id).values(**values))
        about = f"{request.system}:{request.external_id}"
        detail = {"request": request.id, "after_minutes": check.after_minutes}
        key = f"verify:{request.id}:{check.after_minutes}"
        act = f"verify_{request.act}"
        audit.write(connection, now, "schedulers", act, about, result, request.person_id, reason, detail, key)

    def _relapse(self, connection: Connection, request: Request, seen: Seen, device: str | None) -> None:
        """It did not last: no further looks, the ticket is open again, and the person hears of what still stands."""
        table, now = tables.checks, self.clock.now()
        waiting = (table.c.request_id == request.id) & (table.c.state == "waiting")
        connection.execute(update(table).where(waiting).values(state="done", result=VOID, checked_at=now))
        ticket = tickets.of_request(connection, request.id)
        if ticket is not None:
            named = f" The device is probably {device}." if device else ""
            text = f"It did not last: {seen.reason}.{named}"
            tickets.change_state(connection, now, ticket, tickets.OPEN, text, "relapse", "schedulers")
        if request.act == "unlock" and seen.locked_at is None:
            return  # over again by now: there is nothing left to tell
        facts = {
            "request": request.id,
            "act": request.act,
            "system": request.system,
            "external_id": request.external_id,
            "locked_at": seen.locked_at.isoformat() if seen.locked_at else None,
            "device": device,
        }
        notices.create(connection, now, f"relapse:{request.id}", notices.RELAPSE, request.person_id, facts)


def _locked_meanwhile(connection: Connection, request: Request, finished_at: datetime) -> datetime | None:
    """When a lockout of that account began after the act, as far as a notice was made of it (UTC)."""
    table = tables.notices
    query = select(table.c.facts).where(
        table.c.person_id == request.person_id, table.c.kind == notices.LOCKOUT, table.c.created_at >= finished_at
    )
    for facts in connection.execute(query).scalars():
        began = datetime.fromisoformat(facts["locked_at"]) if facts.get("locked_at") else None
        if facts.get("external_id") == request.external_id and began and began > finished_at:
            return began
    return None


@dataclass(frozen=True)
class Count:
    """How one skill did in a period; `verified` and `relapsed` by the last look at each act."""

    act: str
    asked: int
    done: int
    claimed: int
    verified: int
    relapsed: int
    not_yet: int
    unknown: int


def report(connection: Connection, since: datetime) -> list[Count]:
    """Acts asked for since then, by skill: done, resolved by claim and by fact, apart (X8)."""
    table = tables.requests
    query = select(table.c.id, table.c.act, table.c.state, table.c.outcome, table.c.claimed_resolved_at).where(
        table.c.confirmed_at >= since
    )
    found: dict[str, list] = {}
    for row in connection.execute(query):
        found.setdefault(row.act, []).append(row)
    results = _results(connection)
    return [_count(act, rows, results) for act, rows in sorted(found.items())]


def _count(act: str, rows: list, results: dict[str, str]) -> Count:
    lasting = [row.id for row in rows if row.outcome in LASTING.get(act, ())]
    ended = [results.get(request_id) for request_id in lasting]
    return Count(
        act,
        len(rows),
        len(lasting),
        sum(1 for row in rows if row.claimed_resolved_at is not None),
        ended.count(VERIFIED),
        ended.count(RELAPSED),
        ended.count(None),
        ended.count(UNKNOWN),
    )


def _results(connection: Connection) -> dict[str, str]:
    """What the looks at each request come to: relapsed by any, else what the last one of all three said."""
    table = tables.checks
    relapsed = func.max(_one_if(table.c.result == RELAPSED))
    last = func.max(_one_if((table.c.after_minutes == AFTER_MINUTES[-1]) & (table.c.result == VERIFIED)))
    unknown = func.max(_one_if((table.c.after_minutes == AFTER_MINUTES[-1]) & (table.c.result == UNKNOWN)))
    query = select(table.c.request_id, relapsed, last, unknown).group_by(table.c.request_id)
    found = {}
    for request_id, was_relapsed, was_verified, was_unknown in connection.execute(query):
        if was_relapsed:
            found[request_id] = RELAPSED
        elif was_verified or was_unknown:
            found[request_id] = VERIFIED if was_verified else UNKNOWN
    return found


def _one_if(condition):
    return case((condition, 1), else_=0)
