"""Tickets: the person gets a reference at once, the desk hears of it from an outbox (U4, U7, nothing lost).

The texts here are for the people at the desk; what the employee reads stands in domain.yml.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, update
from sqlalchemy.engine import Connection

from account_access import audit
from account_access.clock import Clock
from account_access.store import Store, claims, tables

OPEN, RESOLVED = "open", "resolved"
FIRST_NUMBER = 1001


@dataclass(frozen=True)
class Ticket:
    id: str
    number: int
    person_id: str
    summary: str
    state: str
    request_id: str | None
    security: bool = False

    def reference(self, prefix: str) -> str:
        """What the person is told, e.g. AA-1001."""
        return f"{prefix}-{self.number}"


@dataclass(frozen=True)
class DeskEvent:
    """One thing the desk still has to hear; `key` tells a repeated one."""

    id: int
    key: str
    ticket: Ticket
    event: str
    text: str
    attempts: int


_COLUMNS = [tables.tickets.c[name] for name in Ticket.__dataclass_fields__]


def open_ticket(
    connection: Connection,
    now: datetime,
    person_id: str,
    key: str,
    summary: str,
    text: str,
    request_id: str | None = None,
    security: bool = False,
) -> Ticket:
    """Opens the ticket of this key, or finds it where a retry comes again.

    `security`: for the security team alone; nothing said in chat resolves it or opens it again (X10).
    """
    table = tables.tickets
    known = connection.execute(select(*_COLUMNS).where(table.c.key == key)).first()
    if known is not None:
        return Ticket(*known)
    number = _next_number(connection, now)
    ticket = Ticket(str(uuid.uuid4()), number, person_id, summary[:200], OPEN, request_id, security)
    connection.execute(
        table.insert().values(
            id=ticket.id,
            number=ticket.number,
            key=key,
            person_id=person_id,
            request_id=request_id,
            summary=ticket.summary,
            state=OPEN,
            created_at=now,
            changed_at=now,
            security=security,
        )
    )
    _tell_desk(connection, now, ticket, "open", text)
    audit.write(connection, now, f"person:{person_id}", "open_ticket", str(ticket.number), "done", person_id, summary)
    return ticket


def change_state(
    connection: Connection, now: datetime, ticket: Ticket, state: str, text: str, key: str, actor: str | None = None
) -> bool:
    """Resolves or re-opens the ticket; False if it stood so already. `key` names the cause, whose retry hears True.

    `actor` is who did it for the audit trail; the ticket's person, unless it is named.
    """
    table, event = tables.tickets, "resolve" if state == RESOLVED else "reopen"
    changed = connection.execute(
        update(table).where(table.c.id == ticket.id, table.c.state != state).values(state=state, changed_at=now)
    )
    if changed.rowcount != 1:
        return _desk_is_told(connection, _event_key(ticket, event, key))
    _tell_desk(connection, now, ticket, event, text, key)
    audit.write(
        connection,
        now,
        actor or f"person:{ticket.person_id}",
        f"{event}_ticket",
        str(ticket.number),
        "done",
        ticket.person_id,
        text,
    )
    return True


def note(connection: Connection, now: datetime, ticket: Ticket, text: str, key: str) -> None:
    """Adds a note for the desk, once for each key."""
    _tell_desk(connection, now, ticket, "note", text, key)


def has_key(connection: Connection, ticket_id: str, key: str) -> bool:
    """Whether the ticket was opened under this key."""
    return connection.execute(select(tables.tickets.c.key).where(tables.tickets.c.id == ticket_id)).scalar() == key


def of_request(connection: Connection, request_id: str) -> Ticket | None:
    """The ticket that records this request."""
    row = connection.execute(select(*_COLUMNS).where(tables.tickets.c.request_id == request_id)).first()
    return Ticket(*row) if row else None


def find(connection: Connection, ticket_id: str) -> Ticket | None:
    """The ticket with this id."""
    row = connection.execute(select(*_COLUMNS).where(tables.tickets.c.id == ticket_id)).first()
    return Ticket(*row) if row else None


def changed_at(connection: Connection, ticket_id: str) -> datetime:
    """When the ticket was opened, resolved or opened again last (UTC)."""
    return connection.execute(select(tables.tickets.c.changed_at).where(tables.tickets.c.id == ticket_id)).scalar_one()


def numbered(connection: Connection, number: int) -> Ticket | None:
    """The ticket with this number, for admins' commands."""
    row = connection.execute(select(*_COLUMNS).where(tables.tickets.c.number == number)).first()
    return Ticket(*row) if row else None


