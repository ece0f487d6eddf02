"""How things stand, and what a question means: told from the store, with the question once more (X4, X12)."""

import pytest

from account_access import freezes, notices, offers, outages, tickets
from account_access.store import tables
from actions.asking import AskHelp, AskMenu, AskRephrase
from actions.mfa import ApproveReset, AskApproval, AskApprove, AskProof, DenyReset, RequestApproval, RequestProof
from actions.password import SendResetLink
from actions.safety import AnnounceAvailable, CheckFreeze, TellWhyLocked
from actions.standing import TellApproval, TellIfSafe, TellMeaning, TellQuestionStands, TellStanding
from actions.support import MarkResolved, OpenTicket, ReopenIssue
from actions.unlock import CheckAccount
from tests.actions.test_mfa import KEY, enrol

TWO = (("Open a ticket", "affirm"), ("No, thanks", "deny"))
RECOVER = (("Recover access", "recover_access"), ("Cancel", "cancel"))


def stands(stage, name="dana", words="what now?"):
    return stage.typed(TellStanding, words, "ask_ticket_status", name)


def wait(stage, minutes=1):
    stage.world.clock.move(minutes=minutes)


class TestTicket:
    def test_status_is_told(self, stage):
        assert stands(stage).outcome == "ticket_none"
        stage.typed(OpenTicket, "get help", "contact_support", "eli")
        assert stands(stage).outcome == "ticket_none"
        stage.typed(OpenTicket, "get help", "contact_support")
        result = stands(stage)
        assert (result.outcome, result.slots["ticket_reference"]) == ("ticket_told", "AA-1002")

    def test_open_before_resolved(self, stage):
        with stage.world.store.begin() as connection:
            now, me = stage.world.clock.now(), stage.world.person().id
            first = tickets.open_ticket(connection, now, me, "help:1", "Help", "x")
            tickets.change_state(connection, now, first, tickets.RESOLVED, "done", "k")
        result = stands(stage)
        assert (result.outcome, result.slots["ticket_changed"]) == ("ticket_closed", "9:00 AM PST")
        wait(stage)
        with stage.world.store.begin() as connection:
            tickets.open_ticket(connection, stage.world.clock.now(), me, "help:2", "Help", "x")
        result = stands(stage)
        assert (result.outcome, result.slots["ticket_reference"]) == ("ticket_told", "AA-1002")


def freeze(stage, name="dana"):
    with stage.world.store.begin() as connection:
        freezes.report(connection, stage.world.clock.now(), stage.world.person(name), f"cause-{name}", "said so")


class TestFrozen:
    def test_x10_the_freeze_comes_first(self, stage):
        stage.typed(OpenTicket, "get help", "contact_support")
        freeze(stage)
        assert stands(stage).outcome == "frozen"
        assert stands(stage, "eli").outcome == "ticket_none"

    def test_x10_it_was_me_lifts_nothing(self, stage):
        assert stage.typed(CheckFreeze, "it was me", "report_was_me").outcome == "not_frozen"
        freeze(stage)
        assert stage.typed(CheckFreeze, "it was me", "report_was_me").outcome == "frozen"
        with stage.world.store.reading() as connection:
            assert freezes.standing(connection, stage.world.person().id)


