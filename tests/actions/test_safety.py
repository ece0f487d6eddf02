"""This wasn't me, why it was locked, it locked again, too much at once, the system is back (X6, X8-X11)."""

from datetime import timedelta

import pytest

from account_access import breaker, freezes, notices, tickets
from account_access.connectors.base import (
    FactorKind,
    PasswordRules,
    SignInEvent,
    SignInOutcome,
    TemporarilyUnavailable,
)
from account_access.store import tables
from actions.asking import AskMenu
from actions.mfa import AskAfterReset, CheckFactors, ResetMfa
from actions.notices import AnnounceFollowUp, AskLockout
from actions.safety import AnnounceAvailable, AskNotMe, AskRelapse, ReportNotMe, TellFreeze, TellWhyLocked
from actions.support import Dismiss, ReopenIssue
from actions.unlock import AskAfterUnlock, AskUnlock, CheckAccount, UnlockAccount

NOTICE = (("Yes", "affirm"), ("No", "deny"), ("This wasn't me", "report_not_me"))
OUTLOOK = "Microsoft Office/16.0 (Outlook)"


def told(stage, name="dana"):
    """Somebody was told of a lockout; the question that they see."""
    stage.world.lock(name)
    return stage.show(stage.announced(AskLockout, stage.notice(name=name), name), name)


def freeze(stage, name="dana"):
    with stage.world.store.begin() as connection:
        return freezes.report(connection, stage.world.clock.now(), stage.world.person(name), "earlier", "x")


