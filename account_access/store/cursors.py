"""Where something has got to, by a name: the last run, the last reading, what went out in the last minute."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.engine import Connection

from account_access.store import tables


def move(connection: Connection, name: str, value: str, moved_at: datetime) -> None:
    """Keeps this value under that name, as of an instant (UTC), in the caller's transaction."""
    table, values = tables.cursors, {"value": value, "moved_at": moved_at}
    if connection.execute(update(table).where(table.c.name == name).values(**values)).rowcount == 0:
        connection.execute(table.insert().values(name=name, **values))
