"""Bad days of the Okta API: what each switch does, to which requests, how often; and the rate limits."""

import json
from email.utils import parsedate_to_datetime

import pytest

BAD_DAYS = [
    ({"kind": "down"}, 503, "E0000010"),
    ({"kind": "error"}, 500, "E0000009"),
    ({"kind": "forbidden"}, 403, "E0000006"),
    ({"kind": "rate_limit", "seconds": 20}, 429, "E0000047"),
]
PATHS = {
    "users": ("GET", "/users"),
    "user": ("GET", "/users/dana"),
    "unlock": ("POST", "/users/dana/lifecycle/unlock"),
    "factors": ("GET", "/users/dana/factors"),
    "sessions": ("DELETE", "/users/dana/sessions"),
    "reset_password": ("POST", "/users/marcus/lifecycle/reset_password?sendEmail=false"),
    "policies": ("GET", "/policies?type=PASSWORD"),
    "logs": ("GET", "/logs"),
}
REFUSED = [
    {"kind": "explode"},
    {},
    {"kind": "slow", "seconds": -1},
    {"kind": "slow", "seconds": "long"},
    {"kind": "slow", "times": 0},
    {"kind": "slow", "times": True},
    {"kind": "slow", "target": "everything"},
    {"kind": "down", "how": "politely"},
    {"kind": "error", "seconds": 3},
]


@pytest.mark.parametrize("switch, status, code", BAD_DAYS)
def test_bad_days(organisation, switch, status, code):
    organisation.control("switch", **switch, times=1)
    answer = organisation.api("GET", "/users/dana")
    assert (answer.status_code, answer.json()["errorCode"]) == (status, code)
    assert organisation.api("GET", "/users/dana").status_code == 200


@pytest.mark.parametrize("target", PATHS)
def test_a_switch_concerns_its_target_only(organisation, target):
    organisation.control("lock", login="dana")
    organisation.control("switch", kind="error", target=target)
    answers = {name: organisation.api(*request).status_code for name, request in PATHS.items()}
    good = {name: 204 if name == "sessions" else 200 for name in PATHS}
    assert answers == {**good, target: 500}
    organisation.control("switch-off", kind="error")
    assert organisation.api(*PATHS["user"]).status_code == 200


def test_a_target_may_be_one_method_and_path(organisation):
    organisation.control("switch", kind="error", target="GET /api/v1/users/dana")
    assert organisation.api("GET", "/users/dana").status_code == 500
    assert organisation.api("GET", "/users/marcus").status_code == 200


@pytest.mark.parametrize("switch", REFUSED)
def test_nonsense_is_refused_with_a_sentence(organisation, switch):
    answer = organisation.browser().post("/control/api/switch", json=switch)
    assert answer.status_code == 400 and answer.json()["message"]


def test_lie(organisation):
    organisation.control("lock", login="dana")
    organisation.control("switch", kind="lie", times=1)
    assert organisation.api("POST", "/users/dana/lifecycle/unlock").status_code == 200
    assert organisation.user()["status"] == "LOCKED_OUT"
    assert organisation.events("user.account.unlock_by_admin") == []
    organisation.api("POST", "/users/dana/lifecycle/unlock")
    assert organisation.user()["status"] == "ACTIVE"


LIES = [  # an act, and what it would have changed
    ("POST", "/users/marcus/lifecycle/reset_password?sendEmail=false", "/users/marcus"),
    ("POST", "/users/marcus/lifecycle/expire_password", "/users/marcus"),
    ("POST", "/users/marcus/lifecycle/suspend", "/users/marcus"),
    ("POST", "/users/marcus/lifecycle/deactivate", "/users/marcus"),
    ("POST", "/users/marcus/lifecycle/reset_factors", "/users/marcus/factors"),
    ("DELETE", "/users/marcus/factors/{}", "/users/marcus/factors"),
]