class TestSilentSystem:
    def meet(self, stage):
        stage.world.fake.down = True
        inbound = stage.world.say("dana", "unlock me")
        message = stage.message("unlock_account", inbound)
        assert stage.run(CheckAccount, message).outcome == "down"
        return stage.show(stage.run(AskHelp, message))

    def test_x6_when_will_it_be_back(self, stage):
        self.meet(stage)
        result = stands(stage, words="when will it be back")
        assert (result.outcome, result.responses) == ("told", ["utter_tell_standing_system"])
        assert result.slots["system_name"] == "Okta" and stands(stage, "eli").outcome == "ticket_none"

    def test_whoever_opened_a_ticket_since_hears_of_the_ticket(self, stage):
        offer = self.meet(stage)
        wait(stage)
        stage.clicked(OpenTicket, offer)
        assert stands(stage).outcome == "ticket_told"

    def test_x6_once_it_is_back_a_yes_no_longer_opens_a_ticket(self, stage):
        offer = self.meet(stage)
        stage.world.fake.down = False
        wait(stage)
        with stage.world.store.reading() as connection:
            waiting = outages.waited_for(connection, stage.world.clock.now(), stage.world.person().id)
        outages.over(stage.world.store, stage.world.clock.now(), [waiting])
        notice = stage.notice(notices.AVAILABLE)
        assert stage.announced(AnnounceAvailable, notice).outcome == "available"
        assert stage.world.state_of(offer) == offers.OVERTAKEN
        stage.show(stage.announced(AskMenu, notice))
        assert stage.typed(CheckAccount, "yes unlock", "unlock_account").outcome == "not_locked"
        assert stands(stage).outcome == "ticket_none"

    def test_x6_another_systems_offer_of_a_ticket_stays(self, stage):
        other = stage.world.offer(question="help", answers=TWO, subject={"cause": "down", "system": "vpn"})
        limited = stage.world.offer(question="help", answers=TWO, subject={"cause": "limited"}, from_notice=True)
        stage.announced(AnnounceAvailable, stage.notice(notices.AVAILABLE))
        assert offers.OVERTAKEN not in (stage.world.state_of(other), stage.world.state_of(limited))


class TestManagersWord:
    @pytest.fixture
    def stage(self, stage):
        stage.world.settings.mfa.verification = "manager_approval"
        stage.world.fake.managers["00u-dana"] = "00u-mona"
        enrol(stage, (KEY, "YubiKey 5C"))
        return stage

    def offered(self, stage):
        inbound = stage.world.say("dana", "reset my mfa")
        return stage.show(stage.run(AskApproval, stage.message("reset_mfa", inbound)))

    def asked(self, stage):
        """Dana asks, and Mona has the question in front of her."""
        assert stage.clicked(RequestApproval, self.offered(stage)).outcome == "approval_asked"
        (row,) = stage.world.rows(tables.notices, kind=notices.APPROVAL)
        with stage.world.store.reading() as connection:
            notice = notices.find(connection, row["id"])
        return stage.show(stage.announced(AskApprove, notice, "mona"), "mona")

    @pytest.mark.parametrize(("action", "intent"), [(TellApproval, "ask_manager"), (TellStanding, "ask_ticket_status")])
    def test_m9_i_have_asked_already(self, stage, action, intent):
        self.asked(stage)
        wait(stage, 5)
        result = stage.typed(action, "ask my manager please", intent)
        assert (result.outcome, result.responses) == ("told", ["utter_tell_standing_approval"])
        facts = [result.slots[name] for name in ("approver_name", "asked_at", "approve_until")]
        assert facts == ["Mona Reed", "9:00 AM PST", "9:30 AM PST"]

    def test_m9_not_asked_yet_or_not_wanted(self, stage):
        result = stage.typed(TellApproval, "ask my boss", "ask_manager")
        assert result.responses == ["utter_tell_approval_none"]
        offer = self.offered(stage)
        result = stage.typed(TellApproval, "then ask her", "ask_manager")
        assert result.said == [("utter_tell_approval_offered", {**result.said[0][1], "offer": offer.id})]

    @pytest.mark.parametrize(
        ("action", "words", "intent"),
        [
            (AskRephrase, "I just talked to him, approved", "nlu_fallback"),
            (TellIfSafe, "is this legit?", "ask_if_safe"),
            (MarkResolved, "he just called me, all good", "report_resolved"),
            (TellStanding, "what now?", "ask_ticket_status"),
            (TellMeaning, "what is that?", "ask_meaning"),
        ],
    )
    def test_x12_whose_reset_it_is_is_named_with_the_same_question_and_nothing_is_decided(
        self, stage, action, words, intent
    ):
        offer = self.asked(stage)
        result = stage.typed(action, words, intent, "mona")
        assert result.responses == ["utter_tell_standing_approve"] and result.said[0][1]["offer"] == offer.id
        assert (result.slots["requester_name"], result.slots["approve_until"]) == ("Dana Reed", "9:30 AM PST")
        assert stage.world.state_of(offer) == "open" and stage.world.rows(tables.requests)[0]["state"] == "awaiting"
        stage.show(result, "mona")
        assert stage.typed(ApproveReset, "yes", "affirm", "mona").outcome == "approved"

    def test_m9_no_longer_asked_once_the_request_is_over(self, stage):
        offer = self.asked(stage)
        stage.world.resets.end_waiting(stage.world.resets.find(offer.subject["request"]), "approval_expired", "late")
        result = stage.typed(TellIfSafe, "is this legit?", "ask_if_safe", "mona")
        assert result.responses == ["utter_approval_over"]

    @pytest.mark.parametrize("ended", ["approval_denied", "approval_expired"])
    def test_m9_why_after_a_no_is_about_the_no(self, stage, ended):
        offer = self.asked(stage)
        wait(stage, 5)
        if ended == "approval_denied":
            assert stage.typed(DenyReset, "no", "deny", "mona").outcome == ended
        else:
            stage.world.resets.end_waiting(stage.world.resets.find(offer.subject["request"]), ended, "late")
        result = stage.typed(TellWhyLocked, "why?", "ask_why_locked")
        assert (result.outcome, result.responses) == ("told", [f"utter_tell_why_locked_{ended}"])
        assert (result.slots["approver_name"], result.slots["decided_at"]) == ("Mona Reed", "9:05 AM PST")
        wait(stage)
        stage.world.lock()
        assert stage.typed(TellWhyLocked, "why?", "ask_why_locked").responses == ["utter_tell_why_locked_unknown"]
        stage.world.fake.unlock_elsewhere("00u-dana")
        stage.world.clock.move(hours=25)
        assert "approval" not in str(stage.typed(TellWhyLocked, "why?", "ask_why_locked").responses)


