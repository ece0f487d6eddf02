"""Deliveries believe only what the channel says is written, and lose nothing (N7, N9, laws 3, 5 and 11)."""

import threading
import time

import pytest

from account_access import notices, pace
from account_access.store import tables
from schedulers import deliveries
from tests.schedulers.fake_channel import slowly


def make(world, key="lockout:1", kind=notices.LOCKOUT, name="dana") -> str:
    with world.store.begin() as connection:
        return notices.create(connection, world.clock.now(), key, kind, world.person(name).id, {})


def state(world, notice) -> str:
    return world.rows(tables.notices, id=notice)[0]["state"]


def test_written_is_delivered(service, world, channel):
    notice = make(world)
    assert deliveries.deliver(service) == 1 and state(world, notice) == "delivered"
    assert channel.heard == [notice] and channel.secrets == ["the-secret-of-the-schedulers"]
    assert deliveries.deliver(service) == 0 and channel.heard == [notice]


def test_dropped_by_the_action_is_over(service, world, channel):
    channel.answer = channel.drops
    notice = make(world)
    assert deliveries.deliver(service) == 0 and state(world, notice) == "dropped"
    world.clock.move(hours=1)
    deliveries.deliver(service)
    assert len(channel.heard) == 1


NOT_YET = [
    ("nothing was written", (200, {"written": False, "state": "waiting"})),
    ("the turn failed", (503, {"error": "turn failed"})),
    ("Rasa crashed", (500, {})),
    ("wrong secret", (401, {"error": "unauthorized"})),
    ("unknown", (404, {"written": False, "state": "unknown"})),
    ("redirected", (302, {})),
    ("a page", (200, b"<html>")),
    ("a list", (200, [])),
    ("cut", (200, b'{"written": tr')),
    ("an empty object", (200, {})),
]


@pytest.mark.parametrize("answer", [case[1] for case in NOT_YET], ids=[case[0] for case in NOT_YET])
def test_what_is_not_surely_written_is_tried_again(service, world, channel, answer):
    channel.answer = lambda _: answer
    notice = make(world)
    assert deliveries.deliver(service) == 0 and state(world, notice) == "waiting"
    assert deliveries.deliver(service) == 0 and len(channel.heard) == 1, "after a pause"
    world.clock.move(seconds=deliveries.BACKOFF_SECONDS[0])
    channel.answer = channel.writes
    assert deliveries.deliver(service) == 1 and state(world, notice) == "delivered"


def test_nobody_listening(service, world):
    notice = make(world)
    assert deliveries.deliver(service) == 0 and state(world, notice) == "waiting"


def test_lost_acknowledgement_is_found_in_the_inbox(service, world, channel):
    """Written, but the answer never came: the row is the proof, and nothing is said twice."""

    def writes_and_fails(notice_id):
        channel.writes(notice_id)
        return 500, {}

    channel.answer = writes_and_fails
    notice = make(world)
    assert deliveries.deliver(service) == 0
    world.clock.move(seconds=1)
    deliveries.deliver(service)
    assert state(world, notice) == "delivered" and channel.heard == [notice]
    assert len(world.rows(tables.inbox)) == 1


def test_silent_channel_is_given_up_after_a_while_and_asked_again(service, world, channel, monkeypatch):
    monkeypatch.setattr(deliveries, "READ_SECONDS", 0.1)
    channel.answer = slowly(0.3, channel.writes)
    notice = make(world)
    assert deliveries.deliver(service) == 0 and state(world, notice) == "waiting"
    time.sleep(0.4)
    world.clock.move(seconds=1)
    deliveries.deliver(service)
    assert state(world, notice) == "delivered" and len(world.rows(tables.inbox)) == 1


def test_pauses_grow_and_end_in_a_dead_letter(service, world, channel):
    channel.answer = lambda _: (500, {})
    notice = make(world, kind=notices.FOLLOW_UP)
    pauses = []
    while state(world, notice) == "waiting":
        pause = world.rows(tables.notices)[0]["due_at"] - world.clock.now()
        pauses.append(pause.total_seconds())
        world.clock.move(seconds=pauses[-1])
        deliveries.deliver(service)
    assert pauses[:7] == [0, 1, 2, 4, 8, 15, 30] and len(pauses) == notices.MAX_ATTEMPTS
    assert state(world, notice) == "dead"


