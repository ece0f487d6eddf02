"""Unlock on request, and the yes to a notice: look, ask, unlock, ask how it went (U1-U8, U10, N3, N5, X12)."""

import threading
import time

import pytest

from account_access import conversation, notices, offers, tickets
from account_access.store import tables
from actions import runtime
from actions.asking import AskMenu
from actions.unlock import AskAfterLockout, AskAfterUnlock, AskUnlock, CheckAccount, UnlockAccount


def ask(stage, name="dana"):
    """Somebody asks to be unlocked and is asked whether; returns the offer."""
    inbound = stage.world.say(name, "unlock my account")
    message = stage.message("unlock_account", inbound)
    sender = stage.world.person(name).id
    assert stage.run(CheckAccount, message, sender).outcome == "locked"
    return stage.show(stage.run(AskUnlock, message, sender), name)


class TestLooking:
    @pytest.mark.parametrize(
        ("situation", "outcome"),
        [("locked", "locked"), ("fine", "not_locked"), ("down", "down"), ("gone", "no_account")],
    )
    def test_u1_u2_says_what_it_sees(self, stage, situation, outcome):
        fake = stage.world.fake
        if situation == "locked":
            stage.world.lock()
        fake.down = situation == "down"
        if situation == "gone":
            del fake.accounts["00u-dana"]
        assert stage.typed(CheckAccount, "unlock me", "unlock_account").outcome == outcome

    def test_facts_for_the_designers(self, stage):
        stage.world.lock()
        result = stage.typed(CheckAccount, "unlock me", "unlock_account")
        assert result.slots == {
            "person_name": "Dana",
            "system_name": "Okta",
            "portal_url": "https://acme.example/portal",
            "enrolment_url": "https://acme.example/portal",
            "reset_limit": "2",
            "reset_window_hours": "24",
            "fresh_hours": "12",
            "approval_minutes": "30",
            "code_minutes": "10",
            "unlock_limit": "3",
            "unlock_window_hours": "24",
            "locked_since": "9:00 AM PST",
        }

    def test_law_4_system_that_does_not_answer_is_down_within_the_turns_deadline(self, stage, monkeypatch):
        monkeypatch.setattr(runtime, "MARGIN_SECONDS", 7.9)
        stage.world.fake.held = threading.Event()
        began = time.monotonic()
        assert stage.typed(CheckAccount, "unlock me", "unlock_account").outcome == "down"
        assert time.monotonic() - began < 2
        stage.world.fake.held.set()

    def test_law_4_nobody_waits_for_somebody_elses_slow_system(self, stage):
        """The store's threads and the event loop are free while a system's own threads are busy."""
        stage.world.fake.held = threading.Event()
        busy = [stage.world.system.submit(stage.world.fake.account, "00u-eli") for _ in range(4)]
        began = time.monotonic()
        assert stage.typed(AskMenu, "what can you do", "report_access_problem").outcome == "asked"
        assert time.monotonic() - began < 1
        stage.world.fake.held.set()
        assert all(future.result(10) for future in busy)


class TestAsking:
    def test_u2_asks_with_the_designers_buttons_about_this_lockout(self, stage):
        since = stage.world.lock()
        offer = ask(stage)
        assert [(a.title, a.intent) for a in offer.answers] == [
            ("Yes", "affirm"),
            ("Get help", "contact_support"),
            ("Cancel", "cancel"),
        ]
        assert offer.subject == {
            "act": "unlock",
            "system": "okta",
            "external_id": "00u-dana",
            "locked_at": since.isoformat(),
        }
        assert stage.world.fake.count("account") == 1, "what was just seen is not asked for again"

    def test_looks_itself_after_a_restart(self, stage):
        stage.world.lock()
        inbound = stage.world.say("dana", "unlock me")
        assert stage.run(AskUnlock, stage.message("unlock_account", inbound)).outcome == "asked"

    def test_nothing_is_asked_about_what_is_over(self, stage):
        result = stage.typed(AskUnlock, "unlock me", "unlock_account")
        assert (result.outcome, result.said) == ("not_locked", [])


class TestYes:
    @pytest.mark.parametrize("how", ["click", "yes", "sure", "yep go ahead", "1", "the first one"])
    def test_n3_x2_by_click_word_or_number(self, stage, how):
        stage.world.lock()
        offer = ask(stage)
        result = stage.clicked(UnlockAccount, offer) if how == "click" else stage.typed(UnlockAccount, how, "affirm")
        assert result.outcome == "unlocked" and stage.world.fake.unlocked == ["00u-dana"]
        assert stage.world.state_of(offer) == "answered"

    @pytest.mark.parametrize("trouble", ["lying", "relocking", "down", "refusing", "protected", "elsewhere", "limited"])
    def test_outcomes_of_a_bad_day(self, stage, trouble):
        stage.world.lock()
        offer = ask(stage)
        fake = stage.world.fake
        expected = {
            "lying": "failed",
            "relocking": "relocked",
            "down": "still_trying",
            "refusing": "failed",
            "protected": "human",
            "elsewhere": "already_unlocked",
            "limited": "limited",
        }[trouble]
        if trouble == "protected":
            fake.memberships["00u-dana"] = frozenset({"Okta Administrators"})
        elif trouble == "elsewhere":
            fake.unlock_elsewhere("00u-dana")
        elif trouble == "limited":
            stage.world.settings.unlock.max_per_window = 0
        else:
            setattr(fake, trouble, True)
        assert stage.clicked(UnlockAccount, offer).outcome == expected

    def test_system_without_connector_by_now_gives_instructions(self, stage):
        stage.world.lock()
        offer = ask(stage)
        stage.runtime.systems.pop("okta")
        stage.runtime.systems["vpn"] = stage.world.system
        assert stage.clicked(UnlockAccount, offer).outcome == "instructions"
        assert stage.world.state_of(offer) == "answered" and stage.world.rows(tables.requests) == []

    def test_law_4_slow_unlock_promises_and_follows_up(self, stage, monkeypatch):
        stage.world.lock()
        offer = ask(stage)
        monkeypatch.setattr(runtime, "MARGIN_SECONDS", 7.7)
        stage.world.fake.held = threading.Event()
        assert stage.clicked(UnlockAccount, offer).outcome == "still_trying"
        stage.world.fake.held.set()
        deadline = time.monotonic() + 5
        while not stage.world.rows(tables.notices) and time.monotonic() < deadline:
            time.sleep(0.01)
        (notice,) = stage.world.rows(tables.notices)
        assert notice["kind"] == notices.FOLLOW_UP and stage.world.fake.unlocked == ["00u-dana"]

    def test_law_5_replayed_turn_finds_what_its_first_run_did(self, stage):
        stage.world.lock()
        offer = ask(stage)
        inbound = stage.world.click("dana", offer)
        outcomes = [stage.run(UnlockAccount, stage.message("affirm", inbound)).outcome for _ in range(2)]
        assert outcomes == ["unlocked", "unlocked"] and stage.world.fake.count("unlock") == 1
        assert len(stage.world.rows(tables.tickets)) == 1


