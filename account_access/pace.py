"""How much goes out by each surface in a minute (`schedulers.per_minute`): a moving window, kept in the store.

In any 60 seconds of the installation's clock no more goes out than the settings allow, whatever restarts and however
many schedulers there are: what was taken is committed before anything goes. What somebody took and was killed before
sending counts all the same. Where schedulers' clocks differ, the window is shorter by the difference.
"""

import json
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.engine import Connection

from account_access.clock import Clock
from account_access.store import Store, cursors, tables

# A new surface is named here and asks with that name before it sends.
WEB, MAIL = "web", "mail"
SURFACES = (WEB, MAIL)
# Microsoft's Exchange Online takes 30 mails a minute from one sender; our own chat needs no limit.
DEFAULTS: dict[str, int | None] = {WEB: None, MAIL: 30}
WINDOW = timedelta(minutes=1)


def left(store: Store, clock: Clock, surface: str, per_minute: int | None) -> int | None:
    """How many more may go out by this surface now; None where the settings set no limit."""
    if per_minute is None:
        return None
    with store.reading() as connection:
        return max(0, per_minute - _used(_taken(connection, surface, clock.now())))


def take(store: Store, clock: Clock, surface: str, wanted: int, per_minute: int | None, urgent: int = 0) -> int:
    """How many of so many things may go out by this surface now: they count from now on, sent or not.

    `urgent` ones count as well, but wait for nothing: they go out whatever the limit.
    """
    if per_minute is None:
        return wanted
    now = clock.now()
    with store.begin() as connection:
        taken = _taken(connection, surface, now)
        granted = max(0, min(wanted, per_minute - _used(taken) - urgent))
        if granted + urgent:
            _note(connection, surface, now, [*taken, (now, granted + urgent)])
    return granted


def _taken(connection: Connection, surface: str, now: datetime) -> list[tuple[datetime, int]]:
    """What was taken in the window: (when, how many), the earliest first."""
    query = select(tables.cursors.c.value).where(tables.cursors.c.name == _name(surface))
    kept = json.loads(connection.execute(query).scalar() or "[]")
    instants = [(datetime.fromisoformat(at), many) for at, many in kept]
    # A clock that was put back far does not close a surface until the time is made up.
    return [(at, many) for at, many in instants if now - WINDOW < at <= now + WINDOW]


def _used(taken: list[tuple[datetime, int]]) -> int:
    return sum(many for _, many in taken)


def _note(connection: Connection, surface: str, now: datetime, taken: list[tuple[datetime, int]]) -> None:
    value = json.dumps([(at.isoformat(), many) for at, many in taken])
    cursors.move(connection, _name(surface), value, now)


def _name(surface: str) -> str:
    return f"pace:{surface}"
