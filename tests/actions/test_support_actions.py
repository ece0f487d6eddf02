"""Tickets and endings: get help, resolved, re-opened, dismissed, too late (U4-U7, N4, X3)."""

import pytest

from account_access import conversation, offers, tickets
from account_access.store import tables
from actions.support import Dismiss, ExplainStale, MarkResolved, OpenTicket, ReopenIssue
from actions.unlock import AskAfterUnlock, UnlockAccount

TICKET = (("Open a ticket", "affirm"), ("Cancel", "cancel"))


def unlocked(stage):
    """Dana was unlocked and is asked how it went; returns that question."""
    stage.world.lock()
    message = stage.message("affirm", stage.world.click("dana", stage.world.unlock_offer()))
    assert stage.run(UnlockAccount, message).outcome == "unlocked"
    return stage.show(stage.run(AskAfterUnlock, message))


def ticket(stage) -> dict:
    (row,) = stage.world.rows(tables.tickets)
    return row


class TestGetHelp:
    def test_u4_ticket_carries_the_conversations_facts(self, stage):
        stage.world.say("dana", "my password is [redacted]")
        result = stage.typed(OpenTicket, "get me somebody", "contact_support")
        assert (result.outcome, result.slots["ticket_reference"]) == ("ticket_opened", "AA-1001")
        (event,) = stage.world.rows(tables.desk_outbox)
        for fact in ("Dana Reed (dana@acme.example)", "2026-11-24 17:00 UTC  my password is [redacted]", "somebody"):
            assert fact in event["text"]

    def test_message_of_several_lines_cannot_pass_for_the_tickets_own(self, stage):
        stage.typed(
            OpenTicket, "help\nOpen question: approved\n  2026-11-24 08:00 UTC  checked by phone", "contact_support"
        )
        (event,) = stage.world.rows(tables.desk_outbox)
        forged = [line for line in event["text"].splitlines() if "approved" in line or "by phone" in line]
        assert len(forged) == 2 and all(line.startswith("    | ") for line in forged)

    def test_click_closes_its_question_and_names_it(self, stage):
        offer = stage.world.offer(question="help", answers=TICKET, subject={"cause": "limited"})
        assert stage.clicked(OpenTicket, offer).outcome == "ticket_opened"
        assert stage.world.state_of(offer) == "answered"
        assert "Open question: help limited" in stage.world.rows(tables.desk_outbox)[0]["text"]

    def test_law_5_replayed_turn_opens_no_second_one(self, stage):
        inbound = stage.world.say("dana", "get help")
        results = [stage.run(OpenTicket, stage.message("contact_support", inbound)) for _ in range(2)]
        assert [(r.outcome, r.slots["ticket_reference"]) for r in results] == [("ticket_opened", "AA-1001")] * 2
        assert len(stage.world.rows(tables.desk_outbox)) == 1

    def test_same_trouble_belongs_to_the_open_ticket(self, stage):
        stage.typed(OpenTicket, "get help", "contact_support")
        stage.world.clock.move(minutes=30)
        result = stage.typed(OpenTicket, "hello? help!", "contact_support")
        assert (result.outcome, result.slots["ticket_reference"]) == ("ticket_known", "AA-1001")
        assert [event["event"] for event in stage.world.rows(tables.desk_outbox)] == ["open", "note"]

    @pytest.mark.parametrize("because", ["later", "somebody else's", "resolved"])
    def test_other_trouble_has_its_own(self, stage, because):
        stage.typed(OpenTicket, "get help", "contact_support", "eli" if because == "somebody else's" else "dana")
        if because == "later":
            stage.world.clock.move(minutes=61)
        elif because == "resolved":
            with stage.world.store.begin() as connection:
                found = tickets.latest(connection, stage.world.person().id, stage.world.clock.now())
                tickets.change_state(connection, stage.world.clock.now(), found, tickets.RESOLVED, "", "k")
        assert stage.typed(OpenTicket, "get help", "contact_support").outcome == "ticket_opened"


class TestItWorked:
    @pytest.mark.parametrize("how", ["click", "words", "words after the question expired"])
    def test_u6_x8_resolved_is_claimed(self, stage, how):
        offer = unlocked(stage)
        if how == "click":
            result = stage.clicked(MarkResolved, offer)
        else:
            stage.world.clock.move(hours=0 if how == "words" else 5)
            result = stage.typed(MarkResolved, "it works", "report_resolved")
        assert result.outcome == "resolved"
        assert stage.world.rows(tables.requests)[0]["claimed_resolved_at"] == stage.world.clock.now()

    def test_nothing_to_resolve(self, stage):
        assert stage.typed(MarkResolved, "it works", "report_resolved").outcome == "nothing_open"

    @pytest.mark.parametrize("question", ["unlock", "lockout"])
    def test_law_11_nobody_is_glad_while_the_lock_is_still_asked_about(self, stage, question):
        stage.world.lock()
        offer = stage.world.unlock_offer(question=question)
        assert stage.typed(MarkResolved, "finally, my shift starts at 7", "report_resolved").outcome == "not_over"
        assert stage.world.state_of(offer) == "open"

    def test_what_was_reopened_and_works_after_all_is_resolved(self, stage):
        offer = unlocked(stage)
        stage.clicked(ReopenIssue, offer, "4")
        stage.world.clock.move(minutes=5)
        assert stage.typed(MarkResolved, "it works now", "report_resolved").outcome == "resolved"
        assert ticket(stage)["state"] == tickets.RESOLVED


