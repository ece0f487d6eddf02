"""How often a person wants to hear of lockouts: fewer than the settings say, or as they say; never more (N6)."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from account_access import audit
from account_access.store import tables

FEWER, USUAL = "fewer", "usual"
WEEK_HOURS = 168.0
# Said on top of an understood "change my notifications": which way. Words that take something back come first.
_USUAL = re.compile(
    r"\b(back on|back again|turn (them|it|notifications?|messages?) (back )?on|undo|as before|as usual|usual|normal|"
    r"unmute|resume|re ?enable|enable|more often|every time|again)\b"
)
_NOT_USUAL = re.compile(r"\b(no more|any ?more|never|don t|do not|stop)\b")
_FEWER = re.compile(
    r"\b(fewer|less|stop|mute|silence|quiet|off|never|don t|do not|not|no more|any ?more|too (many|often|much)|enough|"
    r"unsubscribe|spam\w*|reduce|only|at most|once)\b"
)


@dataclass(frozen=True)
class Limits:
    """At most so many lockout notices in the window, with the gap between two, in hours."""

    max_notifications: int
    window_hours: float
    gap_hours: float


def wanted(text: str) -> str | None:
    """Which way a person wants their notifications changed: `fewer`, `usual`, or None where the words do not say."""
    said = re.sub(r"[^\w]+", " ", text.casefold()).strip()
    if _USUAL.search(said) and not _NOT_USUAL.search(said):
        return USUAL
    return FEWER if _FEWER.search(said) else None


def limits_of(connection: Connection, person_id: str, section) -> Limits:
    """What holds for this person: the settings' lockout section, lowered by their own wish."""
    return limits_of_each(connection, [person_id], section)[person_id]


def limits_of_each(connection: Connection, person_ids: Collection[str], section) -> dict[str, Limits]:
    """As `limits_of`, for many people."""
    table = tables.preferences
    usual = Limits(section.max_notifications, section.window_hours, section.gap_hours)
    found = dict.fromkeys(person_ids, usual)
    wishes = table.c.person_id.in_(list(person_ids)) & table.c.max_notifications.is_not(None)
    for row in connection.execute(select(table).where(wishes)):
        most, hours = min(usual.max_notifications, row.max_notifications), max(usual.window_hours, row.window_hours)
        found[row.person_id] = Limits(most, hours, usual.gap_hours)
    return found


def change(connection: Connection, now: datetime, person_id: str, way: str, section, cause: str) -> tuple[Limits, bool]:
    """Goes one step down, or back to what the settings say; returns what holds now, and whether it changed.

    A step halves the number, then makes it one a week. `cause` is the message, whose retry changes nothing more.
    """
    table = tables.preferences
    before = limits_of(connection, person_id, section)
    row = connection.execute(select(table).where(table.c.person_id == person_id)).first()
    if row is not None and row.cause == cause:
        return before, True
    most, hours = _lower(before) if way == FEWER else (None, None)
    values = dict(cause=cause, max_notifications=most, window_hours=hours, changed_at=now)
    if row is None:
        connection.execute(table.insert().values(person_id=person_id, **values))
    else:
        connection.execute(update(table).where(table.c.person_id == person_id).values(**values))
    after = limits_of(connection, person_id, section)
    told = f"{after.max_notifications} in {after.window_hours:g} hours"
    audit.write(connection, now, f"person:{person_id}", "change_notifications", way, told, person_id)
    return after, after != before


def _lower(limits: Limits) -> tuple[int, float]:
    if limits.max_notifications > 1:
        return limits.max_notifications // 2, limits.window_hours
    return limits.max_notifications, max(limits.window_hours, WEEK_HOURS)
