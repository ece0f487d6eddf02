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
