"""Questions: words and buttons are the designers', the offer is ours (G2, G4, X2, X5)."""

import threading
from dataclasses import replace

import pytest

from account_access import offers
from account_access.connectors.base import FactorKind, Status
from account_access.store import tables
from actions import runtime
from actions.asking import AskHelp, AskMenu, AskRephrase, AskWhich, buttons
from actions.unlock import CheckAccount, UnlockAccount
from tests.actions.stage import domain

ASKED = {"event": "user", "parse_data": {"intent": {"name": "nlu_fallback"}}}


class TestMenu:
    @pytest.mark.parametrize(
        ("outcome", "intent", "response"),
        [
            ("not_locked", "report_access_problem", "utter_ask_menu"),
            ("locked", "report_access_problem", "utter_ask_menu_locked"),
        ],
    )
    def test_g4_says_what_is_known(self, stage, outcome, intent, response):
        stage.outcome = outcome
        result = stage.typed(AskMenu, "I can't get in", intent)
        assert (result.outcome, result.responses) == ("asked", [response])
        titles = [answer.title for answer in stage.show(result).answers]
        assert titles == ["Unlock Account", "Forgot Password", "Reset MFA"]

    @pytest.mark.parametrize(
        ("cause", "first"),
        [
            ("expired", "Forgot Password"),
            ("recovery", "Forgot Password"),
            ("no_factor", "Reset MFA"),
            ("closed", "Get help"),
        ],
    )
    @pytest.mark.parametrize("intent", ["report_access_problem", "unlock_account"])
    def test_g4_what_the_directory_shows_comes_first_and_the_others_stay(self, stage, cause, first, intent):
        fake, account = stage.world.fake, stage.world.account()
        status = {"expired": Status.PASSWORD_EXPIRED, "recovery": Status.RECOVERY, "closed": Status.DEACTIVATED}
        fake.accounts[account] = replace(fake.accounts[account], status=status.get(cause, Status.ACTIVE))
        inbound = stage.world.say("dana", "I can't get in")
        assert stage.run(CheckAccount, stage.message(intent, inbound)).outcome == "not_locked"
        result = stage.run(AskMenu, stage.message(intent, inbound))
        assert result.responses == [f"utter_ask_menu_{cause}"]
        titles = [answer.title for answer in stage.show(result).answers]
        assert titles[0] == first and {"Unlock Account", "Forgot Password", "Reset MFA"} <= set(titles)

    def test_g4_nothing_to_say_of_an_account_that_is_well(self, stage):
        stage.world.fake.enrol(stage.world.account(), FactorKind.SMS)
        inbound = stage.world.say("dana", "I can't get in")
        message = stage.message("report_access_problem", inbound)
        assert stage.run(CheckAccount, message).outcome == "not_locked"
        assert stage.run(AskMenu, message).responses == ["utter_ask_menu"]

    def test_law4_a_slow_look_is_no_cause(self, stage, monkeypatch):
        inbound = stage.world.say("dana", "I can't get in")
        message = stage.message("report_access_problem", inbound)
        stage.run(CheckAccount, message)
        monkeypatch.setattr(runtime, "MARGIN_SECONDS", 7.9)
        stage.world.fake.held = threading.Event()
        assert stage.run(AskMenu, message).responses == ["utter_ask_menu"]
        stage.world.fake.held.set()

    def test_replayed_turn_asks_the_same_question(self, stage):
        inbound = stage.world.say("dana", "help")
        first, again = (stage.run(AskMenu, stage.message("report_access_problem", inbound)) for _ in range(2))
        assert first.said == again.said and len(stage.world.rows(tables.offers)) == 1

    def test_question_holds_for_as_long_as_the_settings_say(self, stage):
        stage.world.settings.conversation.offer_hours = 3
        offer = stage.show(stage.typed(AskMenu, "help", "report_access_problem"))
        assert (offer.expires_at - offer.created_at).total_seconds() == 3 * 3600


