"""Who met a system that did not answer is told, once, when it is back (X6)."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from account_access import notices, people
from account_access.store import Store, tables

RETRY_SECONDS = 20
# Whoever waited longer has found another way, or asks again.
REACH = timedelta(hours=24)


@dataclass(frozen=True)
class Outage:
    """One person who waits for one system."""

    id: str
    person_id: str
    system: str
    external_id: str | None
    since: datetime


_COLUMNS = [tables.outages.c[name] for name in Outage.__dataclass_fields__]


def meet(connection: Connection, now: datetime, person_id: str, system: str, cause: str) -> bool:
    """Notes that this message met the silent system; False if the person waits for it already."""
    table = tables.outages
    query = select(table.c.id).where(
        table.c.person_id == person_id, table.c.system == system, table.c.over_at.is_(None)
    )
    if connection.execute(query).first():
        return False
    external_id = people.accounts_of(connection, person_id).get(system)
    values = dict(id=str(uuid.uuid4()), cause=cause, person_id=person_id, system=system, external_id=external_id)
    due_at = now + timedelta(seconds=RETRY_SECONDS)
    if connection.execute(select(table.c.id).where(table.c.cause == cause)).first():
        return False
    connection.execute(table.insert().values(**values, since=now, due_at=due_at))
    return True


def waited_for(connection: Connection, now: datetime, person_id: str) -> Outage | None:
    """The system that this person met silent last and is still to hear of, None if there is none."""
    table = tables.outages
    query = select(*_COLUMNS).where(
        table.c.person_id == person_id, table.c.over_at.is_(None), table.c.since > now - REACH
    )
    row = connection.execute(query.order_by(table.c.since.desc()).limit(1)).first()
    return Outage(*row) if row else None


def due(store: Store, now: datetime) -> dict[str, list[Outage]]:
    """Who waits for which system, of those whose time for another look has come."""
    table = tables.outages
    query = select(*_COLUMNS).where(table.c.over_at.is_(None), table.c.due_at <= now).order_by(table.c.since)
    found: dict[str, list[Outage]] = {}
    with store.reading() as connection:
        for row in connection.execute(query):
            found.setdefault(row.system, []).append(Outage(*row))
    return found


def still_silent(store: Store, now: datetime, system: str) -> None:
    """The system was asked and did not answer: later again."""
    table = tables.outages
    later = now + timedelta(seconds=RETRY_SECONDS)
    with store.begin() as connection:
        waiting = (table.c.system == system) & table.c.over_at.is_(None)
        connection.execute(update(table).where(waiting).values(due_at=later))


def over(store: Store, now: datetime, waiting: list[Outage]) -> int:
    """The system answers: everybody of these who still waits gets their notice; returns how many."""
    table, told = tables.outages, 0
    with store.begin() as connection:
        for outage in waiting:
            ended = update(table).where(table.c.id == outage.id, table.c.over_at.is_(None)).values(over_at=now)
            if connection.execute(ended).rowcount != 1 or outage.since < now - REACH:
                continue
            facts = {"system": outage.system, "external_id": outage.external_id, "since": outage.since.isoformat()}
            told += (
                notices.create(connection, now, f"available:{outage.id}", notices.AVAILABLE, outage.person_id, facts)
                is not None
            )
    return told