def latest(
    connection: Connection,
    person_id: str,
    since: datetime,
    state: str | None = None,
    of_unlock: bool = False,
    security: bool = True,
) -> Ticket | None:
    """The person's ticket that changed last since the instant, if any.

    `of_unlock`: of those that record an unlock. `security`: whether security's own count; no chat answer may open
    one of those again.
    """
    table = tables.tickets
    query = select(*_COLUMNS).where(table.c.person_id == person_id, table.c.changed_at >= since)
    if state:
        query = query.where(table.c.state == state)
    if of_unlock:
        query = query.where(table.c.request_id.is_not(None))
    if not security:
        query = query.where(table.c.security.is_(False))
    row = connection.execute(query.order_by(table.c.changed_at.desc(), table.c.number.desc()).limit(1)).first()
    return Ticket(*row) if row else None


def _next_number(connection: Connection, now: datetime) -> int:
    """The next number; its row is locked, so that two tickets never share one."""
    table = tables.cursors
    row = connection.execute(select(table.c.value).where(table.c.name == "ticket_number").with_for_update()).first()
    if row is None:
        highest = connection.execute(select(func.max(tables.tickets.c.number))).scalar()
        number = (highest or FIRST_NUMBER - 1) + 1
        connection.execute(table.insert().values(name="ticket_number", value=str(number), moved_at=now))
        return number
    number = int(row.value) + 1
    connection.execute(update(table).where(table.c.name == "ticket_number").values(value=str(number), moved_at=now))
    return number


def _tell_desk(
    connection: Connection, now: datetime, ticket: Ticket, event: str, text: str, cause: str = "first"
) -> None:
    key = _event_key(ticket, event, cause)
    if _desk_is_told(connection, key):
        return
    connection.execute(
        tables.desk_outbox.insert().values(
            key=key, ticket_id=ticket.id, event=event, text=text, created_at=now, due_at=now, attempts=0
        )
    )


def _event_key(ticket: Ticket, event: str, cause: str) -> str:
    return f"{ticket.id}:{event}:{cause}"


def _desk_is_told(connection: Connection, key: str) -> bool:
    table = tables.desk_outbox
    return connection.execute(select(table.c.id).where(table.c.key == key)).first() is not None


# The outbox, as followups empties it.


def due_events(store: Store, clock: Clock, limit: int = 50) -> list[DeskEvent]:
    """What the desk has to hear now: the oldest event of each ticket, so that they arrive in order."""
    outbox, now = tables.desk_outbox, clock.now()
    first = (
        select(func.min(outbox.c.id).label("id"))
        .where(outbox.c.sent_at.is_(None))
        .group_by(outbox.c.ticket_id)
        .subquery()
    )
    query = (
        select(outbox, *[column.label(f"t_{column.name}") for column in _COLUMNS])
        .join(first, first.c.id == outbox.c.id)
        .join(tables.tickets, tables.tickets.c.id == outbox.c.ticket_id)
        .where(outbox.c.due_at <= now, or_(outbox.c.claimed_until.is_(None), outbox.c.claimed_until <= now))
        .order_by(outbox.c.id)
        .limit(limit)
    )
    with store.reading() as connection:
        rows = connection.execute(query).mappings().all()
    return [
        DeskEvent(
            row["id"],
            row["key"],
            Ticket(*[row[f"t_{column.name}"] for column in _COLUMNS]),
            row["event"],
            row["text"],
            row["attempts"],
        )
        for row in rows
    ]


def claim_event(store: Store, clock: Clock, event: DeskEvent, seconds: float) -> bool:
    """Takes the event for so many seconds; False if somebody else has it."""
    outbox, now = tables.desk_outbox, clock.now()
    statement = (
        update(outbox)
        .where(
            outbox.c.id == event.id,
            outbox.c.sent_at.is_(None),
            or_(outbox.c.claimed_until.is_(None), outbox.c.claimed_until <= now),
        )
        .values(
            claimed_until=now + timedelta(seconds=seconds), claimed_by=claims.holder(), attempts=outbox.c.attempts + 1
        )
    )
    with store.begin() as connection:
        return connection.execute(statement).rowcount == 1


def event_sent(store: Store, clock: Clock, event: DeskEvent, remote_reference: str | None) -> None:
    """The desk has it; its own reference is kept with the ticket."""
    with store.begin() as connection:
        connection.execute(
            update(tables.desk_outbox).where(tables.desk_outbox.c.id == event.id).values(sent_at=clock.now())
        )
        if remote_reference:
            connection.execute(
                update(tables.tickets)
                .where(tables.tickets.c.id == event.ticket.id)
                .values(remote_reference=remote_reference)
            )


def event_failed(store: Store, clock: Clock, event: DeskEvent, retry_in_seconds: float) -> None:
    """The desk did not take it: later again; the person has their reference already."""
    with store.begin() as connection:
        connection.execute(
            update(tables.desk_outbox)
            .where(tables.desk_outbox.c.id == event.id)
            .values(claimed_until=None, due_at=clock.now() + timedelta(seconds=retry_in_seconds))
        )