def test_killed_after_the_claim_is_taken_up_when_the_claim_ends(service, world, channel):
    notice = make(world)
    with world.store.reading() as connection:
        found = notices.find(connection, notice)
    assert world.claim(found, deliveries.CLAIM_SECONDS)
    assert deliveries.deliver(service) == 0
    world.clock.move(seconds=deliveries.CLAIM_SECONDS)
    assert deliveries.deliver(service) == 1


def test_claim_outlives_the_longest_call():
    assert deliveries.CONNECT_SECONDS + deliveries.READ_SECONDS < deliveries.CLAIM_SECONDS


def test_many_at_once_but_not_more_than_the_setting(service, world, channel):
    world.settings.schedulers.concurrency = 3
    busy, most, guard = 0, 0, threading.Lock()

    def answer(notice_id):
        nonlocal busy, most
        with guard:
            busy, most = busy + 1, max(most, busy + 1)
        time.sleep(0.05)
        with guard:
            busy -= 1
        return channel.writes(notice_id)

    channel.answer = answer
    for n in range(9):
        make(world, f"follow-up:{n}", notices.FOLLOW_UP)
    assert deliveries.deliver(service) == 9 and 2 <= most <= 3


def test_n6_second_lockout_of_a_person_waits(service, world, channel):
    both = [make(world, "lockout:1"), make(world, "lockout:2")]
    assert deliveries.deliver(service) == 1
    world.clock.move(seconds=2)
    assert deliveries.deliver(service) == 0
    assert sorted(state(world, notice) for notice in both) == ["delivered", "waiting"]
    world.clock.move(hours=6)
    assert deliveries.deliver(service) == 1


def test_two_schedulers_at_once_tell_it_once(service, world, channel):
    made = {make(world, f"lockout:{n}", name=name) for n, name in enumerate(("dana", "eli", "mona"))}
    results = []
    threads = [threading.Thread(target=lambda: results.append(deliveries.deliver(service))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(results) == 3 and sorted(channel.heard) == sorted(made)


class TestPace:
    """So many notices a minute by the chat, where the settings want a limit."""

    @pytest.fixture
    def reminders(self, service, world, channel):
        """Five that are due, of which three a minute may go out."""
        service.settings.schedulers.per_minute = {"web": 3, "mail": 30}
        return [make(world, f"follow_up:{number}", notices.FOLLOW_UP) for number in range(5)]

    def test_the_rest_stays_due_and_goes_out_when_the_minute_allows_it(self, service, world, channel, reminders):
        assert [deliveries.deliver(service), deliveries.deliver(service)] == [3, 0]
        waiting = [row["attempts"] for row in world.rows(tables.notices, state="waiting")]
        assert waiting == [0, 0], "to wait is no try"
        world.clock.move(seconds=59)
        assert deliveries.deliver(service) == 0
        world.clock.move(seconds=1)
        assert deliveries.deliver(service) == 2
        assert sorted(channel.heard) == sorted(reminders)

    def test_two_schedulers_that_both_saw_room_share_it(self, service, world, channel, reminders, monkeypatch):
        """What either saw a moment ago decides nothing: what was taken does."""
        monkeypatch.setattr(pace, "left", lambda *_: 3)
        assert [deliveries.deliver(service), deliveries.deliver(service)] == [3, 0]
        assert len(channel.heard) == 3

    def test_n2_a_lockout_waits_for_no_limit_and_counts(self, service, world, channel, reminders):
        assert deliveries.deliver(service) == 3
        world.clock.move(seconds=30)
        lockout = make(world)
        assert deliveries.deliver(service) == 1 and state(world, lockout) == "delivered"
        make(world, "follow_up:5", notices.FOLLOW_UP)
        world.clock.move(seconds=30)
        assert deliveries.deliver(service) == 2, "the lockout of half a minute ago counts"

    def test_n10_no_system_is_asked_about_those_who_wait(self, service, world, channel, reminders):
        deliveries.deliver(service)
        asked = len(world.fake.calls)
        for _ in range(5):
            deliveries.deliver(service)
        assert len(world.fake.calls) == asked

    def test_without_a_limit_nothing_is_counted(self, service, world, channel):
        assert service.settings.schedulers.per_minute["web"] is None
        make(world)
        assert deliveries.deliver(service) == 1 and world.rows(tables.cursors) == []
