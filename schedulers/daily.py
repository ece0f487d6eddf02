"""The daily runs: which days' runs are still to be made up for, and whether now is a time for it (E1, C2, E15).

A run is for a date of the configured zone. One that was missed is made up on the same day before 20:00, otherwise with
the next morning's; only last reminders go out at any hour. Runs that were missed together become one.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.engine import Connection

from account_access.cadence.calendar import Calendar
from account_access.store import Store, cursors, tables

QUIET_FROM = time(20)
# Further back nothing is made up for: the longest cadence is over by then for nearly everybody.
MOST_DAYS = 31
# What a quiet evening held back comes after the morning's run, which may have folded it in.
AFTER_THE_RUN = timedelta(minutes=10)


@dataclass(frozen=True)
class Due:
    """Runs to be made now. `days`: their dates, the latest first. `last_only`: only last reminders may go out.

    `first`: there was never a run before.
    """

    days: tuple[date, ...]
    today: date
    last_only: bool
    first: bool


def due(store: Store, now: datetime, calendar: Calendar, name: str, send_at: time) -> Due | None:
    """The runs of that name that are due `now` (UTC), None if there is none."""
    today = calendar.date(now)
    with store.reading() as connection:
        done, last_done = _day(connection, f"run:{name}"), _day(connection, f"last:{name}")
    after = max(done or today - timedelta(days=1), today - timedelta(days=MOST_DAYS))
    days = [after + timedelta(days=n) for n in range(1, (today - after).days + 1)]
    passed = tuple(day for day in reversed(days) if calendar.at(day, send_at) <= now)
    if not passed:
        return None
    if is_open(now, calendar, send_at):
        return Due(passed, today, False, done is None)
    if done is None or (last_done is not None and last_done >= passed[0]):
        return None
    return Due(passed, today, True, False)


def finish(connection: Connection, now: datetime, name: str, run: Due) -> None:
    """The run was made; its days are never made up for again."""
    cursors.move(connection, f"last:{name}" if run.last_only else f"run:{name}", run.days[0].isoformat(), now)


def is_open(now: datetime, calendar: Calendar, send_at: time) -> bool:
    """Whether notices of a daily run may go out now: from the send time until 20:00 (E15)."""
    today = calendar.date(now)
    return calendar.at(today, send_at) <= now < closes(calendar, today, send_at)


def closes(calendar: Calendar, day: date, send_at: time) -> datetime:
    """Until when (UTC) notices of that day's run may go out: 20:00, or midnight where it is later than that."""
    return calendar.begin(day + timedelta(days=1)) if send_at >= QUIET_FROM else calendar.at(day, QUIET_FROM)


def next_opening(now: datetime, calendar: Calendar, send_at: time) -> datetime:
    """When notices may go out again (UTC): a little after the next run has begun, where that is not too late."""
    today = calendar.date(now)
    day = today if now < calendar.at(today, send_at) else today + timedelta(days=1)
    opens = calendar.at(day, send_at)
    return min(opens + AFTER_THE_RUN, opens + (closes(calendar, day, send_at) - opens) / 2)


def last_run_before(now: datetime, calendar: Calendar, send_at: time) -> datetime:
    """The instant (UTC) of the last daily run ahead of today."""
    return calendar.at(calendar.date(now) - timedelta(days=1), send_at)


def done_for(store: Store, name: str) -> date | None:
    """The date of the latest run of that name, None if there was none."""
    with store.reading() as connection:
        return _day(connection, f"run:{name}")


def _day(connection: Connection, name: str) -> date | None:
    table = tables.cursors
    value = connection.execute(select(table.c.value).where(table.c.name == name)).scalar()
    return date.fromisoformat(value) if value else None
