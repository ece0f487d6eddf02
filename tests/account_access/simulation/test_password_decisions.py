"""Password notices, decision by decision: what is sent when, what an answer does, where clocks change (E1-E14)."""

import pytest

from tests.account_access.simulation.stage import play

# A Wednesday. Los Angeles is at -08:00 then; its clocks spring forward on 2027-03-14 and back on 2027-11-07.
EXPIRY = "2027-02-10T17:00:00-08:00"


def person(login="ann", expires=EXPIRY, **cells) -> dict:
    return {"login": login, "password_expires_at": expires, **cells}


def sent(people, actions=(), first="2027-01-01", days=90, password=None, warnings=None, **settings) -> list[tuple]:
    """(kind without its first word, local date and time, days before) of each notice."""
    people = [people] if isinstance(people, dict) else people
    lines = play(people, actions, {**settings, "password": password or {}}, first, days, warnings)
    return [(line["kind"].removeprefix("password_"), line["sent_at"][5:16], line.get("days_before")) for line in lines]


def reminders(*arguments, **settings) -> list[tuple[str, int]]:
    """(local date and time, days before) of each reminder."""
    return [(at, days) for kind, at, days in sent(*arguments, **settings) if kind == "reminder"]


def days(*arguments, **settings) -> list[int]:
    return [before for _, before in reminders(*arguments, **settings)]


def answer(at, action, login="ann", notice="password_reminder") -> dict:
    return {"at": f"2027-{at}:00-08:00", "login": login, "notice": notice, "action": action}


def changed(at, expires, login="ann") -> dict:
    return {"at": f"2027-{at}:00-08:00", "login": login, "action": "password_changed", "password_expires_at": expires}


def update(at, login="ann", **cells) -> dict:
    return {"at": f"2027-{at}:00-08:00", "login": login, "action": "update", "set": cells}


def outcomes(people, actions, password=None, first="2027-01-01", days=90) -> list[tuple[int, str | None]]:
    """(days before, resolved by) of each reminder."""
    lines = play([people] if isinstance(people, dict) else people, actions, {"password": password or {}}, first, days)
    return [(line["days_before"], line["resolved_by"]) for line in lines if line["kind"] == "password_reminder"]


SERIES = [
    (14, [14, 7, 4, 2, 1]),
    (30, [30, 15, 8, 4, 2, 1]),
    (10, [10, 5, 3, 2, 1]),
    (9, [9, 5, 3, 2, 1]),
    (21, [21, 11, 6, 3, 2, 1]),
    (45, [45, 23, 12, 6, 3, 2, 1]),
    (13, [13, 7, 4, 2, 1]),
    (5, [5, 3, 2, 1]),
    (3, [3, 2, 1]),
    (2, [2, 1]),
    (1, [1]),
    (17, [17, 9, 5, 3, 2, 1]),
    (365, [365, 183, 92, 46, 23, 12, 6, 3, 2, 1]),
]


@pytest.mark.parametrize(("first_day", "series"), SERIES)
def test_e2_series_halves_rounded_up(first_day, series):
    settings = {"first_notification_day": first_day}
    assert days(person(expires="2027-12-29T12:00:00-08:00"), days=365, first="2026-12-29", password=settings) == series


def test_e1_at_ten_in_the_configured_zone_with_the_expiry_in_the_persons():
    line = play([person(time_zone="Asia/Kolkata", name="Ann")], first="2027-01-27", days=1)[0]
    assert line == {
        "sent_at": "2027-01-27T10:00:00-08:00",
        "kind": "password_reminder",
        "login": "ann",
        "name": "Ann",
        "days_before": 14,
        "expires_at": "2027-02-11T06:30:00+05:30",
        "resolved_by": None,
    }


def test_decision_1_days_are_the_configured_zones_and_weekend_reminders_are_on():
    # 05:00 UTC on the 10th is still the 9th in Los Angeles; -4 and -2 days are a Friday and a Sunday.
    utc = person(expires="2027-02-10T05:00:00Z", time_zone="Asia/Tokyo")
    assert reminders(utc)[-3:] == [("02-05T10:00", 4), ("02-07T10:00", 2), ("02-08T10:00", 1)]


SUNDAY, MONDAY, TUESDAY, SATURDAY = (f"2027-02-{day}T17:00:00-08:00" for day in (14, 15, 16, 13))
QUIET = {"weekend_reminders": False}


