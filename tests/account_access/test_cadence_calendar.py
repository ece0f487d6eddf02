"""Days and send times of a zone, against a look at the clock minute by minute; series against the rule (E1, E2, C2)."""

import itertools
from datetime import date, datetime, time, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from account_access import zones
from account_access.cadence.calendar import Calendar
from account_access.cadence.passwords import halving

MINUTE = timedelta(minutes=1)
# Clock changes at night, at midnight, in the evening, of half an hour, and a day that was left out.
ZONES = (
    "America/Los_Angeles",
    "America/Sao_Paulo",
    "Africa/Cairo",
    "America/Nuuk",
    "Australia/Lord_Howe",
    "Pacific/Apia",
)
CHANGES = (
    "2027-03-14",
    "2027-11-07",
    "2017-10-15",
    "2026-04-24",
    "2026-03-28",
    "2026-10-04",
    "2011-12-30",
    "2028-02-29",
)


def shown(zone: str, wanted: datetime) -> datetime:
    """The first instant at which the clock shows that; if none does, as much later as the clock jumped."""
    tz = zones.find(zone)
    at = wanted.replace(tzinfo=timezone.utc) - timedelta(hours=40)
    before = at.astimezone(tz).replace(tzinfo=None)
    while before < wanted:
        at += MINUTE
        now = at.astimezone(tz).replace(tzinfo=None)
        if before < wanted < now:
            return at + (wanted - before - MINUTE)
        before = now
    return at


@settings(max_examples=60, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    day=st.sampled_from(CHANGES),
    offset=st.integers(-2, 2),
    minute=st.one_of(st.integers(0, 1439), st.sampled_from((0, 30, 90, 120, 135, 150, 1380, 1410))),
)
def test_e1_send_time_is_when_the_clock_first_shows_it(zone, day, offset, minute):
    wanted = datetime.combine(date.fromisoformat(day) + timedelta(days=offset), time(minute // 60, minute % 60))
    assert Calendar(zones.find(zone)).at(wanted.date(), wanted.time()) == shown(zone, wanted)


@settings(max_examples=60, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    day=st.sampled_from(CHANGES),
    send_at=st.builds(time, st.integers(0, 21), st.integers(0, 59)),
)
def test_runs_are_one_a_day_in_order_and_within_the_period(zone, day, send_at):
    calendar, first = Calendar(zones.find(zone)), date.fromisoformat(day) - timedelta(days=3)
    runs = calendar.runs(first, 7, send_at)
    assert [instant for instant, _ in runs] == sorted({instant for instant, _ in runs})
    assert all(calendar.date(instant) == day for instant, day in runs)
    left_out = {date(2011, 12, 30)} if zone == "Pacific/Apia" else set()
    assert {day for _, day in runs} == {first + timedelta(days=n) for n in range(7)} - left_out


def test_a_run_pushed_over_midnight_is_still_that_of_its_date():
    # In Nuuk the clock jumps from 23:00 on Saturday the 27th of March 2027 to midnight.
    calendar = Calendar(zones.find("America/Nuuk"))
    runs = calendar.runs(date(2027, 3, 28), 1, time(23, 30))
    assert [(instant.astimezone(calendar.zone).isoformat(), day.isoformat()) for instant, day in runs] == [
        ("2027-03-28T00:30:00-01:00", "2027-03-27"),
        ("2027-03-28T23:30:00-01:00", "2027-03-28"),
    ]
    # At midnight its day is over.
    assert calendar.runs(date(2027, 3, 27), 1, time(23)) == []


@given(first=st.integers(1, 365))
def test_e2_each_is_half_of_the_one_before_rounded_up(first):
    series = halving(first)
    assert (series[0], series[-1]) == (first, 1)
    assert all(after * 2 in (before, before + 1) for before, after in itertools.pairwise(series))


@pytest.mark.parametrize("name", ["America", "localtime", "posix/UTC", "utc", "", "../UTC"])
def test_what_is_no_zone(name):
    assert zones.find(name) is None
