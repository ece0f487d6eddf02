"""The Users API as Okta documents it."""

import pytest

from sandbox.people import PEOPLE

LISTS = [
    ({"search": 'status eq "DEPROVISIONED"'}, ["walt"]),
    ({"search": 'profile.userType eq "Contractor"'}, ["jonas", "mei"]),
    ({"search": 'profile.managerId eq "priya@acme.example" and profile.department eq "Engineering"'},
     ["aiko", "ines", "jonas", "tomas"]),
    ({"search": 'profile.login sw "ru" or profile.login sw "walt"'}, ["ruth", "walt"]),
    ({"filter": 'profile.login eq "dana@acme.example"'}, ["dana"]),
    ({"search": 'profile.email eq "nadia@acme.example"'}, ["nadia"]),
    ({"filter": 'status eq "ACTIVE"', "limit": "200"}, [p.name for p in PEOPLE if p.status == "ACTIVE"]),
    ({"q": "ma"}, ["marcus"]),
    ({"q": "walt"}, []),
    ({}, [p.name for p in PEOPLE if p.status != "DEPROVISIONED"]),
]  # fmt: skip
ERRORS = [
    ("GET", "/users/nobody", {}, 404, "E0000007"),
    ("GET", "/nowhere", {}, 404, "E0000007"),
    ("GET", "/users?search=status+ne+%22ACTIVE%22", {}, 400, "E0000031"),
    ("GET", "/users?filter=profile.title+eq+%22x%22", {}, 400, "E0000031"),
    ("GET", "/users?search=status+pr&filter=id+eq+%22x%22", {}, 400, "E0000033"),
    ("GET", "/users?limit=many", {}, 400, "E0000001"),
    ("GET", "/users?limit=-1", {}, 400, "E0000001"),
    ("PUT", "/users/dana", {}, 405, "E0000022"),
    ("GET", "/users/dana/lifecycle/unlock", {}, 405, "E0000022"),
    ("POST", "/users/dana/lifecycle/unlock", {}, 403, "E0000032"),
    ("POST", "/users/nobody/lifecycle/unlock", {}, 404, "E0000007"),
    ("POST", "/users/walt/lifecycle/reset_password?sendEmail=false", {}, 403, "E0000038"),
    ("POST", "/users/dana/lifecycle/reset_password?sendEmail=maybe", {}, 400, "E0000001"),
    ("POST", "/users/dana/lifecycle/reset_password?revokeSessions=maybe", {}, 400, "E0000001"),
    ("POST", "/users/nadia/lifecycle/reset_password?sendEmail=false", {}, 403, "E0000038"),
    ("POST", "/users/nadia/lifecycle/expire_password", {}, 403, "E0000038"),
    ("POST", "/users/nobody/lifecycle/expire_password", {}, 404, "E0000007"),
    ("DELETE", "/users/dana/sessions?oauthTokens=maybe", {}, 400, "E0000001"),
    ("DELETE", "/users/nobody/sessions", {}, 404, "E0000007"),
    ("GET", "/users/dana/factors/nothing", {}, 404, "E0000007"),
    ("GET", "/users/nobody/factors", {}, 404, "E0000007"),
    ("GET", "/policies", {}, 400, "E0000001"),
    ("GET", "/policies?type=NONSENSE", {}, 400, "E0000001"),
    ("GET", "/policies/nothing", {}, 404, "E0000007"),
    ("DELETE", "/users/dana/factors/nothing", {}, 404, "E0000007"),
    ("GET", "/users", {"token": "wrong"}, 401, "E0000011"),
    ("GET", "/users", {"token": ""}, 401, "E0000011"),
]


@pytest.mark.parametrize("query, names", LISTS)
def test_lists(organisation, query, names):
    answer = organisation.api("GET", "/users", params=query)
    assert sorted(user["profile"]["login"].partition("@")[0] for user in answer.json()) == sorted(names)


@pytest.mark.parametrize("method, path, options, status, code", ERRORS)
def test_errors_are_okta_s(organisation, method, path, options, status, code):
    answer = organisation.api(method, path, **options)
    assert (answer.status_code, answer.json()["errorCode"]) == (status, code)
    assert {"errorSummary", "errorLink", "errorId", "errorCauses"} < set(answer.json())


