"""The System Log API: polling never ends, bounded queries do."""

import pytest

LOCKS = 'eventType eq "user.account.lock" or (eventType eq "user.session.start" and outcome.reason eq "LOCKED_OUT")'
REFUSED = [
    {"filter": 'nonsense eq "x"'},
    {"since": "yesterday"},
    {"since": "2026-11-25T00:00:00Z", "until": "2026-11-24T00:00:00Z"},
    {"sortOrder": "RANDOM"},
    {"limit": "all"},
    {"after": "garbage"},
]


def next_of(answer):
    """The path and query of the next link, or None; self comes first."""
    links = answer.headers.get_list("link")
    assert 'rel="self"' in links[0]
    return links[1].split(">")[0][1:].partition("/api/v1")[2] if len(links) == 2 else None


def test_a_lock_leaves_five_failures_and_the_lock(organisation):
    organisation.control("lock", login="dana")
    failures, lock = organisation.events("user.session.start"), organisation.events("user.account.lock")[0]
    assert [event["outcome"] for event in failures] == [{"result": "FAILURE", "reason": "INVALID_CREDENTIALS"}] * 5
    assert lock["outcome"] == {"result": "FAILURE", "reason": "LOCKED_OUT"}
    assert (
        lock["actor"]["alternateId"] == "dana@acme.example" and "iPhone" in lock["client"]["userAgent"]["rawUserAgent"]
    )
    assert lock["published"] == organisation.user()["statusChanged"]


def test_polling_goes_on_from_where_it_was(organisation):
    answer = organisation.api("GET", "/logs", params={"filter": LOCKS, "limit": 2})
    assert answer.json() == []
    for login in ("dana", "marcus", "priya"):
        organisation.control("lock", login=login)
    seen, pages = [], []
    for _ in range(4):
        answer = organisation.api("GET", next_of(answer))
        pages.append(len(answer.json()))
        seen += [event["actor"]["alternateId"].partition("@")[0] for event in answer.json()]
    assert (pages, seen) == ([2, 1, 0, 0], ["dana", "marcus", "priya"])
    organisation.control("lock", login="aiko")
    assert len(organisation.api("GET", next_of(answer)).json()) == 1


@pytest.mark.parametrize("order", ["ASCENDING", "DESCENDING"])
def test_a_bounded_query_ends(organisation, order):
    organisation.control("lock", logins=["dana", "marcus"])
    query = {"since": "2020-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z", "sortOrder": order, "limit": 5}
    answer, seen, pages = organisation.api("GET", "/logs", params=query), [], 0
    while True:
        seen, pages = seen + answer.json(), pages + 1
        if next_of(answer) is None:
            break
        answer = organisation.api("GET", next_of(answer))
    published = [event["published"] for event in seen]
    assert len({event["uuid"] for event in seen}) == len(seen) == 12 and pages == 3
    assert published == sorted(published, reverse=order == "DESCENDING")


def test_keywords(organisation):
    organisation.control("lock", logins=["dana", "marcus"])
    events = organisation.api("GET", "/logs", params={"q": "MAX marcus"}).json()
    assert [event["eventType"] for event in events] == ["user.account.lock"]


@pytest.mark.parametrize("query", REFUSED)
def test_nonsense_is_refused(organisation, query):
    answer = organisation.api("GET", "/logs", params=query)
    assert (answer.status_code, answer.json()["errorCode"][:5]) == (400, "E0000")


def test_late_events_arrive_out_of_order_and_a_poller_still_gets_them(organisation):
    organisation.control("switch", kind="late_log", seconds=60, times=6)
    organisation.control("lock", login="dana")
    organisation.control("lock", login="marcus")
    first = organisation.api("GET", "/logs", params={"filter": LOCKS})
    assert [event["actor"]["alternateId"] for event in first.json()] == ["marcus@acme.example"]
    organisation.control("clock", seconds=61)
    second = organisation.api("GET", next_of(first))
    assert [event["actor"]["alternateId"] for event in second.json()] == ["dana@acme.example"]
    assert second.json()[0]["published"] < first.json()[0]["published"]


def test_what_is_older_than_ninety_days_is_gone(organisation):
    organisation.control("lock", login="dana")
    query = {"since": "2020-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z"}
    assert len(organisation.api("GET", "/logs", params=query).json()) == 6
    organisation.control("clock", days=91)
    assert organisation.api("GET", "/logs", params=query).json() == []