@pytest.mark.parametrize(
    ("expires", "last"),
    [
        (SUNDAY, ("02-12T10:00", 2)),
        (MONDAY, ("02-12T10:00", 3)),
        (TUESDAY, ("02-15T10:00", 1)),
        (SATURDAY, ("02-12T10:00", 1)),
    ],
)
def test_decision_2_e7_the_last_reminder_of_a_quiet_weekend_goes_out_on_friday_with_true_days(expires, last):
    assert reminders(person(expires=expires), password=QUIET)[-1] == last


def test_decision_2_e7_a_friday_that_has_a_reminder_anyway_gets_one():
    # Friday is 2 days before, which is a day of the cadence too.
    assert [at for at, _ in reminders(person(expires=SUNDAY), password=QUIET)].count("02-12T10:00") == 1


def test_decision_2_e7_other_reminders_of_a_weekend_are_dropped():
    # 7, 4 and 2 days before are a Tuesday, a Friday and a Sunday.
    assert days(person(expires=TUESDAY), password=QUIET) == [14, 7, 4, 1]


@pytest.mark.parametrize("more", [{}, {"first_notification_day": 1}])
def test_decision_2_e7_friday_also_beyond_the_first_day_and_after_remind_me_later(more):
    later = [answer("02-01T12:00", "remind_later"), answer("02-08T12:00", "remind_later")]
    assert reminders(person(expires=MONDAY), later, password={**QUIET, **more})[-1] == ("02-12T10:00", 3)


def test_decision_3_e4_remind_me_later_waits_for_the_day_before():
    assert days(person(), [answer("01-27T11:00", "remind_later")]) == [14, 1]


@pytest.mark.parametrize(("expires", "settings", "at"), [(EXPIRY, {}, "02-09T11:00"), (MONDAY, QUIET, "02-12T11:00")])
def test_decision_3_e4_remind_me_later_answered_to_the_last_leaves_nothing(expires, settings, at):
    before = reminders(person(expires=expires), password=settings)
    assert reminders(person(expires=expires), [answer(at, "remind_later")], password=settings) == before


@pytest.mark.parametrize("stop", ["already_updated", "do_not_remind", "link_click"])
@pytest.mark.parametrize("later", ["remind_later", "open_ticket", "do_not_remind", "already_updated"])
def test_decision_4_a_stop_is_final(stop, later):
    assert days(person(), [answer("01-27T11:00", stop), answer("01-27T11:05", later)]) == [14]


def test_decision_4_a_second_answer_to_the_same_message_takes_effect():
    actions = [answer("01-27T11:00", "remind_later"), answer("01-30T11:00", "already_updated")]
    assert outcomes(person(), actions) == [(14, "already_updated")]


def test_decision_4_an_answer_after_the_expiry_does_nothing():
    actions = [answer("02-10T17:00", "already_updated")]
    assert outcomes(person(), actions)[-1] == (1, None)
    assert outcomes(person(), [answer("02-10T16:59", "already_updated")])[-1] == (1, "already_updated")


def test_decision_5_do_not_remind_resolves_nothing_and_a_ticket_stops_nothing():
    assert outcomes(person(), [answer("01-27T11:00", "do_not_remind")]) == [(14, None)]
    assert outcomes(person(), [answer("01-27T11:00", "open_ticket")]) == [(d, None) for d in (14, 7, 4, 2, 1)]


@pytest.mark.parametrize(("setting", "later"), [("this_expiry", [14, 7, 4, 2, 1]), ("always", [])])
def test_decision_5_always_silences_later_expiries_but_not_the_notice_that_it_expired(setting, later):
    actions = [answer("01-27T11:00", "do_not_remind"), changed("02-01T09:00", "2027-03-10T17:00:00-08:00")]
    found = sent(person(), actions, password={"do_not_remind": setting})
    assert [before for kind, _, before in found if kind == "reminder"] == [14, *later]
    assert found[-1][:2] == ("expired", "03-11T10:00")


def test_decision_6_e10_a_link_resolves_and_stops_instructions_have_none():
    click = [answer("01-27T11:00", "link_click")]
    assert outcomes(person(), click) == [(14, "link_click")]
    assert outcomes(person(), click, {"mode": "instructions"}) == [(d, None) for d in (14, 7, 4, 2, 1)]


