"""What was done for a person, told and sent to them, newest first: their receipts (X14).

Read from the rows that the acts themselves left, so that nothing can be done without a receipt. The words are
responses of domain.yml, `utter_receipt_<name>`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.engine import Connection

from account_access import notices, requests
from account_access.store import tables


@dataclass(frozen=True)
class Receipt:
    """One thing that happened; `at` is UTC. `name` chooses the words, `other` those for a name nobody worded.

    `question` is the one whose answer led to an act, `ticket` the number of the ticket that records it.
    """

    at: datetime
    name: str
    other: str
    system: str | None = None
    question: str | None = None
    ticket: int | None = None


def of(connection: Connection, person_id: str, until: datetime) -> list[Receipt]:
    """Everything up to that instant, newest first."""
    found = [
        *_acts(connection, person_id),
        *_notices(connection, person_id),
        *_links(connection, person_id),
        *_tickets(connection, person_id),
        *_freezes(connection, person_id),
        *_mails(connection, person_id),
    ]
    return sorted((one for one in found if one.at <= until), key=lambda receipt: receipt.at, reverse=True)


def _acts(connection: Connection, person_id: str) -> Iterator[Receipt]:
    table, number = tables.requests, tables.tickets.c.number
    query = (
        select(table, number)
        .select_from(table.outerjoin(tables.tickets, tables.tickets.c.request_id == table.c.id))
        .where(table.c.person_id == person_id, table.c.state.in_(requests.FINAL))
    )
    for row in connection.execute(query):
        name = f"{row.act}_{row.outcome}"
        yield Receipt(row.finished_at, name, f"{row.act}_other", row.system, row.question, row.number)


def _notices(connection: Connection, person_id: str) -> Iterator[Receipt]:
    table = tables.notices
    query = select(table.c.kind, table.c.delivered_at, table.c.facts).where(
        table.c.person_id == person_id, table.c.state == notices.DELIVERED
    )
    for row in connection.execute(query):
        yield Receipt(row.delivered_at, f"notice_{row.kind}", "notice_other", row.facts.get("system"))


def _links(connection: Connection, person_id: str) -> Iterator[Receipt]:
    table = tables.links
    query = select(table.c.created_at, table.c.clicked_at, table.c.system).where(table.c.person_id == person_id)
    for row in connection.execute(query):
        yield Receipt(row.created_at, "link_made", "link_made", row.system)
        if row.clicked_at:
            yield Receipt(row.clicked_at, "link_clicked", "link_clicked", row.system)


def _tickets(connection: Connection, person_id: str) -> Iterator[Receipt]:
    """Those that record no act and hold no freeze: the lines of these name their own."""
    table = tables.tickets
    query = select(table).where(
        table.c.person_id == person_id, table.c.request_id.is_(None), table.c.security.is_(False)
    )
    for row in connection.execute(query):
        yield Receipt(row.created_at, f"ticket_{row.state}", "ticket_open", ticket=row.number)


def _freezes(connection: Connection, person_id: str) -> Iterator[Receipt]:
    table, number = tables.freezes, tables.tickets.c.number
    query = (
        select(table, number)
        .join(tables.tickets, tables.tickets.c.id == table.c.ticket_id)
        .where(table.c.person_id == person_id)
    )
    for row in connection.execute(query):
        yield Receipt(row.reported_at, "freeze", "freeze", ticket=row.number)
        if row.lifted_at:
            yield Receipt(row.lifted_at, "freeze_lifted", "freeze_lifted", ticket=row.number)


def _mails(connection: Connection, person_id: str) -> Iterator[Receipt]:
    table = tables.mails
    query = select(table.c.sent_at).where(table.c.person_id == person_id, table.c.sent_at.is_not(None))
    for sent_at in connection.execute(query).scalars():
        yield Receipt(sent_at, "mail", "mail")
