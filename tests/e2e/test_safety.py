"""Safety and honesty afterwards, over the real processes (X6, X8-X11, X14, N6, M7)."""

import json
import os
import subprocess
import sys

import httpx
import pytest

from sandbox.sign_in import lock_out, sign_in
from tests.account_access.smtp_stand_in import serving
from tests.e2e.conftest import FAST
from tests.e2e.installation import ROOT, Installation, eventually
from tests.e2e.person import Person, titles


def command(stack, *arguments: str) -> str:
    """What `python -m account_access …` prints, asked by an admin of this installation."""
    own = json.loads((stack.home / "run" / "actions.env.json").read_text())
    done = subprocess.run(
        [sys.executable, "-m", "account_access", *arguments],
        cwd=stack.root or ROOT,
        env={**os.environ, **{name: own[name] for name in ("SETTINGS", "STORE_URL") if name in own}},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def rejected(stack, login: str) -> None:
    """Five wrong passwords from a browser."""
    with httpx.Client(base_url=stack.sandbox_url) as elsewhere:
        assert "locked" in lock_out(elsewhere, login, start=f"{stack.sandbox_url}/signin").lower()


def said(person) -> str:
    return "\n".join(entry["text"] for entry in person.history())


def test_x10_this_wasnt_me_freezes_until_security_closes_its_ticket(stack, person):
    person.lock()
    done = person.press(person.notice(), "This wasn't me")
    (ticket,) = person.tickets()
    assert f"AA-{ticket['number']}" in done["text"] and ticket["summary"].startswith("SECURITY")
    assert f"AA-{ticket['number']}" in person.say("please unlock my account")["text"]
    assert person.is_locked() and stack.unlocks_at_okta(person.login) == 0
    no_link = person.say("I forgot my password")
    assert f"AA-{ticket['number']}" in no_link["text"] and no_link["offer"] is None and no_link["link"] is None

    assert "allowed again" in command(stack, "tickets", "close", f"AA-{ticket['number']}", "--by", "ann")
    asked = person.say("please unlock my account")
    assert "unlocked" in person.press(asked, "Yes")["text"] and not person.is_locked()
    lifted = [r for r in person.audited() if r["act"] == "freeze"]
    assert [(r["actor"], r["result"]) for r in lifted][-1] == ("admin:ann", "lifted")


def test_x10_words_out_of_nowhere_are_asked_about_first(stack, person):
    asked = person.say("I think somebody hacked my account")
    assert titles(asked) == ["Yes, call security", "Cancel"] and person.tickets() == []
    assert "security" in person.say("yes")["text"] and len(person.tickets()) == 1


def test_x8_what_does_not_last_is_told_and_its_ticket_opens_again(stack, person):
    person.lock()
    first = person.press(person.notice(), "Yes")
    (ticket,) = person.tickets()
    person.lock()
    stack.control.post("clock", minutes=2)
    told = person.wait_for(lambda e: e["notice"] and e["seq"] > first["seq"])
    assert f"AA-{ticket['number']}" in told["text"] and "again" in told["text"]
    assert titles(told) == ["Yes", "No", "This wasn't me"]
    assert [t["state"] for t in person.tickets()] == ["open"]
    assert "unlocked" in person.say("yes")["text"] and not person.is_locked()
    (line,) = [json.loads(line) for line in command(stack, "report", "--json").splitlines() if '"unlock"' in line]
    assert line["relapsed"] >= 1


def test_x8_what_lasts_is_verified(stack, person):
    person.lock()
    person.press(person.notice(), "Yes")
    for minutes in (2, 3, 5):
        stack.control.post("clock", minutes=minutes)

    def results():
        return [r["result"] for r in person.audited() if r["act"] == "verify_unlock"]

    assert eventually(lambda: len(results()) == 3 and results()) == ["verified"] * 3
    assert [t["state"] for t in person.tickets()] == ["resolved"]


def test_x9_why_was_i_locked(stack, person):
    rejected(stack, person.login)
    person.notice()
    person.say("why was I locked out?")
    assert "5 wrong passwords" in said(person)


def test_x14_what_was_done_and_why_it_was_told(stack, person):
    person.lock()
    person.press(person.notice(), "Yes")
    person.say("what have you done to my account?")
    history = said(person)
    assert "• " in history and "because you said yes to my message (AA-" in history
    assert "told you that your Okta account was locked" in history
    person.say("why did I get this message?")
    assert "showed me that your account was locked" in said(person)


def test_n6_fewer_messages_and_back(stack, person):
    assert "at most 2 messages" in person.say("fewer messages please")["text"]
    assert "at most 4 messages" in person.say("turn notifications back on")["text"]


def test_x6_who_met_a_silent_system_hears_when_it_is_back(stack, person):
    stack.control.post("switch", kind="down")
    asked = person.say("please unlock my account")
    assert "I'll tell you here" in asked["text"]
    stack.control.post("switch-off")
    stack.control.post("clock", seconds=20)
    told = person.wait_for(lambda e: e["notice"])
    assert "answers again" in told["text"] and titles(told)[0] == "Unlock Account"


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """An installation of its own: few lockouts are too many here, owners are told by mail, sessions age quickly."""
    with serving() as server:
        changes = {
            **FAST,
            "breaker": {"max_lockouts": 3},
            "mfa": {"fresh_hours": 0.5},
            "mail": {"server": server.address, "security": "none", "sender": "aa@acme.example"},
        }
        installation = Installation(tmp_path_factory.mktemp("watched"), changes).start()
        try:
            installation.server = server
            yield installation
        finally:
            installation.stop()


def test_m7_a_session_that_is_not_fresh_signs_in_again_by_the_link_and_goes_on(watched):
    (login,) = watched.control.post("people", count=1)["logins"]
    person = Person(watched, login).sign_in()
    watched.control.post("clock", minutes=31)
    asked = person.say("reset my mfa")
    assert titles(asked) == ["I've signed in again", "Ask my manager", "Get help", "Cancel"]
    again = person.press(asked, "I've signed in again")
    assert titles(again)[0] == "I've signed in again", "saying so is not enough"
    sign_in(person.browser, login, start=watched.door_url + again["link"]["url"])
    person.csrf = person.me()["csrf"]
    confirm = person.press(again, "I've signed in again")
    assert titles(confirm) == ["Yes, reset MFA", "Get help", "Cancel"]
    assert person.press(confirm, "Yes, reset MFA")["text"].startswith("Reset complete!")
    person.browser.close()


def test_m7_x11_owners_get_mail_and_masses_stop_self_service_until_it_is_rearmed(watched):
    logins = watched.control.post("people", count=6)["logins"]
    somebody = Person(watched, logins[0]).sign_in()
    somebody.lock()
    question = somebody.notice()
    somebody.press(question, "Yes")
    eventually(lambda: any("unlocked" in m["Subject"] for m in watched.server.mails), why="no mail came")

    other = Person(watched, logins[1]).sign_in()
    other.lock()
    asked = other.notice()
    for login in logins[2:]:
        watched.control.post("lock", login=login)
    eventually(lambda: '"stopped"' in command(watched, "breaker", "--json"), why="the breaker did not trip")
    assert "stopped self-service" in other.press(asked, "Yes")["text"] and other.is_locked()
    command(watched, "breaker", "rearm", "okta", "--by", "ann")
    assert "unlocked" in other.press(other.say("please unlock my account"), "Yes")["text"]
    assert "Self-service on okta is stopped" in watched.log("schedulers", 200) + watched.log("actions", 200)
