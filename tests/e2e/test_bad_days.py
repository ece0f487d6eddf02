"""The identity system is down, slow, full, confused or lying: an honest message within 8 s, nothing lost or claimed."""

import time

import pytest

from tests.e2e.installation import eventually
from tests.e2e.person import titles

TURN_SECONDS = 8.5  # the turn's deadline and the way to the screen
PASSING = [
    {"kind": "down", "target": "unlock"},
    {"kind": "down"},
    {"kind": "down", "target": "unlock", "how": "closed"},
    {"kind": "down", "target": "unlock", "how": "reply_lost"},
    {"kind": "slow", "seconds": 30},
    {"kind": "rate_limit", "target": "unlock", "seconds": 3},
    {"kind": "error"},
    {"kind": "malformed"},
]


def name(switch: dict) -> str:
    return " ".join(str(value) for value in switch.values())


def say_yes(stack, person, switch: dict) -> dict:
    """The reply to Yes on a bad day; checks that it came in time."""
    person.lock()
    notice = person.notice()
    stack.control.post("switch", **switch)
    begun = time.monotonic()
    reply = person.reply_to(person.click(notice, "Yes"))
    assert time.monotonic() - begun < TURN_SECONDS
    return reply


@pytest.mark.parametrize("switch", PASSING, ids=name)
def test_trouble_that_passes_ends_in_one_unlock_and_one_more_message(stack, person, switch):
    reply = say_yes(stack, person, switch)
    assert "is unlocked" not in reply["text"] and reply["offer"] is None
    stack.control.post("switch-off")
    done = person.wait_for(lambda e: "is unlocked" in e["text"] and e["seq"] > reply["seq"], 60)
    assert "Re-open issue" in titles(done)
    assert not person.is_locked()
    assert [ticket["state"] for ticket in person.tickets()] == ["resolved"]
    assert len([e for e in person.history() if "is unlocked" in e["text"]]) == 1
    assert stack.unlocks_at_okta(person.login) == 1


@pytest.mark.parametrize("switch", [{"kind": "lie"}, {"kind": "forbidden", "target": "unlock"}], ids=name)
def test_what_changed_nothing_is_not_called_done(stack, person, switch):
    reply = say_yes(stack, person, switch)
    assert "still shows your account as locked" in reply["text"]
    assert titles(reply) == ["Open a ticket", "Cancel"]
    assert person.is_locked()
    assert stack.unlocks_at_okta(person.login) == 0


def test_an_answer_that_breaks_off_is_read_back(stack, person):
    reply = say_yes(stack, person, {"kind": "malformed", "target": "unlock"})
    assert ("is unlocked" in reply["text"]) == (not person.is_locked())


def test_a_lock_that_returns_at_once_is_named(stack, person):
    reply = say_yes(stack, person, {"kind": "relock"})
    assert "locked again at once" in reply["text"]
    assert titles(reply) == ["Open a ticket", "Cancel"]


@pytest.mark.parametrize("switch", [{"kind": "down"}, {"kind": "slow", "seconds": 30}], ids=name)
def test_asking_while_the_system_is_away_gets_a_ticket_offered(stack, person, switch):
    stack.control.post("switch", **switch)
    begun = time.monotonic()
    reply = person.reply_to(person.send("please unlock my account"))
    assert time.monotonic() - begun < TURN_SECONDS
    assert "can't reach" in reply["text"] and titles(reply) == ["Open a ticket", "Cancel"]


def test_a_lockout_during_an_outage_is_told_once_when_it_is_over(stack, person):
    stack.control.post("switch", kind="down")
    person.lock()
    eventually(lambda: "lockouts" in stack.log("schedulers", 200), why="the poll did not meet the outage")
    stack.control.post("switch-off")
    person.notice(60)
    person.say("no")
    assert [entry["notice"] for entry in person.history()].count(True) == 1


def test_late_events_of_the_log_still_lead_to_one_notice(stack, person):
    stack.control.post("switch", kind="late_log", seconds=5)
    person.lock()
    person.notice(30)
    stack.control.post("switch-off")
    person.say("no")
    assert [entry["notice"] for entry in person.history()].count(True) == 1


def test_five_people_on_a_slow_system_do_not_hold_up_a_sixth(stack, somebody):
    *five, sixth = [somebody() for _ in range(6)]
    unloaded = min(_seconds_of_a_question(sixth) for _ in range(5))
    for person in five:
        person.lock()
    notices = [person.notice(40) for person in five]
    stack.control.post("switch", kind="slow", target="unlock", seconds=2)
    for person, notice in zip(five, notices, strict=True):
        person.click(notice, "Yes")
    loaded = min(_seconds_of_a_question(sixth) for _ in range(5))
    pending = [person for person in five if person.is_locked()]
    assert pending, "the five were done before the sixth was measured"
    # One poll of the stream is the smallest difference that can be seen at all.
    assert loaded <= unloaded * 1.2 + 0.02, f"{loaded:.3f} s against {unloaded:.3f} s"
    for person in five:
        person.wait_for(lambda e: "is unlocked" in e["text"], 30)


def _seconds_of_a_question(person) -> float:
    begun = time.monotonic()
    person.reply_to(person.send("what can you do?"))
    return time.monotonic() - begun
