"""One person with accounts in several identity systems: which of them, one yes each or all (U9)."""

import threading
import time

import pytest
from sqlalchemy import update

from account_access import freezes, notices, offers, people, requests, tickets
from account_access.connectors.base import FactorKind, Status
from account_access.store import tables
from actions import runtime
from actions.asking import AskHelp, AskMenu, AskWhich
from actions.mfa import AskFactor, AskMfaSystem, AskResetMfa, CheckFactors, ResetMfa
from actions.notices import AskLockout
from actions.safety import TellWhyLocked
from actions.support import Dismiss, MarkResolved, ReopenIssue
from actions.unlock import AskAfterUnlock, AskUnlock, CheckAccount, UnlockAccount
from actions.unlock_several import AskUnlockSeveral, UnlockAccounts
from tests.account_access.fake_system import Killed

BOTH = ["okta", "store"]


def check(stage, words="unlock my account"):
    """Dana asks to be unlocked; the message, for what follows in the same turn, and what the look came to."""
    message = stage.message("unlock_account", stage.world.say("dana", words))
    return message, stage.run(CheckAccount, message)


def asked_which(stage, second):
    """Both are locked, and dana is asked which to unlock."""
    stage.world.lock()
    stage.world.clock.move(minutes=5)
    second.lock("store-dana")
    message, looked = check(stage)
    assert looked.outcome == "several_locked"
    return stage.show(stage.run(AskUnlockSeveral, message))


def told_of_both(stage, second):
    """A lockout notice of each system stands in dana's inbox; their offers."""
    stage.world.lock()
    since = second.lock("store-dana")
    here, there = stage.notice(), stage.notice(system="store", external_id="store-dana", locked_at=since.isoformat())
    return [stage.show(stage.announced(AskLockout, notice)) for notice in (here, there)]


def unlocked(stage, second) -> list[str]:
    return [*stage.world.fake.unlocked, *second.unlocked]