class TestNotMe:
    @pytest.mark.parametrize("how", ["click", "This wasn't me", "3", "someone else tried to get in"])
    def test_x10_on_a_lockout_notice_freezes_and_calls_security(self, stage, how):
        offer = told(stage)
        if how == "click":
            result = stage.clicked(ReportNotMe, offer, "3")
        else:
            result = stage.typed(ReportNotMe, how, "report_not_me")
        assert (result.outcome, result.slots["ticket_reference"]) == ("reported", "AA-1001")
        assert stage.world.rows(tables.tickets)[0]["security"] and stage.world.state_of(offer) == "answered"
        assert stage.typed(UnlockAccount, "yes", "affirm").outcome == "stale", "its question is closed"
        assert stage.typed(CheckAccount, "unlock me", "unlock_account").outcome == "frozen"
        assert stage.world.fake.unlocked == []

    def test_x10_on_a_completion(self, stage):
        message = stage.message("affirm", stage.world.click("dana", told(stage)))
        stage.run(UnlockAccount, message)
        offer = stage.show(stage.run(AskAfterUnlock, message))
        assert stage.clicked(ReportNotMe, offer, "5").outcome == "reported"

    @pytest.mark.parametrize("how", ["at once", "told later"])
    def test_x10_on_a_resets_completion(self, stage, how):
        key = stage.world.fake.enrol(stage.world.account(), FactorKind.SECURITY_KEY, "YubiKey")
        if how == "at once":
            inbound = stage.world.click("dana", stage.world.reset_offer(key))
            message = stage.message("affirm", inbound)
            assert stage.run(ResetMfa, message).outcome == "mfa_reset"
        else:
            request = stage.world.confirmed_reset(key)
            stage.world.resets.execute(stage.world.system, request)
            notice = stage.notice(notices.FOLLOW_UP, request=request)
            message = stage.message(notice.intent, notice=notice.id)
        offer = stage.show(stage.run(AskAfterReset, message))
        assert [answer.title for answer in offer.answers][-1] == "This wasn't me"
        result = stage.clicked(ReportNotMe, offer, "4")
        assert (result.outcome, result.slots["ticket_reference"]) == ("reported", "AA-1002")
        inbound = stage.world.say("dana", "reset my mfa")
        assert stage.run(CheckFactors, stage.message("reset_mfa", inbound)).outcome == "frozen"

    def test_x12_words_that_answer_nothing_are_asked_about(self, stage):
        assert stage.typed(ReportNotMe, "I think I was hacked", "report_not_me").outcome == "unconfirmed"
        assert stage.world.rows(tables.freezes) == []
        offer = stage.show(stage.typed(AskNotMe, "I think I was hacked", "report_not_me"))
        assert stage.typed(ReportNotMe, "yes", "affirm").outcome == "reported"
        assert stage.world.state_of(offer) == "answered" and len(stage.world.rows(tables.freezes)) == 1

    def test_x12_cancel_freezes_nobody(self, stage):
        offer = stage.show(stage.typed(AskNotMe, "I think I was hacked", "report_not_me"))
        assert stage.clicked(Dismiss, offer, "2").outcome == "dismissed" and stage.world.rows(tables.freezes) == []

    @pytest.mark.parametrize("question", ["unlock", "lockout", "help"])
    def test_x12_a_yes_to_something_else_freezes_nobody(self, stage, question):
        stage.world.lock()
        stage.world.offer(question=question, answers=NOTICE)
        assert stage.typed(ReportNotMe, "yes", "affirm").outcome == "unconfirmed"

    def test_law_5_replayed_turn_reports_once(self, stage):
        inbound = stage.world.click("dana", told(stage), "3")
        for _ in range(2):
            assert stage.run(ReportNotMe, stage.message("report_not_me", inbound)).outcome == "reported"
        assert len(stage.world.rows(tables.tickets)) == len(stage.world.rows(tables.freezes)) == 1

    def test_said_again(self, stage):
        freeze(stage)
        offer = stage.world.offer(question="lockout", answers=NOTICE)
        result = stage.clicked(ReportNotMe, offer, "3")
        assert (result.outcome, result.slots["ticket_reference"]) == ("reported_already", "AA-1001")

    def test_who_called_security_is_not_asked_whether_to_call_them(self, stage):
        freeze(stage)
        result = stage.typed(ReportNotMe, "I was hacked, what now", "report_not_me")
        assert (result.outcome, result.slots["ticket_reference"]) == ("reported_already", "AA-1001")

    def test_law_1_only_ones_own(self, stage):
        told(stage)
        assert stage.typed(ReportNotMe, "it wasn't me", "report_not_me", "eli").outcome == "unconfirmed"

    def test_x10_no_chat_answer_opens_or_lifts_it(self, stage):
        freeze(stage)
        with stage.world.store.begin() as connection:
            ticket = tickets.numbered(connection, 1001)
            tickets.change_state(connection, stage.world.clock.now(), ticket, tickets.RESOLVED, "closed", "k")
        assert stage.typed(ReopenIssue, "re-open", "report_unresolved").outcome == "nothing_open"
        assert stage.world.rows(tables.tickets)[0]["state"] == "resolved"


class TestFrozen:
    def test_x10_is_told_since_when_and_who_allows_it_again(self, stage):
        freeze(stage)
        result = stage.typed(TellFreeze, "unlock me", "unlock_account")
        assert (result.outcome, result.responses) == ("told", ["utter_tell_freeze"])
        assert (result.slots["ticket_reference"], result.slots["frozen_since"]) == ("AA-1001", "9:00 AM PST")

    def test_lifted_just_now(self, stage):
        assert stage.typed(TellFreeze, "unlock me", "unlock_account").responses == ["utter_tell_freeze_lifted"]

    def test_x10_lockouts_are_told_all_the_same_without_a_question(self, stage):
        freeze(stage)
        stage.world.lock()
        result = stage.announced(AskLockout, stage.notice())
        assert (result.outcome, result.said, stage.world.rows(tables.offers)) == ("frozen", [], [])
        assert result.slots["ticket_reference"] == "AA-1001" and result.slots["locked_since"]

    def test_x10_a_yes_from_before_does_nothing(self, stage):
        offer = told(stage)
        inbound = stage.world.click("dana", offer)
        freeze(stage)
        assert stage.run(UnlockAccount, stage.message("affirm", inbound)).outcome in ("stale", "frozen")
        assert stage.world.fake.unlocked == []

    def test_law_4_a_promise_is_kept_with_the_truth(self, stage):
        stage.world.lock()
        request = stage.world.confirmed()
        freeze(stage)
        stage.world.unlocks.promise(request)
        stage.world.unlocks.execute(stage.world.system, request)
        notice = stage.notice(notices.FOLLOW_UP, request=request)
        assert stage.announced(AnnounceFollowUp, notice).outcome == "frozen"