@pytest.mark.parametrize("method, path, shows", LIES)
def test_every_act_can_be_a_lie(organisation, method, path, shows):
    factor = organisation.api("GET", "/users/marcus/factors").json()[0]["id"]
    before = organisation.api("GET", shows).json()
    organisation.control("switch", kind="lie", times=1)
    assert organisation.api(method, path.format(factor)).status_code in (200, 204)
    assert organisation.api("GET", shows).json() == before and organisation.events() == []
    assert organisation.api(method, path.format(factor)).status_code in (200, 204)
    assert organisation.api("GET", shows).json() != before


def test_a_lie_may_concern_one_kind_of_act_alone(organisation):
    organisation.control("lock", login="dana")
    organisation.control("switch", kind="lie", target="factors")
    factor = organisation.api("GET", "/users/dana/factors").json()[0]["id"]
    organisation.api("DELETE", f"/users/dana/factors/{factor}")
    assert len(organisation.api("GET", "/users/dana/factors").json()) == 4
    organisation.api("POST", "/users/dana/lifecycle/unlock")
    assert organisation.user()["status"] == "ACTIVE"


@pytest.mark.parametrize("seconds", [0, 90])
def test_relock(organisation, seconds):
    organisation.control("lock", login="dana")
    organisation.control("switch", kind="relock", times=1, seconds=seconds)
    assert organisation.api("POST", "/users/dana/lifecycle/unlock").status_code == 200
    assert organisation.user()["status"] == ("ACTIVE" if seconds else "LOCKED_OUT")
    organisation.control("clock", seconds=seconds)
    assert organisation.user()["status"] == "LOCKED_OUT"
    assert len(organisation.events("user.account.lock")) == 2
    organisation.api("POST", "/users/dana/lifecycle/unlock")
    assert organisation.user()["status"] == "ACTIVE"


def test_malformed_does_the_work_and_breaks_off_the_answer(organisation):
    organisation.control("lock", login="dana")
    organisation.control("switch", kind="malformed", times=2)
    for method, path in (PATHS["unlock"], PATHS["user"]):
        answer = organisation.api(method, path)
        assert answer.status_code == 200 and int(answer.headers["content-length"]) == len(answer.content)
        with pytest.raises(json.JSONDecodeError):
            answer.json()
    assert organisation.user()["status"] == "ACTIVE"


def test_slow(organisation):
    organisation.control("switch", kind="slow", seconds=0.3, target="user", times=1)
    assert organisation.api("GET", "/users/dana").elapsed.total_seconds() > 0.3
    assert organisation.api("GET", "/users/dana").elapsed.total_seconds() < 0.25


def test_a_refused_request_says_when_to_come_back_by_its_own_clock(organisation):
    organisation.control("clock", days=30)
    organisation.control("switch", kind="rate_limit", seconds=20, times=1)
    headers = organisation.api("GET", "/logs").headers
    wait = int(headers["x-rate-limit-reset"]) - parsedate_to_datetime(headers["date"]).timestamp()
    assert 18 <= wait <= 21
    assert (headers["x-rate-limit-limit"], headers["x-rate-limit-remaining"]) == ("60", "0")


def test_rate_limits_are_per_bucket_and_minute(organisation):
    organisation.control("rate-limits", user=2)
    answers = [organisation.api("GET", "/users/dana") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["x-rate-limit-remaining"] for answer in answers] == ["1", "0", "0"]
    assert organisation.api("GET", "/users").status_code == 200
    organisation.control("clock", seconds=60)
    assert organisation.api("GET", "/users/dana").status_code == 200


@pytest.mark.parametrize("limits", [{"nonsense": 3}, {"user": 0}, {"user": "many"}])
def test_rate_limits_are_checked(organisation, limits):
    assert organisation.browser().post("/control/api/rate-limits", json=limits).status_code == 400


def test_sign_in_works_on_the_worst_of_days(organisation):
    organisation.control("switch", kind="down")
    assert organisation.browser().get("/signin").status_code == 200
    assert organisation.browser().get("/.well-known/openid-configuration").status_code == 200