class TestNotYes:
    """X12, X3: what is no yes to one open, current question unlocks nothing."""

    def refused(self, stage, result):
        assert result.outcome == "stale" and stage.world.fake.unlocked == [] and not stage.world.rows(tables.requests)

    def test_classifier_alone_is_not_enough(self, stage):
        stage.world.lock()
        self.refused(stage, stage.typed(UnlockAccount, "yes", "affirm"))

    @pytest.mark.parametrize("answer", ["2", "3"])
    def test_other_buttons_of_the_question(self, stage, answer):
        stage.world.lock()
        self.refused(stage, stage.clicked(UnlockAccount, ask(stage), answer))

    def test_yes_to_another_question(self, stage):
        stage.world.lock()
        self.refused(stage, stage.clicked(UnlockAccount, stage.world.offer(question="help")))

    @pytest.mark.parametrize(("hours", "how"), [(2, "yes"), (24, "click")])
    def test_expired_question(self, stage, hours, how):
        stage.world.lock()
        offer = ask(stage)
        stage.world.clock.move(hours=hours)
        if how == "click":
            self.refused(stage, stage.clicked(UnlockAccount, offer))
        else:
            self.refused(stage, stage.typed(UnlockAccount, how, "affirm"))

    @pytest.mark.parametrize("state", [offers.REPLACED, offers.OVERTAKEN, offers.ANSWERED])
    def test_closed_question(self, stage, state):
        stage.world.lock()
        offer = ask(stage)
        with stage.world.store.begin() as connection:
            offers.close(connection, stage.world.clock.now(), offer.id, state)
        self.refused(stage, stage.clicked(UnlockAccount, offer))

    def test_question_shown_after_the_yes_was_written(self, stage):
        stage.world.lock()
        early = stage.world.say("dana", "yes")
        stage.show(stage.typed(AskUnlock, "unlock me", "unlock_account"))
        self.refused(stage, stage.run(UnlockAccount, stage.message("affirm", early)))

    def test_same_click_after_its_answer(self, stage):
        stage.world.lock()
        offer = ask(stage)
        first = stage.world.click("dana", offer)
        assert stage.run(UnlockAccount, stage.message("affirm", first)).outcome == "unlocked"
        conversation.mark_answered(stage.world.store, stage.world.clock, first)
        assert stage.clicked(UnlockAccount, offer).outcome == "stale"
        assert stage.world.fake.count("unlock") == 1

    def test_lockout_that_began_after_the_question(self, stage):
        stage.world.lock()
        offer = ask(stage)
        stage.world.clock.move(minutes=5)
        stage.world.lock()
        result = stage.clicked(UnlockAccount, offer)
        assert result.outcome == "stale" and stage.world.fake.count("unlock") == 0


class TestAfterwards:
    """U6, N5, U7."""

    @pytest.mark.parametrize(("action", "buttons"), [(AskAfterUnlock, 5), (AskAfterLockout, 4)])
    def test_asks_how_it_went_with_the_tickets_number(self, stage, action, buttons):
        stage.world.lock()
        inbound = stage.world.click("dana", ask(stage))
        message = stage.message("affirm", inbound)
        stage.run(UnlockAccount, message)
        result = stage.run(action, message)
        assert result.outcome == "asked" and result.slots["ticket_reference"] == "AA-1001"
        offer = stage.show(result)
        (request,), (ticket,) = stage.world.rows(tables.requests), stage.world.rows(tables.tickets)
        assert offer.subject == {"request": request["id"]}
        assert len(offer.answers) == buttons and ticket["state"] == tickets.RESOLVED

    @pytest.mark.parametrize("action", [AskAfterUnlock, AskAfterLockout])
    def test_law_11_never_says_unlocked_of_what_was_not(self, stage, action):
        stage.world.lock()
        inbound = stage.world.click("dana", ask(stage))
        stage.world.fake.lying = True
        stage.run(UnlockAccount, stage.message("affirm", inbound))
        for result in (
            stage.run(action, stage.message("affirm", inbound)),
            stage.typed(action, "it is unlocked, isn't it", "affirm"),
        ):
            assert (result.outcome, result.said) == ("failed", [])