class TestStillNoLuck:
    @pytest.mark.parametrize("how", ["click", "words"])
    def test_u6_ticket_opens_again(self, stage, how):
        offer = unlocked(stage)
        result = (
            stage.clicked(ReopenIssue, offer, "4")
            if how == "click"
            else stage.typed(ReopenIssue, "still locked out", "report_unresolved")
        )
        assert (result.outcome, result.slots["ticket_reference"]) == ("reopened", "AA-1001")
        assert ticket(stage)["state"] == tickets.OPEN and stage.world.state_of(offer) == "answered"

    def test_replayed_turn_tells_the_desk_once(self, stage):
        inbound = stage.world.click("dana", unlocked(stage), "4")
        for _ in range(2):
            assert stage.run(ReopenIssue, stage.message("report_unresolved", inbound)).outcome == "reopened"
        assert [e["event"] for e in stage.world.rows(tables.desk_outbox)] == ["open", "resolve", "reopen"]

    def test_law_11_a_ticket_that_was_open_all_along_is_not_called_reopened(self, stage):
        assert stage.typed(OpenTicket, "I need help", "contact_support").outcome == "ticket_opened"
        result = stage.typed(ReopenIssue, "nothing works", "report_unresolved")
        assert (result.outcome, result.slots["ticket_reference"]) == ("ticket_known", "AA-1001")

    def test_nothing_to_open_again(self, stage):
        unlocked(stage)
        assert stage.typed(ReopenIssue, "still no", "report_unresolved", "eli").outcome == "nothing_open"


class TestNo:
    def test_n4_no_closes_the_question_and_does_nothing_else(self, stage):
        stage.world.lock()
        offer = stage.world.unlock_offer(question="lockout")
        assert stage.clicked(Dismiss, offer, "2").outcome == "dismissed"
        assert stage.world.state_of(offer) == "answered" and stage.world.fake.calls == []
        assert stage.world.rows(tables.tickets) == stage.world.rows(tables.requests) == []

    def test_no_closes_the_other_question_about_the_same_lock(self, stage):
        stage.world.lock()
        notice, own = stage.world.unlock_offer(question="lockout"), stage.world.unlock_offer()
        assert stage.typed(Dismiss, "no", "deny").outcome == "dismissed"
        assert {stage.world.state_of(notice), stage.world.state_of(own)} == {"answered", "overtaken"}

    def test_cancel_of_help_leaves_the_lockout_open(self, stage):
        stage.world.lock()
        lockout = stage.world.unlock_offer(question="lockout")
        help_offer = stage.world.offer(question="help", answers=TICKET)
        assert stage.clicked(Dismiss, help_offer, "2").outcome == "dismissed"
        assert stage.world.state_of(lockout) == "open"

    def test_nothing_open(self, stage):
        assert stage.typed(Dismiss, "no", "deny").outcome == "nothing_open"


class TestTooLate:
    @pytest.mark.parametrize(
        ("state", "outcome"),
        [
            ("answered", "stale_answered"),
            ("replaced", "stale_overtaken"),
            ("overtaken", "stale_overtaken"),
            ("expired", "stale_expired"),
        ],
    )
    def test_x3_tells_why(self, stage, state, outcome):
        offer = stage.world.offer()
        if state == "expired":
            stage.world.clock.move(hours=25)
        else:
            with stage.world.store.begin() as connection:
                offers.close(connection, stage.world.clock.now(), offer.id, state)
        inbound = stage.world.click("dana", offer)
        assert stage.run(ExplainStale, stage.message("stale_answer", inbound)).outcome == outcome

    def test_typed_it_explains_nothing_of_anybody(self, stage):
        assert stage.typed(ExplainStale, "x", "stale_answer").outcome == "stale_expired"

    def test_second_click_hears_that_it_was_answered(self, stage):
        offer = unlocked(stage)
        first = stage.world.click("dana", offer)
        stage.run(MarkResolved, stage.message("report_resolved", first))
        conversation.mark_answered(stage.world.store, stage.world.clock, first)
        again = stage.world.click("dana", offer)
        assert stage.run(ExplainStale, stage.message("stale_answer", again)).outcome == "stale_answered"
