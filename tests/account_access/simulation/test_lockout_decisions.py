"""Lockout notices: limits over all systems, silenced ones, and the second at which they are told (N6, N9)."""

import pytest

from tests.account_access.simulation.stage import play

PEOPLE = [{"login": "Ann", "name": "Ann Lee"}, {"login": "Bob"}]
FREE = {"max_notifications": 99, "gap_hours": 0}


def at(clock: str, day: int = 1) -> str:
    return f"2027-06-{day:02}T{clock}-07:00"


def locked(clock, system="okta", login="ann", day=1) -> dict:
    return {"at": at(clock, day), "login": login, "action": "locked_out", "system": system}


def unlocked(clock, system="okta", login="ann", day=1) -> dict:
    return {"at": at(clock, day), "login": login, "action": "unlocked", "system": system}


def update(clock, day=1, **cells) -> dict:
    return {"at": at(clock, day), "login": "ann", "action": "update", "set": cells}


def told(actions, people=PEOPLE, **lockout) -> list[tuple[str, str]]:
    """(day and local time, system) of each notice."""
    lines = play(people, actions, {"lockout": lockout}, "2027-06-01", 5)
    return [(line["sent_at"][8:19], line["system"]) for line in lines]


def test_n9_a_lockout_is_told_at_its_second():
    assert play(PEOPLE, [locked("08:00:07")], first="2027-06-01", days=1) == [
        {
            "sent_at": at("08:00:07"),
            "kind": "lockout",
            "login": "Ann",
            "name": "Ann Lee",
            "system": "okta",
            "locked_at": at("08:00:07"),
        }
    ]


def test_n9_the_same_lockout_again_is_told_once():
    assert len(told([locked("08:00:00"), locked("08:00:00")], **FREE)) == 1
    assert len(told([locked("08:00:00"), locked("08:00:01")], **FREE)) == 2
    assert told([locked("08:00:00"), unlocked("08:00:00"), locked("08:00:00")], **FREE) == []


def test_decision_20_n6_exactly_six_hours_after_another_may_go_whatever_the_system():
    assert told([locked("08:00:00"), locked("13:59:59", "ad")]) == [("01T08:00:00", "okta"), ("01T14:00:00", "ad")]
    assert told([locked("08:00:00"), locked("14:00:00", "ad")])[1] == ("01T14:00:00", "ad")


def test_decision_20_n6_limits_are_a_persons_own():
    assert len(told([locked("08:00:00"), locked("08:00:00", login="bob")])) == 2


def test_decision_20_n6_one_exactly_a_day_old_no_longer_counts():
    actions = [locked(f"{hour:02}:00:00", f"s{hour}") for hour in (0, 6, 12, 18)]
    actions += [locked("23:59:59", "late")]
    assert told(actions)[-1] == ("02T00:00:00", "late")
    actions = [locked(f"{hour:02}:00:00", f"s{hour}") for hour in (1, 2, 3, 4)] + [locked("05:00:00", "late")]
    assert told(actions, gap_hours=1)[-1] == ("02T01:00:00", "late")


def test_decision_20_only_messages_sent_count():
    actions = [locked("08:00:00"), locked("09:00:00", "ad"), unlocked("10:00:00", "ad"), locked("14:00:00", "vpn")]
    assert told(actions) == [("01T08:00:00", "okta"), ("01T14:00:00", "vpn")]


def test_decision_20_a_silenced_lockout_that_is_over_is_not_told():
    assert len(told([locked("08:00:00"), locked("09:00:00", "ad"), unlocked("13:59:59", "ad")])) == 1
    assert len(told([locked("08:00:00"), locked("09:00:00", "ad"), unlocked("14:00:00", "ad")])) == 1
    assert len(told([locked("08:00:00"), locked("09:00:00", "ad"), unlocked("14:00:01", "ad")])) == 2


def test_decision_20_the_oldest_first_each_once():
    actions = [locked("08:00:00"), locked("10:00:00", "b"), locked("09:00:00", "a")]
    assert told(actions) == [("01T08:00:00", "okta"), ("01T14:00:00", "a"), ("01T20:00:00", "b")]


def test_decision_20_those_of_one_second_by_line():
    actions = [locked("07:00:00", "c"), locked("08:00:00", "a"), locked("09:00:00", "b"), locked("09:00:00", "a")]
    assert told(actions) == [("01T07:00:00", "c"), ("01T13:00:00", "b"), ("01T19:00:00", "a")]


def test_decision_20_locking_anew_replaces_the_untold_one_of_that_system():
    actions = [locked("08:00:00"), locked("09:00:00", "ad"), locked("10:00:00", "ad")]
    lines = play(PEOPLE, actions, {}, "2027-06-01", 5)
    assert [(line["sent_at"], line["locked_at"]) for line in lines[1:]] == [(at("14:00:00"), at("10:00:00"))]


def test_decision_20_an_account_disabled_meanwhile_is_told_when_it_may_be():
    off_and_on = [update("10:00:00", status="disabled"), update("20:00:30", status="active")]
    assert told([locked("08:00:00"), locked("09:00:00", "ad"), *off_and_on])[1] == ("01T20:00:30", "ad")
    assert told([update("07:00:00", status="disabled"), locked("08:00:00")]) == []


@pytest.mark.parametrize(
    ("cells", "count"),
    [({"status": "disabled"}, 0), ({"account_type": "service"}, 0), ({"account_type": "external"}, 1)],
)
def test_decision_20_disabled_and_service_accounts_get_none(cells, count):
    assert len(told([locked("08:00:00")], [{"login": "ann", **cells}])) == count


def test_decision_20_a_fraction_of_a_second_waits_for_the_next_whole_one():
    # 0.0001 hours are 0.36 seconds.
    assert told([locked("08:00:00"), locked("08:00:00", "b")], gap_hours=0.0001)[1] == ("01T08:00:01", "b")


def test_n6_none_where_the_settings_allow_none():
    assert told([locked("08:00:00")], max_notifications=0) == []


def test_decision_21_actions_of_a_second_come_before_its_lockouts():
    assert told([locked("08:00:00"), unlocked("08:00:00")]) == []
    assert len(told([unlocked("08:00:00"), locked("08:00:00")])) == 1
    assert (
        len(told([update("08:00:00", status="active"), locked("08:00:00")], [{"login": "ann", "status": "disabled"}]))
        == 1
    )


def test_before_and_after_the_period_lockouts_do_not_count():
    assert told([{**locked("08:00:00"), "at": "2027-05-31T23:59:59-07:00"}]) == []
    assert told([locked("00:00:00", day=6)]) == []
    assert len(told([locked("23:59:59", day=5)])) == 1
    assert len(told([locked("20:00:00", day=5), locked("21:00:00", "ad", day=5)])) == 1
