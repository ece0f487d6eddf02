"""Manager approval of a reset: who is asked, who may say yes, and what becomes of it (M9)."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from account_access import freezes, notices
from account_access.connectors.base import FactorKind
from account_access.store import tables
from tests.account_access.world import UNDATED

HOUR = timedelta(hours=1)


@pytest.fixture
def world(world):
    world.settings.mfa.verification = "manager_approval"
    world.fake.managers.update({"00u-dana": "00u-mona", "00u-eli": "00u-mona"})
    return world


def asked(world) -> tuple[str, str]:
    """Dana asked for the manager's approval; the request's id and that of Dana's factor."""
    key = world.fake.enrol(world.account(), FactorKind.SECURITY_KEY, "YubiKey")
    offer = world.reset_offer(key, question="approval")
    approver = world.approvals.approver(world.system, world.account())
    return world.approvals.ask(offer, "1", world.click("dana", offer), approver), key


def question(world, request: str, name: str = "mona"):
    """What the manager was asked."""
    answers = (("Approve", "affirm"), ("Deny", "deny"))
    return world.offer(name, "approve", answers, subject={"request": request, "system": "okta"}, from_notice=True)


def freeze(world, name: str) -> None:
    with world.store.begin() as connection:
        freezes.report(connection, world.clock.now(), world.person(name), "a message", "A lockout notice.")


def request_row(world) -> dict:
    (row,) = world.rows(tables.requests)
    return row


class TestAsking:
    def test_m9_the_request_waits_and_the_manager_has_a_notice(self, world):
        request, _ = asked(world)
        row = request_row(world)
        assert (row["state"], row["approver_id"]) == ("awaiting", world.person("mona").id)
        assert row["due_at"] - row["confirmed_at"] == timedelta(minutes=30)
        (notice,) = world.rows(tables.notices)
        assert (notice["kind"], notice["person_id"]) == (notices.APPROVAL, world.person("mona").id)
        assert notice["facts"] == {"request": request, "system": "okta"}
        assert world.resets.due() == [] and world.fake.count("remove_factor") == 0

    def test_retry_of_the_same_message_finds_it(self, world):
        key = world.fake.enrol(world.account(), FactorKind.SECURITY_KEY)
        offer, approver = world.reset_offer(key), world.person("mona")
        cause = world.click("dana", offer)
        assert world.approvals.ask(offer, "1", cause, approver) == world.approvals.ask(offer, "1", cause, approver)
        assert world.approvals.ask(offer, "1", "another message", approver) is None
        assert len(world.rows(tables.requests)) == len(world.rows(tables.notices)) == 1

    @pytest.mark.parametrize("situation", ["no manager", "themselves", "unknown to us", "gone", "cannot tell"])
    def test_m9_nobody_to_ask(self, world, situation):
        managers, people = world.fake.managers, tables.people
        if situation == "no manager":
            managers.clear()
        elif situation == "themselves":
            managers["00u-dana"] = "00u-dana"
        elif situation == "unknown to us":
            managers["00u-dana"] = "00u-nobody"
        elif situation == "gone":
            with world.store.begin() as connection:
                connection.execute(update(people).where(people.c.id == world.person("mona").id).values(active=False))
        elif situation == "cannot tell":
            world.fake.capabilities -= {"manager"}
        assert world.approvals.approver(world.system, world.account()) is None

    def test_x10_a_frozen_manager_is_not_asked(self, world):
        freeze(world, "mona")
        assert world.approvals.approver(world.system, world.account()) is None

    @pytest.mark.parametrize("how", ["no", "nothing"])
    def test_m9_who_said_no_twice_is_not_asked_again_that_day(self, world, how):
        for _ in range(2):
            request, _ = asked(world)
            if how == "no":
                offer = question(world, request)
                assert world.approvals.deny(offer, world.click("mona", offer, "2")) == "approval_denied"
            else:
                world.clock.move(minutes=30)
                assert world.resets.expire_waiting() == 1
        assert world.approvals.approver(world.system, world.account()) is None
        assert world.approvals.approver(world.system, world.account("eli")) is not None
        world.clock.move(hours=24)
        assert world.approvals.approver(world.system, world.account()) is not None

    def test_m9_a_second_account_of_the_requester_is_no_manager(self, world):
        with world.store.begin() as connection:
            table = tables.accounts
            connection.execute(
                table.insert().values(
                    system="okta", external_id="00u-dana2", person_id=world.person().id, login="dana2@acme.example"
                )
            )
        world.fake.managers["00u-dana"] = "00u-dana2"
        assert world.approvals.approver(world.system, world.account()) is None