class TestPaused:
    def test_x11_is_told_without_a_question(self, stage):
        world = stage.world
        world.lock()
        world.settings.breaker.max_lockouts = 1
        accounts = [world.fake.accounts["00u-dana"], world.fake.accounts["00u-eli"]]
        world.lock("eli")
        accounts = [world.fake.accounts[f"00u-{name}"] for name in ("dana", "eli")]
        with world.store.begin() as connection:
            breaker.observe(connection, world.clock.now(), "okta", accounts, world.settings.breaker)
        assert stage.announced(AskLockout, stage.notice()).outcome == "paused"
        assert stage.typed(CheckAccount, "unlock me", "unlock_account").outcome == "paused"


class TestWhy:
    def failed(self, stage, count=5, **source):
        values = dict(client="Chrome on Windows 10", city="Lisbon", country="Portugal", ip="10.0.0.1")
        event = SignInEvent(stage.world.clock.now(), SignInOutcome.FAILED, **{**values, **source})
        stage.world.fake.history["00u-dana"] = [event] * count
        stage.world.clock.move(minutes=1)
        return stage.world.lock()

    def why(self, stage):
        return stage.typed(TellWhyLocked, "why was I locked?", "ask_why_locked")

    def test_x9_when_how_often_from_where(self, stage):
        self.failed(stage)
        result = self.why(stage)
        assert result.responses == ["utter_tell_why_locked_place"]
        facts = {name: result.slots[name] for name in ("attempts", "attempts_from", "attempts_with", "locked_since")}
        assert facts == {
            "attempts": "5 wrong passwords",
            "attempts_from": "Lisbon, Portugal",
            "attempts_with": "Chrome on Windows 10",
            "locked_since": "9:01 AM PST",
        }

    def test_x9_names_the_device_that_sends_an_old_password(self, stage):
        self.failed(stage, client=OUTLOOK, unattended=True)
        result = self.why(stage)
        assert result.responses == ["utter_tell_why_locked_device"] and result.slots["attempts_with"] == OUTLOOK

    def test_x9_one_wrong_password_is_no_plural(self, stage):
        self.failed(stage, count=1)
        assert self.why(stage).slots["attempts"] == "a wrong password"

    @pytest.mark.parametrize(
        ("source", "case"),
        [
            (dict(city=None, country=None), "place"),
            (dict(city=None, country=None, ip=None), "count"),
            (dict(client=None), "count"),
        ],
    )
    def test_x9_says_no_more_than_the_log(self, stage, source, case):
        self.failed(stage, **source)
        assert self.why(stage).responses == [f"utter_tell_why_locked_{case}"]

    @pytest.mark.parametrize("log", ["empty", "failing", "absent"])
    def test_x9_honest_where_the_log_tells_nothing(self, stage, log):
        stage.world.lock()
        if log == "failing":
            stage.world.fake.failing["sign_in_history"] = TemporarilyUnavailable("log")
        elif log == "absent":
            stage.world.fake.capabilities -= {"history", "password_rules"}
        result = self.why(stage)
        assert result.responses == ["utter_tell_why_locked_unknown"] and result.slots["locked_since"] == "9:00 AM PST"

    def test_x9_when_it_ends_by_itself(self, stage):
        stage.world.lock()
        stage.world.fake.rules = PasswordRules(5, timedelta(minutes=30), None)
        result = self.why(stage)
        assert result.responses[-1] == "utter_tell_why_locked_ends" and result.slots["unlocks_at"] == "9:30 AM PST"
        stage.world.clock.move(minutes=30)
        assert self.why(stage).responses == ["utter_tell_why_locked_unknown"]

    def test_x9_a_lockout_that_is_over(self, stage):
        since = stage.world.lock()
        stage.notice()
        stage.world.clock.move(hours=2)
        stage.world.fake.unlock_elsewhere("00u-dana")
        result = self.why(stage)
        assert result.responses == ["utter_tell_why_locked_unknown", "utter_tell_why_locked_over"]
        assert since and result.slots["locked_since"] == "9:00 AM PST"

    def test_no_lockout_at_all(self, stage):
        assert self.why(stage).responses == ["utter_tell_why_locked_in_general"]

    def test_x6_system_that_is_down(self, stage):
        stage.world.fake.down = True
        assert self.why(stage).responses == ["utter_tell_why_locked_down"]


