"""One day on which everything that speaks first meets in one conversation, over the real processes (X2, X3, X12).

An installation of its own, because the clock moves; expired passwords are told at once, so that it is one day.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.e2e.installation import Installation
from tests.e2e.person import Person, titles

LOS_ANGELES = ZoneInfo("America/Los_Angeles")
CHANGES = {
    "lockout": {"poll_seconds": 1, "gap_hours": 0},
    "schedulers": {"sync_minutes": 0.05},
    "password": {"expired_notice": "immediately"},
}
REMINDER = ["Already updated", "Remind me later", "Do not remind me again", "Open a ticket"]
EXPIRED = ["Open a ticket"]
CONTRACTS = ["How to Extend", "How to Terminate", "Understood, thanks"]
LOCKOUT = ["Yes", "No", "This wasn't me"]


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    installation = Installation(tmp_path_factory.mktemp("day"), CHANGES).start()
    try:
        installation.control.post("rate-limits", **dict.fromkeys(("users", "user", "update", "logs", "other"), 6000))
        yield installation
    finally:
        installation.stop()


def move_to(stack, days: int, hour: int, minute: int = 0) -> None:
    """The clock of everybody comes to that time in Los Angeles, so many days from now."""
    now = stack.now().astimezone(LOS_ANGELES)
    day = (now + timedelta(days=days)).date()
    there = datetime(day.year, day.month, day.day, hour, minute, 2, tzinfo=LOS_ANGELES)
    stack.control.post("clock", seconds=round((there - now).total_seconds()))


def told(person: Person, wanted: list[str], after: int = 0) -> dict:
    """The notice with these buttons, waiting for it."""
    return person.wait_for(lambda entry: entry["notice"] and entry["seq"] > after and titles(entry) == wanted)


@pytest.fixture(scope="module")
def ten_o_clock(stack):
    """Three people who were locked out at 9:59 and reminded at 10:00, and Marcus, who was reminded."""
    logins = stack.control.post("people", count=3)["logins"]
    # In five mornings it will be two days before: a day of the cadence, and one of Marcus's contractors' too.
    stack.control.post("password-age", logins=[*logins, "marcus"], days=90 - 7)
    everybody = [Person(stack, login).sign_in() for login in (*logins, "marcus")]
    move_to(stack, days=5, hour=9, minute=58)
    for person in everybody:
        person.sign_in()
    *locked, _ = everybody
    for person in locked:
        person.lock()
        told(person, LOCKOUT)
    move_to(stack, days=0, hour=10)
    for person in everybody:
        told(person, REMINDER)
    return everybody


def test_x12_bare_yes_after_a_reminder_is_asked_about_and_unlocks_with_one_click(ten_o_clock):
    person = ten_o_clock[0]
    which = person.say("yes")
    assert titles(which) == ["The lockout: Yes", *[f"The password: {title}" for title in REMINDER]]
    assert person.is_locked(), "nobody may be unlocked by a yes that may be about something else"
    assert "unlocked" in person.press(which, "The lockout: Yes")["text"]
    assert not person.is_locked()


def test_x12_the_same_yes_again_is_the_only_yes_of_what_was_asked(ten_o_clock):
    person = ten_o_clock[1]
    assert titles(person.say("ok"))[0] == "The lockout: Yes"
    assert "unlocked" in person.say("yes")["text"]
    assert not person.is_locked()


def test_x12_bare_no_after_a_reminder_is_asked_about_and_closes_neither(stack, ten_o_clock):
    person = ten_o_clock[2]
    which = person.say("no")
    assert titles(which) == ["The lockout: No", *[f"The password: {title}" for title in REMINDER]]
    open_now = "SELECT question FROM offers WHERE person_id = ? AND state = 'open' AND question != 'which' ORDER BY 1"
    questions = [row["question"] for row in stack.rows(open_now, person.person_id)]
    assert questions == ["lockout", "password_reminder"]
    assert "day before" in person.press(which, "The password: Remind me later")["text"]
    # The lockout's question still stands, and its own button still answers it.
    assert "unlocked" in person.press(told(person, LOCKOUT), "Yes")["text"]
    assert not person.is_locked()


@pytest.fixture(scope="module")
def marcus(stack, ten_o_clock):
    """Reminded at 10:00; then told of contracts, of an expired password and of a lockout, each by itself."""
    marcus = ten_o_clock[3]
    move_to(stack, days=0, hour=11)
    marcus.sign_in()
    told(marcus, CONTRACTS)
    stack.control.post("password-age", login="marcus", days=91)
    told(marcus, EXPIRED)
    marcus.lock()
    told(marcus, LOCKOUT)
    return marcus


def test_x2_each_typed_answer_reaches_its_own(stack, marcus):
    """The last shown is asked by number and yes; the others are named by their own words."""
    assert "AA-" in marcus.say("open a ticket")["text"]
    assert [ticket["summary"] for ticket in marcus.tickets()] == ["Okta: help with a password that expires"]
    about = "SELECT answer, expires_at FROM reminder_answers WHERE person_id = ?"
    (answer,) = stack.rows(about, marcus.person_id)
    assert answer["answer"] == "open_ticket" and datetime.fromisoformat(answer["expires_at"]) < stack.now().replace(
        tzinfo=None
    ), "the ticket is about the password that has expired, not about the reminder's"
    # The reminder was of an expiry that is not the account's any more.
    assert "no reminder open" in marcus.say("remind me later")["text"]
    assert "Extend a contract" in marcus.say("how to extend")["text"]
    assert "again today" in marcus.say("understood, thanks")["text"]
    assert marcus.is_locked()
    assert "unlocked" in marcus.say("yes")["text"]
    assert not marcus.is_locked()


def test_x3_each_button_reaches_its_own(marcus):
    before = marcus.history()[-1]["seq"]
    marcus.lock()
    lockout = told(marcus, LOCKOUT, after=before)
    tickets = marcus.tickets()
    assert "did nothing" in marcus.press(told(marcus, REMINDER), "Already updated")["text"]
    assert "AA-" in marcus.press(told(marcus, EXPIRED), "Open a ticket")["text"]
    assert marcus.tickets() == tickets, "one ticket for each expiry (E6)"
    assert "End a contract" in marcus.press(told(marcus, CONTRACTS), "How to Terminate")["text"]
    assert marcus.is_locked()
    assert marcus.press(lockout, "No")["offer"] is None
    assert marcus.is_locked()