class TestDeciding:
    def approve(self, world, request, name="mona", ago: timedelta | None = HOUR):
        offer = question(world, request, name)
        cause = world.click(name, offer)
        return world.approvals.approve(world.system, offer, cause, ago), offer, cause

    def test_m9_approved_is_done_by_followups_and_told(self, world):
        request, _ = asked(world)
        outcome, offer, _ = self.approve(world, request)
        assert outcome == "approved" and world.state_of(offer) == "answered"
        assert [stuck.id for stuck in world.resets.due()] == [request]
        assert world.resets.execute(world.system, request) == "mfa_reset" and world.fake.removed
        assert [n["kind"] for n in world.rows(tables.notices)] == [notices.APPROVAL, notices.FOLLOW_UP]
        told = [(r["actor"], r["result"]) for r in world.rows(tables.audit, act="approve_reset")]
        assert told == [(f"person:{world.person('mona').id}", "approved")]

    @pytest.mark.parametrize("ago", [None, timedelta(hours=12, seconds=1)])
    def test_m9_approver_needs_a_fresh_session(self, world, ago):
        request, _ = asked(world)
        outcome, offer, _ = self.approve(world, request, ago=ago)
        assert outcome == "sign_in_again" and world.state_of(offer) == "open"
        assert request_row(world)["state"] == "awaiting"

    def test_m9_a_manager_whose_sign_in_nobody_can_date_leaves_it_to_a_human(self, world):
        """They would be asked to sign in again without end."""
        request, _ = asked(world)
        offer = question(world, request, "mona")
        cause = world.click("mona", offer, signed_in_ago=UNDATED)
        for _ in range(2):
            assert world.approvals.approve(world.system, offer, cause, None, undated=True) == "approval_over"
        row = request_row(world)
        assert (row["state"], row["outcome"]) == ("refused", "mfa_human") and world.fake.removed == []
        assert [n["kind"] for n in world.rows(tables.notices)] == [notices.APPROVAL, notices.FOLLOW_UP]
        assert "auth_time" in world.rows(tables.audit, act="approve_reset")[0]["reason"]

    def test_m9_who_is_not_the_manager_any_more_decides_nothing(self, world):
        request, _ = asked(world)
        world.fake.managers["00u-dana"] = "00u-eli"
        outcome, _, _ = self.approve(world, request)
        assert outcome == "approval_over" and request_row(world)["state"] == "awaiting"
        assert [r["result"] for r in world.rows(tables.audit, act="approve_reset")] == ["refused"]

    def test_x10_a_frozen_manager_approves_nothing(self, world):
        request, _ = asked(world)
        freeze(world, "mona")
        assert self.approve(world, request)[0] == "approval_over"
        assert request_row(world)["state"] == "awaiting" and world.resets.due() == []

    @pytest.mark.parametrize("name", ["dana", "eli"])
    def test_m9_nobody_but_the_one_who_was_asked(self, world, name):
        request, _ = asked(world)
        assert self.approve(world, request, name)[0] == "approval_over"
        assert world.approvals.deny(question(world, request, name), "a message") == "approval_over"
        assert request_row(world)["state"] == "awaiting"

    def test_law_5_replayed_word_finds_what_its_first_run_did(self, world):
        request, _ = asked(world)
        outcome, offer, cause = self.approve(world, request)
        assert world.approvals.approve(world.system, offer, cause, HOUR) == outcome == "approved"
        assert world.approvals.approve(world.system, offer, "another message", HOUR) == "approval_over"
        assert len(world.rows(tables.audit, act="approve_reset")) == 1

    def test_m9_denied_is_told(self, world):
        request, _ = asked(world)
        offer = question(world, request)
        cause = world.click("mona", offer, "2")
        assert [world.approvals.deny(offer, cause) for _ in range(2)] == ["approval_denied"] * 2
        row = request_row(world)
        assert (row["state"], row["outcome"]) == ("refused", "approval_denied")
        assert [n["kind"] for n in world.rows(tables.notices)] == [notices.APPROVAL, notices.FOLLOW_UP]
        assert self.approve(world, request)[0] == "approval_over" and world.fake.removed == []

    def test_m9_policy_decides_again_when_it_is_done(self, world):
        request, _ = asked(world)
        self.approve(world, request)
        world.fake.memberships[world.account()] = frozenset({"Okta Administrators"})
        assert world.resets.execute(world.system, request) == "mfa_human" and world.fake.removed == []


class TestExpiry:
    def test_m9_thirty_minutes(self, world):
        request, _ = asked(world)
        world.clock.move(minutes=29, seconds=59)
        assert world.resets.expire_waiting() == 0 and world.approvals.waiting(request, world.person("mona").id)
        world.clock.move(seconds=1)
        assert world.approvals.waiting(request, world.person("mona").id) is None
        assert [world.resets.expire_waiting() for _ in range(2)] == [1, 0]
        row = request_row(world)
        assert (row["state"], row["outcome"]) == ("refused", "approval_expired")
        assert [n["kind"] for n in world.rows(tables.notices)] == [notices.APPROVAL, notices.FOLLOW_UP]

    def test_m9_too_late_even_if_nobody_noted_the_end_yet(self, world):
        request, _ = asked(world)
        offer = question(world, request)
        world.clock.move(minutes=30)
        assert world.approvals.approve(world.system, offer, "a message", HOUR) == "approval_over"
        assert world.approvals.deny(offer, "a message") == "approval_over"
