"""Resetting one's own MFA: what may be chosen, every outcome, and how often (M1-M4, M7-M8, law 5)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from account_access import tickets
from account_access.connectors.base import FactorKind, PermissionRefused
from account_access.connectors.registry import System
from account_access.store import tables
from tests.account_access.world import UNDATED

ADMINS = frozenset({"Okta Administrators"})
PUSH, CODE, KEY, SMS = (
    FactorKind.OKTA_VERIFY_PUSH,
    FactorKind.OKTA_VERIFY_CODE,
    FactorKind.SECURITY_KEY,
    FactorKind.SMS,
)


def request_row(world) -> dict:
    (row,) = world.rows(tables.requests)
    return row


def reset(world, *factor_ids, name="dana", **options) -> str:
    """Asked, confirmed, executed."""
    return world.resets.execute(world.system, world.confirmed_reset(*factor_ids, name=name, **options))


def enrolled(world, name="dana") -> list[str]:
    return [factor.id for factor in world.fake.enrolled.get(world.account(name), [])]


class TestLooking:
    @pytest.mark.parametrize(
        ("situation", "outcome"),
        [
            ("one", "one_factor"),
            ("two", "several_factors"),
            ("none", "no_factor"),
            ("only one that nobody can use yet", "no_factor"),
            ("down", "down"),
            ("refused to us", "down"),
            ("protected", "mfa_human"),
            ("for a human by the settings", "mfa_human"),
            ("nothing resettable", "mfa_human"),
            ("reset twice today", "mfa_limited"),
            ("by instructions", "mfa_instructions"),
            ("without connector", "mfa_instructions"),
            ("another is under way", "under_way"),
            ("no account here", "no_account"),
            ("account gone", "no_account"),
        ],
    )
    def test_outcome(self, world, situation, outcome):
        system, account, fake = world.system, world.account(), world.fake
        if situation == "reset twice today":
            for _ in range(2):
                assert reset(world, fake.enrol(account, SMS, "+1 XXX-1234")) == "mfa_reset"
        if situation != "none":
            first = fake.enrol(account, KEY, "YubiKey")
        if situation == "two":
            fake.enrol(account, SMS, "+1 XXX-1234")
        elif situation == "only one that nobody can use yet":
            fake.enrolled[account] = [replace(factor, usable=False) for factor in fake.enrolled[account]]
        elif situation == "down":
            fake.down = True
        elif situation == "refused to us":
            fake.failing["factors"] = PermissionRefused("403")
        elif situation == "protected":
            fake.memberships[account] = ADMINS
        elif situation == "for a human by the settings":
            world.settings.mfa.verification = "human"
        elif situation == "nothing resettable":
            world.settings.mfa.resettable = ["sms"]
        elif situation == "by instructions":
            world.settings.systems["okta"].mfa = "instructions"
        elif situation == "without connector":
            system = System("okta", world.settings.systems["okta"], None, world.system.pool)
        elif situation == "another is under way":
            world.confirmed_reset(first)
        elif situation == "no account here":
            system = System("vpn", world.settings.systems["okta"], fake, world.system.pool)
        elif situation == "account gone":
            del fake.accounts[account]
        assert world.resets.check(system, world.person().id).outcome == outcome

    def test_m7_staleness_is_asked_of_the_yes_and_not_of_the_look(self, world):
        world.fake.enrol(world.account(), KEY, "YubiKey")
        world.settings.mfa.verification = "manager_approval"
        assert world.resets.check(world.system, world.person().id).outcome == "one_factor"


class TestChoosing:
    """M4: one by its name, or all; what can only go together is one choice."""

    def look(self, world):
        return world.resets.check(world.system, world.person().id)

    def named(self, choice) -> list[tuple[str, str]]:
        return [(factor.kind.value, factor.name) for factor in choice.called]

    def test_m4_two_phones_of_one_app_go_together_and_are_called_by_their_names(self, world):
        account, fake = world.account(), world.fake
        code = fake.enrol(account, CODE, "Pixel 8")
        fake.enrol(account, PUSH, "Pixel 8", takes_along=frozenset({code}))
        fake.enrol(account, PUSH, "iPad", takes_along=frozenset({code}))
        fake.enrol(account, KEY, "YubiKey")
        look = self.look(world)
        assert [self.named(choice) for choice in look.choices] == [
            [("okta_verify_push", "Pixel 8"), ("okta_verify_push", "iPad")],
            [("security_key", "YubiKey")],
        ]
        assert [len(choice.ids) for choice in look.choices] == [3, 1]
        assert len(look.everything.ids) == 4

    @pytest.mark.parametrize(
        ("mode", "single", "everything"), [("both", 2, True), ("all", 0, True), ("one_by_one", 2, False)]
    )
    def test_m4_mode_is_a_setting(self, world, mode, single, everything):
        world.settings.mfa.mode = mode
        world.fake.enrol(world.account(), KEY, "YubiKey")
        world.fake.enrol(world.account(), SMS, "+1 XXX-1234")
        look = self.look(world)
        assert (len(look.choices), look.everything is not None) == (single, everything)
        assert look.outcome == ("one_factor" if mode == "all" else "several_factors")

    def test_m4_kinds_that_may_not_go_are_neither_offered_nor_part_of_all(self, world):
        account, fake = world.account(), world.fake
        world.settings.mfa.resettable = ["okta_verify_push", "sms"]
        code = fake.enrol(account, CODE, "Pixel 8")
        fake.enrol(account, PUSH, "Pixel 8", takes_along=frozenset({code}))
        fake.enrol(account, KEY, "YubiKey")
        sms = fake.enrol(account, SMS, "+1 XXX-1234")
        look = self.look(world)
        assert look.only.ids == [sms], "push would take the code along, which may not go"

    def test_m4_unfinished_enrolment_goes_with_all_and_is_no_choice_of_its_own(self, world):
        account, fake = world.account(), world.fake
        fake.enrol(account, KEY, "YubiKey")
        fake.enrol(account, SMS, "+1 XXX-1234")
        fake.enrolled[account][1] = replace(fake.enrolled[account][1], usable=False)
        look = self.look(world)
        assert [len(choice.ids) for choice in look.choices] == [1] and len(look.everything.ids) == 2


class TestOutcomes:
    def test_m2_removed_and_read_back(self, world):
        key, sms = (world.fake.enrol(world.account(), kind) for kind in (KEY, SMS))
        assert reset(world, key) == "mfa_reset"
        assert enrolled(world) == [sms] and request_row(world)["state"] == "done"
        assert [name for name, _ in world.fake.calls] == [
            *("factors", "groups", "factors", "remove_factor", "factors", "factors")
        ]

    def test_u7_ticket_is_resolved_at_the_reset(self, world):
        assert reset(world, world.fake.enrol(world.account(), KEY)) == "mfa_reset"
        (ticket,) = world.rows(tables.tickets)
        assert (ticket["state"], ticket["request_id"]) == (tickets.RESOLVED, request_row(world)["id"])

    def test_x7_audit_tells_confirmation_decision_and_end(self, world):
        reset(world, world.fake.enrol(world.account(), KEY))
        told = [(r["act"], r["result"]) for r in world.rows(tables.audit) if "ticket" not in r["act"]]
        assert told == [("confirm_reset_mfa", "confirmed"), ("decide_reset_mfa", "act"), ("reset_mfa", "mfa_reset")]

    def test_law_5_enrolled_since_the_yes_stays(self, world):
        key = world.fake.enrol(world.account(), KEY)
        request = world.confirmed_reset(key)
        new = world.fake.enrol(world.account(), KEY, "the new one")
        assert world.resets.execute(world.system, request) == "mfa_reset" and enrolled(world) == [new]

    def test_law_5_what_would_take_a_new_factor_along_is_not_removed(self, world):
        push = world.fake.enrol(world.account(), PUSH, "Pixel 8")
        request = world.confirmed_reset(push)
        world.fake.enrol(world.account(), PUSH, "the new phone")
        assert world.resets.execute(world.system, request) == "factors_changed"
        assert len(enrolled(world)) == 2 and world.fake.removed == [] and world.rows(tables.tickets) == []

    def test_gone_already(self, world):
        request = world.confirmed_reset("no-such-factor")
        assert world.resets.execute(world.system, request) == "already_reset"
        assert world.fake.count("remove_factor") == 0 and request_row(world)["state"] == "void"

    def test_system_that_lies_is_found_out_by_reading_back(self, world):
        world.fake.lying = True
        assert reset(world, world.fake.enrol(world.account(), KEY)) == "mfa_failed"
        assert request_row(world)["reason"] == "the system accepted the removal and changed nothing"

    def test_permission_refused_is_a_failure(self, world):
        world.fake.refusing = True
        assert reset(world, world.fake.enrol(world.account(), KEY)) == "mfa_failed"
        assert "PermissionRefused" in request_row(world)["reason"]

    @pytest.mark.parametrize("how", ["refused", "without effect"])
    def test_m7_done_by_half_is_a_humans_and_on_record(self, world, monkeypatch, how):
        first, second = world.fake.enrol(world.account(), KEY), world.fake.enrol(world.account(), SMS)
        remove = world.fake.remove_factor

        def removes_the_first(account, factor):
            if factor == first:
                remove(account, factor)
            elif how == "refused":
                raise PermissionRefused("that kind is not yours to remove")

        monkeypatch.setattr(world.fake, "remove_factor", removes_the_first)
        assert reset(world, first, second) == "mfa_handed_over" and enrolled(world) == [second]
        assert request_row(world)["state"] == "done" and "1 of 2 factors were removed" in request_row(world)["reason"]
        (ticket,) = world.rows(tables.tickets)
        assert ticket["state"] == "open"

    def test_law_6_protected_account_goes_to_a_human_at_the_last_moment_too(self, world):
        key = world.fake.enrol(world.account(), KEY)
        request = world.confirmed_reset(key)
        world.fake.memberships[world.account()] = ADMINS
        assert world.resets.execute(world.system, request) == "mfa_human" and enrolled(world) == [key]

    def test_lost_reply_is_read_and_not_repeated(self, world):
        key = world.fake.enrol(world.account(), KEY)
        world.fake.reply_lost = True
        assert reset(world, key) == "mfa_reset" and world.fake.count("remove_factor") == 1

    def test_call_without_an_answer_and_without_effect_is_repeated_once(self, world):
        key = world.fake.enrol(world.account(), KEY)
        world.fake.unanswered = 1
        assert reset(world, key) == "mfa_reset" and world.fake.count("remove_factor") == 2

    def test_x6_system_that_is_down_is_tried_again(self, world):
        request = world.confirmed_reset(world.fake.enrol(world.account(), KEY))
        world.fake.down = True
        assert world.resets.execute(world.system, request) == "still_trying"
        world.fake.down = False
        world.clock.move(minutes=1)
        assert [r.id for r in world.resets.due()] == [request] and world.unlocks.due() == []
        assert world.resets.execute(world.system, request) == "mfa_reset"

    def test_open_questions_about_it_are_closed_with_it(self, world):
        key = world.fake.enrol(world.account(), KEY)
        request = world.confirmed_reset(key)
        again = world.reset_offer(key)
        lockout = world.offer("dana", "lockout", subject={"act": "unlock", "system": "okta"}, from_notice=True)
        world.resets.execute(world.system, request)
        assert (world.state_of(again), world.state_of(lockout)) == ("overtaken", "open")


class TestSessions:
    """M7: sessions are ended where the system can and the settings ask."""

    @pytest.mark.parametrize("asked", [False, True])
    def test_m7_by_setting(self, world, asked):
        world.settings.mfa.end_sessions = asked
        assert reset(world, world.fake.enrol(world.account(), KEY)) == "mfa_reset"
        assert world.fake.ended == ([world.account()] if asked else [])

    def test_m7_not_where_the_system_cannot(self, world):
        world.settings.mfa.end_sessions = True
        world.fake.capabilities -= {"sessions"}
        assert reset(world, world.fake.enrol(world.account(), KEY)) == "mfa_reset" and world.fake.ended == []

    def test_m7_sessions_that_may_not_be_ended_are_noted_and_the_reset_stands(self, world):
        world.settings.mfa.end_sessions = True
        world.fake.failing["end_sessions"] = PermissionRefused("403")
        assert reset(world, world.fake.enrol(world.account(), KEY)) == "mfa_reset"
        assert "its sessions could not be ended" in request_row(world)["reason"]


class TestFreshness:
    """M7: judged by the instants stored with the message that said yes."""

    @pytest.mark.parametrize(
        ("ago", "outcome"),
        [
            (timedelta(0), "mfa_reset"),
            (timedelta(hours=12), "mfa_reset"),
            (timedelta(hours=12, seconds=1), "sign_in_again"),
            (None, "sign_in_again"),
        ],
        ids=["just now", "twelve hours", "a second more", "nobody can tell"],
    )
    def test_m7_fresh_session(self, world, ago, outcome):
        key = world.fake.enrol(world.account(), KEY)
        assert reset(world, key, signed_in_ago=ago) == outcome
        assert enrolled(world) == ([] if outcome == "mfa_reset" else [key])
        verdict = world.resets.verdict(world.system, world.person().id, [key], ago)
        assert verdict == ("act" if not enrolled(world) else outcome)

    def test_m7_replay_hours_later_judges_by_the_stored_instant(self, world):
        request = world.confirmed_reset(
            world.fake.enrol(world.account(), KEY), signed_in_ago=timedelta(hours=11, minutes=59)
        )
        world.clock.move(hours=5)
        assert world.resets.execute(world.system, request) == "mfa_reset"

    @pytest.mark.parametrize(
        ("by_group", "outcome"),
        [
            ({"Contractors": "automatic"}, "mfa_reset"),
            ({"Contractors": "manager_approval"}, "approval_needed"),
            ({"Contractors": "automatic", "Staff": "human"}, "mfa_human"),
            ({"Others": "human"}, "sign_in_again"),
        ],
    )
    def test_m7_verification_by_group_the_strictest_counts(self, world, by_group, outcome):
        world.settings.mfa.verification_by_group = by_group
        world.fake.memberships[world.account()] = frozenset({"Contractors", "Staff"})
        assert reset(world, world.fake.enrol(world.account(), KEY), signed_in_ago=None) == outcome

    @pytest.mark.parametrize(
        ("verification", "outcome"),
        [("fresh_session", "mfa_human"), ("automatic", "mfa_reset"), ("manager_approval", "approval_needed")],
    )
    def test_m7_a_sign_in_that_nobody_can_date_goes_to_a_human_and_not_in_circles(self, world, verification, outcome):
        world.settings.mfa.verification = verification
        assert reset(world, world.fake.enrol(world.account(), KEY), signed_in_ago=UNDATED) == outcome
        if outcome == "mfa_human":
            assert "auth_time" in request_row(world)["reason"] and world.fake.removed == []


class TestLimit:
    """At most two self-service resets a person and system in a rolling day; then a human."""

    def test_third_is_limited_until_the_first_is_a_day_old(self, world):
        for _ in range(2):
            assert reset(world, world.fake.enrol(world.account(), KEY)) == "mfa_reset"
            world.clock.move(hours=1)
        assert reset(world, world.fake.enrol(world.account(), SMS)) == "mfa_limited"
        world.clock.move(hours=22, seconds=1)
        assert reset(world, world.fake.enrolled[world.account()][0].id) == "mfa_reset"

    def test_unlocks_do_not_count(self, world):
        world.settings.mfa.max_per_window = 1
        world.lock()
        assert world.unlocks.execute(world.system, world.confirmed()) == "unlocked"
        assert reset(world, world.fake.enrol(world.account(), KEY)) == "mfa_reset"
