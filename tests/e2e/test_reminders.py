"""Reminders over the real processes: the clock comes to the morning, and the assistant speaks first (E1-E15, C1-C10).

An installation of its own, because days pass here; people sign in again each morning, as they do.
"""

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.e2e.installation import Installation, eventually
from tests.e2e.person import Person, titles

LOS_ANGELES = ZoneInfo("America/Los_Angeles")
FAST = {"lockout": {"poll_seconds": 1}, "schedulers": {"sync_minutes": 0.05}}
REMINDER = ["Already updated", "Remind me later", "Do not remind me again", "Open a ticket"]
# What a browser sends along when its owner follows a link of the page.
OWN_STEP = {
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-User": "?1",
    "Sec-Fetch-Site": "same-origin",
}
CONTRACTS = ["How to Extend", "How to Terminate", "Understood, thanks"]


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    installation = Installation(tmp_path_factory.mktemp("mornings"), FAST).start()
    try:
        installation.control.post("rate-limits", **dict.fromkeys(("users", "user", "update", "logs", "other"), 6000))
        yield installation
    finally:
        installation.stop()


def move_to(stack, days: int, hour: int) -> None:
    """The clock of everybody comes to that hour in Los Angeles, so many days from now."""
    now = stack.now().astimezone(LOS_ANGELES)
    day = (now + timedelta(days=days)).date()
    there = datetime(day.year, day.month, day.day, hour, 0, 2, tzinfo=LOS_ANGELES)
    seconds = (there - now).total_seconds()
    assert seconds > 0, "this test begins before that hour"
    stack.control.post("clock", seconds=round(seconds))


def asked(stack, *arguments: str) -> list[dict]:
    """What an admin's command answers."""
    environment = {
        **os.environ,
        "STORE_URL": f"sqlite:///{stack.home / 'store.db'}",
        "SETTINGS": str(stack.home / "run" / "settings.yml"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "schedulers", *arguments, "--json"],
        cwd=stack.root, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def reason(stack, person: Person, days: int) -> str:
    """Why the run so many days from now would or would not tell this person of their password."""
    day = (stack.now().astimezone(LOS_ANGELES) + timedelta(days=days)).date()
    return asked(stack, "preview", "--on", day.isoformat(), "--person", person.login)[0]["reason"]


def is_reminder(entry: dict) -> bool:
    return entry["notice"] and titles(entry) == REMINDER


def is_contracts(entry: dict) -> bool:
    return entry["notice"] and titles(entry)[:3] == CONTRACTS


def test_days_pass_and_everybody_hears_what_is_theirs(stack):
    """One morning: a reminder with each of its answers; a lockout, a reminder and contracts in one conversation."""
    logins = stack.control.post("people", count=5)["logins"]
    # In five mornings it will be two days before: a day of the cadence.
    stack.control.post("password-age", logins=[*logins, "marcus"], days=90 - 7)
    everybody = [Person(stack, login).sign_in() for login in (*logins, "marcus")]
    move_to(stack, days=5, hour=10)
    for person in everybody:
        person.sign_in()
    clicks, later, never, ticket, expiring, marcus = everybody
    ids = [person.person_id for person in everybody]

    reminder = clicks.wait_for(is_reminder)
    zone = stack.now().astimezone(LOS_ANGELES).tzname()
    assert "expires on" in reminder["text"] and reminder["text"].count(zone) == 1
    reply = clicks.browser.get(reminder["link"]["url"], headers=OWN_STEP)
    assert reply.status_code == 303 and reply.headers["location"].startswith(stack.sandbox_url)
    assert "stopped by link_click" in reason(stack, clicks, 1)

    assert "day before" in later.press(later.wait_for(is_reminder), "Remind me later")["text"]
    assert "last reminder" in reason(stack, later, 1)
    never.wait_for(is_reminder)
    assert "no more reminders" in never.say("do not remind me again")["text"]
    assert reason(stack, never, 1) == "stopped by do_not_remind"
    opened = ticket.press(ticket.wait_for(is_reminder), "Open a ticket")
    assert f"AA-{ticket.tickets()[0]['number']}" in opened["text"]
    assert "last reminder" in reason(stack, ticket, 1)
    assert "remind you of this one" in expiring.press(expiring.wait_for(is_reminder), "Already updated")["text"]

    # Marcus manages contractors; and he is locked out.
    reminded = marcus.wait_for(is_reminder)
    move_to(stack, days=0, hour=11)
    marcus.sign_in()
    # He has been told of contracts five days before as well, if it was past eleven then.
    contracts = marcus.wait_for(lambda entry: is_contracts(entry) and entry["seq"] > reminded["seq"])
    assert "mei@acme.example" in contracts["text"]
    marcus.lock()
    marcus.wait_for(lambda entry: entry["notice"] and titles(entry)[:2] == ["Yes", "No"])
    assert "unlocked" in marcus.say("yes please")["text"]
    assert "Extend a contract" in marcus.say("how do I extend a contract?")["text"]
    assert "remind you once more" in marcus.say("remind me later")["text"]
    assert "expires" in marcus.say("when does my password expire?")["text"]

    # The last reminder goes to whoever did not stop them, and the expired notice to everybody.
    move_to(stack, days=1, hour=10)
    for person in everybody:
        person.sign_in()
    last = later.wait_for(lambda entry: is_reminder(entry) and entry["seq"] > opened["seq"])
    assert last["offer"]["state"] == "open"

    # Two for those who asked for later or for a ticket; a stop, a click on the link or an update leave it at one.
    said = "SELECT count(*) AS n FROM inbox JOIN notices ON notices.id = inbox.notice_id WHERE kind = 'password_expiry'"

    def counts() -> list[int]:
        return [stack.rows(f"{said} AND notices.person_id = ?", person_id)[0]["n"] for person_id in ids]

    eventually(lambda: counts() == [1, 2, 1, 2, 1, 2], why="the last reminders were not those to be expected")

    # Whoever let it expire meets the organisation's own page at the next sign-in; the notice waits in the inbox.
    move_to(stack, days=2, hour=10)
    expired = "SELECT person_id FROM notices WHERE kind = 'password_expired' AND state = 'delivered'"
    eventually(lambda: {row["person_id"] for row in stack.rows(expired)} >= set(ids), why="the expiry was not told")
    assert counts() == [1, 2, 1, 2, 1, 2]
