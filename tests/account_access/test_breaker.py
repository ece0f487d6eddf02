"""The breaker (X11): too much at once on one system stops self-service there, until it is quiet or an admin says so."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from account_access import breaker, notices
from account_access.connectors.base import Account, Status
from account_access.store import tables


def observe(world, count=0, minutes_ago=0.0):
    """So many accounts, not ours, are seen locked since then."""
    now = world.clock.now()
    account = Account("", "x", Status.LOCKED, now)
    since = now - timedelta(minutes=minutes_ago)
    locked = [replace(account, external_id=f"x-{n}", status_since=since) for n in range(count)]
    with world.store.begin() as connection:
        return breaker.observe(connection, now, "okta", locked, world.settings.breaker)


def paused(world, system="okta"):
    with world.store.reading() as connection:
        return breaker.paused_because(connection, world.clock.now(), system, world.settings.breaker)


def acts(world, count, asked_before=timedelta(0)):
    """So many acts of other people were done just now; they were asked for so long before."""
    with world.store.begin() as connection:
        for number in range(count):
            row = dict(
                id=f"r-{len(world.rows(tables.requests))}-{number}",
                key=f"k-{world.clock.now()}-{number}",
                act="unlock",
                person_id=world.person("eli").id,
                system="okta",
                external_id="00u-eli",
                offer_id="o",
                cause="c",
                question="unlock",
                state="done",
                called=True,
                outcome="unlocked",
                confirmed_at=world.clock.now() - asked_before,
                finished_at=world.clock.now(),
                attempts=1,
                follow_up_owed=False,
            )
            connection.execute(tables.requests.insert().values(**row))


def unlock(world):
    world.lock()
    return world.unlocks.execute(world.system, world.confirmed())


class TestTripping:
    @pytest.mark.parametrize(("count", "stopped"), [(50, False), (51, True)])
    def test_x11_by_more_lockouts_than_allowed(self, world, count, stopped):
        assert observe(world, count) is stopped
        assert bool(paused(world)) is stopped

    @pytest.mark.parametrize(("minutes", "stopped"), [(9.9, True), (10, False)])
    def test_x11_only_those_of_the_window(self, world, minutes, stopped):
        assert observe(world, 51, minutes) is stopped

    def test_x11_lockouts_that_are_over_count_too(self, world):
        with world.store.begin() as connection:
            for number in range(51):
                facts = {"system": "okta", "external_id": f"x-{number}", "locked_at": world.clock.now().isoformat()}
                person = world.person().id
                notices.create(connection, world.clock.now(), f"l-{number}", notices.LOCKOUT, person, facts)
        assert observe(world) is True

    def test_what_is_both_seen_and_told_counts_once(self, world):
        with world.store.begin() as connection:
            for number in range(50):
                facts = {"system": "okta", "external_id": f"x-{number}", "locked_at": world.clock.now().isoformat()}
                notices.create(connection, world.clock.now(), f"l-{number}", "lockout", world.person().id, facts)
        assert observe(world, 50) is False

    def test_x11_each_system_has_its_own(self, world):
        observe(world, 51)
        assert paused(world) and not paused(world, "vpn")

    @pytest.mark.parametrize(("before", "outcome"), [(19, "unlocked"), (20, "paused")])
    def test_x11_by_more_acts_than_allowed(self, world, before, outcome):
        acts(world, before)
        assert unlock(world) == outcome
        assert bool(paused(world)) is (outcome == "paused")

    def test_x11_acts_count_when_they_are_done_however_long_a_manager_thought(self, world):
        acts(world, 20, asked_before=timedelta(minutes=29))
        assert unlock(world) == "paused"

    def test_x11_acts_that_are_not_over_count(self, world):
        acts(world, 20)
        with world.store.begin() as connection:
            connection.execute(tables.requests.update().values(finished_at=None, state="executing", outcome=None))
        assert unlock(world) == "paused"

    def test_acts_of_ten_minutes_ago_no_longer_count(self, world):
        acts(world, 20)
        world.clock.move(minutes=10)
        assert unlock(world) == "unlocked"

    def test_an_act_that_is_tried_again_does_not_count_against_itself(self, world):
        acts(world, 19)
        world.lock()
        request = world.confirmed()
        world.fake.unanswered = 2
        assert world.unlocks.execute(world.system, request) == "still_trying"
        world.clock.move(seconds=10)
        assert world.unlocks.execute(world.system, request) == "unlocked"

    def test_two_acts_never_share_the_last_place(self, world):
        acts(world, 19)
        for name in ("dana", "mona"):
            world.lock(name)
        requests = [world.confirmed(name) for name in ("dana", "mona")]
        outcomes = []
        threads = [
            threading.Thread(target=lambda r=r: outcomes.append(world.unlocks.execute(world.system, r)))
            for r in requests
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert sorted(outcomes) == ["paused", "unlocked"]

    def test_x11_admins_are_alerted_once(self, world, caplog):
        for _ in range(3):
            observe(world, 51)
        (ticket,) = world.rows(tables.tickets)
        assert ticket["security"] and ticket["person_id"] == "account-access"
        assert [r.levelname for r in caplog.records] == ["CRITICAL"]
        assert [(r["act"], r["result"]) for r in world.rows(tables.audit, act="breaker")] == [("breaker", "tripped")]


class TestHolding:
    def test_x11_stops_confirmed_acts_too(self, world):
        world.lock()
        request = world.confirmed()
        observe(world, 51)
        assert world.unlocks.execute(world.system, request) == "paused"
        assert world.fake.unlocked == [] and "51 lockouts" in world.rows(tables.requests)[0]["reason"]

    def test_x11_is_told_before_the_question(self, world):
        world.lock()
        observe(world, 51)
        assert world.unlocks.check(world.system, world.person().id).outcome == "paused"


class TestRearming:
    @pytest.mark.parametrize(("minutes", "stopped"), [(29.9, True), (30, False)])
    def test_x11_by_quiet(self, world, minutes, stopped):
        observe(world, 51)
        world.clock.move(minutes=minutes)
        assert bool(paused(world)) is stopped
        assert observe(world) is stopped
        assert [r["result"] for r in world.rows(tables.audit, act="breaker")] == ["tripped"] + ["rearmed"] * (
            not stopped
        )

    def test_x11_quiet_counts_from_the_last_noise(self, world):
        observe(world, 51)
        world.clock.move(minutes=20)
        observe(world, 51)
        world.clock.move(minutes=20)
        assert paused(world)

    def test_x11_by_an_admin_and_what_was_counted_is_forgotten(self, world):
        observe(world, 51)
        with world.store.begin() as connection:
            assert breaker.rearm(connection, world.clock.now(), "okta", "admin:ann")
            assert not breaker.rearm(connection, world.clock.now(), "okta", "admin:ann")
        assert not paused(world)
        world.clock.move(minutes=1)
        assert observe(world, 51, minutes_ago=2) is False
        assert [r["actor"] for r in world.rows(tables.audit, act="breaker")] == ["account-access", "admin:ann"]

    def test_it_trips_anew(self, world):
        observe(world, 51)
        world.clock.move(minutes=30)
        observe(world)
        assert observe(world, 51) is True and len(world.rows(tables.tickets)) == 2

    def test_the_desk_hears_of_it(self, world):
        observe(world, 51)
        world.clock.move(minutes=30)
        observe(world)
        assert [event["event"] for event in world.rows(tables.desk_outbox)] == ["open", "note"]