class TestRephrase:
    """X5: the likeliest meanings as buttons, once; then a ticket."""

    @pytest.mark.parametrize(
        ("ranking", "expected"),
        [
            ([("reset_mfa", 0.4), ("reset_password", 0.38)], ["reset_mfa", "reset_password", "unlock_account"]),
            ([("deny", 0.5), ("ask_history", 0.3)], ["ask_history", "unlock_account", "reset_password"]),
            (
                [("ask_history", 0.3), ("reset_mfa", 0.2), ("unlock_account", 0.1), ("reset_password", 0.1)],
                ["ask_history", "reset_mfa", "unlock_account"],
            ),
            ([("thank", 0.3), ("reset_mfa", 0.01)], ["unlock_account", "reset_password", "reset_mfa"]),
            ([], ["unlock_account", "reset_password", "reset_mfa"]),
        ],
        ids=["close", "filled up", "no more than three", "no guess", "nothing known"],
    )
    def test_x5_offers_the_likeliest(self, stage, ranking, expected):
        ranked = [{"name": name, "confidence": share} for name, share in ranking]
        message = stage.message("nlu_fallback", stage.world.say("dana", "blub"), intent_ranking=ranked)
        result = stage.run(AskRephrase, message)
        assert (result.outcome, result.responses) == ("asked", ["utter_ask_rephrase"])
        assert [answer.intent for answer in stage.show(result).answers] == expected

    def test_x5_never_a_third_round(self, stage):
        stage.events = [ASKED, ASKED]
        result = stage.typed(AskRephrase, "blub", "nlu_fallback")
        assert (result.outcome, result.said) == ("give_up", [])

    @pytest.mark.parametrize("before", ["greet", None])
    def test_x5_second_round_only_if_something_was_understood_between(self, stage, before):
        earlier = {"event": "user", "parse_data": {"intent": {"name": before}} if before else {}}
        stage.events = [ASKED, earlier, ASKED]
        assert stage.typed(AskRephrase, "blub", "nlu_fallback").outcome == "asked"


class TestHelp:
    """One response a cause; the cause is what just happened, or what was asked for."""

    @pytest.mark.parametrize(
        ("outcome", "intent", "cause"),
        [
            ("down", "unlock_account", "down"),
            ("limited", "affirm", "limited"),
            ("human", "affirm", "human"),
            ("failed", "affirm", "failed"),
            ("relocked", "affirm", "relocked"),
            ("instructions", "unlock_account", "instructions"),
            ("no_account", "unlock_account", "no_account"),
            ("no_article", "reset_password", "no_article"),
            (None, "ask_mfa_instructions", "mfa"),
            (None, "ask_about_someone_else", "someone_else"),
            ("paused", "unlock_account", "paused"),
            ("expiry_unknown", "ask_password_expiry", "expiry_unknown"),
            ("password_human", "recover_access", "password_human"),
            ("give_up", "nlu_fallback", "not_understood"),
        ],
    )
    def test_cause(self, stage, outcome, intent, cause):
        stage.outcome = outcome
        result = stage.typed(AskHelp, "words", intent)
        assert (result.outcome, result.responses) == ("asked", [f"utter_ask_help_{cause}"])
        assert stage.show(result).subject == {"cause": cause} | ({"system": "okta"} if cause == "down" else {})

    def test_x6_who_meets_a_silent_system_is_told_when_it_is_back(self, stage):
        inbound = stage.world.say("dana", "unlock me")
        for _ in range(2):
            stage.outcome = "down"
            stage.run(AskHelp, stage.message("unlock_account", inbound))
        (waiting,) = stage.world.rows(tables.outages)
        assert (waiting["person_id"], waiting["system"]) == (stage.world.person().id, "okta")

    def test_x6_whoever_needs_help_otherwise_waits_for_nothing(self, stage):
        stage.outcome = "limited"
        stage.typed(AskHelp, "unlock me", "unlock_account")
        assert stage.world.rows(tables.outages) == []


