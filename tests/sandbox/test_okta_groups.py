"""The Groups API as Okta documents it: lists and members, page by page."""

import pytest


def names(answer) -> list[str]:
    return sorted(group["profile"]["name"] for group in answer.json())


def test_every_group(organisation):
    assert names(organisation.api("GET", "/groups")) == [
        *("Contingent Workers", "Engineering", "Everyone", "Okta Administrators")
    ]


def test_members(organisation):
    (group,) = [g for g in organisation.api("GET", "/groups").json() if g["profile"]["name"] == "Contingent Workers"]
    logins = sorted(
        user["profile"]["login"].split("@")[0]
        for user in organisation.api("GET", f"/groups/{group['id']}/users").json()
    )
    assert logins == ["ines", "jonas", "mei", "rafael"]


@pytest.mark.parametrize("path", ["/groups", "/groups/{everyone}/users"])
def test_pages_of_one_are_the_same_list(organisation, path):
    everyone = next(g["id"] for g in organisation.api("GET", "/groups").json() if g["type"] == "BUILT_IN")
    path = path.format(everyone=everyone)
    whole, found, following = [item["id"] for item in organisation.api("GET", path).json()], [], f"{path}?limit=1"
    while following:
        answer = organisation.api("GET", following)
        found += [item["id"] for item in answer.json()]
        following = answer.links.get("next", {}).get("url", "").partition("/api/v1")[2]
    assert found == whole


def test_unknown_group(organisation):
    answer = organisation.api("GET", "/groups/nothing/users")
    assert (answer.status_code, answer.json()["errorCode"]) == (404, "E0000007")
