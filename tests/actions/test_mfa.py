"""MFA reset in chat: look, choose, ask, reset, and the manager's word (M1-M4, M7-M9, X12)."""

import threading
import time
from datetime import timedelta

import pytest

from account_access import notices, offers
from account_access.connectors.base import FactorKind
from account_access.store import tables
from actions import runtime
from actions.asking import AskHelp
from actions.mfa import (
    ApproveReset,
    AskAfterReset,
    AskApproval,
    AskApprove,
    AskFactor,
    AskProof,
    AskResetMfa,
    CheckFactors,
    DenyReset,
    RequestApproval,
    RequestProof,
    ResetMfa,
)
from actions.notices import AnnounceFollowUp
from actions.support import Dismiss
from tests.account_access.world import UNDATED

APP = FactorKind.GOOGLE_AUTHENTICATOR
PUSH, CODE, KEY, SMS = (
    FactorKind.OKTA_VERIFY_PUSH,
    FactorKind.OKTA_VERIFY_CODE,
    FactorKind.SECURITY_KEY,
    FactorKind.SMS,
)
STALE = timedelta(hours=13)


def enrol(stage, *factors, name="dana") -> list[str]:
    """Enrols (kind, name) for somebody; returns the ids."""
    return [stage.world.fake.enrol(stage.world.account(name), kind, given) for kind, given in factors]


def two(stage) -> list[str]:
    return enrol(stage, (KEY, "YubiKey 5C"), (SMS, "+1 XXX-XXX-0142"))


def which(stage, ago=timedelta(0)):
    """Dana asks for a reset and is asked which factor; returns the offer."""
    inbound = stage.world.say("dana", "reset my mfa", signed_in_ago=ago)
    message = stage.message("reset_mfa", inbound)
    assert stage.run(CheckFactors, message).outcome == "several_factors"
    return stage.show(stage.run(AskFactor, message))


def whether(stage):
    """The only factor: Dana is asked whether to reset it; returns the offer."""
    inbound = stage.world.say("dana", "reset my mfa")
    message = stage.message("reset_mfa", inbound)
    assert stage.run(CheckFactors, message).outcome == "one_factor"
    return stage.show(stage.run(AskResetMfa, message))


def titles(offer) -> list[str]:
    return [answer.title for answer in offer.answers]


class TestChoosing:
    def test_m4_factors_are_offered_by_the_names_their_owner_knows(self, stage):
        two(stage)
        assert titles(which(stage)) == [
            *("Security key (YubiKey 5C)", "Text message (+1 XXX-XXX-0142)", "All of them", "Get help", "Cancel")
        ]

    def test_m4_all_of_them_only_where_the_settings_allow_it(self, stage):
        stage.world.settings.mfa.mode = "one_by_one"
        two(stage)
        assert "All of them" not in titles(which(stage))

    @pytest.mark.parametrize(
        ("how", "chosen"),
        [
            ("click 1", [0]),
            ("click 3", [0, 1]),
            ("2", [1]),
            ("the first one", [0]),
            ("Security key (YubiKey 5C)", [0]),
            ("yubikey 5c", [0]),
            ("text message", [1]),
            ("all of them", [0, 1]),
        ],
    )
    def test_m4_by_click_number_or_name(self, stage, how, chosen):
        ids = two(stage)
        offer = which(stage)
        if how.startswith("click"):
            result = stage.clicked(AskResetMfa, offer, how[-1])
        else:
            result = stage.typed(AskResetMfa, how, "choose_factor")
        assert result.outcome == "asked" and stage.world.state_of(offer) == "answered"
        assert stage.show(result).subject["factor_ids"] == sorted(ids[n] for n in chosen)

    def test_m4_the_question_names_what_goes_and_what_goes_along(self, stage):
        (code,) = enrol(stage, (CODE, "Pixel 8"))
        stage.world.fake.enrol("00u-dana", PUSH, "Pixel 8", takes_along=frozenset({code}))
        inbound = stage.world.say("dana", "reset my mfa")
        result = stage.run(AskResetMfa, stage.message("reset_mfa", inbound))
        assert result.slots["factors"] == "Okta Verify codes (Pixel 8), Okta Verify (Pixel 8)"
        assert titles(stage.show(result)) == ["Yes, reset MFA", "Get help", "Cancel"]

    def test_law_5_factor_that_went_meanwhile_is_asked_about_no_more(self, stage):
        ids = two(stage)
        offer = which(stage)
        stage.world.fake.remove_factor("00u-dana", ids[0])
        assert stage.clicked(AskResetMfa, offer, "1").outcome == "factors_changed"

    def test_m8_no_factor(self, stage):
        result = stage.typed(CheckFactors, "reset my mfa", "reset_mfa")
        assert result.outcome == "no_factor" and result.slots["enrolment_url"] == "https://acme.example/portal"

    def test_law_4_system_that_does_not_answer_is_down_within_the_turns_deadline(self, stage, monkeypatch):
        monkeypatch.setattr(runtime, "MARGIN_SECONDS", 7.9)
        stage.world.fake.held = threading.Event()
        began = time.monotonic()
        assert stage.typed(CheckFactors, "reset my mfa", "reset_mfa").outcome == "down"
        assert time.monotonic() - began < 2
        stage.world.fake.held.set()


