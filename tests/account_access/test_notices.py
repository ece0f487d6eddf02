"""A notice is one thing told to one person, once, and lockouts only as often as the limit allows (N6, N9)."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from account_access import conversation, notices
from account_access.store import tables


def make(world, key="lockout:1", kind=notices.LOCKOUT, name="dana", **facts):
    with world.store.begin() as connection:
        notice = notices.create(connection, world.clock.now(), key, kind, world.person(name).id, facts)
        return notices.find(connection, notice) if notice else None


def claim(world, notice, seconds=45):
    return world.claim(notice, seconds)


def give_back(world, notice, seconds):
    with world.store.begin() as connection:
        notices.retry(connection, world.clock.now(), notice, seconds)


def write(world, notice):
    """The inbox row of the notice: what the channel writes."""
    with world.store.begin() as connection:
        conversation.say(connection, world.clock.now(), notice.person_id, notice.id, 0, "locked", notice_id=notice.id)


def deliver(world, notice):
    assert claim(world, notice)
    write(world, notice)
    world.settle(notice.id, notices.DELIVERED)


def due(world):
    return [notice.id for notice in notices.due(world.store, world.clock)]


def state(world, notice):
    return world.rows(tables.notices, id=notice.id)[0]["state"]


class TestKeys:
    def test_n9_lockout_is_told_once_whatever_became_of_it(self, world):
        first = make(world)
        assert make(world) is None
        world.settle(first.id, notices.DROPPED, "over")
        assert make(world) is None

    def test_n9_key_is_person_system_and_instant(self, world):
        now = world.clock.now()
        keys = {
            notices.lockout_key("p1", "okta", now),
            notices.lockout_key("p2", "okta", now),
            notices.lockout_key("p1", "vpn", now),
            notices.lockout_key("p1", "okta", None),
        }
        world.clock.move(seconds=1)
        assert len(keys | {notices.lockout_key("p1", "okta", world.clock.now())}) == 5

    def test_instant_comes_back_from_the_facts(self, world):
        now = world.clock.now()
        assert notices.locked_at(make(world, locked_at=now.isoformat())) == now
        assert notices.locked_at(make(world, "other", locked_at=None)) is None

    def test_event_is_named_by_the_kind(self, world):
        assert make(world).intent == "EXTERNAL_lockout"
        assert make(world, "f", notices.FOLLOW_UP).intent == "EXTERNAL_follow_up"


class TestDelivering:
    def test_claimed_notice_is_nobody_elses(self, world):
        notice = make(world)
        assert due(world) == [notice.id]
        assert claim(world, notice) and not claim(world, notice) and due(world) == []
        world.clock.move(seconds=45)
        assert due(world) == [notice.id] and claim(world, notice)

    def test_of_many_one_gets_it(self, world):
        notice = make(world)
        with ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(lambda _: claim(world, notice), range(8))) == 1

    def test_inbox_row_is_the_acknowledgement_even_if_nobody_heard_of_it(self, world):
        """Killed between the row and the note of it: not delivered again."""
        notice = make(world)
        claim(world, notice)
        write(world, notice)
        world.clock.move(minutes=1)
        assert not claim(world, notice) and state(world, notice) == "delivered"

    def test_end_is_final_and_audited_once(self, world):
        notice = make(world)
        world.settle(notice.id, notices.DROPPED, "over")
        world.settle(notice.id, notices.DELIVERED)
        assert state(world, notice) == "dropped" and not claim(world, notice)
        assert [(r["act"], r["result"], r["reason"]) for r in world.rows(tables.audit)] == [
            ("notice_lockout", "dropped", "over")
        ]

    def test_given_back_it_is_due_later(self, world):
        notice = make(world)
        claim(world, notice)
        give_back(world, notice, 4)
        assert due(world) == []
        world.clock.move(seconds=4)
        assert due(world) == [notice.id]

    def test_dead_letter_after_too_many_tries(self, world):
        notice = make(world, kind=notices.FOLLOW_UP)
        for _ in range(notices.MAX_ATTEMPTS):
            assert state(world, notice) == "waiting" and claim(world, notice)
            give_back(world, notice, 0)
        assert state(world, notice) == "dead" and due(world) == []
        assert world.rows(tables.audit)[0]["reason"] == f"not delivered in {notices.MAX_ATTEMPTS} tries"

    def test_oldest_first(self, world):
        first = make(world, "a")
        world.clock.move(seconds=1)
        second = make(world, "b")
        assert due(world) == [first.id, second.id]


def test_n10_look_holds_for_a_minute(world):
    notice = make(world)
    assert not notice.is_seen_true(world.clock.now())
    with world.store.begin() as connection:
        notices.seen_true(connection, world.clock.now(), [notice.id])
        notice = notices.find(connection, notice.id)
    world.clock.move(seconds=60)
    assert notice.is_seen_true(world.clock.now())
    world.clock.move(seconds=1)
    assert not notice.is_seen_true(world.clock.now())


class TestLimit:
    """N6: at most four in a rolling day with six hours between them, per person over all systems."""

    def test_second_waits_for_the_gap_and_the_fifth_for_the_window(self, world):
        began, delivered = world.clock.now(), []
        waiting = [make(world, f"lockout:{n}") for n in range(5)]
        for _ in range(25):
            for notice in notices.due(world.store, world.clock):
                if claim(world, notice):
                    write(world, notice)
                    world.settle(notice.id, notices.DELIVERED)
                    delivered.append((world.clock.now() - began).total_seconds() / 3600)
            world.clock.move(hours=1)
        assert delivered == [0, 6, 12, 18, 24] and len(waiting) == 5

    def test_silenced_notice_is_told_when_the_limit_allows_it(self, world):
        deliver(world, make(world, "first"))
        world.clock.move(hours=1)
        second = make(world, "second")
        assert not claim(world, second) and due(world) == []
        row = world.rows(tables.notices, id=second.id)[0]
        assert (row["due_at"] - world.clock.now()).total_seconds() == 5 * 3600 and "limit" in row["reason"]
        world.clock.move(hours=5)
        assert due(world) == [second.id] and claim(world, second)

    def test_only_what_was_written_counts(self, world):
        first = make(world, "first")
        claim(world, first)
        world.settle(first.id, notices.DROPPED, "over")
        assert claim(world, make(world, "second"))

    def test_two_are_never_on_their_way_at_once(self, world):
        first, second = make(world, "first"), make(world, "second")
        assert claim(world, first) and not claim(world, second)
        world.settle(first.id, notices.DROPPED, "over")
        world.clock.move(seconds=1)
        assert due(world) == [second.id] and claim(world, second)

    def test_n6_two_in_one_round_are_one(self, world):
        both = [make(world, "first"), make(world, "second")]
        with world.store.begin() as connection:
            taken = notices.claim(connection, world.clock.now(), both, 45, world.settings.lockout)
        assert taken == both[:1]

    def test_two_claimed_at_once_by_two_threads_are_still_one(self, world):
        both = [make(world, "first"), make(world, "second")]
        with ThreadPoolExecutor(2) as pool:
            assert sum(pool.map(lambda notice: claim(world, notice), both)) == 1

    def test_others_and_follow_ups_are_not_held_back(self, world):
        deliver(world, make(world, "first"))
        assert claim(world, make(world, "theirs", name="eli"))
        assert claim(world, make(world, "promised", notices.FOLLOW_UP))

    def test_no_notice_is_allowed_at_all(self, world):
        world.settings.lockout.max_notifications = 0
        notice = make(world)
        assert not claim(world, notice) and state(world, notice) == "dropped"

    @pytest.mark.parametrize(("most", "gap", "window", "expected"), [(2, 0, 1, [0, 0, 1, 1]), (9, 2, 24, [0, 2, 4, 6])])
    def test_count_gap_and_window_are_settings(self, world, most, gap, window, expected):
        limits = world.settings.lockout
        limits.max_notifications, limits.gap_hours, limits.window_hours = most, gap, window
        for n in range(4):
            make(world, f"lockout:{n}")
        began, told = world.clock.now(), []
        while len(told) < 4:
            for notice in notices.due(world.store, world.clock):
                if claim(world, notice):
                    write(world, notice)
                    world.settle(notice.id, notices.DELIVERED)
                    told.append(round((world.clock.now() - began).total_seconds() / 3600))
            world.clock.move(seconds=30)
        assert told == expected
