"""The Factors API as Okta documents it, and what a factor taken off means for signing in."""

import pytest

WITH = {  # who has what, by Okta's type
    "dana": ["push", "token:software:totp", "sms", "webauthn"],
    "priya": ["push", "token:software:totp", "push", "webauthn", "webauthn"],
    "aiko": ["push", "token:software:totp", "signed_nonce"],
    "lena": ["sms", "call"],
    "omar": ["push", "token:software:totp", "sms", "email"],
    "tomas": ["token:software:totp", "sms"],
    "grace": [],
}


def factors(organisation, login="dana"):
    return organisation.api("GET", f"/users/{login}/factors").json()


def types(organisation, login="dana"):
    return [factor["factorType"] for factor in factors(organisation, login)]


@pytest.mark.parametrize("login", WITH)
def test_enrolled_factors(organisation, login):
    assert types(organisation, login) == WITH[login]
    for factor in factors(organisation, login):
        assert (factor["status"], len(factor["id"])) == ("ACTIVE", 20)
        again = organisation.api("GET", f"/users/{login}/factors/{factor['id']}").json()
        assert again == factor and factor["_links"]["self"]["href"].endswith(f"/factors/{factor['id']}")


def test_two_phones_have_their_own_names(organisation):
    names = [factor["profile"]["name"] for factor in factors(organisation, "priya") if factor["factorType"] == "push"]
    assert names == ["Priya's iPhone 16", "Priya's old iPhone 12"]


@pytest.mark.parametrize(
    "login, position, left",
    [
        ("dana", 0, ["sms", "webauthn"]),
        ("dana", 1, ["push", "sms", "webauthn"]),
        ("dana", 2, ["push", "token:software:totp", "webauthn"]),
        ("priya", 2, ["webauthn", "webauthn"]),
        ("aiko", 2, []),
        ("tomas", 0, ["sms"]),
    ],
)
def test_push_and_fastpass_take_the_rest_of_okta_verify_along(organisation, login, position, left):
    chosen = factors(organisation, login)[position]
    before = len(types(organisation, login))
    assert organisation.api("DELETE", f"/users/{login}/factors/{chosen['id']}").status_code == 204
    assert types(organisation, login) == left
    assert len(organisation.events("user.mfa.factor.deactivate")) == before - len(left)
    assert organisation.api("DELETE", f"/users/{login}/factors/{chosen['id']}").status_code == 404


def test_reset_factors_removes_all(organisation):
    assert organisation.api("POST", "/users/dana/lifecycle/reset_factors").json() == {}
    assert types(organisation) == []
    assert len(organisation.events("user.mfa.factor.reset_all")) == 1
    assert types(organisation, "marcus") == ["push", "token:software:totp"]


def test_somebody_else_s_factor_is_not_found(organisation):
    foreign = factors(organisation, "marcus")[0]["id"]
    for method in ("GET", "DELETE"):
        assert organisation.api(method, f"/users/dana/factors/{foreign}").status_code == 404
    assert len(factors(organisation, "marcus")) == 2


def test_factors_of_the_deactivated_stay(organisation):
    chosen = factors(organisation)[0]["id"]
    organisation.control("deactivate", login="dana")
    for method, path in (("DELETE", f"/factors/{chosen}"), ("POST", "/lifecycle/reset_factors")):
        refused = organisation.api(method, f"/users/dana{path}")
        assert (refused.status_code, refused.json()["errorCode"]) == (403, "E0000038")
    assert len(factors(organisation)) == 4


@pytest.mark.parametrize("value, status", [("true", 204), ("false", 204), ("maybe", 400)])
def test_remove_recovery_enrollment_is_true_or_false(organisation, value, status):
    sms = factors(organisation)[2]["id"]
    answer = organisation.api("DELETE", f"/users/dana/factors/{sms}?removeRecoveryEnrollment={value}")
    assert answer.status_code == status and ("sms" in types(organisation)) is (status == 400)


class TestVerify:
    """Okta's verify: 200 SUCCESS, 200 CHALLENGE where one is sent, 403 for a wrong code."""

    def factor(self, organisation, login, kind):
        return next(f for f in factors(organisation, login) if f["factorType"] == kind)

    def verify(self, organisation, login, kind, **body):
        factor = self.factor(organisation, login, kind)
        assert factor["_links"]["verify"]["href"].endswith(f"/factors/{factor['id']}/verify")
        answer = organisation.api("POST", f"/users/{login}/factors/{factor['id']}/verify", json=body)
        return answer.status_code, answer.json().get("factorResult") or answer.json()["errorCode"]

    def shown(self, organisation, login, kind):
        """What the person's own page says that their phone shows."""
        state = organisation.browser().get("/control/api/state").json()
        person = next(p for p in state["people"] if p["login"].startswith(login))
        return next(f["code"] for f in person["factors"] if f["type"] == kind)

    def test_app(self, organisation):
        code = self.shown(organisation, "tomas", "token:software:totp")
        app = "token:software:totp"
        assert self.verify(organisation, "tomas", app, passCode=code) == (200, "SUCCESS")
        assert self.verify(organisation, "tomas", app, passCode=code) == (403, "E0000068"), "once"
        assert self.verify(organisation, "tomas", app) == (400, "E0000001")

    def test_number(self, organisation):
        assert self.shown(organisation, "tomas", "sms") == ""
        assert self.verify(organisation, "tomas", "sms", passCode="123456") == (403, "E0000068"), "nothing was sent"
        assert self.verify(organisation, "tomas", "sms") == (200, "CHALLENGE")
        code = self.shown(organisation, "tomas", "sms")
        organisation.control("clock", minutes=4)
        assert self.verify(organisation, "tomas", "sms", passCode=code) == (200, "SUCCESS")
        assert self.verify(organisation, "tomas", "sms", passCode=code) == (403, "E0000068"), "once"

    def test_sent_code_is_good_for_five_minutes(self, organisation):
        self.verify(organisation, "tomas", "sms")
        code = self.shown(organisation, "tomas", "sms")
        organisation.control("clock", minutes=6)
        assert self.verify(organisation, "tomas", "sms", passCode=code) == (403, "E0000068")

    def test_fifth_wrong_code_locks(self, organisation):
        for _ in range(5):
            assert self.verify(organisation, "tomas", "token:software:totp", passCode="0") == (403, "E0000068")
        assert organisation.user("tomas")["status"] == "LOCKED_OUT"
        code = self.shown(organisation, "tomas", "token:software:totp")
        assert self.verify(organisation, "tomas", "token:software:totp", passCode=code) == (403, "E0000069")

    def test_what_has_no_code(self, organisation):
        assert self.verify(organisation, "dana", "webauthn") == (400, "E0000001")

    @pytest.mark.parametrize("body", ["[]", "no JSON"])
    def test_nonsense(self, organisation, body):
        factor = self.factor(organisation, "tomas", "sms")["id"]
        answer = organisation.api("POST", f"/users/tomas/factors/{factor}/verify", content=body)
        assert (answer.status_code, answer.json()["errorCode"]) == (400, "E0000003")

    def test_somebody_else_s(self, organisation):
        factor = self.factor(organisation, "tomas", "sms")["id"]
        assert organisation.api("POST", f"/users/dana/factors/{factor}/verify", json={}).status_code == 404

    def test_portal_plays_the_phone(self, organisation):
        browser = organisation.browser()
        browser.post("/signin", data={"username": "grace", "password": "Maple-Harvest-76", "goal": "/portal"})
        organisation.control("add-factor", login="grace", kind="google")
        assert self.shown(organisation, "grace", "token:software:totp") in browser.get("/portal").text
