"""Which settings can leave somebody without a last reminder (E7, E11, E15): searched for; those are warned of."""

from datetime import date, datetime, time, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import settings as search
from hypothesis import strategies as st

from account_access import zones
from account_access.cadence.calendar import Calendar
from account_access.cadence.directory import DirectoryEntry
from account_access.cadence.passwords import REMINDER, PasswordHistory, PasswordPlanner
from account_access.settings import PasswordSection, Settings
from account_access.simulation.play import Period, Simulation
from schedulers import daily, pitfalls

FIRST, DAYS = date(2027, 3, 15), 40
NOW = datetime(2027, 3, 15, tzinfo=timezone.utc)
# Clocks that change at night, at midnight, in the last hour of a day (Nuuk), by half an hour, and never.
ZONES = (
    "America/Los_Angeles", "Europe/Berlin", "America/Nuuk", "Africa/Cairo", "Asia/Beirut", "Australia/Lord_Howe",
    "America/Santiago", "UTC",
)  # fmt: skip
TIMES = st.one_of(
    st.times(), st.sampled_from([time(0), time(2, 30), time(10), time(19, 59), time(23, 30), time(23, 59)])
)


@st.composite
def rules(draw) -> Settings:
    one_of = lambda *values: draw(st.sampled_from(values))  # noqa: E731
    password = {
        "first_notification_day": one_of(1, 1, 2, 3, 5, 14, 30),
        "send_at": f"{draw(TIMES):%H:%M}",
        "weekend_reminders": one_of(True, False),
        "mode": one_of("automated", "instructions"),
        "follow_up": one_of("cadence", "daily"),
        "expired_notice": one_of("next_run", "immediately"),
    }
    return Settings(time_zone=one_of(*ZONES), password=password)


def without_a_last_reminder(settings: Settings, expiries: list[datetime]) -> set[date]:
    """The days on which somebody's last reminder was due and did not go out before the expiry."""
    calendar = Calendar(zones.find(settings.time_zone))
    people = [DirectoryEntry(f"p{n}", password_expires_at=expiry) for n, expiry in enumerate(expiries)]
    sent = Simulation(settings, people, Period(FIRST, DAYS), lambda line, text: None).run([])
    told = {(one.to.key, calendar.date(one.sent_at)) for one in sent if one.kind == REMINDER}
    missed = set()
    for entry in people:
        last = calendar.date(entry.password_expires_at) - timedelta(days=1)
        while not settings.password.weekend_reminders and last.strftime("%a") in ("Sat", "Sun"):
            last -= timedelta(days=1)
        if (entry.key, last) not in told:
            missed.add(last)
    return missed


# Six days in the period: whoever is known four days ahead can be told, whatever the settings.
EXPIRIES = st.lists(
    st.integers(6 * 24 * 60, (DAYS - 2) * 24 * 60).map(lambda minutes: NOW + timedelta(minutes=minutes)),
    min_size=8, max_size=30,
)  # fmt: skip
# The night in which Nuuk's clocks jump from 23:00 to midnight, and an expiry in it.
NUUK = datetime(2027, 3, 28, 1, 10, tzinfo=timezone.utc)


@search(max_examples=250, deadline=None)
@given(settings=rules(), expiries=EXPIRIES)
@example(settings=Settings(time_zone="America/Nuuk", password={"send_at": "23:30"}), expiries=[NUUK])
@example(
    settings=Settings(time_zone="America/Nuuk", password={"send_at": "23:30", "first_notification_day": 1}),
    expiries=[NUUK + timedelta(hours=9)],
)
def test_e7_e11_a_last_reminder_is_swallowed_only_where_a_clock_change_skips_it_over_midnight(settings, expiries):
    missed = without_a_last_reminder(settings, expiries)
    calendar, send_at = Calendar(zones.find(settings.time_zone)), settings.password.send_at
    skipped = {day for day in missed if calendar.date(calendar.at(day, send_at)) > day}
    assert missed == skipped
    if missed:
        told = " ".join(text for _, text in pitfalls.found(settings, NOW))
        assert f"on {min(missed)} the clocks of {settings.time_zone} jump" in told


def test_it_does_happen():
    settings = Settings(time_zone="America/Nuuk", password={"send_at": "23:30", "first_notification_day": 1})
    assert without_a_last_reminder(settings, [NUUK]) == {date(2027, 3, 27)}


@given(send_at=TIMES, minutes=st.integers(0, 60 * 24 * 30), zone=st.sampled_from(ZONES))
def test_e15_what_is_held_back_goes_out_when_it_may(send_at, minutes, zone):
    calendar, now = Calendar(zones.find(zone)), NOW + timedelta(minutes=minutes)
    opens = daily.next_opening(now, calendar, send_at)
    assert now < opens <= now + timedelta(days=1, hours=2)
    if not any(calendar.date(calendar.at(calendar.date(i), send_at)) > calendar.date(i) for i in (now, opens)):
        assert daily.is_open(opens, calendar, send_at)


def test_a_reminder_that_is_out_after_midnight_may_be_too_late():
    """What the warning of a late time is about: the run was in time, the turn a minute too late."""
    calendar = Calendar(zones.find("America/Los_Angeles"))
    planner = PasswordPlanner(PasswordSection(send_at="23:55"), calendar)
    midnight = calendar.begin(date(2027, 2, 10))
    entry = DirectoryEntry("ann", password_expires_at=midnight + timedelta(seconds=30))
    day = date(2027, 2, 9)
    run = calendar.at(day, time(23, 55))
    decided = [planner.decide(entry, PasswordHistory(), day, at).notice for at in (run, run + timedelta(minutes=6))]
    assert decided == [REMINDER, "password_expired"]


WARNINGS = [
    ({}, []),
    ({"password": {"send_at": "19:30"}, "contractor": {"send_at": "22:59"}}, []),
    ({"password": {"send_at": "19:59"}}, ["password.send_at: 19:59 leaves 1 minute until reminders rest: "]),
    ({"contractor": {"send_at": "23:45"}}, ["contractor.send_at: 23:45 leaves 15 minutes until reminders rest: "]),
    ({"password": {"send_at": "23:15"}}, ["password.send_at: 23:15 leaves 45 minutes of the day: "]),
    ({"password": {"send_at": "23:55"}}, ["password.send_at: 23:55 leaves 5 minutes of the day: "]),
    ({"password": {"follow_up": "daily"}}, ["password.follow_up: daily has a meaning in instructions mode only"]),
    ({"password": {"follow_up": "daily", "mode": "instructions"}}, []),
    (
        {"time_zone": "America/Nuuk", "contractor": {"send_at": "23:10"}},
        ["contractor.send_at: on 2027-03-27 the clocks of America/Nuuk jump over 23:10 into the next day"],
    ),
    ({"time_zone": "Africa/Cairo", "password": {"send_at": "00:30"}}, []),
]


@pytest.mark.parametrize(("sections", "told"), WARNINGS)
def test_warnings_name_file_key_and_remedy_and_only_what_can_happen(sections, told):
    lines = pitfalls.lines("settings.yml", Settings(**sections), NOW)
    assert len(lines) == len(told), lines
    for line, text in zip(lines, told, strict=True):
        assert line.startswith(f"settings.yml: {text}") and ("; write " in line or "; ignored" in line)