class TestLooking:
    @pytest.mark.parametrize(
        ("words", "locked", "outcome", "system", "also"),
        [
            ("unlock my account", "okta", "locked", "Okta", []),
            ("unlock my account", "store", "locked", "Store Okta", []),
            ("unlock my account", "okta store", "several_locked", "Okta", []),
            ("unlock my store okta", "okta store", "locked", "Store Okta", []),
            ("the store one is locked", "okta store", "locked", "Store Okta", []),
            ("unlock retail okta please", "okta store", "locked", "Store Okta", []),
            ("unlock my okta", "okta store", "locked", "Okta", []),
            ("unlock okta and the store", "okta store", "several_locked", "Okta", []),
            ("unlock my okta", "store", "locked", "Store Okta", ["utter_also_not_locked"]),
            ("unlock my account", "", "none_locked", "Okta", []),
            ("unlock my okta", "", "none_locked", "Okta", []),
        ],
    )
    def test_u9_every_account_is_looked_at_and_a_name_narrows_it(self, stage, words, locked, outcome, system, also):
        second = stage.second()
        if "okta" in locked:
            stage.world.lock()
        if "store" in locked:
            second.lock("store-dana")
        _, result = check(stage, words)
        assert (result.outcome, result.slots["system_name"], result.responses) == (outcome, system, also)

    def test_u9_lockouts_are_told_with_their_beginnings(self, stage):
        second = stage.second()
        asked_which(stage, second)
        (offer,) = stage.world.rows(tables.offers)
        assert [about["locked_at"][:16] for about in offer["subject"]["choices"]] == [
            "2026-11-24T17:00",
            "2026-11-24T17:05",
        ]
        assert stage.runtime.looks

    def test_question_lists_them_and_has_a_button_for_each_and_for_all(self, stage):
        second = stage.second()
        stage.world.lock()
        second.lock("store-dana")
        message, _ = check(stage)
        result = stage.run(AskUnlockSeveral, message)
        assert result.slots["lockouts"] == "• Okta, since 9:00 AM PST\n• Store Okta, since 9:00 AM PST"
        assert [(a.title, a.intent) for a in stage.show(result).answers] == [
            ("Okta", "choose_system"),
            ("Store Okta", "choose_system"),
            ("All of them", "choose_all"),
            ("Get help", "contact_support"),
            ("Cancel", "cancel"),
        ]

    @pytest.mark.parametrize("silent", BOTH)
    @pytest.mark.parametrize(("other", "outcome"), [("locked", "locked"), ("fine", "not_locked")])
    def test_x6_one_is_silent_what_is_known_of_the_other_is_said(self, stage, silent, other, outcome):
        second = stage.second()
        fakes = {"okta": stage.world.fake, "store": second}
        accounts = {"okta": "00u-dana", "store": "store-dana"}
        speaks = next(key for key in BOTH if key != silent)
        fakes[silent].down = True
        if other == "locked":
            fakes[speaks].lock(accounts[speaks])
        message, result = check(stage)
        names = {key: system.name for key, system in stage.runtime.systems.items()}
        assert (result.outcome, result.slots["system_name"]) == (outcome, names[speaks])
        assert result.said == [("utter_also_down", {"also_system": names[silent], **result.said[0][1]})]
        assert [row["system"] for row in stage.world.rows(tables.outages)] == [silent]
        if other == "locked":
            offer = stage.show(stage.run(AskUnlock, message))
            assert offer.subject["system"] == speaks

    def test_x6_both_are_silent_and_both_are_waited_for(self, stage):
        second = stage.second()
        stage.world.fake.down = second.down = True
        message, result = check(stage)
        assert (result.outcome, result.responses) == ("down", ["utter_also_down"])
        stage.run(AskHelp, message)
        assert sorted(row["system"] for row in stage.world.rows(tables.outages)) == BOTH

    @pytest.mark.parametrize(
        ("trouble", "also"), [("protected", "utter_also_human"), ("instructions", "utter_also_instructions")]
    )
    def test_one_may_be_unlocked_and_of_the_other_it_is_said_why_not(self, stage, trouble, also):
        second = stage.second()
        stage.world.lock()
        second.lock("store-dana")
        if trouble == "protected":
            second.memberships["store-dana"] = frozenset({"Okta Administrators"})
        else:
            stage.runtime.systems["store"].settings.unlock = "instructions"
        _, result = check(stage)
        assert (result.outcome, result.slots["system_name"], result.responses) == ("locked", "Okta", [also])

    def test_law_4_a_slow_system_holds_up_no_other(self, stage, monkeypatch):
        second = stage.second()
        stage.world.lock()
        monkeypatch.setattr(runtime, "MARGIN_SECONDS", 7.7)
        second.held = threading.Event()
        began = time.monotonic()
        _, result = check(stage)
        second.held.set()
        assert result.outcome == "locked" and time.monotonic() - began < 2

    def test_law_1_a_name_chooses_among_ones_own_accounts(self, stage):
        """Eli has no account there, and nobody looks at anybody else's."""
        second = stage.second()
        second.lock("store-dana")
        message = stage.message("unlock_account", stage.world.say("eli", "unlock my store okta"))
        result = stage.run(CheckAccount, message, stage.world.person("eli").id)
        assert (result.outcome, result.responses) == ("not_locked", ["utter_also_no_account"])
        assert second.calls == []

    def test_one_account_is_looked_at_as_ever(self, stage):
        stage.second()
        stage.world.lock("eli")
        message = stage.message("unlock_account", stage.world.say("eli", "unlock my account"))
        result = stage.run(CheckAccount, message, stage.world.person("eli").id)
        assert result.outcome == "locked" and not {"lockouts", "systems"} & set(result.slots)
        assert stage.world.fake.calls == [("account", "00u-eli"), ("groups", "00u-eli")]