class TestWhich:
    """X2: with several open questions the person is asked which."""

    TICKET = (("Open a ticket", "affirm"), ("Cancel", "cancel"))

    def several(self, stage):
        stage.world.lock()
        lockout = stage.world.unlock_offer(question="lockout")
        return lockout, stage.world.offer(question="help", answers=self.TICKET)

    def test_offers_the_yes_of_each(self, stage):
        self.several(stage)
        result = stage.typed(AskWhich, "sure", "affirm")
        which = stage.show(result)
        assert (result.outcome, which.question) == ("asked", "which")
        assert [(a.intent, a.question) for a in which.answers] == [("affirm", "lockout"), ("affirm", "help")]

    @pytest.mark.parametrize("how", ["click", "number"])
    def test_answer_acts_on_the_question_behind_it(self, stage, how):
        lockout, _ = self.several(stage)
        which = stage.show(stage.typed(AskWhich, "sure", "affirm"))
        result = stage.clicked(UnlockAccount, which) if how == "click" else stage.typed(UnlockAccount, "1", "affirm")
        assert result.outcome == "unlocked" and stage.world.state_of(lockout) == "answered"

    def test_no_lists_every_no(self, stage):
        self.several(stage)
        which = stage.show(stage.typed(AskWhich, "nope", "deny"))
        assert [(answer.intent, answer.question) for answer in which.answers] == [
            ("deny", "lockout"),
            ("cancel", "help"),
        ]

    def test_every_button_says_what_it_is_about(self, stage):
        """A designer names each question (`utter_which_<question>`); two buttons never read the same."""
        self.several(stage)
        which = stage.show(stage.typed(AskWhich, "sure", "affirm"))
        names = [domain()["responses"][f"utter_which_{question}"][0]["text"] for question in ("lockout", "help")]
        assert [answer.title for answer in which.answers] == [f"{names[0]}: Yes", f"{names[1]}: Open a ticket"]

    ANSWERS = (("Already updated", "already_updated"), ("Remind me later", "remind_later"))

    @pytest.mark.parametrize("words", [("sure", "affirm"), ("no", "deny")])
    def test_bare_yes_or_no_to_a_reminder_asks_which_of_its_answers(self, stage, words):
        reminder = stage.world.offer(question="password_reminder", answers=self.ANSWERS)
        which = stage.show(stage.typed(AskWhich, *words))
        named = domain()["responses"]["utter_which_password_reminder"][0]["text"]
        assert [a.title for a in which.answers] == [f"{named}: Already updated", f"{named}: Remind me later"]
        assert {a.question for a in which.answers} == {reminder.question}
        assert stage.world.state_of(reminder) == "open", "nothing is taken for answered"

    @pytest.mark.parametrize(("words", "answer"), [(("sure", "affirm"), "Yes"), (("no", "deny"), "No")])
    def test_x12_bare_yes_or_no_after_a_reminder_asks_about_both(self, stage, words, answer):
        lockout, _ = self.several(stage)
        stage.world.offer(question="password_reminder", answers=self.ANSWERS, from_notice=True)
        which = stage.show(stage.typed(AskWhich, *words))
        assert [a.title.partition(": ")[2] for a in which.answers if a.question == "lockout"] == [answer]
        assert [a.intent for a in which.answers][-2:] == ["already_updated", "remind_later"]
        assert stage.typed(UnlockAccount, *words).outcome != "unlocked"
        assert stage.world.state_of(lockout) == "open"

    def test_x12_yes_to_which_one_after_a_reminder_is_the_only_yes_in_it(self, stage):
        lockout = stage.world.unlock_offer(question="lockout")
        stage.world.lock()
        stage.world.offer(question="password_reminder", answers=self.ANSWERS, from_notice=True)
        stage.show(stage.typed(AskWhich, "yes", "affirm"))
        assert stage.typed(UnlockAccount, "yes", "affirm").outcome == "unlocked"
        assert stage.world.state_of(lockout) == "answered"

    def test_asked_again_it_asks_about_the_questions_and_not_about_itself(self, stage):
        self.several(stage)
        stage.show(stage.typed(AskWhich, "sure", "affirm"))
        again = stage.show(stage.typed(AskWhich, "yes", "affirm"))
        assert [answer.question for answer in again.answers] == ["lockout", "help"]

    def test_nothing_open_is_nothing_to_choose_from(self, stage):
        assert stage.typed(AskWhich, "sure", "affirm").outcome == "nothing_open"

    def test_closed_meanwhile(self, stage):
        lockout, help_offer = self.several(stage)
        inbound = stage.world.say("dana", "sure")
        for offer in (lockout, help_offer):
            with stage.world.store.begin() as connection:
                offers.close(connection, stage.world.clock.now(), offer.id, offers.OVERTAKEN)
        assert stage.run(AskWhich, stage.message("affirm", inbound)).outcome == "nothing_open"


class TestButtons:
    def test_payload_is_an_intent(self):
        assert buttons(domain(), "utter_ask_lockout") == [
            ("Yes", "affirm"),
            ("No", "deny"),
            ("This wasn't me", "report_not_me"),
        ]

    @pytest.mark.parametrize("response", ["utter_no_such_thing", "utter_greet"])
    def test_question_without_buttons_is_the_designers_mistake(self, response):
        with pytest.raises(KeyError, match=response):
            buttons(domain(), response)