class TestYes:
    @pytest.mark.parametrize("how", ["click", "yes", "sure", "1", "yes, reset mfa"])
    def test_m1_m2_by_click_word_or_number(self, stage, how):
        ids = enrol(stage, (KEY, "YubiKey 5C"))
        offer = whether(stage)
        result = stage.clicked(ResetMfa, offer) if how == "click" else stage.typed(ResetMfa, how, "affirm")
        assert result.outcome == "mfa_reset" and stage.world.fake.removed == ids

    def test_m3_reset_complete_with_its_ticket(self, stage):
        enrol(stage, (KEY, "YubiKey 5C"))
        inbound = stage.world.click("dana", whether(stage))
        message = stage.message("affirm", inbound)
        stage.run(ResetMfa, message)
        result = stage.run(AskAfterReset, message)
        assert result.outcome == "asked" and result.slots["ticket_reference"] == "AA-1001"
        assert titles(stage.show(result))[:3] == ["Great, it worked!", "Forgot Password", "Re-open issue"]

    def test_law_11_never_says_reset_of_what_was_not(self, stage):
        enrol(stage, (KEY, "YubiKey 5C"))
        inbound = stage.world.click("dana", whether(stage))
        stage.world.fake.lying = True
        assert stage.run(ResetMfa, stage.message("affirm", inbound)).outcome == "mfa_failed"
        for result in (
            stage.run(AskAfterReset, stage.message("affirm", inbound)),
            stage.typed(AskAfterReset, "it is reset, isn't it", "affirm"),
        ):
            assert (result.outcome, result.said) == ("mfa_failed", [])

    def test_law_5_replayed_turn_finds_what_its_first_run_did(self, stage):
        enrol(stage, (KEY, "YubiKey 5C"))
        inbound = stage.world.click("dana", whether(stage))
        outcomes = [stage.run(ResetMfa, stage.message("affirm", inbound)).outcome for _ in range(2)]
        assert outcomes == ["mfa_reset"] * 2 and stage.world.fake.count("remove_factor") == 1

    def test_law_4_slow_reset_promises_and_follows_up(self, stage):
        enrol(stage, (KEY, "YubiKey 5C"))
        offer = whether(stage)
        stage.world.fake.down = True
        assert stage.clicked(ResetMfa, offer).outcome == "still_trying"
        assert stage.typed(CheckFactors, "reset my mfa", "reset_mfa").outcome == "under_way"
        stage.world.fake.down = False
        stage.world.clock.move(minutes=1)
        (stuck,) = stage.world.resets.due()
        assert stage.world.resets.execute(stage.world.system, stuck.id) == "mfa_reset"
        notice = stage.notice(notices.FOLLOW_UP, request=stuck.id)
        assert stage.announced(AnnounceFollowUp, notice).outcome == "mfa_reset"
        assert stage.announced(AskAfterReset, notice).outcome == "asked"

    def test_system_without_connector_by_now_gives_instructions(self, stage):
        enrol(stage, (KEY, "YubiKey 5C"))
        offer = whether(stage)
        stage.runtime.systems["vpn"] = stage.runtime.systems.pop("okta")
        assert stage.clicked(ResetMfa, offer).outcome == "mfa_instructions"
        assert stage.world.rows(tables.requests) == []