class TestOne:
    @pytest.mark.parametrize(
        ("how", "unlocks"),
        [
            *[(how, "00u-dana") for how in ("click 1", "okta", "just okta", "1", "the first one")],
            *[(how, "store-dana") for how in ("click 2", "Store Okta", "just the store one", "store please", "2")],
            *[(how, "store-dana") for how in ("only the retail okta", "yes, the store one")],
        ],
    )
    def test_x2_u9_by_click_name_or_number(self, stage, how, unlocks):
        second = stage.second()
        offer = asked_which(stage, second)
        if how.startswith("click"):
            result = stage.clicked(UnlockAccount, offer, how.split()[1])
        else:
            result = stage.typed(UnlockAccount, how, "choose_system")
        assert result.outcome == "unlocked" and unlocked(stage, second) == [unlocks]
        (request,) = stage.world.rows(tables.requests)
        assert request["external_id"] == unlocks

    @pytest.mark.parametrize("words", ["yes", "sure", "not the store one", "the other one", "why is the store locked"])
    def test_x12_what_chooses_none_unlocks_none(self, stage, words):
        second = stage.second()
        asked_which(stage, second)
        for intent in ("affirm", "choose_system", "choose_option", "choose_all"):
            assert stage.typed(UnlockAccount, words, intent).outcome == "stale"
            assert stage.typed(UnlockAccounts, words, intent).outcome == "stale"
        assert unlocked(stage, second) == []

    def test_says_afterwards_which_it_was(self, stage):
        second = stage.second()
        offer = asked_which(stage, second)
        message = stage.message("choose_system", stage.world.click("dana", offer, "2"))
        stage.run(UnlockAccount, message)
        result = stage.run(AskAfterUnlock, message)
        assert result.responses == ["utter_ask_after_unlock"] and result.slots["system_name"] == "Store Okta"
        (request,) = stage.world.rows(tables.requests)
        assert stage.show(result).subject == {"request": request["id"]}


