"""Setting a factor up: asked at the next sign-in without one, by hand at the portal (M3, M8)."""

import re

import pytest

from sandbox.sign_in import answer_factor, password_of, sign_in, submit_password

KINDS = [
    ("okta_verify", "Dana's new phone", ["push", "token:software:totp"], "Okta Verify push (Dana"),
    ("google", "", ["token:software:totp"], "Google Authenticator code"),
    ("sms", "+14155550177", ["sms"], "SMS to +1•••0177"),
    ("key", "YubiKey 5C", ["webauthn"], "Security key (YubiKey 5C)"),
]
REFUSED = [
    ("telepathy", "x", "Choose"),
    ("sms", "0177", "country code"),
    ("sms", "+1415<b>", "country code"),
    ("okta_verify", "", "a name"),
    ("okta_verify", "x" * 61, "a name"),
    ("key", "a\nb", "a name"),
]


def types(organisation, login="dana"):
    return [factor["factorType"] for factor in organisation.api("GET", f"/users/{login}/factors").json()]


def without_factors(organisation, login="dana"):
    """A browser that has typed the password of somebody whose factors were all taken off; and the page it is on."""
    organisation.api("POST", f"/users/{login}/lifecycle/reset_factors")
    browser = organisation.browser()
    return browser, submit_password(browser, browser.get("/signin"), login, password_of(login))


def choose(browser, kind, name, goal="/portal"):
    return browser.post("/enrol", data={"kind": kind, "name": name, "goal": goal})


def prove(browser, page):
    code = re.search(r'id="phone-code">(\d{6})<', page.text)
    answer = {"code": code.group(1)} if code else {"answer": "approve"}
    return browser.post(page.url.path, data={**answer, "goal": "/portal"})


@pytest.mark.parametrize("kind, name, enrolled, told", KINDS)
def test_m3_the_next_sign_in_asks_to_set_one_up(organisation, kind, name, enrolled, told):
    browser, page = without_factors(organisation)
    assert page.url.path == "/enrol" and "asks for more than a password" in page.text
    page = choose(browser, kind, name)
    assert [f["status"] for f in organisation.api("GET", "/users/dana/factors").json()] == ["PENDING_ACTIVATION"]
    page = prove(browser, page)
    assert page.url.path == "/portal" and told in page.text.replace("&#39;", "'")
    assert types(organisation) == enrolled
    again = organisation.browser()
    step = submit_password(again, again.get("/signin"), "dana", password_of("dana"))
    assert step.url.path == "/signin/factor"
    assert answer_factor(again, step).url.path == "/portal"
    assert len(organisation.events("user.mfa.factor.activate")) == 1


def test_not_now_goes_on_and_the_next_sign_in_asks_again(organisation):
    for _ in range(2):
        browser, page = without_factors(organisation)
        assert page.url.path == "/enrol"
        assert browser.post("/enrol/later", data={"goal": "/portal"}).url.path == "/portal"


def test_the_way_to_the_chat_goes_on_after_the_set_up(organisation):
    organisation.api("POST", "/users/dana/lifecycle/reset_factors")
    assert sign_in(organisation.browser(), "dana", start="/signin?goal=/control").url.path == "/control"


def test_a_pending_factor_signs_nobody_in(organisation):
    browser, _ = without_factors(organisation)
    choose(browser, "okta_verify", "Never confirmed")
    again = organisation.browser()
    page = submit_password(again, again.get("/signin"), "dana", password_of("dana"))
    assert page.url.path == "/enrol"
    assert "finish setting it up" in browser.get("/portal").text


def test_law_5_a_new_phone_has_a_new_id(organisation):
    before = {factor["id"] for factor in organisation.api("GET", "/users/dana/factors").json()}
    browser, _ = without_factors(organisation)
    prove(browser, choose(browser, "okta_verify", "Dana's iPhone 15"))
    after = {factor["id"] for factor in organisation.api("GET", "/users/dana/factors").json()}
    assert len(after) == 2 and not before & after


def test_giving_up_one_enrolment_touches_nothing_else(organisation):
    browser = organisation.browser()
    sign_in(browser, "dana")
    page = choose(browser, "okta_verify", "Another phone")
    assert browser.post(page.url.path, data={"answer": "deny"}).url.path == "/enrol"
    assert types(organisation) == ["push", "token:software:totp", "sms", "webauthn"]


@pytest.mark.parametrize("kind, name, said", REFUSED)
def test_what_cannot_be_set_up_is_said(organisation, kind, name, said):
    browser, _ = without_factors(organisation)
    page = choose(browser, kind, name)
    assert page.status_code == 400 and said in page.text and types(organisation) == []


def test_a_wrong_code_proves_nothing(organisation):
    browser, _ = without_factors(organisation)
    page = choose(browser, "sms", "+14155550177")
    for code in ("000000", "", "abc", "٣٣٣٣٣٣"):
        answer = browser.post(page.url.path, data={"code": code})
        assert answer.status_code == 400 and "not right" in answer.text
    assert organisation.api("GET", "/users/dana/factors").json()[0]["status"] == "PENDING_ACTIVATION"


def test_nobody_sets_up_or_sees_another_s_factor(organisation):
    assert organisation.browser().get("/enrol").url.path == "/signin"
    assert choose(organisation.browser(), "key", "Mine").url.path == "/signin"
    browser, _ = without_factors(organisation)
    path = choose(browser, "sms", "+14155550177").url.path
    other = organisation.browser()
    sign_in(other, "marcus")
    assert other.get(path).url.path == "/portal" and other.post(path, data={"code": "1"}).url.path == "/portal"
    assert organisation.browser().get(path).url.path == "/signin"
    assert types(organisation) == ["sms"] and types(organisation, "marcus") == ["push", "token:software:totp"]


@pytest.mark.parametrize("goal", ["//evil.example/", "https://evil.example/", ""])
def test_the_way_on_leads_to_this_site_only(organisation, goal):
    browser, _ = without_factors(organisation)
    assert browser.post("/enrol/later", data={"goal": goal}).url.path == "/portal"


def test_names_are_text(organisation):
    browser, _ = without_factors(organisation)
    page = prove(browser, choose(browser, "key", "<script>x</script>"))
    assert "<script>" not in page.text and "&lt;script&gt;" in page.text