class TestNotYes:
    """X12, X3: what is no yes to one open, current question removes nothing."""

    def refused(self, stage, result):
        assert result.outcome == "stale" and stage.world.fake.removed == [] and not stage.world.rows(tables.requests)

    def test_classifier_alone_is_not_enough(self, stage):
        enrol(stage, (KEY, "YubiKey 5C"))
        self.refused(stage, stage.typed(ResetMfa, "yes", "affirm"))

    def test_asking_for_it_again_is_no_yes(self, stage):
        enrol(stage, (KEY, "YubiKey 5C"))
        whether(stage)
        self.refused(stage, stage.typed(ResetMfa, "reset mfa", "reset_mfa"))

    @pytest.mark.parametrize("answer", ["2", "3"])
    def test_other_buttons_of_the_question(self, stage, answer):
        enrol(stage, (KEY, "YubiKey 5C"))
        self.refused(stage, stage.clicked(ResetMfa, whether(stage), answer))

    @pytest.mark.parametrize("question", ["help", "approval", "lockout"])
    def test_yes_to_another_question(self, stage, question):
        ids = enrol(stage, (KEY, "YubiKey 5C"))
        subject = {"act": "reset_mfa", "system": "okta", "external_id": "00u-dana", "factor_ids": ids}
        self.refused(stage, stage.clicked(ResetMfa, stage.world.offer(question=question, subject=subject)))

    @pytest.mark.parametrize(("hours", "how"), [(2, "yes"), (24, "click")])
    def test_expired_question(self, stage, hours, how):
        enrol(stage, (KEY, "YubiKey 5C"))
        offer = whether(stage)
        stage.world.clock.move(hours=hours)
        self.refused(stage, stage.clicked(ResetMfa, offer) if how == "click" else stage.typed(ResetMfa, how, "affirm"))

    @pytest.mark.parametrize("state", [offers.REPLACED, offers.OVERTAKEN, offers.ANSWERED])
    def test_closed_question(self, stage, state):
        enrol(stage, (KEY, "YubiKey 5C"))
        offer = whether(stage)
        with stage.world.store.begin() as connection:
            offers.close(connection, stage.world.clock.now(), offer.id, state)
        self.refused(stage, stage.clicked(ResetMfa, offer))

    def test_cancelling_leaves_a_lockout_notice_alone(self, stage):
        enrol(stage, (KEY, "YubiKey 5C"))
        stage.world.lock()
        lockout = stage.world.unlock_offer(question="lockout")
        offer = whether(stage)
        assert stage.clicked(Dismiss, offer, "3").outcome == "dismissed"
        assert stage.world.state_of(lockout) == "open"