@pytest.mark.parametrize("header", ["SSWS {}", "SSWS{}", "ssws {}"])
def test_the_token_is_taken_with_or_without_a_blank(organisation, header):
    headers = {"Authorization": header.format(organisation.config.okta_token)}
    assert organisation.browser().get("/api/v1/users/dana", headers=headers).status_code == 200


def test_a_user_is_shown_whole(organisation):
    user = organisation.user()
    assert user["status"] == "ACTIVE" and user["credentials"]["provider"] == {"type": "OKTA", "name": "OKTA"}
    assert user["profile"]["managerId"] == "marcus@acme.example"
    assert user["profile"]["timezone"] == "America/Los_Angeles"
    assert organisation.user("DANA@acme.example")["id"] == organisation.user(user["id"])["id"] == user["id"]
    contract = organisation.user("mei")["profile"]["contractEndDate"]
    assert contract > user["lastUpdated"][:10]


@pytest.mark.parametrize(
    "query", [{}, {"search": 'status eq "ACTIVE"'}, {"search": "status pr", "sortBy": "profile.lastName"}]
)
def test_pages_follow_one_another(organisation, query):
    organisation.control("people", count=23)
    whole = [user["id"] for user in organisation.api("GET", "/users", params=query).json()]
    seen, url, params = [], "/users", {**query, "limit": 7}
    while url:
        answer = organisation.api("GET", url, params=params)
        seen += [user["id"] for user in answer.json()]
        links = answer.headers.get_list("link")
        assert 'rel="self"' in links[0] and len(links) <= 2
        url = links[1].split(">")[0][1:].partition("/api/v1")[2] if len(links) == 2 else None
        params = None
    assert seen == whole and len(whole) > 30


def test_sorting(organisation):
    for order, first in (("asc", "adler"), ("desc", "whitfield")):
        query = {"search": 'profile.userType eq "Employee" and status eq "ACTIVE"', "sortBy": "profile.lastName",
                 "sortOrder": order}  # fmt: skip
        assert organisation.api("GET", "/users", params=query).json()[0]["profile"]["lastName"].lower() == first


def test_unlock(organisation):
    before = organisation.user()
    organisation.control("lock", login="dana")
    locked = organisation.user()
    assert locked["status"] == "LOCKED_OUT" and locked["statusChanged"] > before["statusChanged"]
    assert "unlock" in locked["_links"]
    assert organisation.api("POST", "/users/dana/lifecycle/unlock").json() == {}
    unlocked = organisation.user()
    assert unlocked["status"] == "ACTIVE" and unlocked["statusChanged"] > locked["statusChanged"]
    (event,) = organisation.events("user.account.unlock_by_admin")
    assert event["target"][0]["id"] == unlocked["id"] and event["actor"]["displayName"] == "Account Access service"
    refused = organisation.api("POST", "/users/dana/lifecycle/unlock")
    assert refused.json()["errorCauses"] == [{"errorSummary": "The user is not locked out."}]


def test_groups_show_who_is_protected(organisation):
    names = {name: {group["profile"]["name"] for group in organisation.api("GET", f"/users/{name}/groups").json()}
             for name in ("ruth", "dana", "mei")}  # fmt: skip
    assert names == {
        "ruth": {"Everyone", "Okta Administrators"},
        "dana": {"Everyone"},
        "mei": {"Everyone", "Contingent Workers"},
    }


def test_who_has_their_password_elsewhere_is_shown_so_and_not_unlocked_here(organisation):
    assert organisation.user("nadia")["credentials"]["provider"]["type"] == "ACTIVE_DIRECTORY"
    organisation.control("lock", login="nadia")
    refused = organisation.api("POST", "/users/nadia/lifecycle/unlock")
    assert (refused.status_code, refused.json()["errorCode"]) == (403, "E0000032")
    assert organisation.user("nadia")["status"] == "LOCKED_OUT"


@pytest.mark.parametrize(
    "act, status", [("expire_password", "PASSWORD_EXPIRED"), ("suspend", "SUSPENDED"), ("deactivate", "DEPROVISIONED")]
)
def test_lifecycle(organisation, act, status):
    assert organisation.api("POST", f"/users/dana/lifecycle/{act}").status_code == 200
    assert organisation.user()["status"] == status
