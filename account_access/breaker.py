"""The breaker of each system: a password spray must not make us unlock its targets (X11).

More lockouts, or more self-service acts, than the settings allow in ten minutes stop every act on that system, those
confirmed already too, until it was quiet for half an hour or an admin re-arms it. Its state is one row a system, whose
lock makes two acts count one after the other.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, update
from sqlalchemy.engine import Connection, Row
from sqlalchemy.exc import IntegrityError

from account_access import audit, notices, people, tickets
from account_access.connectors.base import Account
from account_access.store import tables

logger = logging.getLogger(__name__)

QUIET, ADMIN = "quiet", "admin"


@dataclass(frozen=True)
class State:
    """How one system's breaker stands; instants are UTC. `tripped_at` is None while acts are allowed."""

    system: str
    tripped_at: datetime | None
    loud_at: datetime | None
    reason: str | None


def paused_because(connection: Connection, now: datetime, system: str, limits) -> str | None:
    """Why acts on this system are stopped now, None if they are not. `limits` is the settings' breaker section."""
    row = _row(connection, system)
    return row.reason if row is not None and _stands(row, now, limits) else None


def guard(connection: Connection, now: datetime, system: str, limits, request_id: str) -> str | None:
    """As `paused_because`, and counts the act that is about to be done: one too many trips the breaker.

    `request_id` is that act's, which may have been counted before a retry. Call it in the transaction that marks the
    act as called; until that ends nobody else counts.
    """
    row = _locked(connection, system)
    if _stands(row, now, limits):
        return row.reason
    acts = _acts(connection, system, _since(row, now, limits), request_id)
    if acts < limits.max_acts:
        return None
    reason = f"{acts + 1} self-service acts in {limits.window_minutes:g} minutes, {limits.max_acts} are allowed"
    return _trip(connection, now, system, reason)


def observe(connection: Connection, now: datetime, system: str, locked: Iterable[Account], limits) -> bool:
    """Looks at the lockouts of the last minutes and trips or re-arms the breaker; returns whether acts are stopped.

    `locked` are the accounts seen locked now, people of ours or not; those told of earlier and unlocked since count
    too.
    """
    row = _locked(connection, system)
    since = _since(row, now, limits)
    begun = {account.external_id for account in locked if account.locked_at and account.locked_at > since}
    count = len(begun | _noted(connection, system, since))
    if count > limits.max_lockouts:
        if not _stands(row, now, limits):
            reason = f"{count} lockouts in {limits.window_minutes:g} minutes, {limits.max_lockouts} are allowed"
            _trip(connection, now, system, reason)
        else:
            connection.execute(update(tables.breakers).where(tables.breakers.c.system == system).values(loud_at=now))
        return True
    if row.tripped_at is not None and not _stands(row, now, limits):
        _rearm(connection, now, row, "schedulers", f"quiet for {limits.quiet_minutes:g} minutes", QUIET)
    return _stands(row, now, limits)


def rearm(connection: Connection, now: datetime, system: str, actor: str) -> bool:
    """Allows acts again at an admin's word; False if they were not stopped. What was counted until now is forgotten."""
    row = _row(connection, system)
    if row is None or row.tripped_at is None:
        return False
    _rearm(connection, now, row, actor, "an admin re-armed it", ADMIN)
    return True


def states(connection: Connection) -> list[State]:
    """Every system's breaker that ever counted anything."""
    table = tables.breakers
    columns = [table.c[name] for name in State.__dataclass_fields__]
    return [State(*row) for row in connection.execute(select(*columns).order_by(table.c.system))]


def _row(connection: Connection, system: str) -> Row | None:
    return connection.execute(select(tables.breakers).where(tables.breakers.c.system == system)).first()


def _locked(connection: Connection, system: str) -> Row:
    """The system's row, made if need be, and locked until the transaction ends."""
    table = tables.breakers
    query = select(table).where(table.c.system == system).with_for_update()
    row = connection.execute(query).first()
    if row is not None:
        return row
    try:
        with connection.begin_nested():
            connection.execute(table.insert().values(system=system))
    except IntegrityError:
        pass  # somebody else made it just now
    return connection.execute(query).one()


def _stands(row: Row, now: datetime, limits) -> bool:
    return row.tripped_at is not None and now < row.loud_at + timedelta(minutes=limits.quiet_minutes)


def _since(row: Row, now: datetime, limits) -> datetime:
    since = now - timedelta(minutes=limits.window_minutes)
    return max(since, row.rearmed_at) if row.rearmed_at else since


def _acts(connection: Connection, system: str, since: datetime, excluding: str) -> int:
    table = tables.requests
    query = select(func.count()).where(
        table.c.system == system,
        table.c.id != excluding,
        table.c.called.is_(True),
        # By when it was done: a manager's word or an outage may come between the yes and the call.
        or_(table.c.finished_at.is_(None), table.c.finished_at > since),
    )
    return connection.execute(query).scalar_one()


def _noted(connection: Connection, system: str, since: datetime) -> set[str]:
    """External ids of lockouts that began since then, as far as notices were made of them."""
    table = tables.notices
    query = select(table.c.facts, table.c.created_at).where(table.c.kind == notices.LOCKOUT, table.c.created_at > since)
    found = set()
    for row in connection.execute(query):
        began = row.facts.get("locked_at")
        if row.facts.get("system") == system and (not began or datetime.fromisoformat(began) > since):
            found.add(row.facts["external_id"])
    return found


def _trip(connection: Connection, now: datetime, system: str, reason: str) -> str:
    logger.critical("Self-service on %s is stopped: %s; see `python -m account_access breaker`", system, reason)
    text = (
        f"Self-service on {system} was stopped at {now:%Y-%m-%d %H:%M} UTC: {reason}. This may be a password spray. "
        f"It begins again after a quiet while, or by `python -m account_access breaker rearm {system}`."
    )
    key = f"breaker:{system}:{now.isoformat()}"
    summary = f"SECURITY: self-service on {system} is stopped"
    ticket = tickets.open_ticket(connection, now, people.house(connection, now), key, summary, text, security=True)
    values = dict(tripped_at=now, loud_at=now, reason=reason[:200], ticket_id=ticket.id)
    connection.execute(update(tables.breakers).where(tables.breakers.c.system == system).values(**values))
    audit.write(connection, now, "account-access", "breaker", system, "tripped", reason=reason)
    return reason


def _rearm(connection: Connection, now: datetime, row: Row, actor: str, why: str, key: str) -> None:
    values = dict(tripped_at=None, loud_at=None, reason=None)
    if key == ADMIN:
        values["rearmed_at"] = now
    connection.execute(update(tables.breakers).where(tables.breakers.c.system == row.system).values(**values))
    audit.write(connection, now, actor, "breaker", row.system, "rearmed", reason=why)
    ticket = tickets.find(connection, row.ticket_id) if row.ticket_id else None
    if ticket is not None:
        tickets.note(connection, now, ticket, f"Self-service is allowed again: {why}.", f"{key}:{now.isoformat()}")
