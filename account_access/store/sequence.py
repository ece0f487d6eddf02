"""One counter a person orders everything they see; taking a number locks the counter until the transaction ends."""

from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from account_access.store import tables


def next_seq(connection: Connection, person_id: str) -> int:
    """The next number of this person's conversation.

    Because the row stays locked, numbers become visible in their order, also on PostgreSQL: a reader that has seen 7
    will never find a 6 later. Raises KeyError for somebody who is not in the store.
    """
    table = tables.conversations
    changed = connection.execute(
        update(table).where(table.c.person_id == person_id).values(last_seq=table.c.last_seq + 1)
    )
    if changed.rowcount != 1:
        raise KeyError(f"no conversation for person {person_id}")
    return connection.execute(select(table.c.last_seq).where(table.c.person_id == person_id)).scalar_one()
