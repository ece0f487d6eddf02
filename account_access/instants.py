"""Instants as people read them: in their own zone, the zone printed, the day only where it is not today."""

from datetime import date, datetime, timedelta

from account_access import zones


def spoken(instant: datetime, now: datetime, zone: str | None, default_zone: str) -> str:
    """E.g. `9:14 AM PST`, or `Mon, Nov 23, 9:14 AM PST` on another day; an unknown zone falls back to the default."""
    tz = (zones.find(zone) if zone else None) or zones.find(default_zone)
    local, today = instant.astimezone(tz), now.astimezone(tz).date()
    # Zones without an abbreviation call themselves by their offset alone ("-03").
    name = local.tzname()
    clock = f"{local.hour % 12 or 12}:{local:%M %p} {'UTC' + name if name[0] in '+-' else name}"
    return clock if local.date() == today else f"{local:%a, %b} {local.day}, {clock}"


def whole(instant: datetime, zone: str | None, default_zone: str) -> str:
    """As `spoken` on another day, and with the year, for what is read later: `Mon, Nov 23, 2026, 9:14 AM PST`."""
    tz = (zones.find(zone) if zone else None) or zones.find(default_zone)
    local = instant.astimezone(tz)
    day, _, clock = spoken(instant, instant + timedelta(days=1), zone, default_zone).rpartition(", ")
    return f"{day}, {local.year}, {clock}"


def day(of: date) -> str:
    """A date that is no instant, the same in every zone: `Mon, Nov 23, 2026`."""
    return f"{of:%a, %b} {of.day}, {of.year}"