class TestStaleSession:
    """M7: a session that is not fresh is asked to sign in again, or for the manager."""

    def asked(self, stage, ago=STALE):
        enrol(stage, (KEY, "YubiKey 5C"))
        inbound = stage.world.say("dana", "reset my mfa", signed_in_ago=ago)
        message = stage.message("reset_mfa", inbound)
        assert stage.run(AskResetMfa, message).outcome == "sign_in_again"
        return stage.run(AskApproval, message)

    @pytest.mark.parametrize("ago", [STALE, None], ids=["too long ago", "nobody can tell"])
    def test_m7_says_so_with_the_link(self, stage, ago):
        result = self.asked(stage, ago)
        assert result.responses == ["utter_ask_approval_stale"] and result.slots["fresh_hours"] == "12"
        assert titles(stage.show(result)) == ["I've signed in again", "Ask my manager", "Get help", "Cancel"]

    def test_m7_who_signed_in_again_goes_on_with_what_they_chose(self, stage):
        ids = two(stage)
        offer = which(stage, STALE)
        inbound = stage.world.click("dana", offer, "2", signed_in_ago=STALE)
        message = stage.message("choose_factor", inbound)
        assert stage.run(AskResetMfa, message).outcome == "sign_in_again"
        again = stage.show(stage.run(AskApproval, message))
        assert again.subject["factor_ids"] == [ids[1]]
        inbound = stage.world.click("dana", again, "1")
        message = stage.message("reset_mfa", inbound)
        assert stage.run(CheckFactors, message).outcome == "one_factor"
        assert stage.show(stage.run(AskResetMfa, message)).subject["factor_ids"] == [ids[1]]

    def test_m7_asked_fresh_and_answered_stale(self, stage):
        enrol(stage, (KEY, "YubiKey 5C"))
        inbound = stage.world.click("dana", whether(stage), signed_in_ago=STALE)
        message = stage.message("affirm", inbound)
        assert stage.run(ResetMfa, message).outcome == "sign_in_again" and stage.world.fake.removed == []
        assert stage.run(AskApproval, message).responses == ["utter_ask_approval_stale"]

    def test_m7_who_cannot_be_dated_is_offered_a_ticket_and_no_second_sign_in(self, stage):
        enrol(stage, (KEY, "YubiKey 5C"))
        inbound = stage.world.say("dana", "reset my mfa", signed_in_ago=UNDATED)
        message = stage.message("reset_mfa", inbound)
        assert stage.run(AskResetMfa, message).outcome == "mfa_human"
        stage.outcome = "mfa_human"
        result = stage.run(AskHelp, message)
        assert result.responses == ["utter_ask_help_mfa_undated"]
        assert titles(stage.show(result)) == ["Open a ticket", "Cancel"]


