"""Unlocks while the identity system is down, slow, limited or silent: nothing lost, nothing claimed (law 4, X6)."""

import threading

from account_access import requests, tickets
from account_access.connectors.base import TemporarilyUnavailable
from account_access.settings import SystemSection
from account_access.store import tables

# As they are; the world makes them shorter.
PAUSES = requests.READ_BACK_PAUSES


class TestBadDays:
    """Law 4, X6: nothing is lost, nothing is claimed done that is not."""

    def postponed(self, world) -> str:
        world.lock()
        request = world.confirmed()
        world.fake.down = True
        assert world.unlocks.execute(world.system, request) == "still_trying"
        return request

    def test_system_that_is_down_is_tried_again_by_followups(self, world):
        request = self.postponed(world)
        assert world.unlocks.due() == []
        world.fake.down = False
        world.clock.move(seconds=requests.BACKOFF_SECONDS[0])
        assert [r.id for r in world.unlocks.due()] == [request]
        assert world.unlocks.execute(world.system, request) == "unlocked"
        assert len(world.fake.unlocked) == len(world.rows(tables.tickets)) == 1

    def test_lost_reply_is_read_and_not_repeated(self, world):
        world.lock()
        request = world.confirmed()
        world.fake.reply_lost = True
        assert world.unlocks.execute(world.system, request) == "unlocked"
        assert world.fake.count("unlock") == 1

    def test_call_without_an_answer_and_without_effect_is_repeated_once(self, world):
        world.lock()
        request = world.confirmed()
        world.fake.unanswered = 1
        assert world.unlocks.execute(world.system, request) == "unlocked"
        assert world.fake.count("unlock") == 2 and world.fake.unlocked == [world.account()]

    def test_two_calls_without_an_answer_are_enough_for_one_run(self, world):
        world.lock()
        request = world.confirmed()
        world.fake.unanswered = 2
        assert world.unlocks.execute(world.system, request) == "still_trying"
        world.clock.move(minutes=1)
        assert world.unlocks.execute(world.system, request) == "unlocked"
        assert world.fake.count("unlock") == 3 and len(world.rows(tables.tickets)) == 1

    def test_slow_call_without_an_answer_is_not_repeated_while_a_person_waits(self, world, monkeypatch):
        monkeypatch.setattr(requests, "SECOND_CALL_WITHIN_SECONDS", -1)
        world.lock()
        request = world.confirmed()
        world.fake.unanswered = 1
        assert world.unlocks.execute(world.system, request) == "still_trying"
        assert world.fake.count("unlock") == 1

    def test_locked_anew_behind_a_lost_reply_is_not_unlocked_again(self, world):
        world.lock()
        request = world.confirmed()
        world.fake.reply_lost = world.fake.relocking = True
        assert world.unlocks.execute(world.system, request) == "relocked"
        assert world.fake.count("unlock") == 1

    def test_limited_system_is_left_alone_for_as_long_as_it_asks(self, world):
        world.lock()
        request = world.confirmed()
        world.fake.limited_for = 47
        assert world.unlocks.execute(world.system, request) == "still_trying"
        world.clock.move(seconds=46)
        assert world.unlocks.due() == []
        world.clock.move(seconds=1)
        assert [r.id for r in world.unlocks.due()] == [request]

    def test_after_many_tries_it_is_handed_over_with_a_ticket(self, world):
        request = self.postponed(world)
        outcomes = []
        for _ in range(20):
            world.clock.move(minutes=10)
            if not world.unlocks.due():
                break
            outcomes.append(world.unlocks.execute(world.system, request))
        assert outcomes == ["still_trying"] * (len(requests.BACKOFF_SECONDS) - 1) + ["handed_over"]
        (ticket,) = world.rows(tables.tickets)
        assert ticket["state"] == tickets.OPEN
        assert len(world.rows(tables.audit, result="postponed")) == len(requests.BACKOFF_SECONDS)

    def test_answer_of_the_wrong_kind_is_not_believed(self, world):
        world.lock()
        request = world.confirmed()
        world.fake.failing["account"] = TemporarilyUnavailable("the answer has no status")
        assert world.unlocks.execute(world.system, request) == "still_trying"
        assert world.fake.count("unlock") == 0

    def test_claim_keeps_a_second_runner_away(self, world):
        world.lock()
        request = world.confirmed()
        world.fake.held = threading.Event()
        first = world.system.submit(world.unlocks.execute, world.system, request)
        while not world.fake.calls:
            pass
        assert world.unlocks.execute(world.system, request) == "still_trying"
        assert world.unlocks.due() == []
        world.fake.held.set()
        assert first.result(10) == "unlocked" and world.fake.count("unlock") == 1

    def test_law_5_claim_outlives_every_call_of_one_run_together(self, world):
        """Look, groups, unlock and the reads back, each as slow as the settings allow."""
        longest = 0
        for name in ("connect_timeout", "read_timeout"):
            longest += SystemSection.__fields__[name].field_info.le
        calls = 3 + len(requests.READ_BACK_PAUSES)
        assert calls * longest + sum(PAUSES) < requests.CLAIM_SECONDS

    def test_fresh_request_is_left_to_the_turn_that_confirmed_it(self, world):
        world.lock()
        request = world.confirmed()
        assert world.unlocks.due() == []
        world.clock.move(seconds=requests.GRACE_SECONDS)
        assert [r.id for r in world.unlocks.due()] == [request]


class TestPromise:
    """Law 4: who hears "still trying" hears how it ends, once."""

    def test_promise_is_kept_by_one_follow_up(self, world):
        world.lock()
        request = world.confirmed()
        world.fake.down = True
        world.unlocks.execute(world.system, request)
        assert world.unlocks.promise(request) == "still_trying"
        world.fake.down = False
        world.clock.move(minutes=1)
        world.unlocks.execute(world.system, request)
        world.unlocks.execute(world.system, request)
        (notice,) = world.rows(tables.notices)
        assert (notice["kind"], notice["facts"]) == ("follow_up", {"request": request, "system": "okta"})

    def test_what_ended_just_before_the_promise_is_told_at_once(self, world):
        world.lock()
        request = world.confirmed()
        world.unlocks.execute(world.system, request)
        assert world.unlocks.promise(request) == "unlocked" and world.rows(tables.notices) == []

    def test_without_a_promise_there_is_no_follow_up(self, world):
        world.lock()
        assert world.unlocks.execute(world.system, world.confirmed()) == "unlocked"
        assert world.rows(tables.notices) == []

    def test_promise_and_end_at_once_tell_it_exactly_once(self, world):
        for _ in range(10):
            world.lock()
            request = world.confirmed()
            before = len(world.rows(tables.notices))
            running = world.system.submit(world.unlocks.execute, world.system, request)
            told = world.unlocks.promise(request)
            assert running.result(10) in ("unlocked", "limited")
            assert (told == "still_trying") == (len(world.rows(tables.notices)) == before + 1)