class TestMeaning:
    def asked(self, stage):
        return stage.typed(TellMeaning, "what is recover", "ask_meaning")

    def test_x4_asking_what_it_is_begins_nothing_and_shows_the_same_question(self, stage):
        offer = stage.world.offer(question="password", answers=RECOVER, subject={"system": "okta"})
        result = self.asked(stage)
        assert result.responses == ["utter_tell_meaning_password"] and result.said[0][1]["offer"] == offer.id
        assert stage.world.state_of(offer) == "open" and stage.world.rows(tables.links) == []

    def test_p2_what_the_page_behind_a_link_asks_for(self, stage):
        offer = stage.world.offer(question="password", answers=RECOVER, subject={"system": "okta"})
        assert stage.clicked(SendResetLink, offer).outcome == "link_made"
        assert self.asked(stage).responses == ["utter_tell_meaning_link"]
        stage.world.clock.move(hours=1)
        assert self.asked(stage).responses == ["utter_tell_meaning_other"]

    @pytest.mark.parametrize("question", [None, "contractor"])
    def test_nothing_open_that_has_an_explanation(self, stage, question):
        if question:
            stage.world.offer(question=question)
        result = self.asked(stage)
        assert (result.outcome, result.responses) == ("told", ["utter_tell_meaning_other"])

    @pytest.mark.parametrize("action, intent", [(TellMeaning, "ask_meaning"), (TellStanding, "ask_ticket_status")])
    def test_m7_which_code_and_where(self, stage, action, intent):
        stage.world.settings.mfa.verification = "code"
        enrol(stage, (KEY, "YubiKey 5C"))
        inbound = stage.world.say("dana", "reset my mfa")
        offer = stage.show(stage.run(AskProof, stage.message("reset_mfa", inbound)))
        assert self.asked(stage).responses == ["utter_tell_meaning_proof"]
        assert stage.clicked(RequestProof, offer).outcome == "proof_asked"
        (row,) = stage.world.rows(tables.requests)
        result = stage.typed(action, "what code?", intent)
        assert result.responses == ["utter_tell_meaning_code"]
        assert result.slots["proof_path"] == f"/prove/{row['id']}"
        stage.world.clock.move(minutes=11)
        assert stage.typed(action, "what code?", intent).responses != ["utter_tell_meaning_code"]


