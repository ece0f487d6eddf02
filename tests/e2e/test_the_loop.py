"""The loop, whole: locked out → told → "sure" → back in; and unlock on request with each of its buttons."""

import httpx

from sandbox.sign_in import lock_out, sign_in
from tests.e2e.person import titles

AFTER_LOCKOUT = ["Forgot Password", "Reset MFA", "Re-open issue"]


def tickets_of(stack, person):
    return stack.rows("SELECT * FROM tickets WHERE person_id = ? ORDER BY id", person.person_id)


def test_locked_out_told_sure_back_in(stack, person):
    with httpx.Client(base_url=stack.sandbox_url) as elsewhere:
        assert "locked" in lock_out(elsewhere, person.login, start=f"{stack.sandbox_url}/signin").lower()
        notice = person.notice()
        assert titles(notice)[:2] == ["Yes", "No"]
        done = person.say("sure")
        assert "unlocked" in done["text"].lower()
        assert titles(done) == AFTER_LOCKOUT
        assert stack.control.status(person.login) == "ACTIVE"
        assert sign_in(elsewhere, person.login, start=f"{stack.sandbox_url}/signin").status_code == 200
    (ticket,) = tickets_of(stack, person)
    assert ticket["state"] == "resolved"
    assert ticket["reference"] in " ".join(entry["text"] for entry in person.history())
    assert len([entry for entry in person.history() if entry["notice"]]) == 1
