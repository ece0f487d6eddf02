"""Signing in at the organisation: passwords, factors, five failures, and what the log says."""

import json

import pytest

from sandbox.people import PEOPLE
from sandbox.sign_in import SignInRefused, answer_factor, lock_out, password_of, sign_in, submit_password

WAYS = [
    ("dana", "push", ["pwd", "swk", "mfa"]),
    ("dana", "code", ["pwd", "otp", "mfa"]),
    ("dana", "SMS", ["pwd", "sms", "mfa"]),
    ("dana", "key", ["pwd", "hwk", "mfa"]),
    ("mei", "", ["pwd", "otp", "mfa"]),
    ("grace", "", ["pwd"]),
    ("dana@acme.example", "", ["pwd", "swk", "mfa"]),
]
GOALS = [
    ("/control", "/control"),
    ("//evil.example/", "/portal"),
    ("/\\evil.example", "/portal"),
    ("https://evil.example/", "/portal"),
    ("javascript:alert(1)", "/portal"),
    ("", "/portal"),
]


def sessions(organisation):
    with organisation.app.state.sandbox.database.read() as connection:
        return [dict(row) for row in connection.execute("SELECT * FROM sessions ORDER BY rowid")]


@pytest.mark.parametrize("login, factor, amr", WAYS)
def test_ways_in(organisation, login, factor, amr):
    page = sign_in(organisation.browser(), login, factor=factor)
    assert page.url.path == "/portal" and "Hello" in page.text
    assert json.loads(sessions(organisation)[0]["amr"]) == amr
    assert organisation.events("user.session.start")[-1]["outcome"]["result"] == "SUCCESS"


@pytest.mark.parametrize("person", [person for person in PEOPLE if person.status == "ACTIVE"], ids=lambda p: p.name)
def test_everyone_can_sign_in_as_the_front_page_says(organisation, person):
    front = organisation.browser().get("/").text
    assert person.password in front
    assert sign_in(organisation.browser(), person.name).url.path == "/portal"


def test_five_wrong_passwords_lock_and_the_page_says_so(organisation):
    browser = organisation.browser()
    for attempt in range(1, 6):
        with pytest.raises(SignInRefused) as refused:
            submit_password(browser, browser.get("/signin"), "dana", "wrong")
        assert ("locked" in str(refused.value)) is (attempt == 5)
    assert organisation.user()["status"] == "LOCKED_OUT"
    assert len(organisation.events("user.session.start")) == 5
    assert organisation.events("user.account.lock")[0]["client"]["userAgent"]["rawUserAgent"] == "testclient"


def test_a_locked_person_is_refused_with_the_right_password_too(organisation):
    assert "locked" in lock_out(organisation.browser(), "dana")
    with pytest.raises(SignInRefused, match="locked"):
        sign_in(organisation.browser(), "dana")
    assert organisation.events("user.session.start")[-1]["outcome"] == {"result": "FAILURE", "reason": "LOCKED_OUT"}
    organisation.api("POST", "/users/dana/lifecycle/unlock")
    assert sign_in(organisation.browser(), "dana").url.path == "/portal"


def test_success_takes_the_counter_back_to_zero(organisation):
    for _ in range(2):
        for _ in range(4):
            with pytest.raises(SignInRefused):
                sign_in(organisation.browser(), "dana", password="wrong")
        sign_in(organisation.browser(), "dana")
    assert organisation.user()["status"] == "ACTIVE"


def test_five_wrong_codes_lock(organisation):
    browser = organisation.browser()
    page = submit_password(browser, browser.get("/signin"), "mei", password_of("mei"))
    statuses = [browser.post("/signin/factor", data={"code": "abcdef"}).status_code for _ in range(5)]
    assert (page.url.path, statuses) == ("/signin/factor", [401, 401, 401, 401, 403])
    assert organisation.user("mei")["status"] == "LOCKED_OUT"


def test_a_rejected_push_lets_nobody_in(organisation):
    browser = organisation.browser()
    submit_password(browser, browser.get("/signin"), "dana", password_of("dana"))
    denied = browser.post("/signin/factor", data={"answer": "deny"})
    assert denied.status_code == 401 and "reject" in denied.text and sessions(organisation) == []


def test_the_factor_page_needs_the_password_first(organisation):
    assert organisation.browser().get("/signin/factor").url.path == "/signin"
    assert organisation.browser().post("/signin/factor", data={"answer": "approve"}).status_code == 400
    assert sessions(organisation) == []


def test_an_account_locked_between_password_and_factor_stays_out(organisation):
    browser = organisation.browser()
    page = submit_password(browser, browser.get("/signin"), "dana", password_of("dana"))
    organisation.control("lock", login="dana")
    with pytest.raises(SignInRefused, match="locked"):
        answer_factor(browser, page)


def test_a_sign_in_left_lying_expires(organisation):
    browser = organisation.browser()
    page = submit_password(browser, browser.get("/signin"), "dana", password_of("dana"))
    organisation.control("clock", minutes=11)
    with pytest.raises(SignInRefused, match="too long"):
        answer_factor(browser, page)


@pytest.mark.parametrize("login", ["nobody", "walt", "", "%", "dana@elsewhere.example"])
def test_who_cannot_sign_in(organisation, login):
    with pytest.raises(SignInRefused, match="Unable to sign in"):
        sign_in(organisation.browser(), login, password="Willow-Anchor-20")


@pytest.mark.parametrize("goal, path", GOALS)
def test_a_sign_in_leads_to_this_site_only(organisation, goal, path):
    browser = organisation.browser()
    assert sign_in(browser, "grace", start=f"/signin?goal={goal}").url.path == path


def test_recovery_keeps_the_old_password_out(organisation):
    organisation.api("POST", "/users/dana/lifecycle/reset_password?sendEmail=false")
    with pytest.raises(SignInRefused, match="being reset"):
        sign_in(organisation.browser(), "dana")


def test_sessions_end_after_twelve_hours_and_by_signing_out(organisation):
    browser = organisation.browser()
    sign_in(browser, "dana")
    organisation.control("clock", hours=11)
    assert browser.get("/portal").url.path == "/portal"
    organisation.control("clock", hours=2)
    assert browser.get("/portal").url.path == "/signin"
    sign_in(browser, "dana")
    browser.post("/signout")
    assert browser.get("/portal").url.path == "/signin"


def test_a_lock_does_not_end_the_session(organisation):
    browser = organisation.browser()
    sign_in(browser, "dana")
    organisation.control("lock", login="dana")
    page = browser.get("/portal")
    assert page.url.path == "/portal" and "Your account is locked" in page.text
