"""U9: a person's account in a second organisation: told of in one conversation, unlocked alone or with the first."""

import pytest

from tests.e2e.installation import eventually


@pytest.fixture
def theirs(stack, person) -> str:
    """The login of the person's account in the second organisation, once it is theirs."""
    name = person.login.partition("@")[0]
    login = f"{name}@retail.acme.example"
    stack.control.post("employee-number", login=person.login, number=f"E2E-{name}")
    stack.retail.post("employee-number", login=login, number=f"E2E-{name}")
    eventually(lambda: owner_of(stack, login) == person.person_id, why=f"{login} was not joined")
    return login


def owner_of(stack, login: str) -> str | None:
    rows = stack.rows("SELECT person_id FROM accounts WHERE system = 'retail' AND login = ?", login)
    return rows[0]["person_id"] if rows else None


def is_locked(control, login: str) -> bool:
    return control.status(login) == "LOCKED_OUT"


def test_u9_locked_there_told_in_the_one_conversation_unlocked_there_alone(stack, person, theirs):
    stack.retail.post("lock", login=theirs)
    notice = person.notice()
    assert "Store Okta" in notice["text"]
    assert "Store Okta" in person.say("sure")["text"]
    assert not is_locked(stack.retail, theirs)
    assert (stack.unlocks_at_okta(person.login), stack.unlocks_at_retail(theirs)) == (0, 1)


def test_x12_button_of_an_account_that_is_not_theirs_any_more_does_nothing(stack, person, theirs):
    stack.retail.post("lock", login=theirs)
    notice = person.notice()
    stack.retail.post("employee-number", login=theirs, number=None)
    eventually(lambda: owner_of(stack, theirs) != person.person_id, why="it was not split off")
    last = person.say("yes please")
    assert "unlocked" not in last["text"]
    person.press(notice, "Yes")
    assert is_locked(stack.retail, theirs) and stack.unlocks_at_retail(theirs) == 0
    assert [row["result"] for row in person.audited() if row["act"] == "split_account"] == ["split"]


@pytest.fixture
def both_locked(stack, person, theirs):
    """Locked in both, and told of the first; a second notice within hours would be one too many (N6)."""
    person.lock()
    person.notice()
    stack.retail.post("lock", login=theirs)
    eventually(lambda: person.is_locked() and is_locked(stack.retail, theirs))


def unlocks(stack, person, theirs) -> tuple[int, int]:
    return stack.unlocks_at_okta(person.login), stack.unlocks_at_retail(theirs)


def test_u9_locked_in_both_both_please(stack, person, theirs, both_locked):
    asked = person.say("unlock my account")
    titles = [answer["title"] for answer in asked["offer"]["answers"]]
    assert titles == ["Okta", "Store Okta", "All of them", "Get help", "Cancel"], person.transcript()
    assert "Okta, since" in asked["text"] and "Store Okta, since" in asked["text"]
    assert unlocks(stack, person, theirs) == (0, 0)
    told = person.say("both please")
    assert told["text"].count("unlocked, on record as") == 2, person.transcript()
    assert unlocks(stack, person, theirs) == (1, 1)
    assert not person.is_locked() and not is_locked(stack.retail, theirs)
    assert [ticket["state"] for ticket in person.tickets()] == ["resolved", "resolved"]
    assert [row["result"] for row in person.audited() if row["act"] == "unlock"] == ["unlocked"] * 2
    assert person.press(told, "Great, it worked!")["text"].startswith("Glad to hear it")


def test_u9_just_the_store_one(stack, person, theirs, both_locked):
    person.say("unlock my account")
    assert "Store Okta" in person.say("just the store one")["text"]
    assert unlocks(stack, person, theirs) == (0, 1) and person.is_locked()
    asked = person.say("unlock my account please")
    assert asked["text"].startswith("Your Okta account has been locked"), "one is left, so it alone is asked about"


def test_u9_named_in_the_message(stack, person, theirs, both_locked):
    asked = person.say("please unlock my store okta")
    assert asked["text"].startswith("Your Store Okta account has been locked"), person.transcript()
    person.press(asked, "Yes")
    assert unlocks(stack, person, theirs) == (0, 1)


def test_x6_one_is_silent_the_other_is_unlocked(stack, person, theirs, both_locked):
    stack.retail.post("switch", kind="down")
    asked = person.say("unlock my account")
    assert asked["text"].startswith("Your Okta account has been locked"), person.transcript()
    assert any(e["text"].startswith("I can't reach Store Okta") for e in person.history())
    assert "is unlocked" in person.say("yes")["text"]
    stack.retail.post("switch-off")
    person.wait_for(lambda e: e["text"].startswith("Store Okta answers again"), 60)
    assert unlocks(stack, person, theirs) == (1, 0)


def test_law_5_kill_9_between_the_yes_and_the_unlocks(stack, person, theirs, both_locked):
    asked = person.say("unlock my account")
    marker = stack.plant("actions", "call_sent")
    person.click(asked, "All of them")
    told = person.wait_for(lambda e: e["text"].count("unlocked, on record as") == 2, 120)
    assert marker.exists() and unlocks(stack, person, theirs) == (1, 1)
    assert len([e for e in person.history() if e["text"] == told["text"]]) == 1
    assert [ticket["state"] for ticket in person.tickets()] == ["resolved", "resolved"]
