"""Who is left out of lockout notices is not told, and is helped like anybody who asks (`LEFT_OUT` in conftest.py)."""

import pytest

from tests.e2e.installation import eventually
from tests.e2e.person import Person, titles

LOCKOUTS = "SELECT state, reason FROM notices WHERE kind = 'lockout' AND person_id = ?"


@pytest.mark.parametrize(
    ("login", "reason"),
    [("omar", "excluded by department Sales"), ("mei", "excluded by group Contingent Workers")],
)
def test_n2_left_out_is_not_told_and_the_next_one_is(stack, person, login, reason):
    left_out = Person(stack, login).sign_in()
    left_out.lock()
    ended = eventually(lambda: [r for r in stack.rows(LOCKOUTS, left_out.person_id) if r["state"] != "waiting"])
    assert [(row["state"], row["reason"]) for row in ended] == [("dropped", reason)]
    person.lock()
    assert titles(person.notice()) == ["Yes", "No", "This wasn't me"]
    assert not [entry for entry in left_out.history() if entry["notice"]]
    stack.control.post("unlock", login=login)


def test_left_out_is_helped_when_asking_in_chat(stack):
    omar = Person(stack, "omar").sign_in()
    omar.lock()
    eventually(lambda: [r for r in stack.rows(LOCKOUTS, omar.person_id) if r["state"] == "dropped"])
    question = omar.say("can you unlock my account?")
    assert titles(question) == ["Yes", "Get help", "Cancel"]
    assert "unlocked" in omar.press(question, "Yes")["text"]
    assert not omar.is_locked()
    assert [ticket["state"] for ticket in omar.tickets()] == ["resolved"]
    assert not [entry for entry in omar.history() if entry["notice"]]
