"""Lockouts are seen once, whatever restarts, failures and late events there are (N1, N8, N9, N10)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from account_access import notices, offers, people
from account_access.connectors.base import LockoutPage, Status, TemporarilyUnavailable
from account_access.connectors.registry import System
from account_access.store import tables
from schedulers import lockouts
from tests.account_access.fake_system import FakeSystem
from tests.account_access.world import directory_person


def told(world) -> list[dict]:
    return [row["facts"] for row in world.rows(tables.notices)]


def since_asked(world) -> list[str]:
    """What the log was asked for: (cursor, since), as text."""
    return [argument for method, argument in world.fake.calls if method == "lockouts_since"]


class TestSeeing:
    def test_n1_lockout_becomes_a_notice(self, service, world):
        since = world.lock()
        assert lockouts.poll(service) == 1
        assert told(world) == [{"system": "okta", "external_id": "00u-dana", "locked_at": since.isoformat()}]
        assert world.rows(tables.notices)[0]["person_id"] == world.person().id

    def test_n9_once_by_both_ways_and_over_restarts(self, service, world):
        world.lock()
        assert [lockouts.poll(service) for _ in range(3)] == [1, 0, 0]

    def test_n9_next_lockout_is_another(self, service, world):
        world.lock()
        lockouts.poll(service)
        world.fake.unlock_elsewhere("00u-dana")
        world.clock.move(minutes=5)
        world.lock()
        assert lockouts.poll(service) == 1

    def test_event_comes_sooner_than_the_search(self, service, world):
        world.lock()
        world.fake.locked_accounts = lambda: iter(())
        assert lockouts.poll(service) == 1

    def test_search_finds_what_no_event_told(self, service, world):
        world.lock()
        world.fake.events.clear()
        assert lockouts.poll(service) == 1

    def test_search_alone_is_enough_when_the_log_fails(self, service, world):
        world.lock()
        world.fake.failing["lockouts_since"] = TemporarilyUnavailable("log")
        assert lockouts.poll(service) == 1 and world.rows(tables.cursors) == []

    @pytest.mark.parametrize("why", ["unlocked already", "deleted", "nobody of ours", "left"])
    def test_nothing_is_told(self, service, world, why):
        if why == "nobody of ours":
            world.fake.add("00u-zoe", "zoe")
            world.fake.lock("00u-zoe")
        else:
            world.lock()
        if why == "unlocked already":
            world.fake.unlock_elsewhere("00u-dana")
        elif why == "deleted":
            del world.fake.accounts["00u-dana"]
        elif why == "left":
            people.merge(world.store, world.clock, "okta", [directory_person("dana", active=False)])
        assert lockouts.poll(service) == 0

    def test_system_that_fails_is_looked_at_next_time_and_holds_up_no_other(self, service, world):
        world.lock()
        world.fake.down = True
        other = FakeSystem(world.clock, "vpn")
        other.add("v-dana", "dana")
        other.lock("v-dana")
        world.give("dana", "vpn", "v-dana")
        service.systems["vpn"] = System("vpn", world.settings.systems["okta"], other, world.system.pool)
        assert lockouts.poll(service) == 1 and told(world)[0]["system"] == "vpn"
        world.fake.down = False
        assert lockouts.poll(service) == 1

    def test_system_without_lockouts_is_not_asked(self, service, world):
        world.fake.capabilities = frozenset({"unlock"})
        world.lock()
        assert lockouts.poll(service) == 0 and world.fake.calls == []

    def test_n10_quiet_poll_costs_two_calls(self, service, world):
        lockouts.poll(service)
        assert [method for method, _ in world.fake.calls] == ["locked_accounts", "lockouts_since"]


class TestCursor:
    def test_goes_on_where_it_stood(self, service, world):
        world.lock()
        lockouts.poll(service)
        world.lock("eli")
        lockouts.poll(service)
        assert [asked.split()[0] for asked in since_asked(world)] == ["None", "1"]
        assert world.rows(tables.cursors)[0]["value"] == "2"

    def test_moves_only_when_the_log_was_read(self, service, world):
        lockouts.poll(service)
        moved = world.rows(tables.cursors)
        world.clock.move(minutes=1)
        world.fake.failing["lockouts_since"] = TemporarilyUnavailable("log")
        lockouts.poll(service)
        assert world.rows(tables.cursors) == moved

    def test_first_look_goes_back_as_far_as_the_settings_say(self, service, world):
        lockouts.poll(service)
        assert since_asked(world) == [f"None {(world.clock.now() - timedelta(hours=24)).isoformat()}"]

    @pytest.mark.parametrize(("away", "back"), [({"minutes": 10}, {"minutes": 12}), ({"days": 3}, {"hours": 24})])
    def test_forgotten_cursor_starts_a_little_before_the_last_look_but_not_too_far(self, service, world, away, back):
        """`since` is what the connector falls back to."""
        lockouts.poll(service)
        world.clock.move(**away)
        lockouts.poll(service)
        assert since_asked(world)[-1] == f"0 {(world.clock.now() - timedelta(**back)).isoformat()}"

    def test_each_system_has_its_own(self, service, world):
        service.systems["vpn"] = System(
            "vpn", world.settings.systems["okta"], FakeSystem(world.clock, "vpn"), world.system.pool
        )
        lockouts.poll(service)
        assert {row["name"] for row in world.rows(tables.cursors)} == {"lockouts:okta", "lockouts:vpn"}


class LateLog(FakeSystem):
    """A log whose events come when they come: (when it happened, when it stands in the log, whose).

    It has forgotten its cursors, and the search lags behind for ever, so that the log is all there is.
    """

    def __init__(self, clock, log):
        super().__init__(clock)
        self.log = log

    def locked_accounts(self):
        return iter(())

    def lockouts_since(self, cursor, since):
        arrived = sorted((event for event in self.log if event[1] <= self.clock.now()), key=lambda event: event[1])
        return LockoutPage(tuple(whose for happened, _, whose in arrived if happened >= since), str(self.clock.now()))


class TestLateEvents:
    """N1, N9: events that arrive late or out of order are told, each once, as far back as the settings say."""

    @pytest.fixture
    def late(self, service, world):
        """Lets people be locked some seconds from now, their events arriving later; settings: 2 minutes, 24 hours."""
        system = LateLog(world.clock, [])
        for name in ("dana", "eli"):
            system.add(f"00u-{name}", name)
        service.systems["okta"] = System("okta", world.settings.systems["okta"], system, world.system.pool)

        def happens(name: str, arrives_after: timedelta) -> None:
            at = system.lock(f"00u-{name}")
            system.log.append((at, at + arrives_after, f"00u-{name}"))

        return happens

    def test_n9_event_older_than_the_last_look_that_arrives_after_it_is_told(self, service, world, late):
        late("dana", arrives_after=timedelta(seconds=50))
        world.clock.move(seconds=30)
        assert lockouts.poll(service) == 0, "the log does not have it yet"
        world.clock.move(seconds=30)
        assert [lockouts.poll(service), lockouts.poll(service)] == [1, 0]

    def test_n9_events_out_of_order_are_both_told_once(self, service, world, late):
        late("dana", arrives_after=timedelta(seconds=80))
        world.clock.move(seconds=40)
        late("eli", arrives_after=timedelta(seconds=5))
        made = []
        for _ in range(4):
            world.clock.move(seconds=20)
            made.append(lockouts.poll(service))
        assert made == [1, 1, 0, 0]
        assert [facts["external_id"] for facts in told(world)] == ["00u-eli", "00u-dana"]

    @pytest.mark.parametrize(("ago", "found"), [(timedelta(hours=23), 1), (timedelta(hours=25), 0)])
    def test_n1_after_an_outage_the_log_is_read_back_as_far_as_the_settings_say(self, service, world, late, ago, found):
        lockouts.poll(service)
        world.clock.move(days=3)
        late("dana", arrives_after=timedelta(0))
        world.clock.move(seconds=ago.total_seconds())
        assert lockouts.poll(service) == found


class TestSettlingOffers:
    """N8: nobody is shown a button for a lock that is over."""

    def test_unlocked_elsewhere_closes_the_questions(self, service, world):
        world.lock()
        notice, own = world.unlock_offer(question="lockout"), world.unlock_offer()
        lockouts.poll(service)
        assert {world.state_of(notice), world.state_of(own)} == {"open"}
        world.fake.unlock_elsewhere("00u-dana")
        lockouts.poll(service)
        assert {world.state_of(notice), world.state_of(own)} == {"overtaken"}

    def test_account_that_is_gone_closes_its_questions_and_no_others_wait_for_it(self, service, world):
        world.lock()
        world.lock("eli")
        gone, theirs = world.unlock_offer(question="lockout"), world.unlock_offer("eli", question="lockout")
        del world.fake.accounts["00u-dana"]
        world.fake.unlock_elsewhere("00u-eli")
        lockouts.poll(service)
        assert (world.state_of(gone), world.state_of(theirs)) == ("overtaken", "overtaken")

    def test_other_questions_stay(self, service, world):
        menu = world.offer(question="menu")
        lockouts.poll(service)
        assert world.state_of(menu) == "open"

    def test_question_is_not_closed_while_the_system_is_silent(self, service, world):
        world.lock()
        offer = world.unlock_offer(question="lockout")
        world.fake.unlock_elsewhere("00u-dana")
        world.fake.failing["many_accounts"] = TemporarilyUnavailable("down")
        lockouts.poll(service)
        assert world.state_of(offer) == "open"
        del world.fake.failing["many_accounts"]
        lockouts.poll(service)
        assert world.state_of(offer) == "overtaken"


def test_one_account_that_cannot_be_read_costs_nobody_else_their_notice(service, world):
    """An event names it before the search does; the others of the same poll are told all the same."""
    world.lock()
    world.fake.add("00u-odd", "odd")
    world.fake.events.append("00u-odd")
    world.fake.failing["many_accounts"] = TemporarilyUnavailable("the answer has no status")
    assert lockouts.poll(service) == 1


def test_person_whose_account_is_known_without_an_instant_is_told_once(service, world):
    world.lock()
    account = world.fake.accounts["00u-dana"]
    world.fake.accounts["00u-dana"] = replace(account, status=Status.LOCKED, status_since=None)
    assert [lockouts.poll(service) for _ in range(2)] == [1, 0] and told(world)[0]["locked_at"] is None
    with world.store.begin() as connection:
        connection.execute(update(tables.notices).values(state="delivered"))
    assert lockouts.poll(service) == 0


class TestRepeating:
    """N9, N4: a lockout that stands may be told again, unless its No silences it."""

    @pytest.fixture
    def told_once(self, service, world):
        """Dana was told of a lockout; `again` is the number of notices that a later poll makes."""
        world.settings.lockout.repeat_hours = 8
        world.lock()
        assert lockouts.poll(service) == 1
        notice_id = world.rows(tables.notices)[0]["id"]
        self.offer = world.unlock_offer(question="lockout", cause=notice_id)
        world.settle(notice_id, notices.DELIVERED)

        def again(hours=8.0) -> int:
            world.clock.move(hours=hours)
            return lockouts.poll(service)

        return again

    def answer(self, world, answer):
        with world.store.begin() as connection:
            offers.close(connection, world.clock.now(), self.offer.id, offers.ANSWERED, answer, "inbound")

    def test_n9_after_so_many_hours(self, told_once, world):
        assert [told_once(7.9), told_once(0.1), told_once(8)] == [0, 1, 0]
        assert len({row["key"] for row in world.rows(tables.notices)}) == 2, "and one at a time"

    def test_n9_never_by_default(self, told_once, world):
        world.settings.lockout.repeat_hours = 0
        assert told_once(100) == 0

    @pytest.mark.parametrize(("silences", "again"), [(True, 0), (False, 1)])
    def test_n4_no_silences_the_same_lockout(self, told_once, world, silences, again):
        world.settings.lockout.no_silences = silences
        self.answer(world, "2")
        assert told_once() == again

    def test_n4_yes_does_not(self, told_once, world):
        self.answer(world, "1")
        assert told_once() == 1

    def test_n4_another_lockout_is_told(self, told_once, world):
        self.answer(world, "2")
        world.fake.unlock_elsewhere("00u-dana")
        world.clock.move(minutes=1)
        world.lock()
        assert told_once(0) == 1


def test_x11_masses_stop_self_service(service, world):
    world.settings.breaker.max_lockouts = 2
    for name in ("dana", "eli"):
        world.lock(name)
    lockouts.poll(service)
    assert world.unlocks.check(world.system, world.person().id).outcome == "locked"
    world.lock("mona")
    lockouts.poll(service)
    assert world.unlocks.check(world.system, world.person().id).outcome == "paused"
    assert len(world.rows(tables.notices)) == 3, "they are told all the same"