SPRING = "2027-03-15T17:00:00-07:00"
INSTRUCTIONS = {"mode": "instructions"}


def test_decision_7_e11_after_clocks_spring_forward_the_reminder_waits_for_24_hours():
    # Two days before is Saturday at 10:00 -08:00; 24 hours later it is 11:00.
    assert reminders(person(expires=SPRING), days=120, password=INSTRUCTIONS)[-2:] == [
        ("03-13T10:00", 2),
        ("03-14T11:00", 1),
    ]
    assert reminders(person(expires=SPRING), days=120)[-1] == ("03-14T10:00", 1)


def test_decision_7_e11_the_state_is_looked_at_again_then():
    stop = {"at": "2027-03-14T10:30:00-07:00", "login": "ann", "notice": "password_reminder"}
    found = reminders(person(expires=SPRING), [{**stop, "action": "already_updated"}], days=120, password=INSTRUCTIONS)
    assert found[-1] == ("03-13T10:00", 2)
    moved = {"at": stop["at"], "login": "ann", "action": "update"}
    found = reminders(
        person(expires=SPRING),
        [{**moved, "set": {"password_expires_at": "2027-03-15T18:00:00-07:00"}}],
        days=120,
        password=INSTRUCTIONS,
    )
    assert found[-1] == ("03-13T10:00", 2)


def test_decision_7_e11_it_never_waits_into_another_date():
    late = {**INSTRUCTIONS, "send_at": "23:30"}
    assert reminders(person(expires=SPRING), days=120, password=late)[-1] == ("03-14T23:30", 1)


def test_decision_8_e11_daily_from_the_first_day_on():
    settings = {**INSTRUCTIONS, "follow_up": "daily", "first_notification_day": 5}
    assert days(person(), password=settings) == [5, 4, 3, 2, 1]
    assert days(person(), password={**settings, "mode": "automated"}) == [5, 3, 2, 1]
    # Thursday to Tuesday: the weekend is quiet.
    assert days(person(expires=TUESDAY), password={**settings, **QUIET}) == [5, 4, 1]


def test_decision_8_e11_daily_keeps_24_hours_after_the_clocks_changed():
    settings = {**INSTRUCTIONS, "follow_up": "daily", "first_notification_day": 3}
    found = reminders(person(expires="2027-03-16T17:00:00-07:00"), days=120, password=settings)
    assert found == [("03-13T10:00", 3), ("03-14T11:00", 2), ("03-15T11:00", 1)]


NEXT = "2027-05-01T17:00:00-07:00"


@pytest.mark.parametrize(
    ("at", "by"), [("02-10T10:00", "password_changed"), ("02-10T10:01", None), ("02-09T10:01", "password_changed")]
)
def test_decision_9_e12_changed_within_24_hours_credits_the_latest_reminder(at, by):
    assert outcomes(person(), [changed(at, NEXT)])[:5] == [*((d, None) for d in (14, 7, 4, 2)), (1, by)]


def test_decision_9_e12_whatever_was_answered_before_unless_it_resolved():
    stopped = [answer("01-27T11:00", "do_not_remind"), changed("01-28T10:00", None)]
    assert outcomes(person(), stopped) == [(14, "password_changed")]
    resolved = [answer("01-27T11:00", "already_updated"), changed("01-28T10:00", None)]
    assert outcomes(person(), resolved) == [(14, "already_updated")]


def test_decision_9_e12b_changed_later_reminders_stop_without_credit():
    assert outcomes(person(), [changed("01-28T10:01", None)]) == [(14, None)]


def test_decision_9_an_expiry_moved_by_the_directory_credits_nothing():
    assert outcomes(person(), [update("01-27T11:00", password_expires_at=NEXT)]) == [(14, None)]


def test_decision_10_e13_another_instant_starts_afresh():
    actions = [answer("01-27T11:00", "already_updated"), update("01-28T09:00", password_expires_at=NEXT)]
    assert days(person(), actions, days=150) == [14, 14, 7, 4, 2, 1]
    hour_later = [
        answer("01-27T11:00", "already_updated"),
        update("01-28T09:00", password_expires_at=EXPIRY[:11] + "18:00:00-08:00"),
    ]
    assert days(person(), hour_later) == [14, 7, 4, 2, 1]


