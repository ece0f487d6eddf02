"""MFA reset, whole: asked, chosen, confirmed, gone at the identity system; or by the manager's word (M1-M4, M8, M9)."""

import re

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
    # X10: and if it wasn't them
    assert "called security" in person.press(done, "This wasn't me")["text"]
    assert person.tickets()[-1]["summary"].startswith("SECURITY")
    assert "security can allow it again" in person.say("reset my mfa")["text"]


def test_m4_m8_all_of_them_then_none_is_left(stack, person):
    stack.control.post("add-factor", login=person.login, kind="key", name="YubiKey 5C")
    confirm = person.press(person.say("reset my mfa"), "All of them")
    assert person.press(confirm, "Yes, reset MFA")["text"].startswith("Reset complete!")
    assert factors(stack, person.login) == []
    nothing = person.say("reset my mfa")
    assert nothing["offer"] is None and nothing["link"]["url"].endswith("/enrol")


def test_m7_a_provider_that_never_dates_sign_ins_leads_to_a_human_and_not_in_circles(stack, somebody):
    stack.control.post("switch", kind="no_auth_time")
    person = somebody()
    before = factors(stack, person.login)
    for _ in range(2):
        asked = person.say("reset my mfa")
        assert titles(asked) == ["Open a ticket", "Cancel"] and "doesn't tell me when you signed in" in asked["text"]
        person.sign_in()
    assert "AA-" in person.press(asked, "Open a ticket")["text"]
    assert factors(stack, person.login) == before
    eventually(lambda: stack.log("door", 400).count("sends no auth_time") == 1, why="the door's log does not say it")
    stack.control.post("switch-off")
    person.sign_in()
    assert titles(person.say("reset my mfa"))[0] == "Yes, reset MFA"


def test_m9_a_contractors_manager_approves(stack):
    jonas, priya = Person(stack, "jonas").sign_in(), Person(stack, "priya").sign_in()
    asked = jonas.say("reset my mfa")
    assert titles(asked) == ["Ask my manager", "Get help", "Cancel"]
    assert "Priya" in jonas.press(asked, "Ask my manager")["text"]
    # She may be told of contracts as well, if it is past eleven.
    notice = priya.wait_for(lambda entry: titles(entry) == ["Approve", "Deny"])
    assert notice["notice"] and "Jonas" in notice["text"]
    assert factors(stack, "jonas")
    assert "Thank you" in priya.press(notice, "Approve")["text"]
    done = jonas.wait_for(lambda entry: entry["text"].startswith("Reset complete!"))
    assert done["notice"] and factors(stack, "jonas") == []
    eventually(lambda: [r for r in jonas.audited() if r["act"] == "approve_reset"], why="the approval is not audited")
    for one in (jonas, priya):
        one.browser.close()


def test_m7_a_code_of_another_factor_on_our_page(stack):
    """In the group "Engineering": only then does the key go, and the code is nowhere in the conversation."""
    priya = Person(stack, "priya").sign_in()
    asked = priya.press(priya.say("reset my mfa"), "Security key (YubiKey 5 Nano)")
    assert titles(asked) == ["Yes, reset MFA", "Get help", "Cancel"] and "code" in asked["text"]
    page = priya.press(asked, "Yes, reset MFA")["link"]["url"]
    before = factors(stack, "priya")
    shown = priya.browser.get(page)
    assert "A code from Okta Verify" in shown.text and "Google" not in shown.text
    assert "This will be removed: Security key (YubiKey 5 Nano)." in shown.text
    code = next(factor["code"] for factor in before if factor["code"])
    hidden = dict(re.findall(r'name="(csrf|factor)" value="([^"]+)"', shown.text))
    other = Person(stack, "priya").sign_in()
    assert other.browser.get(page).status_code == 410, "another session of hers cannot answer"
    wrong = "000000" if code != "000000" else "111111"
    assert priya.browser.post(page, data={**hidden, "code": wrong}).status_code == 403
    assert priya.browser.post(page, data={"factor": hidden["factor"], "code": code}).status_code == 403, "no CSRF token"
    assert [f["name"] for f in factors(stack, "priya")] == [f["name"] for f in before]
    assert "It is you" in priya.browser.post(page, data={**hidden, "code": code}).text
    done = priya.wait_for(lambda entry: entry["text"].startswith("Reset complete!"))
    assert done["notice"]
    gone = {f["name"] for f in before} - {f["name"] for f in factors(stack, "priya")}
    assert gone == {"Security key (YubiKey 5 Nano)"}
    assert [r["result"] for r in priya.audited() if r["act"] == "prove_reset"] == ["wrong", "proven"]
    assert code not in str(priya.history()) and code not in "".join(
        stack.log(name, 2000) for name in ("door", "rasa", "actions", "schedulers")
    )
    for one in (priya, other):
        one.browser.close()