class TestAgain:
    def test_x4_the_lockouts_question_stands_only_while_it_is_open(self, stage):
        stage.world.lock()
        offer = stage.world.unlock_offer(question="lockout")
        result = stage.typed(TellQuestionStands, "is that safe?", "ask_if_safe")
        assert result.responses == ["utter_tell_question_stands"] and result.said[0][1]["offer"] == offer.id
        with stage.world.store.begin() as connection:
            offers.close(connection, stage.world.clock.now(), offer.id, offers.OVERTAKEN)
        result = stage.typed(TellQuestionStands, "is that safe?", "ask_if_safe")
        assert (result.outcome, result.responses) == ("told", [])

    def test_x4_is_that_safe(self, stage):
        assert stage.typed(TellIfSafe, "is that safe?", "ask_if_safe").responses == ["utter_tell_if_safe"]
        offer = stage.world.offer(question="password", answers=RECOVER, subject={"system": "okta"})
        result = stage.typed(TellIfSafe, "what happens if I press that?", "ask_if_safe")
        assert result.responses == ["utter_tell_if_safe", "utter_tell_meaning_password"]
        assert result.said[1][1]["offer"] == offer.id

    def test_x4_steps_that_did_not_help_lead_to_a_ticket(self, stage):
        assert stage.typed(ReopenIssue, "that didn't help", "report_unresolved").outcome == "nothing_open"
        stage.world.offer(question="after_article", answers=TWO)
        assert stage.typed(ReopenIssue, "that didn't help", "report_unresolved").outcome == "not_helped"
        result = stage.typed(AskHelp, "that didn't help", "report_unresolved")
        assert result.responses == ["utter_ask_help_not_helped"]
        stage.show(result)
        assert stage.typed(ReopenIssue, "still not working", "report_unresolved").outcome == "not_helped"
        stage.world.clock.move(hours=3)
        assert stage.typed(ReopenIssue, "that didn't help", "report_unresolved").outcome == "nothing_open"

    @pytest.mark.parametrize(
        ("question", "told"),
        [("after_reset", "reset"), ("after_unlock", "unlocked"), ("after_lockout", "unlocked")],
    )
    def test_m3_n5_what_now_after_an_act_is_what_its_owner_does_next(self, stage, question, told):
        stage.typed(OpenTicket, "get help", "contact_support")
        wait(stage)
        stage.world.lock()
        subject, worked = {"request": stage.world.confirmed()}, (("Great, it worked!", "report_resolved"),)
        offer = stage.world.offer(question=question, answers=worked, subject=subject)
        result = stands(stage)
        assert result.responses == [f"utter_tell_standing_{told}"] and result.said[0][1]["offer"] == offer.id
        wait(stage, 90)
        stage.typed(OpenTicket, "get help", "contact_support")
        assert stands(stage).outcome == "ticket_told"

    def test_p3_what_now_after_a_typed_secret(self, stage):
        for intent in ("share_secret", "ask_ticket_status"):
            stage.events.append({"event": "user", "parse_data": {"intent": {"name": intent}}})
        result = stands(stage, words="oh no, what now?")
        assert (result.outcome, result.responses) == ("told", ["utter_tell_standing_secret"])