def test_decision_10_e13_moved_back_its_old_answers_hold_again():
    away, back = update("01-28T09:00", password_expires_at=NEXT), update("01-29T09:00", password_expires_at=EXPIRY)
    assert days(person(), [answer("01-27T11:00", "remind_later"), away, back]) == [14, 1]
    # The same instant, written with another offset.
    other = update("01-29T09:00", password_expires_at="2027-02-11T01:00:00Z")
    assert days(person(), [answer("01-27T11:00", "do_not_remind"), away, other]) == [14]


def test_decision_10_a_password_changed_to_the_very_same_instant_counts_as_stopped():
    assert outcomes(person(), [changed("01-30T11:00", EXPIRY)]) == [(14, None)]
    assert sent(person(), [changed("01-30T11:00", EXPIRY)])[-1][0] == "expired"


def test_decision_11_e13_x3_a_button_of_an_older_expiry_does_nothing():
    actions = [changed("01-28T12:00", NEXT), answer("01-29T09:00", "already_updated")]
    assert outcomes(person(), actions, days=150) == [(d, None) for d in (14, 14, 7, 4, 2, 1)]


@pytest.mark.parametrize(
    ("expires", "at", "before"),
    [
        ("2027-02-10T10:00:00-08:00", "02-10T10:00", 0),
        ("2027-02-10T10:00:01-08:00", "02-11T10:00", -1),
        ("2027-02-13T12:00:00-08:00", "02-14T10:00", -1),
    ],
)
@pytest.mark.parametrize("stop", [[], [answer("01-30T11:00", "do_not_remind")]])
def test_decision_12_e9_told_at_the_first_run_that_sees_it_expired(expires, at, before, stop):
    assert sent(person(expires=expires), stop, password=QUIET)[-1] == ("expired", at, before)


def test_decision_12_e9_a_password_changed_before_the_run_gets_none():
    assert all(kind == "reminder" for kind, *_ in sent(person(), [changed("02-11T09:59", NEXT)], days=60))
    assert sent(person(), [changed("02-11T10:00", NEXT)], days=60)[-1][0] == "reminder"
    assert sent(person(), [changed("02-11T10:01", NEXT)], days=60)[-1][0] == "expired"


def test_decision_13_e9_once_an_expiry():
    again = [update("02-12T09:00", password_expires_at=NEXT), update("02-13T09:00", password_expires_at=EXPIRY)]
    assert [kind for kind, *_ in sent(person(), again)].count("expired") == 1


def test_decision_13_e14_who_gets_none_then_is_told_at_the_first_run_afterwards():
    off, on = update("02-01T09:00", status="disabled"), update("02-20T09:00", status="active")
    assert sent(person(), [off, on])[-1] == ("expired", "02-20T10:00", -10)
    immediately = {"expired_notice": "immediately"}
    assert sent(person(), [off, on], password=immediately)[-1] == ("expired", "02-20T09:00", -10)


def test_decision_13_an_expiry_set_into_the_past_is_told_at_the_next_run():
    past = update("02-20T11:00", password_expires_at="2027-02-01T00:00:00Z")
    assert sent(person(expires=""), [past]) == [("expired", "02-21T10:00", -21)]


@pytest.mark.parametrize(("expires", "told"), [("2026-12-31T18:00:00Z", []), ("2026-12-31T18:00:01Z", [-1])])
def test_decision_13_what_passed_before_the_last_run_ahead_counts_as_told(expires, told):
    assert [before for *_, before in sent(person(expires=expires), days=30)] == told


def test_decision_13_what_passed_while_it_was_theirs_counts_as_told_also_when_it_comes_back():
    passed = "2027-01-10T17:00:00-08:00"
    actions = [changed("01-15T09:00", NEXT), update("02-05T09:00", password_expires_at=passed)]
    assert sent(person(expires=passed), actions, first="2027-02-01", days=30) == []


def test_decision_13_immediately_means_the_second_of_it():
    found = play([person(expires="2027-02-10T03:04:05-08:00")], (), {"password": {"expired_notice": "immediately"}})
    assert (found[-1]["kind"], found[-1]["sent_at"]) == ("password_expired", "2027-02-10T03:04:05-08:00")


IMMEDIATELY = {"expired_notice": "immediately"}


