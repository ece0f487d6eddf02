"""MFA reset, whole: asked, chosen, confirmed, gone at the identity system; or by the manager's word (M1-M4, M8, M9)."""

from tests.e2e.installation import eventually
from tests.e2e.person import Person, titles


def factors(stack, login: str) -> list[dict]:
    """What is enrolled at the identity system."""
    short = login.split("@")[0]
    return next(p["factors"] for p in stack.control.state()["people"] if p["login"].split("@")[0] == short)


def test_m1_m2_m3_m4_one_of_two_by_its_name(stack, person):
    stack.control.post("add-factor", login=person.login, kind="key", name="YubiKey 5C")
    before = factors(stack, person.login)
    asked = person.say("I need to reset my mfa")
    assert any("YubiKey 5C" in title for title in titles(asked)), titles(asked)
    assert titles(asked)[-3:] == ["All of them", "Get help", "Cancel"]
    confirm = person.say("yubikey 5c")
    assert titles(confirm) == ["Yes, reset MFA", "Get help", "Cancel"] and "YubiKey 5C" in confirm["text"]
    assert factors(stack, person.login) == before, "nothing goes before the yes"
    done = person.press(confirm, "Yes, reset MFA")
    assert done["text"].startswith("Reset complete!") and done["link"]["url"].endswith("/enrol")
    assert titles(done)[:3] == ["Great, it worked!", "Forgot Password", "Re-open issue"]
    left = factors(stack, person.login)
    (gone,) = [factor for factor in before if factor not in left]
    assert gone["type"] == "webauthn" and left == [factor for factor in before if factor != gone]
    (ticket,) = person.tickets()
    assert ticket["state"] == "resolved" and f"AA-{ticket['number']}" in done["text"]


def test_m4_m8_all_of_them_then_none_is_left(stack, person):
    stack.control.post("add-factor", login=person.login, kind="key", name="YubiKey 5C")
    confirm = person.press(person.say("reset my mfa"), "All of them")
    assert person.press(confirm, "Yes, reset MFA")["text"].startswith("Reset complete!")
    assert factors(stack, person.login) == []
    nothing = person.say("reset my mfa")
    assert nothing["offer"] is None and nothing["link"]["url"].endswith("/enrol")


def test_m9_a_contractors_manager_approves(stack):
    jonas, priya = Person(stack, "jonas").sign_in(), Person(stack, "priya").sign_in()
    asked = jonas.say("reset my mfa")
    assert titles(asked) == ["Ask my manager", "Get help", "Cancel"]
    assert "Priya" in jonas.press(asked, "Ask my manager")["text"]
    notice = priya.notice()
    assert titles(notice) == ["Approve", "Deny"] and "Jonas" in notice["text"]
    assert factors(stack, "jonas")
    assert "Thank you" in priya.press(notice, "Approve")["text"]
    done = jonas.wait_for(lambda entry: entry["text"].startswith("Reset complete!"))
    assert done["notice"] and factors(stack, "jonas") == []
    eventually(lambda: [r for r in jonas.audited() if r["act"] == "approve_reset"], why="the approval is not audited")
    for one in (jonas, priya):
        one.browser.close()
