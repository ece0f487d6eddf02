"""U9: a person's account in a second organisation, told of in their one conversation and unlocked there alone."""

import pytest

from tests.e2e.installation import eventually


@pytest.fixture
def theirs(stack, person) -> str:
    """The login of the person's account in the second organisation, once it is theirs."""
    login = f"{person.login.partition('@')[0]}@retail.acme.example"
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