@pytest.mark.parametrize(
    ("expires", "told"),
    [("2026-12-31T23:59:59-08:00", []), ("2027-01-01T00:00:00-08:00", [("expired", "01-01T00:00", 0)])],
)
def test_decision_13_immediately_what_expired_on_the_eve_was_told_on_the_eve(expires, told):
    assert sent(person(expires=expires), days=30, password=IMMEDIATELY) == told


def test_decision_13_immediately_who_got_none_on_the_eve_is_told_when_they_get_notices_again():
    eve = person(expires="2026-12-31T23:00:00-08:00", status="disabled")
    assert sent(eve, [update("01-05T09:00", status="")], password=IMMEDIATELY) == [("expired", "01-05T09:00", -5)]


NOBODY = [
    {"status": "disabled"},
    {"account_type": "service"},
    {"account_type": "external"},
    {"never_expires": "True"},
    {"login": "KIOSK"},
    {"groups": "Everyone; kiosks "},
    {"title": "Intern"},
    {"department": "it"},
    {"worker_type": "Robot"},
]
EXCLUDE = {
    "logins": [" kiosk "],
    "groups": ["Kiosks"],
    "titles": ["intern"],
    "departments": ["IT"],
    "worker_types": ["robot"],
}


@pytest.mark.parametrize("cells", NOBODY, ids=str)
def test_decision_14_e14_who_gets_no_password_notices_at_all(cells):
    assert sent({**person(), **cells}, password={"exclude": EXCLUDE}) == []


@pytest.mark.parametrize(
    "cells", [{"status": "locked"}, {"title": "Internal Auditor"}, {"login": "kiosk2"}, {"groups": "Kiosk"}], ids=str
)
def test_decision_14_locked_people_and_those_who_only_resemble_the_excluded_are_reminded(cells):
    assert len(sent({**person(), **cells}, password={"exclude": EXCLUDE})) == 6


def test_decision_14_without_a_worker_type_one_is_an_employee():
    assert sent(person(), password={"exclude": {"worker_types": ["Employee"]}}) == []


def test_decision_21_what_happens_at_the_second_of_the_run_comes_before_it():
    assert days(person(), [changed("01-27T10:00", EXPIRY)]) == []
    assert sent(person(), [update("02-11T10:00", status="disabled")])[-1][0] == "reminder"


@pytest.mark.parametrize(
    ("expires", "send_at", "last"),
    [
        # 02:30 is skipped on 2027-03-14 and comes twice on 2027-11-07.
        ("2027-03-15T17:00:00-07:00", "02:30", "2027-03-14T03:30:00-07:00"),
        ("2027-11-08T17:00:00-08:00", "01:30", "2027-11-07T01:30:00-07:00"),
    ],
)
def test_decision_21_a_time_that_is_skipped_or_comes_twice(expires, send_at, last):
    lines = play([person(expires=expires)], (), {"password": {"send_at": send_at}})
    assert [line["sent_at"] for line in lines if line["kind"] == "password_reminder"][-1] == last


def test_e2_a_leap_day_is_a_day():
    assert reminders(person(expires="2028-03-01T12:00:00-08:00"), first="2028-02-20", days=20)[-2:] == [
        ("02-28T10:00", 2),
        ("02-29T10:00", 1),
    ]


def test_an_answer_to_nothing_is_warned_of_with_its_line():
    warnings = []
    sent(person(), [answer("01-02T11:00", "already_updated"), answer("01-27T10:00", "link_click")], warnings=warnings)
    assert [line for line, _ in warnings] == [1, 2]


def test_before_the_period_passwords_and_the_directory_change_and_answers_do_not_count():
    actions = [changed("01-20T09:00", NEXT), answer("01-21T09:00", "do_not_remind")]
    assert days(person(), actions, first="2027-02-01", days=100) == [14, 7, 4, 2, 1]
    assert days(person(), [update("01-20T09:00", status="disabled")], first="2027-02-01") == []
    assert outcomes(person(), [answer("01-31T00:00", "already_updated")], days=30)[-1] == (14, None)


def test_an_expiry_in_the_last_year_of_calendars_never_comes():
    never = "9999-12-31T23:59:59Z"
    assert sent(person(expires=never), [changed("01-02T09:00", never)], days=30) == []