class TestCode:
    """M7: a code of another factor, entered on a page of the door, and never here."""

    @pytest.fixture
    def stage(self, stage):
        stage.world.settings.mfa.verification = "code"
        enrol(stage, (KEY, "YubiKey 5C"), (APP, None))
        stage.world.clock.move(days=2)
        return stage

    def asked(self, stage, answer="1", ago=timedelta(0)):
        """Dana chooses a factor, and what that leads to."""
        inbound = stage.world.click("dana", which(stage, ago), answer, signed_in_ago=ago)
        message = stage.message("choose_factor", inbound)
        return stage.run(AskResetMfa, message).outcome, message

    def test_m7_yes_leads_to_the_page(self, stage):
        outcome, message = self.asked(stage)
        assert outcome == "code_needed"
        result = stage.run(AskProof, message)
        assert result.responses == ["utter_ask_proof"] and "YubiKey" in result.slots["factors"]
        offer = stage.show(result)
        assert titles(offer) == ["Yes, reset MFA", "Get help", "Cancel"]
        result = stage.clicked(RequestProof, offer)
        (row,) = stage.world.rows(tables.requests)
        assert (result.outcome, result.slots["proof_path"]) == ("proof_asked", f"/prove/{row['id']}")
        assert (row["state"], row["session_id"], result.slots["code_minutes"]) == ("awaiting", "session-of-dana", "10")
        assert stage.world.fake.removed == []

    @pytest.mark.parametrize(
        ("answer", "ago"),
        [("2", timedelta(0)), ("3", timedelta(0)), ("1", None)],
        ids=["the factor itself goes", "all of them go", "a surface without sessions"],
    )
    def test_m7_nothing_to_prove_it_with(self, stage, answer, ago):
        outcome, message = self.asked(stage, answer, ago)
        assert outcome == "approval_needed"
        assert stage.run(AskApproval, message).responses == ["utter_ask_approval"]

    def test_m7_too_many_codes_before(self, stage):
        stage.world.confirmed_reset("whatever")
        with stage.world.store.begin() as connection:
            connection.execute(tables.requests.update().values(code_tries=4, state="refused"))
        outcome, message = self.asked(stage)
        assert outcome == "code_failed" and stage.run(AskHelp, message).responses == ["utter_ask_help_code_failed"]

    def test_m7_asked_before_the_settings_changed(self, stage):
        stage.world.settings.mfa.verification = "fresh_session"
        _, message = self.asked(stage)
        offer = stage.world.reset_offer(stage.world.fake.enrolled["00u-dana"][0].id)
        stage.world.settings.mfa.verification = "code"
        inbound = stage.world.click("dana", offer)
        message = stage.message("affirm", inbound)
        assert stage.run(ResetMfa, message).outcome == "code_needed" and stage.world.fake.removed == []
        assert stage.run(AskProof, message).responses == ["utter_ask_proof"]

    @pytest.mark.parametrize("told", ["a stale button", "another question", "somebody else's words"])
    def test_x12_only_the_yes_to_that_question(self, stage, told):
        _, message = self.asked(stage)
        offer = stage.show(stage.run(AskProof, message))
        if told == "a stale button":
            stage.world.clock.move(days=1)
            result = stage.clicked(RequestProof, offer)
        elif told == "another question":
            result = stage.clicked(RequestProof, stage.world.reset_offer("x"))
        else:
            result = stage.typed(RequestProof, "yes", "affirm", "eli")
        assert result.outcome == "stale" and stage.world.rows(tables.requests) == []

    @pytest.mark.parametrize("ended", ["code_failed", "code_expired"])
    def test_m7_end_without_a_code_is_told(self, stage, ended):
        request = stage.world.confirmed_reset("whatever")
        stage.world.resets.end_waiting(stage.world.resets.find(request), ended, "")
        result = stage.announced(AnnounceFollowUp, stage.notice(notices.FOLLOW_UP, request=request))
        assert result.outcome == ended


