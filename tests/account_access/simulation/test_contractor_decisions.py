"""Contractor notices, decision by decision (C1-C13)."""

import pytest

from tests.account_access.simulation.stage import play

BOSS = {"login": "Boss", "name": "The Boss"}


def worker(login="wim", ends="2027-02-10", manager="boss", **cells) -> dict:
    return {"login": login, "contract_ends_on": ends, "manager_login": manager, **cells}


def told(people, actions=(), first="2027-01-01", days=60, **contractor) -> list[tuple]:
    """(recipient, local date and time, workers) of each message."""
    lines = play(people, actions, {"contractor": contractor}, first, days)
    assert {line["kind"] for line in lines} <= {"contractor"}
    return [(line["login"], line["sent_at"][5:16], [w["login"] for w in line["workers"]]) for line in lines]


def answer(at, action, login="boss") -> dict:
    return {"at": f"2027-{at}:00-08:00", "login": login, "notice": "contractor", "action": action}


def test_c1_c2_fourteen_seven_four_two_and_one_days_before_at_eleven():
    at = ["01-27T11:00", "02-03T11:00", "02-06T11:00", "02-08T11:00", "02-09T11:00"]
    assert told([BOSS, worker()]) == [("Boss", when, ["wim"]) for when in at]


def test_c4_one_message_in_full():
    people = [BOSS, worker("b"), worker("A"), worker("z", "2027-02-03"), worker("far", "2027-02-11")]
    (line,) = play(people, first="2027-01-27", days=1)
    assert line == {
        "sent_at": "2027-01-27T11:00:00-08:00",
        "kind": "contractor",
        "login": "Boss",
        "name": "The Boss",
        "days_before": 7,
        "workers": [
            {"login": "z", "contract_ends_on": "2027-02-03", "days_before": 7},
            {"login": "A", "contract_ends_on": "2027-02-10", "days_before": 14},
            {"login": "b", "contract_ends_on": "2027-02-10", "days_before": 14},
        ],
        "pages": [3],
        "resolved_by": None,
    }


def test_decision_15_the_weekend_switch_does_not_concern_contractors():
    # 02-06 is a Saturday.
    lines = play([BOSS, worker()], (), {"password": {"weekend_reminders": False}}, "2027-02-06", 1)
    assert [line["days_before"] for line in lines] == [4]


@pytest.mark.parametrize(
    "cells", [{"worker_type": "employee"}, {"status": "locked"}, {"account_type": "external"}], ids=str
)
def test_decision_16_c3_whoever_has_a_contract_end_counts(cells):
    assert len(told([BOSS, worker(**cells)])) == 5


EXCLUDE = {
    "logins": ["WIM2 "],
    "groups": ["interns"],
    "titles": ["intern"],
    "departments": ["it"],
    "worker_types": ["X"],
}


@pytest.mark.parametrize(
    "cells",
    [
        {"status": "disabled"},
        {"account_type": "service"},
        {"login": "wim2"},
        {"groups": "a;Interns"},
        {"title": "Intern"},
        {"department": "IT"},
        {"worker_type": "x"},
    ],
    ids=str,
)
def test_decision_16_c11_nobody_is_told_of_those(cells):
    assert told([BOSS, {**worker(), **cells}], exclude=EXCLUDE) == []


def test_decision_16_values_are_compared_whole_and_an_excluded_manager_hears_of_theirs():
    assert len(told([BOSS, worker(title="Internal Auditor")], exclude={"titles": ["Intern"]})) == 5
    assert len(told([BOSS, worker()], exclude={"logins": ["boss"]})) == 5
    assert told([BOSS, worker(ends="")]) == []


def resolved(actions) -> list[str | None]:
    return [line["resolved_by"] for line in play([BOSS, worker()], actions, {}, "2027-01-01", 60)]


@pytest.mark.parametrize("button", ["how_to_extend", "how_to_terminate", "understood"])
def test_decision_17_c8_a_button_resolves_its_day_and_silences_no_other(button):
    assert resolved([answer("01-27T12:00", button)]) == [button, None, None, None, None]


@pytest.mark.parametrize(
    ("at", "by"),
    [("01-27T23:59", "understood"), ("01-28T00:00", None), ("02-03T10:30", None), ("01-27T11:00", None)],
)
def test_decision_17_x12_until_midnight_of_its_day(at, by):
    assert resolved([answer(at, "understood")])[0] == by


def test_decision_17_show_more_resolves_nothing_and_the_first_button_counts():
    assert resolved([answer("01-27T12:00", "show_more")])[0] is None
    assert resolved([answer("01-27T12:00", "show_more"), answer("01-27T12:01", "understood")])[0] == "understood"
    two = [answer("01-27T12:05", "understood"), answer("01-27T12:00", "how_to_extend")]
    assert resolved(two)[0] == "how_to_extend"


def test_decision_18_one_message_a_recipient_and_day():
    people = [BOSS, {"login": "ida"}, worker("w1"), worker("w2", manager="IDA "), worker("w3", manager="BOSS")]
    assert told(people, first="2027-01-27", days=1) == [
        ("Boss", "01-27T11:00", ["w1", "w3"]),
        ("ida", "01-27T11:00", ["w2"]),
    ]


@pytest.mark.parametrize(
    ("count", "shown", "pages"),
    [(9, 4, [4, 4, 1]), (8, 4, [4, 4]), (4, 4, [4]), (1, 4, [1]), (9, "all", [9]), (3, 1, [1, 1, 1])],
)
def test_c9_pages(count, shown, pages):
    people = [BOSS, *(worker(f"w{n}") for n in range(count))]
    (line,) = play(people, (), {"contractor": {"max_shown": shown}}, "2027-01-27", 1)
    assert line["pages"] == pages


@pytest.mark.parametrize(
    ("cells", "recipient"),
    [
        ({"status": "disabled"}, None),
        ({"account_type": "service"}, None),
        ({"status": "locked"}, "Boss"),
        ({"account_type": "external"}, "Boss"),
        ({"login": "other"}, None),
    ],
    ids=str,
)
def test_decision_19_c13_a_manager_who_is_gone(cells, recipient):
    assert {to for to, *_ in told([{**BOSS, **cells}, worker()])} == {recipient}


def test_decision_19_c13_the_admin_channel_gets_one_message_with_all_such_workers():
    people = [worker("own", manager="OWN"), worker("none", manager=""), worker("gone", manager="who")]
    (line,) = play(people, (), {}, "2027-01-27", 1)
    assert (line["login"], line["name"], line["pages"]) == (None, None, [3])
    assert [one["login"] for one in line["workers"]] == ["gone", "none", "own"]


def test_decision_19_the_admin_channel_comes_first_among_those_of_one_second():
    people = [{"login": "aaa"}, worker("w1", manager="aaa"), worker("w2", manager="")]
    assert [to for to, *_ in told(people, first="2027-01-27", days=1)] == [None, "aaa"]


def test_decision_21_a_change_at_the_second_of_the_run_comes_before_it():
    change = {"at": "2027-01-27T19:00:00Z", "login": "wim", "action": "update", "set": {"contract_ends_on": ""}}
    assert told([BOSS, worker()], [change]) == []
    moved = {**change, "set": {"contract_ends_on": "2027-02-03", "manager_login": "ida"}}
    assert told([BOSS, {"login": "Ida"}, worker()], [moved])[0] == ("Ida", "01-27T11:00", ["wim"])
