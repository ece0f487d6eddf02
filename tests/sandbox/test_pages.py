"""The pages: security headers, cross-site requests, the control page's forms, and JSON that is not."""

import re

import pytest

from sandbox.sign_in import sign_in

PAGES = ["/", "/signin", "/forgot", "/enrol", "/control", "/portal", "/reset_password/x", "/nowhere"]
FOREIGN = [
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:8000"},
    {"Origin": "https://127.0.0.1:8080"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]
POSTS = ["/control", "/control/api/lock", "/signin", "/signout", "/signin/factor", "/reset_password/x", "/forgot",
         "/enrol", "/enrol/later", "/enrol/x"]  # fmt: skip
ACTS = [
    ({"act": "lock", "login": "dana"}, 200, "Locked: dana@acme.example."),
    ({"act": "unlock", "login": "dana"}, 200, "Nothing to do: nobody was unlocked."),
    ({"act": "clock", "days": "1"}, 200, "for every process"),
    ({"act": "people", "count": "3"}, 200, "3 people added"),
    ({"act": "switch", "kind": "slow", "seconds": "2", "times": "", "target": "all"}, 200, "slow is on for all"),
    ({"act": "switch", "kind": "error", "seconds": "2", "how": "closed"}, 200, "error is on for all"),
    ({"act": "switch", "kind": "down", "how": "closed", "times": "0"}, 400, "at least 1"),
    ({"act": "switch", "kind": "explode"}, 400, "Unknown switch"),
    ({"act": "switch-off"}, 200, "0 switched off"),
    ({"act": "reset"}, 200, "first day"),
    ({"act": "clock", "days": "-1"}, 400, "only moves forward"),
    ({"act": "clock", "days": "many"}, 400, "not a number"),
    ({"act": "explode"}, 400, "There is no"),
    ({"act": "lock", "login": "nobody"}, 400, "Nobody here is called"),
    ({"act": "people", "count": "99999"}, 400, "from 1 to 5000"),
]
REFUSED = [
    ("lock", {}),
    ("lock", {"login": "nobody"}),
    ("lock", {"logins": "dana"}),
    ("lock", {"logins": []}),
    ("clock", {"seconds": -5}),
    ("clock", {"seconds": "5"}),
    ("people", {}),
    ("people", {"count": True}),
]


@pytest.mark.parametrize("path", PAGES)
def test_pages_carry_the_security_headers(organisation, path):
    answer = organisation.browser().get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff" and answer.headers["cache-control"] == "no-store"
    assert "<script" not in answer.text and not re.search(r"\sstyle=|\son\w+=", answer.text)


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("path", POSTS)
def test_cross_site_posts_are_refused(organisation, path, headers):
    assert organisation.browser().post(path, headers=headers, json={"login": "dana"}).status_code == 403
    assert organisation.user()["status"] == "ACTIVE"


@pytest.mark.parametrize("headers", [{}, {"Origin": "http://127.0.0.1:8080"}, {"Sec-Fetch-Site": "same-origin"}])
def test_own_posts_are_taken(organisation, headers):
    assert organisation.browser().post("/control/api/lock", headers=headers, json={"login": "dana"}).status_code == 200


def test_a_name_that_was_made_to_point_here_is_refused(organisation):
    answer = organisation.browser().get("/control", headers={"Host": "evil.example"})
    assert answer.status_code == 400


@pytest.mark.parametrize("form, status, said", ACTS)
def test_the_control_page(organisation, form, status, said):
    answer = organisation.browser().post("/control", data=form)
    assert (answer.status_code, said in answer.text) == (status, True)


@pytest.mark.parametrize("act, body", REFUSED)
def test_the_control_api_refuses_nonsense_with_a_sentence(organisation, act, body):
    answer = organisation.browser().post(f"/control/api/{act}", json=body)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid") and answer.json()["message"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b"login=dana"])
def test_the_control_api_takes_json_objects_only(organisation, body):
    assert organisation.browser().post("/control/api/lock", content=body).status_code == 400


def test_an_unknown_act_is_not_found(organisation):
    assert organisation.browser().post("/control/api/explode").status_code == 404


def test_hostile_text_stays_text(organisation):
    answer = organisation.browser().post("/signin", data={"username": '"><script>x</script>', "password": "x"})
    assert "<script>" not in answer.text


def test_reset_is_the_first_day_with_the_same_people(organisation):
    before = organisation.user()["id"]
    browser = organisation.browser()
    sign_in(browser, "dana")
    organisation.control("lock", login="marcus")
    organisation.control("people", count=2)
    organisation.control("switch", kind="error")
    organisation.control("reset")
    assert organisation.user()["id"] == before and organisation.events() == []
    assert browser.get("/portal").url.path == "/signin"
    state = organisation.browser().get("/control/api/state").json()
    assert {person["status"] for person in state["people"]} == {"ACTIVE", "DEPROVISIONED"} and state["switches"] == []


def test_generated_people_can_sign_in(organisation):
    added = organisation.control("people", count=100)
    assert len(set(added["logins"])) == 100
    assert sign_in(organisation.browser(), added["logins"][-1], added["password"]).url.path == "/portal"
    assert organisation.control("people", count=1)["logins"] == ["load0101@acme.example"]


def test_the_clock_file_is_what_every_process_reads(organisation):
    organisation.control("clock", hours=1)
    assert organisation.control("clock", minutes=30, seconds=1.5)["offset_seconds"] == 5401.5
    assert float(organisation.config.clock_file.read_text()) == 5401.5
    assert [path.name for path in organisation.config.clock_file.parent.iterdir() if "clock" in path.name] == [
        "clock-offset"
    ]
