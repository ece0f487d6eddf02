"""The loop, whole: locked out → told → "sure" → back in; and unlock on request with each of its buttons."""

import httpx
import pytest

from sandbox.sign_in import SignInRefused, lock_out, sign_in
from tests.e2e.installation import eventually
from tests.e2e.person import titles

AFTER_UNLOCK = ["Great, it worked!", "Forgot Password", "Reset MFA", "Re-open issue", "This wasn't me"]
AFTER_LOCKOUT = AFTER_UNLOCK[1:]


def at_the_desk(person, number: int) -> str:
    """What the help desk itself has: the ticket's state there."""
    rows = person.installation.rows("SELECT state FROM desk_tickets WHERE reference = ?", f"AA-{number}")
    return rows[0]["state"] if rows else "unknown"


def can_sign_in(stack, login: str) -> bool:
    with httpx.Client(base_url=stack.sandbox_url) as browser:
        try:
            return sign_in(browser, login, start=f"{stack.sandbox_url}/signin").status_code == 200
        except SignInRefused:
            return False


def test_locked_out_told_sure_back_in(stack, person):
    with httpx.Client(base_url=stack.sandbox_url) as elsewhere:
        assert "locked" in lock_out(elsewhere, person.login, start=f"{stack.sandbox_url}/signin").lower()
    assert not can_sign_in(stack, person.login)

    notice = person.notice()
    assert titles(notice) == ["Yes", "No", "This wasn't me"]
    done = person.say("sure")
    assert "unlocked" in done["text"] and titles(done) == AFTER_LOCKOUT
    assert can_sign_in(stack, person.login)

    (ticket,) = person.tickets()
    assert ticket["state"] == "resolved" and f"AA-{ticket['number']}" in done["text"]
    eventually(lambda: at_the_desk(person, ticket["number"]) == "resolved", why="the desk did not hear of it")
    assert [entry["notice"] for entry in person.history()].count(True) == 1
    assert [r for r in person.audited() if "unlock" in r["act"]], "the audit trail does not tell of the unlock"


@pytest.mark.parametrize("words", ["okay", "yep go ahead", "1", "Yes", "yes please"])
def test_other_words_for_yes(stack, person, words):
    person.lock()
    person.notice()
    assert "unlocked" in person.say(words)["text"]
    assert not person.is_locked()


@pytest.mark.parametrize("no", ["click", "no", "2", "nope, leave it"])
def test_no_dismisses_without_act_or_ticket(stack, person, no):
    person.lock()
    notice = person.notice()
    last = person.press(notice, "No") if no == "click" else person.say(no)
    assert last["offer"] is None
    assert person.is_locked()
    assert person.tickets() == []


def test_not_locked_says_so_and_offers_the_menu(stack, person):
    last = person.say("please unlock my account")
    assert titles(last) == ["Unlock Account", "Forgot Password", "Reset MFA"]
    assert "isn't locked" in " ".join(entry["text"] for entry in person.history())
    assert person.tickets() == []


@pytest.fixture
def asked(stack, person):
    """A person who said No to the notice and then asks to be unlocked; the question that they are asked."""
    person.lock()
    person.press(person.notice(), "No")
    question = person.say("can you unlock my account?")
    assert titles(question) == ["Yes", "Get help", "Cancel"]
    return question


def test_unlock_on_request(stack, person, asked):
    done = person.press(asked, "Yes")
    assert titles(done) == AFTER_UNLOCK
    assert can_sign_in(stack, person.login)
    last = person.press(done, "Great, it worked!")
    assert last["from"] == "assistant" and last["offer"] is None
    assert [ticket["state"] for ticket in person.tickets()] == ["resolved"]


def test_reopen_issue_opens_the_same_ticket_again(stack, person, asked):
    done = person.press(asked, "Yes")
    last = person.press(done, "Re-open issue")
    (ticket,) = person.tickets()
    assert ticket["state"] == "open" and f"AA-{ticket['number']}" in last["text"]
    eventually(lambda: at_the_desk(person, ticket["number"]) == "open")


def test_forgot_password_leads_to_its_skill(stack, person, asked):
    done = person.press(asked, "Yes")
    assert titles(person.press(done, "Forgot Password")) == ["Recover access", "Get help", "Cancel"]


def test_reset_mfa_leads_to_its_skill(stack, person, asked):
    done = person.press(asked, "Yes")
    assert titles(person.press(done, "Reset MFA")) == ["Yes, reset MFA", "Get help", "Cancel"]


def test_get_help_opens_a_ticket_and_changes_nothing(stack, person, asked):
    last = person.press(asked, "Get help")
    (ticket,) = person.tickets()
    assert ticket["state"] == "open" and f"AA-{ticket['number']}" in last["text"]
    assert person.is_locked()


def test_cancel_ends_it(stack, person, asked):
    assert person.press(asked, "Cancel")["offer"] is None
    assert person.is_locked()
    assert person.tickets() == []


def test_an_access_problem_while_locked_names_the_lock(stack, person):
    person.lock()
    person.press(person.notice(), "No")
    menu = person.say("I can't get into my Okta")
    assert titles(menu)[0] == "Unlock Account" and "locked" in menu["text"]
    assert titles(person.press(menu, "Unlock Account")) == ["Yes", "Get help", "Cancel"]


def test_unlocked_elsewhere_before_the_yes(stack, person):
    person.lock()
    notice = person.notice()
    stack.control.post("unlock", login=person.login)
    last = person.press(notice, "Yes")
    assert "already unlocked" in last["text"] or "isn't locked" in last["text"]
    assert person.tickets() == []


def test_several_tabs_see_the_same_and_a_reload_shows_it_all(stack, person):
    person.lock()
    notice = person.notice()
    person.press(notice, "Yes")
    seen = {seq: (entry["text"], entry["offer"] and entry["offer"]["state"]) for seq, entry in person.entries.items()}
    person.entries, person.cursor = {}, 0
    person.wait_for(lambda entry: entry["seq"] == max(seen))
    assert {seq: (e["text"], e["offer"] and e["offer"]["state"]) for seq, e in person.entries.items()} == seen


def test_a_secret_typed_into_the_chat_is_nowhere_afterwards(stack, person):
    secret = "Correct-Horse-77-Battery"
    answer = person.say(f"my password is {secret}")
    assert "never" in answer["text"].lower()
    for path in [*stack.home.glob("*.db*"), *(stack.home / "log").iterdir()]:
        assert secret.encode() not in path.read_bytes(), f"{path.name} holds it"
