"""What the control page makes happen to people, and what the state shows of it."""

import pytest

from account_access.clock import OffsetClock
from sandbox.sign_in import password_of, sign_in

ACTS = [
    ("expire-password", {"login": "dana"}, {"expired": ["dana@acme.example"]}),
    ("suspend", {"logins": ["dana", "marcus"]}, {"suspended": ["dana@acme.example", "marcus@acme.example"]}),
    ("restore", {"login": "dana"}, {"restored": ["dana@acme.example"]}),
    ("password-age", {"login": "dana", "days": 80}, {"aged": ["dana@acme.example"]}),
    ("failed-attempts", {"login": "dana", "count": 2}, {"tried": ["dana@acme.example"]}),
    ("add-factor", {"login": "dana", "kind": "sms", "name": "+14155550199"}, {"enrolled": ["dana@acme.example"]}),
]
REFUSED = [
    ("password-age", {"login": "dana"}),
    ("password-age", {"login": "dana", "days": -1}),
    ("failed-attempts", {"login": "dana", "count": 0}),
    ("failed-attempts", {"login": "dana", "count": 51}),
    ("failed-attempts", {"count": 1}),
    ("add-factor", {"login": "dana", "kind": "telepathy"}),
    ("add-factor", {"login": "nobody", "kind": "google"}),
    ("remove-factor", {}),
    ("remove-factor", {"factor": "nothing"}),
    ("expire-password", {}),
]


def person(organisation, login="dana"):
    state = organisation.browser().get("/control/api/state").json()
    return next(each for each in state["people"] if each["login"].startswith(login))


@pytest.mark.parametrize("act, body, answer", ACTS)
def test_acts_and_their_answers(organisation, act, body, answer):
    assert organisation.control(act, **body) == answer


@pytest.mark.parametrize("act, body", REFUSED)
def test_nonsense_is_refused_with_a_sentence(organisation, act, body):
    answer = organisation.browser().post(f"/control/api/{act}", json=body)
    assert answer.status_code == 400 and answer.json()["message"]


def test_a_phone_with_an_old_password_locks_at_the_fifth_try_and_goes_on(organisation):
    organisation.control("failed-attempts", login="dana", count=4)
    assert (person(organisation)["failures"], person(organisation)["status"]) == (4, "ACTIVE")
    organisation.control("failed-attempts", login="dana", count=3)
    assert person(organisation)["status"] == "LOCKED_OUT"
    tries = organisation.events("user.session.start")
    assert [each["outcome"]["reason"] for each in tries] == ["INVALID_CREDENTIALS"] * 5 + ["LOCKED_OUT"] * 2
    client = tries[0]["client"]
    assert "ActiveSync" in client["userAgent"]["rawUserAgent"] and client["userAgent"]["browser"] == "UNKNOWN"
    assert client["geographicalContext"]["city"] == "Oakland"


def test_where_and_what_can_be_chosen(organisation):
    organisation.control("failed-attempts", login="dana", count=1, ip="192.0.2.9", device="Firefox/133.0 (Windows NT)")
    (event,) = organisation.events("user.session.start")
    assert event["client"]["ipAddress"] == "192.0.2.9"
    assert event["client"]["geographicalContext"]["country"] == "Netherlands"
    assert event["client"]["userAgent"]["browser"] == "FIREFOX"


def test_factors_come_and_go(organisation):
    organisation.control("add-factor", login="grace", kind="okta_verify", name="Grace's phone")
    names = [factor["name"] for factor in person(organisation, "grace")["factors"]]
    assert names == ["Okta Verify push (Grace's phone)", "Okta Verify code"]
    push = person(organisation, "grace")["factors"][0]["id"]
    assert len(organisation.control("remove-factor", factor=push)["removed"]) == 2
    assert person(organisation, "grace")["factors"] == []
    assert organisation.events("user.mfa.factor.deactivate")[0]["actor"]["alternateId"] == "ruth@acme.example"


def test_restore_gives_the_first_password_back(organisation):
    link = organisation.api("POST", "/users/dana/lifecycle/reset_password?sendEmail=false").json()["resetPasswordUrl"]
    organisation.browser().post(link, data={"password": "a-brand-new-password"})
    organisation.control("suspend", login="dana")
    organisation.control("restore", login="dana")
    assert sign_in(organisation.browser(), "dana", password_of("dana")).url.path == "/portal"


def test_a_password_s_age_is_seen_by_the_api(organisation):
    organisation.control("password-age", login="dana", days=80)
    now = OffsetClock(organisation.config.clock_file).now()
    changed = organisation.user()["passwordChanged"]
    assert changed == person(organisation)["password_changed"] and changed < f"{now:%Y-%m-%d}"


@pytest.mark.parametrize(
    "form, said",
    [
        ({"act": "failed-attempts", "login": "dana", "count": "3"}, "Tried: dana@acme.example."),
        ({"act": "password-policy", "max_age_days": "30", "auto_unlock_minutes": "5"}, "Every policy is changed."),
        ({"act": "add-factor", "login": "dana", "kind": "key", "name": "A key"}, "Enrolled: dana@acme.example."),
        ({"act": "expire-password", "login": "dana"}, "Expired: dana@acme.example."),
    ],
)
def test_the_page_has_forms_for_it(organisation, form, said):
    answer = organisation.browser().post("/control", data=form)
    assert answer.status_code == 200 and said in answer.text