class TestApproval:
    """M9: the manager is read from the directory, has a fresh session, and answers in time."""

    @pytest.fixture
    def stage(self, stage):
        stage.world.settings.mfa.verification = "manager_approval"
        stage.world.fake.managers["00u-dana"] = "00u-mona"
        enrol(stage, (KEY, "YubiKey 5C"))
        return stage

    def request(self, stage):
        """Dana asks for the manager's approval."""
        inbound = stage.world.say("dana", "reset my mfa")
        message = stage.message("reset_mfa", inbound)
        assert stage.run(AskResetMfa, message).outcome == "approval_needed"
        result = stage.run(AskApproval, message)
        assert result.responses == ["utter_ask_approval"]
        return stage.clicked(RequestApproval, stage.show(result))

    def question(self, stage):
        """What Mona is asked."""
        (row,) = stage.world.rows(tables.notices, kind=notices.APPROVAL)
        with stage.world.store.reading() as connection:
            notice = notices.find(connection, row["id"])
        return stage.announced(AskApprove, notice, "mona")

    def test_m9_asked_and_approved(self, stage):
        result = self.request(stage)
        assert (result.outcome, result.slots["approver_name"]) == ("approval_asked", "Mona Reed")
        asked = self.question(stage)
        assert asked.slots["requester_name"] == "Dana Reed" and asked.slots["approve_until"] == "9:30 AM PST"
        offer = stage.show(asked, "mona")
        assert titles(offer) == ["Approve", "Deny"] and offer.from_notice
        assert offer.expires_at == stage.world.clock.now() + timedelta(minutes=30)
        result = stage.clicked(ApproveReset, offer, name="mona")
        assert result.outcome == "approved" and result.slots["requester_name"] == "Dana Reed"
        (stuck,) = stage.world.resets.due()
        assert stage.world.resets.execute(stage.world.system, stuck.id) == "mfa_reset"

    @pytest.mark.parametrize("how", ["click", "deny", "no"])
    def test_m9_denied(self, stage, how):
        self.request(stage)
        offer = stage.show(self.question(stage), "mona")
        result = (
            stage.clicked(DenyReset, offer, "2", "mona")
            if how == "click"
            else stage.typed(DenyReset, how, "deny", "mona")
        )
        assert result.outcome == "approval_denied"
        (notice,) = stage.world.rows(tables.notices, kind=notices.FOLLOW_UP)
        follow_up = stage.notice(notices.FOLLOW_UP, **notice["facts"])
        assert stage.announced(AnnounceFollowUp, follow_up).outcome == "approval_denied"

    def test_m9_stale_manager_signs_in_again_and_answers_the_same_question(self, stage):
        self.request(stage)
        offer = stage.show(self.question(stage), "mona")
        inbound = stage.world.click("mona", offer, signed_in_ago=STALE)
        mona = stage.world.person("mona").id
        assert stage.run(ApproveReset, stage.message("affirm", inbound), mona).outcome == "sign_in_again"
        assert stage.typed(ApproveReset, "approve", "affirm", "mona").outcome == "approved"

    def test_m9_a_manager_who_cannot_be_dated_is_not_sent_to_sign_in_again(self, stage):
        self.request(stage)
        offer = stage.show(self.question(stage), "mona")
        inbound = stage.world.click("mona", offer, signed_in_ago=UNDATED)
        mona = stage.world.person("mona").id
        assert stage.run(ApproveReset, stage.message("affirm", inbound), mona).outcome == "approval_over"
        (notice,) = stage.world.rows(tables.notices, kind=notices.FOLLOW_UP)
        follow_up = stage.notice(notices.FOLLOW_UP, **notice["facts"])
        assert stage.announced(AnnounceFollowUp, follow_up).outcome == "mfa_human"

    def test_m9_over_after_thirty_minutes(self, stage):
        self.request(stage)
        offer = stage.show(self.question(stage), "mona")
        stage.world.clock.move(minutes=30)
        assert stage.clicked(ApproveReset, offer, name="mona").outcome == "stale"
        assert stage.world.fake.removed == [] and stage.world.resets.due() == []

    def test_m9_over_before_it_was_told(self, stage):
        self.request(stage)
        stage.world.clock.move(minutes=30)
        assert self.question(stage).outcome == "notice_dropped"
        assert [n["state"] for n in stage.world.rows(tables.notices)] == [notices.DROPPED]

    def test_m9_nobody_to_ask(self, stage):
        stage.world.fake.managers.clear()
        assert self.request(stage).outcome == "no_approver"
        assert stage.world.rows(tables.requests) == [] == stage.world.rows(tables.notices)

    def test_x6_who_the_manager_is_cannot_be_read(self, stage):
        inbound = stage.world.say("dana", "reset my mfa")
        offer = stage.show(stage.run(AskApproval, stage.message("reset_mfa", inbound)))
        stage.world.fake.down = True
        assert stage.clicked(RequestApproval, offer).outcome == "down"
        assert stage.world.state_of(offer) == "open"

    def test_replayed_request_asks_once(self, stage):
        inbound = stage.world.say("dana", "reset my mfa")
        offer = stage.show(stage.run(AskApproval, stage.message("reset_mfa", inbound)))
        click = stage.world.click("dana", offer)
        outcomes = [stage.run(RequestApproval, stage.message("affirm", click)).outcome for _ in range(2)]
        assert outcomes == ["approval_asked"] * 2 and len(stage.world.rows(tables.notices)) == 1

    @pytest.mark.parametrize("action", [RequestApproval, ApproveReset, DenyReset])
    def test_x12_words_that_answer_no_such_question_decide_nothing(self, stage, action):
        stage.world.offer(question="help")
        assert stage.typed(action, "yes", "affirm").outcome == "stale"
        assert stage.world.rows(tables.requests) == []
