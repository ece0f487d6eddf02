"""Time is a parameter (law 9), and is told to people in their own zone."""

from datetime import datetime, timedelta, timezone

import pytest

from account_access import clock, instants
from account_access.clock import ManualClock, OffsetClock, SystemClock
from account_access.settings import ClockSection
from tests.account_access.world import START

SPOKEN = [
    (START, "America/Los_Angeles", "9:00 AM PST"),
    (START, "Europe/Vienna", "6:00 PM CET"),
    (START, None, "9:00 AM PST"),
    (START, "Mars/Base", "9:00 AM PST"),
    (START, "../etc/passwd", "9:00 AM PST"),
    (START - timedelta(hours=10), "America/Los_Angeles", "Mon, Nov 23, 11:00 PM PST"),
    (START - timedelta(hours=10), "Europe/Vienna", "8:00 AM CET"),
    (START.replace(hour=8, minute=5), "America/Los_Angeles", "12:05 AM PST"),
    (START.replace(hour=20), "America/Los_Angeles", "12:00 PM PST"),
    (START.replace(month=7, day=4), "America/Los_Angeles", "Sat, Jul 4, 10:00 AM PDT"),
]


@pytest.mark.parametrize(("instant", "zone", "words"), SPOKEN)
def test_instant_as_people_read_it(instant, zone, words):
    assert instants.spoken(instant, START, zone, "America/Los_Angeles") == words


def test_offset_clock_is_ahead_by_what_the_file_says(tmp_path):
    ahead = OffsetClock(tmp_path / "offset")
    assert ahead.offset() == 0
    for content, seconds in (("3600", 3600), ("0.5\n", 0.5), ("", 0)):
        ahead.path.write_text(content)
        assert ahead.offset() == seconds
    ahead.path.write_text("86400")
    assert timedelta(hours=23) < ahead.now() - datetime.now(timezone.utc) < timedelta(hours=25)


def test_offset_that_is_no_number_names_its_file(tmp_path):
    ahead = OffsetClock(tmp_path / "offset")
    ahead.path.write_text("tomorrow")
    with pytest.raises(ValueError, match="offset: 'tomorrow' is not a number of seconds"):
        ahead.now()


def test_settings_choose_the_clock(tmp_path):
    assert isinstance(clock.from_settings(ClockSection()), SystemClock)
    assert isinstance(clock.from_settings(ClockSection(offset_file=tmp_path / "offset")), OffsetClock)


def test_every_clock_is_aware_and_utc(tmp_path):
    for each in (SystemClock(), OffsetClock(tmp_path / "offset"), ManualClock(START)):
        assert each.now().utcoffset() == timedelta(0)
    with pytest.raises(ValueError, match="aware"):
        ManualClock(datetime(2026, 1, 1))
