"""What the planner says about one person: a reason for every silence, and runs that take place late (E15)."""

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from types import SimpleNamespace

import pytest

from account_access import zones
from account_access.cadence.calendar import Calendar
from account_access.cadence.contractors import ContractorPlanner
from account_access.cadence.directory import DirectoryEntry
from account_access.cadence.passwords import PasswordHistory, PasswordPlanner
from account_access.settings import ContractorSection, PasswordSection

CALENDAR = Calendar(zones.find("America/Los_Angeles"))
# A Wednesday at 10:30 in Los Angeles.
EXPIRY = datetime(2027, 2, 10, 18, 30, tzinfo=timezone.utc)
ANN = DirectoryEntry("ann", password_expires_at=EXPIRY)


def decide(entry=ANN, day="2027-02-09", history=None, late=timedelta(), **settings):
    planner = PasswordPlanner(PasswordSection(**settings), CALENDAR)
    run = date.fromisoformat(day)
    now = CALENDAR.at(run, planner.section.send_at) + late
    return planner.decide(entry, history or PasswordHistory(), run, now)


def known(**facts) -> PasswordHistory:
    history = PasswordHistory(silenced=facts.pop("silenced", False))
    for name, value in facts.items():
        setattr(history.of(EXPIRY), name, value)
    return history


REASONS = [
    ({}, "2027-02-09", {}, "the last reminder"),
    ({}, "2027-02-03", {}, "a day of the cadence"),
    ({}, "2027-02-04", {}, "not a day of the cadence"),
    ({}, "2027-02-06", {"weekend_reminders": False}, "weekend"),
    ({}, "2027-02-10", {}, "not a day of the cadence"),
    ({}, "2027-02-11", {}, "expired"),
    ({"told_expired": True}, "2027-02-11", {}, "told that it has expired"),
    ({"stopped_by": "link_click"}, "2027-02-09", {}, "stopped by link_click"),
    ({"silenced": True}, "2027-02-09", {}, "asked not to be reminded again"),
    ({"later": True}, "2027-02-08", {}, "asked to be reminded the day before"),
]


@pytest.mark.parametrize(("facts", "day", "settings", "reason"), REASONS)
def test_every_decision_has_its_reason(facts, day, settings, reason):
    assert decide(day=day, history=known(**facts), **settings).reason == reason


NOBODY = [
    ({"status": "disabled"}, "disabled"),
    ({"account_type": "service"}, "service account"),
    ({"account_type": "external"}, "password managed elsewhere"),
    ({"never_expires": True}, "password never expires"),
    ({"password_expires_at": None}, "password never expires"),
    ({"groups": ("Staff", "Kiosks")}, "excluded by group Kiosks"),
    ({"title": "Clerk"}, "excluded by title Clerk"),
    ({"department": "IT"}, "excluded by department IT"),
    ({"worker_type": "Intern"}, "excluded by worker type Intern"),
    ({"login": "Eve"}, "excluded by login"),
]
EXCLUDE = {
    "logins": ["eve"],
    "groups": ["kiosks"],
    "titles": ["clerk"],
    "departments": ["it"],
    "worker_types": ["intern"],
}


@pytest.mark.parametrize(("cells", "reason"), NOBODY)
def test_e14_who_gets_nothing_is_told_why(cells, reason):
    assert decide(replace(ANN, **cells), exclude=EXCLUDE).reason == reason


def test_contractors_of_whom_nobody_is_told_have_a_reason():
    planner = ContractorPlanner(ContractorSection(), CALENDAR)
    worker = DirectoryEntry("wim", contract_ends_on=date(2027, 2, 10))
    assert planner.silent(worker, date(2027, 2, 8)) is None
    assert planner.silent(worker, date(2027, 2, 7)) == "not a day of the cadence"
    assert planner.silent(ANN, date(2027, 2, 8)) == "no contract end"
    assert planner.silent(replace(worker, status="disabled"), date(2027, 2, 8)) == "disabled"


def test_e15_a_late_run_tells_the_days_that_are_left():
    decision = decide(day="2027-02-08", late=timedelta(days=1))
    assert (decision.notice, decision.days_before) == ("password_reminder", 1)


def test_e11_e15_a_late_last_reminder_does_not_wait_past_the_expiry():
    """The one before it was late too, at 11:00 the day before; the expiry is at 10:30."""
    before = SimpleNamespace(sent_at=CALENDAR.at(date(2027, 2, 9), PasswordSection().send_at) + timedelta(hours=1))
    history = known(last_reminder=before)
    late = timedelta(hours=23)
    assert decide(history=history, late=late, mode="instructions").notice == "password_reminder"
    # An expiry that leaves the time lets it wait.
    entry = replace(ANN, password_expires_at=EXPIRY + timedelta(hours=1))
    history.expiries[entry.password_expires_at] = history.of(EXPIRY)
    assert decide(entry, history=history, late=late, mode="instructions").wait_until == before.sent_at + timedelta(
        hours=24
    )


def test_deciding_changes_nothing():
    history = PasswordHistory()
    decide(history=history)
    assert history == PasswordHistory()