class TestAll:
    @pytest.mark.parametrize(
        "how", ["click", "both", "both please", "yes, both", "all of them", "All of them", "unlock both of them", "3"]
    )
    def test_u9_one_yes_is_a_request_for_each(self, stage, how):
        second = stage.second()
        offer = asked_which(stage, second)
        if how == "click":
            result = stage.clicked(UnlockAccounts, offer, "3")
        else:
            result = stage.typed(UnlockAccounts, how, "choose_all")
        assert result.outcome == "unlocked" and unlocked(stage, second) == ["00u-dana", "store-dana"]
        assert stage.world.state_of(offer) == "answered"
        confirmed = stage.world.rows(tables.requests)
        assert sorted(row["system"] for row in confirmed) == BOTH and len({row["key"] for row in confirmed}) == 2
        states = [row["state"] for row in stage.world.rows(tables.tickets)]
        assert states == [tickets.RESOLVED] * 2
        decided = [row["result"] for row in stage.world.rows(tables.audit, act="decide_unlock")]
        assert decided == ["act", "act"]
        assert result.slots["results"].splitlines() == [
            f"• {name}: unlocked, on record as AA-{number}"
            for name, number in zip(("Okta", "Store Okta"), self.references(stage), strict=True)
        ]

    def references(self, stage):
        by_request = {row["request_id"]: row["number"] for row in stage.world.rows(tables.tickets)}
        confirmed = sorted(stage.world.rows(tables.requests), key=lambda row: BOTH.index(row["system"]))
        return [by_request[row["id"]] for row in confirmed]

    @pytest.mark.parametrize(
        ("trouble", "outcome", "line"),
        [
            ("lying", "partly_unlocked", "it still shows your account as locked"),
            ("refusing", "partly_unlocked", "it still shows your account as locked"),
            ("relocking", "partly_unlocked", "locked again at once"),
            ("protected", "partly_unlocked", "only IT may unlock it"),
            ("limited", "partly_unlocked", "as often as I may"),
            ("anew", "partly_unlocked", "look at it afresh"),
            ("elsewhere", "unlocked", "it was unlocked already"),
            ("down", "unlocked", "still trying"),
        ],
    )
    def test_law_11_what_came_of_each_is_told_and_nothing_else(self, stage, trouble, outcome, line):
        second = stage.second()
        offer = asked_which(stage, second)
        if trouble == "protected":
            second.memberships["store-dana"] = frozenset({"Okta Administrators"})
        elif trouble == "limited":
            done = {"system": "store", "external_id": "store-dana", "locked_at": None}
            for number in range(stage.world.settings.unlock.max_per_window):
                earlier = stage.world.offer(question=f"earlier{number}", subject=done, from_notice=True)
                request = stage.runtime.unlocks.confirm(earlier, "1", f"earlier-{number}")
                with stage.world.store.begin() as connection:
                    changed = dict(called=True, state="done", outcome="unlocked")
                    connection.execute(update(tables.requests).where(tables.requests.c.id == request).values(**changed))
        elif trouble == "anew":
            stage.world.clock.move(minutes=1)
            second.lock("store-dana")
        elif trouble == "elsewhere":
            second.unlock_elsewhere("store-dana")
        else:
            setattr(second, trouble, True)
        message = stage.message("choose_all", stage.world.click("dana", offer, "3"))
        result = stage.run(UnlockAccounts, message)
        here, there = result.slots["results"].splitlines()
        assert result.outcome == outcome and here.startswith("• Okta: unlocked") and line in there
        follow_up = AskAfterUnlock if outcome == "unlocked" else AskHelp
        asked = stage.run(follow_up, message)
        assert asked.responses == [
            "utter_ask_after_unlock_several" if outcome == "unlocked" else "utter_ask_help_partly_unlocked"
        ]
        if trouble == "down":
            (owed,) = [row for row in stage.world.rows(tables.requests) if row["follow_up_owed"]]
            assert owed["system"] == "store"

    def test_x10_a_freeze_holds_all_of_them(self, stage):
        second = stage.second()
        offer = asked_which(stage, second)
        click = stage.world.click("dana", offer, "3")
        with stage.world.store.begin() as connection:
            table = tables.offers
            freezes.report(connection, stage.world.clock.now(), stage.world.person(), "earlier", "By telephone.")
            connection.execute(update(table).where(table.c.id == offer.id).values(state=offers.OPEN))
        assert stage.run(UnlockAccounts, stage.message("choose_all", click)).outcome == "frozen"
        assert unlocked(stage, second) == []

    def test_law_4_both_at_the_same_time(self, stage, monkeypatch):
        second = stage.second()
        offer = asked_which(stage, second)
        monkeypatch.setattr(runtime, "MARGIN_SECONDS", 7.5)
        stage.world.fake.held, second.held = threading.Event(), threading.Event()
        began = time.monotonic()
        result = stage.clicked(UnlockAccounts, offer, "3")
        assert time.monotonic() - began < 0.9, "one deadline, not one after the other"
        assert result.outcome == "told" and result.slots["results"].count("still trying") == 2
        stage.world.fake.held.set(), second.held.set()
        deadline = time.monotonic() + 5
        while len(stage.world.rows(tables.notices)) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        told = [row["key"] for row in stage.world.rows(tables.notices)]
        assert sorted(told) == sorted(f"follow_up:{row['id']}" for row in stage.world.rows(tables.requests))

    def test_law_5_replayed_turn_finds_what_its_first_run_did(self, stage):
        second = stage.second()
        offer = asked_which(stage, second)
        message = stage.message("choose_all", stage.world.click("dana", offer, "3"))
        first, again = (stage.run(UnlockAccounts, message) for _ in range(2))
        assert first.slots["results"] == again.slots["results"] and again.outcome == "unlocked"
        assert unlocked(stage, second) == ["00u-dana", "store-dana"] and len(stage.world.rows(tables.requests)) == 2

    @pytest.mark.parametrize("call", range(1, 5), ids=["look", "groups", "unlock", "read back"])
    @pytest.mark.parametrize("dies", BOTH)
    def test_law_5_killed_in_between_what_was_confirmed_is_resumed_and_told_once(self, stage, call, dies):
        second = stage.second()
        offer = asked_which(stage, second)
        message = stage.message("choose_all", stage.world.click("dana", offer, "3"))
        fakes = {"okta": stage.world.fake, "store": second}
        stage.world.fake.calls.clear(), second.calls.clear()
        fakes[dies].dies_at_call = call
        with pytest.raises(Killed):
            stage.run(UnlockAccounts, message)
        for _ in range(2):
            stage.world.clock.move(seconds=requests.CLAIM_SECONDS)
            for request in stage.runtime.unlocks.due():
                stage.runtime.unlocks.execute(stage.runtime.systems[request.system], request.id)
        assert sorted(unlocked(stage, second)) == ["00u-dana", "store-dana"]
        assert stage.world.rows(tables.notices) == [], (
            "nothing was promised: the turn itself tells, when it is replayed"
        )
        result = stage.run(UnlockAccounts, message)
        assert result.outcome == "unlocked" and result.slots["results"].count(": unlocked") == 2
        assert sorted(unlocked(stage, second)) == ["00u-dana", "store-dana"]
        assert len(stage.world.rows(tables.tickets)) == 2

    def test_law_1_account_that_is_somebody_elses_by_now_is_left_alone(self, stage):
        second = stage.second()
        offer = asked_which(stage, second)
        with stage.world.store.begin() as connection:
            table = tables.accounts
            eli = stage.world.person("eli").id
            connection.execute(update(table).where(table.c.system == "store").values(person_id=eli))
        result = stage.clicked(UnlockAccounts, offer, "3")
        assert result.outcome == "partly_unlocked" and unlocked(stage, second) == ["00u-dana"]
        assert "look at it afresh" in result.slots["results"]

    @pytest.mark.parametrize("state", [offers.REPLACED, offers.OVERTAKEN, offers.ANSWERED])
    def test_x3_closed_question_unlocks_nothing(self, stage, state):
        second = stage.second()
        offer = asked_which(stage, second)
        with stage.world.store.begin() as connection:
            offers.close(connection, stage.world.clock.now(), offer.id, state)
        assert stage.clicked(UnlockAccounts, offer, "3").outcome == "stale"
        assert stage.typed(UnlockAccounts, "both", "choose_all").outcome == "stale"
        assert unlocked(stage, second) == []

    @pytest.mark.parametrize(("hours", "how"), [(2, "both"), (24, "click")])
    def test_x12_question_that_is_too_old(self, stage, hours, how):
        second = stage.second()
        offer = asked_which(stage, second)
        stage.world.clock.move(hours=hours)
        if how == "click":
            result = stage.clicked(UnlockAccounts, offer, "3")
        else:
            result = stage.typed(UnlockAccounts, how, "choose_all")
        assert result.outcome == "stale" and unlocked(stage, second) == []

    @pytest.mark.parametrize("answer", ["1", "2", "4", "5"])
    def test_x12_other_buttons_of_the_question(self, stage, answer):
        second = stage.second()
        assert stage.clicked(UnlockAccounts, asked_which(stage, second), answer).outcome == "stale"
        assert unlocked(stage, second) == []

    def test_x12_somebody_elses_question(self, stage):
        second = stage.second()
        asked_which(stage, second)
        assert stage.typed(UnlockAccounts, "both", "choose_all", "eli").outcome == "stale"
        assert unlocked(stage, second) == []

    def test_cancelled_together_with_what_was_told_of_them(self, stage):
        second = stage.second()
        told = told_of_both(stage, second)
        stage.typed(AskWhich, "yes", "affirm")
        offer = stage.show(stage.typed(AskUnlockSeveral, "yes", "affirm"))
        assert stage.clicked(Dismiss, offer, "5").outcome == "dismissed"
        assert {stage.world.state_of(one) for one in told} == {offers.OVERTAKEN}


