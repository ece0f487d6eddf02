"""One counter a person orders everything they see; taking a number locks the counter until the transaction ends."""

from sqlalchemy import bindparam, select, update
from sqlalchemy.engine import Connection

from account_access.store import tables

_MINE = tables.conversations.c.person_id == bindparam("person")
# Made once: making a statement takes SQLAlchemy four times as long as running it (likewise in conversation.py).
_COUNT = update(tables.conversations).where(_MINE).values(last_seq=tables.conversations.c.last_seq + 1)
_LAST = select(tables.conversations.c.last_seq).where(_MINE)


def next_seq(connection: Connection, person_id: str) -> int:
    """The next number of this person's conversation.

    Because the row stays locked, numbers become visible in their order, also on PostgreSQL: a reader that has seen 7
    will never find a 6 later. Raises KeyError for somebody who is not in the store.
    """
    changed = connection.execute(_COUNT, {"person": person_id})
    if changed.rowcount != 1:
        raise KeyError(f"no conversation for person {person_id}")
    return connection.execute(_LAST, {"person": person_id}).scalar_one()
