"""Settings that are allowed and yet can keep people from hearing in time: told at start, by preview and by simulate.

The planner itself swallows a last reminder on one kind of day alone, as tests/schedulers/test_pitfalls.py searches for:
where a clock change skips the send time over midnight. The others are about hours that are too short to tell many.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path

from account_access import zones
from account_access.cadence.calendar import Calendar
from account_access.settings import Settings
from schedulers import daily

# Ten thousand notices take some minutes, an action that is restarted some more.
ENOUGH = timedelta(minutes=30)
# Until so long after the run of a day, the day's last reminders are out for sure.
SURELY_OUT = timedelta(hours=1)
# Zones change their clocks at most a few times a year, and not always in the same way.
LOOKED_AHEAD_DAYS = 730


def lines(path: str | Path, settings: Settings, now: datetime) -> list[str]:
    """What is wrong, each with file, key and remedy; `now` is aware."""
    return [f"{path}: {key}: {text}" for key, text in found(settings, now)]


def found(settings: Settings, now: datetime) -> Iterator[tuple[str, str]]:
    """The key, and what can happen to whom, with the remedy."""
    calendar = Calendar(zones.find(settings.time_zone))
    today = calendar.date(now)
    if settings.password.follow_up == "daily" and settings.password.mode != "instructions":
        yield "password.follow_up", "daily has a meaning in instructions mode only; ignored"
    for name in ("password", "contractor"):
        send_at = getattr(settings, name).send_at
        for text in _of_the_time(calendar, today, send_at, expires_by_the_minute=name == "password"):
            yield f"{name}.send_at", text


def _of_the_time(calendar: Calendar, today: date, send_at: time, expires_by_the_minute: bool) -> Iterator[str]:
    """What can go wrong with runs at that time of the day."""
    if skipped := _over_midnight(calendar, today, send_at):
        yield (
            f"on {skipped} the clocks of {calendar.zone.key} jump over {send_at:%H:%M} into the next day, and whoever "
            "is to be told on that day is told after midnight or not at all; write an earlier time"
        )
    if expires_by_the_minute and (left := _left(today, send_at)) < SURELY_OUT:
        yield (
            f"{send_at:%H:%M} leaves {_minutes(left)} of the day: a password that expires soon after midnight may "
            "have expired before its last reminder is out; write a time before 23:00"
        )
    elif (window := _window(calendar, today, send_at)) < ENOUGH:
        yield (
            f"{send_at:%H:%M} leaves {_minutes(window)} until reminders rest: what is not out by then, last ones "
            "apart, comes a day late; write e.g. 10:00"
        )


def _over_midnight(calendar: Calendar, today: date, send_at: time) -> date | None:
    """The next date whose run takes place on another one, None if there is none."""
    days = (today + timedelta(days=n) for n in range(LOOKED_AHEAD_DAYS))
    return next((day for day in days if calendar.date(calendar.at(day, send_at)) > day), None)


def _left(day: date, send_at: time) -> timedelta:
    """From the run to the end of its day, on a day without a clock change."""
    return datetime.combine(day + timedelta(days=1), time()) - datetime.combine(day, send_at)


def _window(calendar: Calendar, day: date, send_at: time) -> timedelta:
    """How long notices of the run may go out at all (E15)."""
    return daily.closes(calendar, day, send_at) - calendar.at(day, send_at)


def _minutes(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    return f"{minutes} minute" + ("s" if minutes != 1 else "")