class TestAfterwards:
    @pytest.mark.parametrize(("action", "state"), [(MarkResolved, tickets.RESOLVED), (ReopenIssue, tickets.OPEN)])
    def test_u6_answer_is_about_every_unlock(self, stage, action, state):
        second = stage.second()
        message = stage.message("choose_all", stage.world.click("dana", asked_which(stage, second), "3"))
        stage.run(UnlockAccounts, message)
        after = stage.show(stage.run(AskAfterUnlock, message))
        result = stage.clicked(action, after, "1" if action is MarkResolved else "4")
        assert [row["state"] for row in stage.world.rows(tables.tickets)] == [state] * 2
        claimed = [bool(row["claimed_resolved_at"]) for row in stage.world.rows(tables.requests)]
        assert claimed == [action is MarkResolved] * 2
        if action is ReopenIssue:
            assert result.slots["ticket_reference"] == "AA-1001, AA-1002"


class TestNotices:
    def test_each_notice_has_its_own_yes(self, stage):
        second = stage.second()
        _, there = told_of_both(stage, second)
        assert stage.clicked(UnlockAccount, there).outcome == "unlocked" and unlocked(stage, second) == ["store-dana"]

    def test_same_instant_in_two_systems_is_told_of_each(self, stage):
        """Who asked about one lockout has not been told of the other."""
        second = stage.second()
        stage.world.lock()
        since = second.lock("store-dana")
        message, _ = check(stage, "unlock my okta")
        stage.show(stage.run(AskUnlock, message))
        there = stage.notice(system="store", external_id="store-dana", locked_at=since.isoformat())
        assert stage.announced(AskLockout, there).outcome == "asked"

    def test_who_was_asked_about_both_is_told_of_neither(self, stage):
        second = stage.second()
        asked_which(stage, second)
        since = second.accounts["store-dana"].locked_at
        there = stage.notice(system="store", external_id="store-dana", locked_at=since.isoformat())
        assert stage.announced(AskLockout, there).outcome == "notice_dropped"

    def test_x2_bare_yes_to_both_is_asked_which_and_may_be_all(self, stage):
        second = stage.second()
        told_of_both(stage, second)
        message = stage.message("affirm", stage.world.say("dana", "yes"))
        assert stage.run(UnlockAccount, message).outcome == "stale"
        assert stage.run(AskWhich, message).outcome == "several_locked"
        calls = len(stage.world.fake.calls)
        offer = stage.show(stage.run(AskUnlockSeveral, message))
        assert len(stage.world.fake.calls) == calls, "what was told is not looked at again before the yes"
        assert stage.clicked(UnlockAccounts, offer, "3").outcome == "unlocked"
        assert unlocked(stage, second) == ["00u-dana", "store-dana"]
        assert [row["state"] for row in stage.world.rows(tables.offers, question="lockout")] == ["overtaken"] * 2

    def test_x2_no_to_both_is_asked_which_by_the_systems_names(self, stage):
        second = stage.second()
        told_of_both(stage, second)
        result = stage.typed(AskWhich, "no", "deny")
        assert [answer.title for answer in stage.show(result).answers] == [
            "The lockout (Okta): No",
            "The lockout (Store Okta): No",
        ]

    @pytest.mark.parametrize("words", ["yes both", "both", "Yes, both of them please", "unlock all of them"])
    def test_u9_yes_both_answers_both(self, stage, words):
        second = stage.second()
        told = told_of_both(stage, second)
        result = stage.typed(UnlockAccounts, words, "choose_all")
        assert result.outcome == "unlocked" and unlocked(stage, second) == ["00u-dana", "store-dana"]
        assert {stage.world.state_of(one) for one in told} == {"answered"}

    def test_x12_yes_both_where_a_yes_could_be_meant_for_something_else_too(self, stage):
        second = stage.second()
        told_of_both(stage, second)
        stage.world.offer(question="help", answers=(("Open a ticket", "affirm"),), from_notice=True)
        assert stage.typed(UnlockAccounts, "yes both", "choose_all").outcome == "stale"
        assert unlocked(stage, second) == []

    def test_x12_both_of_three_is_asked_about(self, stage):
        second = stage.second()
        third = stage.second("labs", "Labs Okta", ("labs",))
        told_of_both(stage, second)
        since = third.lock("labs-dana")
        stage.show(
            stage.announced(
                AskLockout, stage.notice(system="labs", external_id="labs-dana", locked_at=since.isoformat())
            )
        )
        assert stage.typed(UnlockAccounts, "yes both", "choose_all").outcome == "stale"
        assert stage.typed(UnlockAccounts, "all of them", "choose_all").outcome == "unlocked"
        assert [*unlocked(stage, second), *third.unlocked] == ["00u-dana", "store-dana", "labs-dana"]


