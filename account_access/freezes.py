""" "This wasn't me": self-service stops for its owner until security closes the ticket (X10).

A freeze is a person's, over all of their accounts: whoever tried one has the password of the others, perhaps. Nothing
said in chat lifts it, and a second report finds the first.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.engine import Connection

from account_access import audit, offers, tickets
from account_access.people import Person
from account_access.store import tables
from account_access.tickets import Ticket

SUMMARY = "SECURITY: attempts on an account that its owner says were not theirs"


@dataclass(frozen=True)
class Freeze:
    """`reported_at` is UTC."""

    id: str
    person_id: str
    ticket_id: str
    reported_at: datetime
    cause: str


_COLUMNS = [tables.freezes.c[name] for name in Freeze.__dataclass_fields__]


def report(connection: Connection, now: datetime, person: Person, cause: str, about: str) -> tuple[Freeze, bool]:
    """Freezes the person's self-service and opens security's ticket; with whether this message did it.

    `cause` is the message that reported it, whose retry finds its own; `about` tells security what it was about. All
    open questions that lead to an act are closed, so that a stray yes has nothing to answer.
    """
    known = standing(connection, person.id)
    if known is not None:
        if known.cause != cause:
            ticket = tickets.find(connection, known.ticket_id)
            tickets.note(connection, now, ticket, f"Reported again in chat. {about}", cause)
        return known, known.cause == cause
    actor = f"person:{person.id}"
    text = (
        f"{person.name or person.login} ({person.login}) says: this wasn't me. {about}\n"
        "Self-service for all their accounts is stopped; closing this ticket, and nothing else, allows it again."
    )
    ticket = tickets.open_ticket(connection, now, person.id, f"not_me:{cause}", SUMMARY, text, security=True)
    freeze = Freeze(str(uuid.uuid4()), person.id, ticket.id, now, cause)
    values = {name: getattr(freeze, name) for name in Freeze.__dataclass_fields__}
    connection.execute(tables.freezes.insert().values(**values))
    audit.write(connection, now, actor, "freeze", str(ticket.number), "frozen", person.id, about, key=f"freeze:{cause}")
    _withdraw_questions(connection, now, person.id)
    return freeze, True


def standing(connection: Connection, person_id: str, asked_at: datetime | None = None) -> Freeze | None:
    """The freeze that stops this person's self-service, None if there is none.

    An act that was asked for at `asked_at` (UTC) is also stopped by one that was reported since and lifted: its owner
    asks anew, and what somebody else may have asked for before is over.
    """
    table = tables.freezes
    stops = table.c.lifted_at.is_(None)
    if asked_at is not None:
        stops = or_(stops, table.c.reported_at >= asked_at)
    row = connection.execute(select(*_COLUMNS).where(table.c.person_id == person_id, stops).limit(1)).first()
    return Freeze(*row) if row else None


def ticket_of(connection: Connection, freeze: Freeze) -> Ticket:
    """Security's ticket, which holds the freeze."""
    return tickets.find(connection, freeze.ticket_id)


def lift(connection: Connection, now: datetime, ticket: Ticket, actor: str) -> int:
    """Lifts what this ticket holds, because it was closed; returns how many freezes that were (0 or 1)."""
    table = tables.freezes
    standing_ones = (table.c.ticket_id == ticket.id) & table.c.lifted_at.is_(None)
    lifted = connection.execute(update(table).where(standing_ones).values(lifted_at=now, lifted_by=actor[:80])).rowcount
    if lifted:
        reason = "security closed the ticket"
        audit.write(connection, now, actor, "freeze", str(ticket.number), "lifted", ticket.person_id, reason)
    return lifted


def _withdraw_questions(connection: Connection, now: datetime, person_id: str) -> None:
    table = tables.offers
    query = select(table.c.id, table.c.subject).where(table.c.person_id == person_id, table.c.state == offers.OPEN)
    for row in connection.execute(query).all():
        if (row.subject or {}).get("act"):
            offers.close(connection, now, row.id, offers.OVERTAKEN)
