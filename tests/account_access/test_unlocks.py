"""Unlocking one's own account: every outcome, and how often (U1-U3, U7, U8, U10, law 5)."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from account_access import offers, requests, tickets
from account_access.connectors.base import PermissionRefused
from account_access.connectors.registry import System
from account_access.store import tables

ADMINS = frozenset({"Okta Administrators"})


def request_row(world) -> dict:
    (row,) = world.rows(tables.requests)
    return row


def unlock(world, name="dana") -> str:
    """Locked, asked, confirmed, executed."""
    world.lock(name)
    return world.unlocks.execute(world.system, world.confirmed(name))


class TestLooking:
    """U1, U2: what a fresh look at the account shows, and what may be offered."""

    @pytest.mark.parametrize(
        ("situation", "outcome"),
        [
            ("locked", "locked"),
            ("not locked", "not_locked"),
            ("down", "down"),
            ("refused to us", "down"),
            ("protected", "human"),
            ("unlocked three times today", "limited"),
            ("by instructions", "instructions"),
            ("without connector", "instructions"),
            ("no account here", "no_account"),
            ("account gone", "no_account"),
        ],
    )
    def test_outcome(self, world, situation, outcome):
        system, person = world.system, world.person().id
        if situation == "unlocked three times today":
            for _ in range(3):
                assert unlock(world) == "unlocked"
        if situation != "not locked":
            world.lock()
        if situation == "down":
            world.fake.down = True
        elif situation == "refused to us":
            world.fake.failing["account"] = PermissionRefused("403")
        elif situation == "protected":
            world.fake.memberships[world.account()] = ADMINS
        elif situation == "by instructions":
            world.settings.systems["okta"].unlock = "instructions"
        elif situation == "without connector":
            system = System("okta", world.settings.systems["okta"], None, world.system.pool)
        elif situation == "no account here":
            system = System("vpn", world.settings.systems["okta"], world.fake, world.system.pool)
        elif situation == "account gone":
            del world.fake.accounts[world.account()]
        assert world.unlocks.check(system, person).outcome == outcome

    def test_look_names_the_lockout_that_stands(self, world):
        since = world.lock()
        look = world.unlocks.check(world.system, world.person().id)
        assert (look.external_id, look.locked_at) == (world.account(), since)


class TestConfirming:
    """Law 5: closing the offer and writing the request is one transaction."""

    def test_yes_closes_the_offer_and_writes_the_request(self, world):
        since = world.lock()
        offer = world.unlock_offer()
        assert world.unlocks.confirm(offer, "1", "inbound-1")
        row = request_row(world)
        assert (row["state"], row["external_id"], row["locked_at"]) == ("confirmed", world.account(), since)
        assert (world.state_of(offer), row["called"]) == ("answered", False)
        assert [r["act"] for r in world.rows(tables.audit)] == ["confirm_unlock"]

    def test_retry_of_the_same_message_finds_it_and_another_message_does_not(self, world):
        world.lock()
        offer = world.unlock_offer()
        first = world.unlocks.confirm(offer, "1", "inbound-1")
        assert world.unlocks.confirm(offer, "1", "inbound-1") == first
        assert world.unlocks.confirm(offer, "1", "inbound-2") is None
        assert len(world.rows(tables.requests)) == 1

    @pytest.mark.parametrize("state", ["answered", "replaced", "overtaken"])
    def test_x3_closed_offer_confirms_nothing(self, world, state):
        world.lock()
        offer = world.unlock_offer()
        with world.store.begin() as connection:
            offers.close(connection, world.clock.now(), offer.id, state)
        assert world.unlocks.confirm(offer, "1", "inbound-1") is None and world.rows(tables.requests) == []

    def test_two_messages_at_once_confirm_one_request(self, world):
        world.lock()
        offer = world.unlock_offer()
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(lambda n: world.unlocks.confirm(offer, "1", f"inbound-{n}"), range(8)))
        assert sum(one is not None for one in made) == 1


class TestOutcomes:
    def test_u3_unlocked_and_read_back(self, world):
        assert unlock(world) == "unlocked"
        assert [name for name, _ in world.fake.calls] == ["account", "groups", "unlock", "account"]
        assert world.fake.unlocked == [world.account()]
        assert request_row(world)["state"] == "done"

    def test_u7_ticket_is_resolved_at_the_unlock(self, world):
        unlock(world)
        (ticket,) = world.rows(tables.tickets)
        assert (ticket["state"], ticket["request_id"]) == (tickets.RESOLVED, request_row(world)["id"])
        assert [event["event"] for event in world.rows(tables.desk_outbox)] == ["open", "resolve"]

    def test_x7_audit_tells_confirmation_decision_and_end(self, world):
        unlock(world)
        told = [(r["act"], r["result"]) for r in world.rows(tables.audit) if "ticket" not in r["act"]]
        assert told == [("confirm_unlock", "confirmed"), ("decide_unlock", "act"), ("unlock", "unlocked")]
        assert all(r["person_id"] == world.person().id for r in world.rows(tables.audit))

    def test_n8_unlocked_elsewhere_before_the_yes(self, world):
        world.lock()
        request = world.confirmed()
        world.fake.unlock_elsewhere(world.account())
        assert world.unlocks.execute(world.system, request) == "already_unlocked"
        assert world.fake.count("unlock") == 0 and world.rows(tables.tickets) == []
        assert request_row(world)["state"] == "void"

    def test_another_lockout_than_the_one_confirmed_is_left_alone(self, world):
        world.lock()
        request = world.confirmed()
        world.clock.move(minutes=5)
        world.lock()
        assert world.unlocks.execute(world.system, request) == "stale"
        assert world.fake.count("unlock") == 0 and world.rows(tables.tickets) == []

    def test_u8_lock_that_returns_at_once_is_named(self, world):
        world.fake.relocking = True
        assert unlock(world) == "relocked"
        (ticket,) = world.rows(tables.tickets)
        assert ticket["state"] == tickets.OPEN and "relocked" in ticket["summary"]

    def test_u8_system_that_lies_is_found_out_by_reading_back(self, world):
        world.fake.lying = True
        assert unlock(world) == "failed"
        assert request_row(world)["reason"] == "the system accepted the unlock and changed nothing"
        assert world.rows(tables.tickets) == [] and world.fake.count("account") == 1 + len(requests.READ_BACK_PAUSES)

    def test_permission_refused_is_a_failure_and_no_reason_to_go_on_asking(self, world):
        world.fake.refusing = True
        assert unlock(world) == "failed" and "PermissionRefused" in request_row(world)["reason"]

    def test_law_6_protected_account_goes_to_a_human_at_the_last_moment_too(self, world):
        world.lock()
        request = world.confirmed()
        world.fake.memberships[world.account()] = ADMINS
        assert world.unlocks.execute(world.system, request) == "human"
        assert world.fake.count("unlock") == 0

    def test_setting_that_changed_to_instructions(self, world):
        world.lock()
        request = world.confirmed()
        world.settings.systems["okta"].unlock = "instructions"
        assert world.unlocks.execute(world.system, request) == "instructions" and world.fake.count("unlock") == 0

    def test_finished_request_tells_its_outcome_again_and_does_nothing(self, world):
        world.lock()
        request = world.confirmed()
        assert [world.unlocks.execute(world.system, request) for _ in range(3)] == ["unlocked"] * 3
        assert world.fake.count("unlock") == 1

    @pytest.mark.parametrize("elsewhere", [False, True])
    def test_open_questions_about_the_lock_are_closed_with_it(self, world, elsewhere):
        world.lock()
        request = world.confirmed()
        notice = world.unlock_offer(question="lockout")
        theirs = world.offer("eli", "lockout", subject={"act": "unlock", "system": "okta"}, from_notice=True)
        if elsewhere:
            world.fake.unlock_elsewhere(world.account())
        world.unlocks.execute(world.system, request)
        assert (world.state_of(notice), world.state_of(theirs)) == ("overtaken", "open")


class TestLimit:
    """U10: at most three self-service unlocks a person and system in a rolling 24 hours; then a human."""

    def test_fourth_is_limited_until_the_first_is_a_day_old(self, world):
        for _ in range(3):
            assert unlock(world) == "unlocked"
            world.clock.move(hours=1)
        assert unlock(world) == "limited"
        assert len(world.fake.unlocked) == 3
        world.clock.move(hours=20, minutes=59)
        assert unlock(world) == "limited"
        world.clock.move(minutes=1)
        assert unlock(world) == "unlocked"

    def test_what_changed_nothing_does_not_count(self, world):
        world.fake.lying = True
        assert [unlock(world) for _ in range(4)] == ["failed"] * 4
        world.fake.lying = False
        assert unlock(world) == "unlocked"

    def test_others_have_their_own(self, world):
        for _ in range(3):
            unlock(world)
        assert unlock(world, "eli") == "unlocked"

    def test_two_requests_at_once_never_share_the_last_place(self, world):
        world.settings.unlock.max_per_window = 1
        world.lock()
        both_yes = [world.confirmed(question="unlock"), world.confirmed(question="lockout")]
        both, groups = threading.Barrier(2), world.fake.groups

        def when_both_have_looked(external_id):
            both.wait(10)
            return groups(external_id)

        world.fake.groups = when_both_have_looked
        running = [world.system.submit(world.unlocks.execute, world.system, request) for request in both_yes]
        assert sorted(future.result(10) for future in running) == ["limited", "unlocked"]
        assert world.fake.unlocked == [world.account()]
        assert sum(row["called"] for row in world.rows(tables.requests)) == 1


def test_x8_resolved_by_claim_is_noted_once(world):
    unlock(world)
    request = request_row(world)["id"]
    for _ in range(2):
        with world.store.begin() as connection:
            requests.claim_resolved(connection, world.clock.now(), request)
        first = request_row(world)["claimed_resolved_at"]
        world.clock.move(minutes=1)
    assert request_row(world)["claimed_resolved_at"] == first