class TestMenu:
    def test_g4_the_remedy_found_first_names_its_system(self, stage):
        second = stage.second()
        account = second.accounts["store-dana"]
        second.accounts["store-dana"] = account.__class__(
            account.external_id, account.login, Status.PASSWORD_EXPIRED, account.status_since, account.password_changed
        )
        stage.world.fake.enrol("00u-dana", FactorKind.SMS)
        message = stage.message("report_access_problem", stage.world.say("dana", "I can't get in"))
        assert stage.run(CheckAccount, message).outcome == "none_locked"
        menu = stage.run(AskMenu, message)
        assert menu.responses == ["utter_ask_menu_expired"] and menu.slots["system_name"] == "Store Okta"

    @pytest.mark.parametrize(
        ("locked", "response", "system"),
        [("store", "utter_ask_menu_locked", "Store Okta"), ("okta store", "utter_ask_menu_several_locked", "Okta")],
    )
    def test_g4_lockouts_of_all_systems(self, stage, locked, response, system):
        second = stage.second()
        second.lock("store-dana")
        if "okta" in locked:
            stage.world.lock()
        message = stage.message("report_access_problem", stage.world.say("dana", "I can't get in"))
        stage.run(CheckAccount, message)
        menu = stage.run(AskMenu, message)
        assert menu.responses == [response] and menu.slots["system_name"] == system


