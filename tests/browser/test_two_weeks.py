"""Two weeks of mornings in Chromium: the sandbox's clock goes day by day, and people answer what they are reminded of.

Omar's password expires in two weeks, Tomas's in one, and contracts of Priya's people end then (E1-E13, C1-C10).
"""

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import QUICK, installed
from tests.browser.person import prove, sign_in
from tests.e2e.installation import Installation, eventually

LOS_ANGELES = ZoneInfo("America/Los_Angeles")
REMINDER = ["Already updated", "Remind me later", "Do not remind me again", "Open a ticket"]
CONTRACTS = ["How to Extend", "How to Terminate", "Understood, thanks"]
NEW = "a-new-Password-of-mine-93"
# Both daily runs are due by then.
HOUR = 11
RUNS = ("run:password_expiry:okta", "run:contractor_expiry:okta")


class Mornings:
    """The days of one installation, counted from its first morning; the clock only goes on."""

    def __init__(self, stack: Installation):
        self.stack = stack
        self.first = self.today() + timedelta(days=1)
        # Before the runs: what expires so many days later does so at this hour, ahead of the run of that day.
        self._move(self.first, HOUR - 2)

    def today(self) -> date:
        return self.stack.now().astimezone(LOS_ANGELES).date()

    def until(self, day: int) -> None:
        """Lives through each day up to this one, and waits for the runs of each."""
        wanted = self.first + timedelta(days=day)
        while self._last_run() < wanted:
            today = max(self._last_run() + timedelta(days=1), self.first)
            self._move(today, HOUR)
            eventually(lambda today=today: self._last_run() == today, why=f"the runs of {today} were not made")

    def _move(self, day: date, hour: int) -> None:
        there = datetime(day.year, day.month, day.day, hour, 0, 2, tzinfo=LOS_ANGELES)
        self.stack.control.post("clock", seconds=round((there - self.stack.now()).total_seconds()))

    def _last_run(self) -> date:
        """The latest day whose runs were both made."""
        rows = self.stack.rows("SELECT value FROM cursors WHERE name IN (?, ?)", *RUNS)
        return min((date.fromisoformat(row["value"]) for row in rows), default=date.min)


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Iterator[Installation]:
    """An installation of its own, because days pass in it."""
    with installed(tmp_path_factory.mktemp("two-weeks"), QUICK) as installation:
        yield installation


@pytest.fixture
def mornings(stack) -> Mornings:
    """The first morning, when Omar's password has fourteen days left and Tomas's seven."""
    begun = Mornings(stack)
    stack.control.post("password-age", login="omar", days=90 - 14)
    stack.control.post("password-age", login="tomas", days=90 - 7)
    return begun


def told(stack: Installation, login: str, kind: str) -> list[date]:
    """On which days this person was told of something, as the store knows."""
    query = (
        "SELECT delivered_at FROM notices JOIN people ON people.id = person_id"
        " WHERE login LIKE ? AND kind = ? AND state = 'delivered' ORDER BY delivered_at"
    )
    days = [datetime.fromisoformat(row["delivered_at"]) for row in stack.rows(query, f"{login}@%", kind)]
    return [day.replace(tzinfo=day.tzinfo or ZoneInfo("UTC")).astimezone(LOS_ANGELES).date() for day in days]


def contract_end(stack: Installation, login: str) -> date:
    token = json.loads((stack.home / "run" / "actions.env.json").read_text())["OKTA_TOKEN"]
    answer = httpx.get(f"{stack.sandbox_url}/api/v1/users/{login}", headers={"Authorization": f"SSWS {token}"})
    return date.fromisoformat(answer.json()["profile"]["contractEndDate"])


def test_e1_e13_c1_c10_two_weeks_of_mornings(stack, mornings, somebody, picture):
    def days(kind: str, login: str) -> list[int]:
        # Where the test begins past eleven, the runs of the day before the first morning have told people, too.
        return [(day - mornings.first).days for day in told(stack, login, kind) if day >= mornings.first]

    omar, tomas, priya = somebody("omar"), somebody("tomas"), somebody("priya")

    # Fourteen days before: Omar reads it and does nothing.
    mornings.until(day=0)
    omar.hears("your Okta password expires on")
    omar.may_answer(*REMINDER)
    picture(omar.page, "reminder-password")

    # Four days before: Tomas has had enough, and says so.
    mornings.until(day=3)
    tomas.come()
    tomas.may_answer(*REMINDER)
    tomas.writes("please don't remind me again")
    tomas.hears("no more reminders")

    # A week before: Omar wants a ticket, and then to be left alone until the last day; both count.
    mornings.until(day=7)
    omar.come()
    omar.clicks("Open a ticket")
    omar.hears("AA-")
    omar.clicks("Remind me later")
    omar.hears("the day before it expires")

    # Tomas let his expire: the sign-in itself asks for a new one, and the chat had told him.
    tomas.page.goto(stack.door_url)
    sign_in(tomas.page, "tomas", tomas.password)
    tomas.page.get_by_label("New password").fill(NEW)
    tomas.page.get_by_role("button", name="Save password").click()
    tomas.password = NEW
    tomas.come()
    tomas.hears("is no longer valid")
    tomas.may_answer("Open a ticket")
    picture(tomas.page, "reminder-expired")

    # Priya's contracts: one by its button, the others in words.
    soon = (contract_end(stack, "jonas") - mornings.first).days - 4
    mornings.until(day=soon)
    priya.come()
    priya.hears("Jonas Lind")
    priya.may_answer(*CONTRACTS)
    picture(priya.page, "reminder-contracts")
    priya.clicks("How to Extend")
    priya.hears("Extend a contractor's contract")
    priya.clicks("How to Terminate")
    priya.hears("End a contractor's contract")
    priya.writes("understood, thanks")
    priya.hears("won't ask again today")

    # The day before: Omar follows the link, and makes a new password.
    mornings.until(day=13)
    omar.come()
    omar.may_answer(*REMINDER)
    portal = omar.follows("Make a new password")
    portal.get_by_role("link", name="Change password").click()
    portal.get_by_label("Username").fill("omar")
    portal.get_by_role("button", name="Go on").click()
    prove(portal)
    portal.get_by_label("New password").fill(NEW)
    portal.get_by_role("button", name="Save password").click()
    expect(portal.get_by_role("status")).to_contain_text("Your new password is saved")
    omar.password = NEW

    mornings.until(day=14)
    omar.come()

    assert days("password_expiry", "omar") == [0, 7, 13]
    assert days("password_expiry", "tomas") == [0, 3]
    assert days("password_expired", "omar") == []
    assert days("password_expired", "tomas") == [7]
