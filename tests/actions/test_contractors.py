"""Contractor notices: one message a manager, four at a time, resolved for the day (C4-C13)."""

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

import pytest

from account_access import directory_facts, people, reminders
from account_access.articles import END_CONTRACT, EXTEND_CONTRACT, Article, Articles
from account_access.store import tables
from actions.contractors import AskContractor, RecordContractorAnswer, ShowMoreContractors
from tests.account_access.world import directory_person

ENDS = date(2026, 12, 8)
MIDNIGHT = datetime(2026, 11, 25, 8, tzinfo=timezone.utc)
WORKERS = [f"worker{n}" for n in range(6)]


@pytest.fixture
def told(stage):
    """Dana manages six workers whose contracts end on one day."""
    for n, name in enumerate(WORKERS):
        stage.world.fake.add(f"00u-{name}", f"{name}@acme.example")
        person = directory_person(name, manager_login="dana@acme.example", worker_type="Contractor")
        stage.world.fake.directory.append([replace(person, contract_ends_on=ENDS + timedelta(days=n // 5))])
    sync(stage)
    return stage


def sync(stage) -> None:
    world = stage.world
    rules = world.fake.directory_rules(frozenset())
    for page in world.fake.people():
        people.merge(world.store, world.clock, "okta", page)
        directory_facts.merge(world.store, world.clock, "okta", page, rules, ["Service"])


def change(stage, name: str, **changes) -> None:
    directory = stage.world.fake.directory
    for page in directory:
        page[:] = [replace(p, **changes) if p.external_id == f"00u-{name}" else p for p in page]
    sync(stage)


def notice(stage, name="dana", unmanaged=False, workers=WORKERS):
    listed = [
        {"external_id": f"00u-{w}", "ends_on": (ENDS + timedelta(days=int(w[-1]) // 5)).isoformat()} for w in workers
    ]
    facts = dict(day="2026-11-24", workers=listed, unmanaged=unmanaged, any_hour=False)
    return stage.notice(reminders.CONTRACTOR_EXPIRY, name, **facts)


def listed(result) -> list[str]:
    return [line.split("(")[1].split("@")[0] for line in result.slots["workers_listed"].splitlines()]


def test_c4_c9_one_message_four_at_first_soonest_end_first(told):
    asked = told.announced(AskContractor, notice(told))
    assert (asked.outcome, asked.responses) == ("asked", ["utter_ask_contractor"])
    assert listed(asked) == WORKERS[:4] and asked.slots["workers_total"] == "6"
    assert asked.slots["workers_listed"].startswith("• Worker0 Reed (worker0@acme.example): Tue, Dec 8, 2026")
    titles = [answer.title for answer in told.show(asked).answers]
    assert titles == ["How to Extend", "How to Terminate", "Understood, thanks", "Show more"]


def test_c9_show_more_brings_the_rest_and_then_is_gone(told):
    offer = told.show(told.announced(AskContractor, notice(told)))
    more = told.clicked(ShowMoreContractors, offer, "4")
    assert (more.outcome, more.responses) == ("asked", ["utter_ask_contractor_more"])
    assert listed(more) == WORKERS[4:] and more.slots["workers_shown"] == "6"
    assert "Show more" not in [answer.title for answer in told.show(more).answers]


def test_c9_the_full_list_by_setting(told):
    told.world.settings.contractor.max_shown = "all"
    asked = told.announced(AskContractor, notice(told))
    assert listed(asked) == WORKERS
    assert "Show more" not in [answer.title for answer in told.show(asked).answers]


@pytest.mark.parametrize("typed", ["show more", "4"])
def test_c9_typed(told, typed):
    told.show(told.announced(AskContractor, notice(told)))
    assert told.typed(ShowMoreContractors, typed, "show_more").outcome == "asked"


def test_c10_which_information_is_shown_is_a_designers_line(told, monkeypatch):
    from tests.actions import stage as staging

    changed = {**staging.domain(), "responses": {**staging.domain()["responses"]}}
    changed["responses"]["utter_contractor_line"] = [{"text": "{worker_name}, {worker_type}, {days_left} days"}]
    monkeypatch.setattr(staging, "domain", lambda: changed)
    asked = told.announced(AskContractor, notice(told))
    assert asked.slots["workers_listed"].splitlines()[0] == "Worker0 Reed, Contractor, 14 days"


def test_c8_x12_buttons_are_good_until_midnight_of_the_organisations_day(told):
    assert told.show(told.announced(AskContractor, notice(told))).expires_at == MIDNIGHT


def test_c5_c6_c7_every_answer_is_kept_and_the_buttons_stay(told):
    made = notice(told)
    offer = told.show(told.announced(AskContractor, made))
    assert [told.clicked(RecordContractorAnswer, offer, answer).outcome for answer in "123"] == ["recorded"] * 3
    with told.world.store.reading() as connection:
        assert reminders.answers_to(connection, made.id) == ["how_to_extend", "how_to_terminate", "understood"]


@pytest.mark.parametrize(("answer", "topic"), [("1", EXTEND_CONTRACT), ("2", END_CONTRACT)])
def test_c5_c6_detailed_instructions_are_the_organisations_article(told, answer, topic):
    nobody = frozenset()
    article = Article("a-name", "Title", frozenset({topic}), nobody, nobody, nobody, None, "1. Ask purchasing.")
    told.runtime.articles = Articles([article])
    offer = told.show(told.announced(AskContractor, notice(told)))
    answered = told.clicked(RecordContractorAnswer, offer, answer)
    assert answered.outcome == "article_sent" and answered.responses == ["utter_article"]
    assert "Ask purchasing" in answered.said[0][1]["article_text"]


def test_x12_nothing_answered_is_nothing_recorded(told):
    assert told.typed(RecordContractorAnswer, "how to extend", "ask_how_to_extend").outcome == "stale"
    assert told.typed(ShowMoreContractors, "show more", "show_more").outcome == "stale"
    assert told.world.rows(tables.reminder_answers) == []


GONE = [
    ("the contract was extended", dict(contract_ends_on=ENDS + timedelta(days=90))),
    ("another manager", dict(manager_login="eli@acme.example")),
    ("the worker is gone", dict(active=False)),
    ("no contract any more", dict(contract_ends_on=None)),
]


@pytest.mark.parametrize("changes", [case[1] for case in GONE], ids=[case[0] for case in GONE])
def test_c13_who_is_no_longer_this_managers_to_hear_of_is_left_out(told, changes):
    change(told, "worker0", **changes)
    asked = told.announced(AskContractor, notice(told))
    assert "worker0" not in listed(asked) and asked.slots["workers_total"] == "5"


@pytest.mark.parametrize("name", ["00u-dana", "Dana@Acme.Example"])
def test_c3_manager_by_id_or_login_in_any_case(told, name):
    for worker in WORKERS:
        change(told, worker, manager_login=name)
    assert told.announced(AskContractor, notice(told)).outcome == "asked"


def test_c13_worker_who_is_their_own_manager_is_nobodys_to_hear_of(told):
    change(told, "worker0", manager_login="worker0@acme.example")
    assert (
        told.announced(AskContractor, notice(told, "worker0", workers=["worker0"]), "worker0").outcome
        == "notice_dropped"
    )


def test_nothing_left_to_tell_is_not_told(told):
    change(told, "worker0", contract_ends_on=None)
    assert told.announced(AskContractor, notice(told, workers=["worker0"])).outcome == "notice_dropped"
    assert told.world.rows(tables.notices)[0]["state"] == "dropped"


def test_c13_workers_without_a_manager_are_told_to_admins_alone(told):
    change(told, "worker0", manager_login="gone@acme.example")
    assert told.announced(AskContractor, notice(told, "eli", True, ["worker0"]), "eli").outcome == "notice_dropped"
    told.world.settings.contractor.admins = ["Eli@acme.example"]
    asked = told.announced(AskContractor, notice(told, "eli", True, ["worker0"]), "eli")
    assert asked.outcome == "asked" and listed(asked) == ["worker0"]


def test_confidential_to_the_manager(told):
    """A notice that came to the wrong person tells them nothing."""
    assert told.announced(AskContractor, notice(told, "eli"), "eli").outcome == "notice_dropped"