class TestWhy:
    @pytest.mark.parametrize(
        ("words", "system"), [("why was I locked?", "Store Okta"), ("why was my okta locked?", "Okta")]
    )
    def test_x9_of_the_lockout_that_was_noted_last_or_of_the_system_named(self, stage, words, system):
        second = stage.second()
        stage.world.lock()
        stage.notice()
        stage.world.clock.move(minutes=5)
        stage.notice(system="store", external_id="store-dana", locked_at=second.lock("store-dana").isoformat())
        assert stage.typed(TellWhyLocked, words, "ask_why_locked").slots["system_name"] == system


class TestMfa:
    def enrolled(self, stage, second):
        stage.world.fake.enrol("00u-dana", FactorKind.SMS)
        return second.enrol("store-dana", FactorKind.GOOGLE_AUTHENTICATOR)

    @pytest.mark.parametrize("how", ["click", "the store one", "Store Okta", "2"])
    def test_u9_asks_of_which_system_and_goes_on_there(self, stage, how):
        second = stage.second()
        factor = self.enrolled(stage, second)
        message = stage.message("reset_mfa", stage.world.say("dana", "reset my MFA"))
        assert stage.run(CheckFactors, message).outcome == "several_systems"
        offer = stage.show(stage.run(AskMfaSystem, message))
        assert [answer.title for answer in offer.answers] == ["Okta", "Store Okta", "Get help", "Cancel"]
        inbound = stage.world.click("dana", offer, "2") if how == "click" else stage.world.say("dana", how)
        message = stage.message("choose_system", inbound)
        assert stage.run(CheckFactors, message).outcome == "one_factor"
        question = stage.run(AskResetMfa, message)
        assert question.slots["system_name"] == "Store Okta"
        asked = stage.show(question)
        assert (asked.subject["system"], asked.subject["factor_ids"]) == ("store", [factor])
        assert stage.clicked(ResetMfa, asked).outcome == "mfa_reset"
        assert second.removed == [factor] and stage.world.fake.removed == []

    def test_a_name_answers_it_beforehand(self, stage):
        second = stage.second()
        self.enrolled(stage, second)
        message = stage.message("reset_mfa", stage.world.say("dana", "reset my MFA for the store okta"))
        assert stage.run(CheckFactors, message).outcome == "one_factor"
        assert stage.show(stage.run(AskResetMfa, message)).subject["system"] == "store"
        assert stage.world.fake.calls == []

    def test_factors_of_one_system_alone_are_not_asked_about(self, stage):
        second = stage.second()
        second.enrol("store-dana", FactorKind.SMS)
        second.enrol("store-dana", FactorKind.GOOGLE_AUTHENTICATOR)
        message = stage.message("reset_mfa", stage.world.say("dana", "reset my MFA"))
        assert stage.run(CheckFactors, message).outcome == "several_factors"
        assert stage.show(stage.run(AskFactor, message)).subject["system"] == "store"

    def test_x6_silent_system_is_named(self, stage):
        second = stage.second()
        self.enrolled(stage, second)
        second.down = True
        result = stage.typed(CheckFactors, "reset my MFA", "reset_mfa")
        assert (result.outcome, result.responses) == ("one_factor", ["utter_also_down"])
        assert [row["system"] for row in stage.world.rows(tables.outages)] == ["store"]

    def test_x12_choosing_resets_nothing(self, stage):
        second = stage.second()
        self.enrolled(stage, second)
        message = stage.message("reset_mfa", stage.world.say("dana", "reset my MFA"))
        stage.run(CheckFactors, message)
        offer = stage.show(stage.run(AskMfaSystem, message))
        assert stage.clicked(ResetMfa, offer, "2").outcome == "stale" and second.removed == []

    def test_law_1_factor_of_an_account_that_is_somebody_elses_by_now_stays(self, stage):
        second = stage.second()
        factor = self.enrolled(stage, second)
        subject = {"act": "reset_mfa", "system": "store", "external_id": "store-dana", "factor_ids": [factor]}
        offer = stage.world.offer(question="reset_mfa", subject=subject)
        with stage.world.store.begin() as connection:
            table = tables.accounts
            eli = stage.world.person("eli").id
            connection.execute(update(table).where(table.c.system == "store").values(person_id=eli))
            assert people.owner_of(connection, "store", "store-dana") == eli
        assert stage.clicked(ResetMfa, offer).outcome == "stale" and second.removed == []


def test_follow_up_tells_of_its_own_system(stage):
    """What took longer than the turn is told once for each, by its own notice."""
    second = stage.second()
    offer = asked_which(stage, second)
    stage.world.fake.down = second.down = True
    stage.clicked(UnlockAccounts, offer, "3")
    stage.world.fake.down = second.down = False
    stage.world.clock.move(minutes=1)
    for request in stage.runtime.unlocks.due():
        stage.runtime.unlocks.execute(stage.runtime.systems[request.system], request.id)
    told = []
    for row in stage.world.rows(tables.notices, kind=notices.FOLLOW_UP):
        with stage.world.store.reading() as connection:
            notice = notices.find(connection, row["id"])
        told.append(stage.announced(AskAfterUnlock, notice).slots["system_name"])
    assert sorted(told) == ["Okta", "Store Okta"] and unlocked(stage, second) == ["00u-dana", "store-dana"]