class TestRelapse:
    def relapse(self, stage, device=None, act="unlock"):
        world = stage.world
        world.lock()
        request = world.confirmed()
        world.unlocks.execute(world.system, request)
        world.clock.move(minutes=3)
        world.lock()
        return stage.notice(notices.RELAPSE, request=request, device=device, act=act)

    @pytest.mark.parametrize(
        ("device", "response"), [(None, "utter_ask_relapse"), (OUTLOOK, "utter_ask_relapse_device")]
    )
    def test_x8_u8_asks_with_the_ticket_and_the_device(self, stage, device, response):
        result = stage.announced(AskRelapse, self.relapse(stage, device))
        assert (result.outcome, result.responses) == ("asked", [response])
        assert (result.slots["ticket_reference"], result.slots["attempts_with"]) == ("AA-1001", device or "")
        offer = stage.show(result)
        assert stage.clicked(UnlockAccount, offer).outcome == "unlocked"
        assert len(stage.world.fake.unlocked) == 2

    def test_over_by_now_is_not_told(self, stage):
        notice = self.relapse(stage)
        stage.world.fake.unlock_elsewhere("00u-dana")
        assert stage.announced(AskRelapse, notice).outcome == "notice_dropped"

    def test_law_5_replayed_turn_asks_again(self, stage):
        notice = self.relapse(stage)
        first, second = (stage.announced(AskRelapse, notice) for _ in range(2))
        assert (second.outcome, second.said[0][1]["offer"]) == ("asked", first.said[0][1]["offer"])

    def test_n9_its_lockout_notice_is_not_told_on_top(self, stage):
        stage.show(stage.announced(AskRelapse, self.relapse(stage)))
        assert stage.announced(AskLockout, stage.notice()).outcome == "notice_dropped"

    def test_nor_the_other_way_round(self, stage):
        notice = self.relapse(stage)
        stage.show(stage.announced(AskLockout, stage.notice()))
        assert stage.announced(AskRelapse, notice).outcome == "notice_dropped"

    def test_x10_frozen(self, stage):
        notice = self.relapse(stage)
        freeze(stage)
        assert stage.announced(AskRelapse, notice).outcome == "frozen"

    def test_another_act_that_did_not_last(self, stage):
        result = stage.announced(AskRelapse, self.relapse(stage, act="reset_mfa"))
        assert (result.outcome, result.slots["ticket_reference"]) == ("relapsed", "AA-1001")

    def test_foreign_notice_tells_nothing(self, stage):
        stage.world.lock()
        assert stage.announced(AskRelapse, stage.notice()).outcome == "notice_dropped"


class TestAvailable:
    def test_x6_the_menu_with_the_systems_name(self, stage):
        notice = stage.notice(notices.AVAILABLE)
        assert stage.announced(AnnounceAvailable, notice).outcome == "available"
        result = stage.announced(AskMenu, notice)
        assert (result.outcome, result.responses) == ("asked", ["utter_ask_menu_available"])
        assert result.said[0][1]["notice"] == notice.id and result.slots["system_name"] == "Okta"

    def test_other_notices_are_not_its_business(self, stage):
        stage.world.lock()
        assert stage.announced(AnnounceAvailable, stage.notice()).outcome == "notice_dropped"


def test_x10_asking_to_be_unlocked_while_frozen_asks_nothing(stage):
    stage.world.lock()
    freeze(stage)
    assert stage.typed(AskUnlock, "unlock me", "unlock_account").outcome == "frozen"
