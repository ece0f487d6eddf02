"""Making a new password: by the link that Okta's API gives out, and by "Forgot password?" (P2, P5)."""

import re

import pytest

from sandbox.people import PEOPLE
from sandbox.sign_in import SignInRefused, answer_factor, lock_out, password_of, sign_in

NEW = "a-brand-new-password"
MINT = "/users/dana/lifecycle/reset_password?sendEmail=false"


def mint(organisation) -> str:
    return organisation.api("POST", MINT).json()["resetPasswordUrl"]


def save(organisation, link, password=NEW, browser=None):
    return (browser or organisation.browser()).post(link, data={"password": password}, follow_redirects=False)


def test_a_minted_link_ends_the_old_password_and_a_new_one_brings_the_account_back(organisation):
    link = mint(organisation)
    assert organisation.user()["status"] == "RECOVERY"
    with pytest.raises(SignInRefused, match="being reset"):
        sign_in(organisation.browser(), "dana")
    saved = save(organisation, link)
    assert (saved.status_code, saved.headers["location"]) == (303, "/signin?done=password")
    user = organisation.user()
    assert user["status"] == "ACTIVE" and user["passwordChanged"] == user["statusChanged"]
    with pytest.raises(SignInRefused, match="Unable"):
        sign_in(organisation.browser(), "dana")
    assert sign_in(organisation.browser(), "dana", NEW).url.path == "/portal"
    kinds = [event["eventType"] for event in organisation.events() if "password" in event["eventType"]]
    assert kinds == ["user.account.reset_password", "user.account.update_password"]


def test_p5_looking_at_a_link_uses_nothing_up(organisation):
    link = mint(organisation)
    for _ in range(3):
        assert organisation.browser().get(link).status_code == 200
    assert organisation.browser().head(link).status_code == 200
    assert organisation.user()["status"] == "RECOVERY" and save(organisation, link).status_code == 303


@pytest.mark.parametrize(
    "password, said", [("short", "at least 12"), ("", "at least 12"), (password_of("dana"), "the old password")]
)
def test_what_is_no_new_password(organisation, password, said):
    link = mint(organisation)
    answer = save(organisation, link, password)
    assert answer.status_code == 400 and said in answer.text
    assert organisation.user()["status"] == "RECOVERY"
    assert save(organisation, link).status_code == 303, "the link still works"


def test_a_link_works_once_for_an_hour_and_until_there_is_a_newer_one(organisation):
    first = mint(organisation)
    second = mint(organisation)
    assert save(organisation, first).status_code == 403
    assert save(organisation, second).status_code == 303
    assert save(organisation, second).status_code == 403
    third = mint(organisation)
    organisation.control("clock", minutes=61)
    page = organisation.browser().get(third)
    assert page.status_code == 403 and "no longer valid" in page.text and 'type="password"' not in page.text
    assert save(organisation, third).status_code == 403


def test_a_lie_gives_a_link_that_leads_nowhere(organisation):
    organisation.control("switch", kind="lie", times=1)
    link = mint(organisation)
    assert organisation.user()["status"] == "ACTIVE" and organisation.browser().get(link).status_code == 403


def forgot(organisation, login, browser=None):
    return (browser or organisation.browser()).post("/forgot", data={"username": login})


def test_the_sign_in_page_leads_there(organisation):
    page = organisation.browser().get("/signin")
    assert re.search(r'href="/forgot">Forgot password\?', page.text)
    assert organisation.browser().get("/forgot").status_code == 200


@pytest.mark.parametrize("factor", ["", "code", "SMS", "key"])
def test_p2_a_factor_proves_who_it_is_and_then_there_is_a_new_password(organisation, factor):
    browser = organisation.browser()
    page = forgot(organisation, "dana", browser)
    assert page.url.path == "/signin/factor" and "A new password for" in page.text
    page = answer_factor(browser, page, factor)
    assert page.url.path.startswith("/reset_password/")
    assert browser.get("/portal").url.path == "/signin", "a factor alone is no sign-in"
    assert organisation.user()["status"] == "ACTIVE", "the old password holds until there is a new one"
    assert browser.post(str(page.url), data={"password": NEW}).status_code == 200
    assert sign_in(organisation.browser(), "dana", NEW).url.path == "/portal"
    by_themselves = organisation.events("user.account.reset_password")[0]
    assert by_themselves["actor"]["alternateId"] == by_themselves["target"][0]["alternateId"] == "dana@acme.example"


def test_an_expired_password_can_be_forgotten_too(organisation):
    organisation.control("expire-password", login="dana")
    browser = organisation.browser()
    page = answer_factor(browser, forgot(organisation, "dana", browser))
    assert browser.post(str(page.url), data={"password": NEW}).url.path == "/signin"
    assert organisation.user()["status"] == "ACTIVE"


HINDERED = [
    ("grace", None, "Ask IT"),
    ("nobody", None, "Ask IT"),
    ("", None, "Ask IT"),
    ("walt", None, "Ask IT"),
    ("nadia", None, "Active Directory"),
    ("dana", "lock", "locked"),
    ("dana", "suspend", "Ask IT"),
]


@pytest.mark.parametrize("login, before, said", HINDERED)
def test_who_cannot_make_a_new_password_hears_what_to_do(organisation, login, before, said):
    if before:
        organisation.control(before, login=login)
    page = forgot(organisation, login)
    assert (page.status_code, page.url.path) == (403, "/forgot") and said in page.text


def test_who_is_unknown_hears_what_those_without_a_factor_hear(organisation):
    alike = [forgot(organisation, name).text.replace(name, "") for name in ("grace", "nobody")]
    assert alike[0] == alike[1]


def test_during_a_reset_the_link_is_the_only_way(organisation):
    mint(organisation)
    assert "Use the link" in forgot(organisation, "dana").text


def test_five_wrong_codes_lock_here_as_well(organisation):
    browser = organisation.browser()
    forgot(organisation, "mei", browser)
    statuses = [browser.post("/signin/factor", data={"code": "abcdef"}).status_code for _ in range(5)]
    assert statuses == [401, 401, 401, 401, 403] and organisation.user("mei")["status"] == "LOCKED_OUT"


def test_a_rejected_push_gives_no_new_password(organisation):
    browser = organisation.browser()
    forgot(organisation, "dana", browser)
    assert browser.post("/signin/factor", data={"answer": "deny"}).status_code == 401
    assert organisation.events("user.account.reset_password") == []


def test_an_account_locked_meanwhile_stays_locked(organisation):
    browser = organisation.browser()
    page = forgot(organisation, "dana", browser)
    lock_out(organisation.browser(), "dana")
    with pytest.raises(SignInRefused, match="locked"):
        answer_factor(browser, page)


@pytest.mark.parametrize("person", [p for p in PEOPLE if p.factors and p.source == "OKTA"], ids=lambda p: p.name)
def test_everyone_with_a_factor_can_begin(organisation, person):
    assert forgot(organisation, person.name).url.path == "/signin/factor"
