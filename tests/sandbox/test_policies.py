"""Password policies: what the API shows, passwords that expire at a sign-in, lockouts that end by themselves."""

import pytest

from sandbox.sign_in import SignInRefused, lock_out, sign_in


def policies(organisation):
    return organisation.api("GET", "/policies?type=PASSWORD").json()


def test_policies_in_the_order_of_priority(organisation):
    found = policies(organisation)
    assert [policy["priority"] for policy in found] == [1, 2]
    assert [policy["settings"]["password"]["age"]["maxAgeDays"] for policy in found] == [90, 90]
    groups = {
        group["id"] for name in ("mei", "dana") for group in organisation.api("GET", f"/users/{name}/groups").json()
    }
    assert {policy["conditions"]["people"]["groups"]["include"][0] for policy in found} <= groups
    assert organisation.api("GET", f"/policies/{found[0]['id']}").json() == found[0]
    assert organisation.api("GET", "/policies?type=PASSWORD&status=INACTIVE").json() == []
    assert organisation.api("GET", "/policies?type=MFA_ENROLL").json() == []


def test_a_policy_that_was_changed_is_shown_and_reset_with_the_rest(organisation):
    organisation.control("password-policy", max_age_days=30, auto_unlock_minutes=10)
    shown = [policy["settings"]["password"] for policy in policies(organisation)]
    assert [(each["age"]["maxAgeDays"], each["lockout"]["autoUnlockMinutes"]) for each in shown] == [(30, 10)] * 2
    state = organisation.browser().get("/control/api/state").json()
    assert state["password_policy"] == {"max_age_days": 30, "auto_unlock_minutes": 10}
    organisation.control("reset")
    assert policies(organisation)[0]["settings"]["password"]["age"]["maxAgeDays"] == 90


@pytest.mark.parametrize("body", [{}, {"max_age_days": -1}, {"max_age_days": "many"}, {"auto_unlock_minutes": 10**9}])
def test_nonsense_for_a_policy_is_refused(organisation, body):
    assert organisation.browser().post("/control/api/password-policy", json=body).status_code == 400


def test_an_old_password_expires_at_the_sign_in_and_not_before(organisation):
    organisation.control("password-age", login="dana", days=90)
    assert organisation.user()["status"] == "ACTIVE", "Okta looks at a sign-in only"
    browser = organisation.browser()
    page = sign_in(browser, "dana")
    assert page.url.path.startswith("/reset_password/") and "has expired" in page.text
    assert organisation.user()["status"] == "PASSWORD_EXPIRED"
    assert len(organisation.events("user.account.expire_password")) == 1
    assert browser.post(str(page.url), data={"password": "a-brand-new-password"}).url.path == "/signin"
    assert organisation.user()["status"] == "ACTIVE"
    assert sign_in(browser, "dana", "a-brand-new-password").url.path == "/portal"


@pytest.mark.parametrize("days, expires", [(89, False), (90, True)])
def test_the_day_of_expiry(organisation, days, expires):
    organisation.control("password-age", login="dana", days=days)
    assert sign_in(organisation.browser(), "dana").url.path.startswith("/reset_password/") is expires


def test_a_password_that_is_kept_elsewhere_does_not_expire_here(organisation):
    organisation.control("password-age", login="nadia", days=500)
    assert sign_in(organisation.browser(), "nadia").url.path == "/portal"


def test_passwords_last_for_ever_if_the_policy_says_so(organisation):
    organisation.control("password-policy", max_age_days=0)
    organisation.control("password-age", login="dana", days=500)
    assert sign_in(organisation.browser(), "dana").url.path == "/portal"


def test_the_wrong_password_tells_nothing_of_an_expiry(organisation):
    organisation.control("expire-password", login="dana")
    for _ in range(6):
        with pytest.raises(SignInRefused, match="Unable to sign in"):
            sign_in(organisation.browser(), "dana", "wrong")
    assert organisation.user()["status"] == "PASSWORD_EXPIRED", "what is void is not guessed at"


def test_a_lockout_ends_by_itself_when_the_policy_says_so(organisation):
    lock_out(organisation.browser(), "dana")
    organisation.control("clock", minutes=30)
    assert organisation.user()["status"] == "LOCKED_OUT", "by default it does not"
    organisation.control("password-policy", auto_unlock_minutes=60)
    organisation.control("clock", minutes=29)
    assert organisation.user()["status"] == "LOCKED_OUT"
    organisation.control("clock", minutes=2)
    assert organisation.user()["status"] == "ACTIVE"
    (event,) = organisation.events("user.account.unlock")
    assert event["actor"]["displayName"] == "Okta System"
    assert sign_in(organisation.browser(), "dana").url.path == "/portal"
