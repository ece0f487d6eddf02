"""Rasa's own stores as we set them up: trackers that are really saved, a lock that is handed on promptly."""

import asyncio
import json
import sqlite3
import time

import pytest
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import SessionStarted, SlotSet

from channels import failed_turn, tracker_store
from channels.failed_turn import TurnFailed
from channels.lock_store import PromptLockStore
from channels.tracker_store import WalTrackerStore


@pytest.fixture
def trackers(tmp_path, monkeypatch):
    monkeypatch.setattr(failed_turn, "install", lambda: None)
    monkeypatch.setenv("TRACKERS_DB", str(tmp_path / "var" / "trackers.db"))
    store = WalTrackerStore(Domain.empty(), dialect="sqlite", db="ignored.db")
    yield store
    store.engine.dispose()


def with_a_tracker(trackers):
    async def save():
        tracker = await trackers.get_or_create_tracker("dana")
        tracker.update(SlotSet("outcome", "asked"))
        await trackers.save(tracker)
        return await trackers.retrieve("dana")

    return asyncio.run(save())


def test_tracker_there_and_back_in_the_file_of_the_environment(trackers, tmp_path):
    assert [event.key for event in with_a_tracker(trackers).events if isinstance(event, SlotSet)] == ["outcome"]
    assert (tmp_path / "var" / "trackers.db").exists()


def test_writers_and_readers_do_not_block_each_other(trackers, tmp_path):
    with_a_tracker(trackers)
    with sqlite3.connect(tmp_path / "var" / "trackers.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize("step", ["save", "retrieve"])
def test_law_11_tracker_that_cannot_be_kept_fails_the_turn(trackers, tmp_path, step):
    """Stock Rasa keeps it in memory and answers as if nothing had happened."""
    tracker = with_a_tracker(trackers)
    with sqlite3.connect(tmp_path / "var" / "trackers.db") as connection:
        connection.execute("DROP TABLE events")
    with pytest.raises(TurnFailed, match="dana"):
        tracker.update(SlotSet("outcome", "unlocked"))
        asyncio.run(trackers.save(tracker) if step == "save" else trackers.retrieve("dana"))


def test_next_turn_of_a_person_starts_as_soon_as_the_last_ends():
    """Stock waiters look once a second."""
    locks = PromptLockStore(None)

    async def two_turns():
        async def turn():
            async with locks.lock("dana"):
                began.append(time.monotonic())
                await asyncio.sleep(0.1)

        began = []
        await asyncio.gather(turn(), turn())
        return began[1] - began[0]

    assert 0.09 < asyncio.run(two_turns()) < 0.9


def turn(trackers, *values, save=True):
    """What one turn does: reads the conversation, adds to it, puts it away."""

    async def one():
        tracker = await trackers.get_or_create_tracker("dana")
        for value in values:
            tracker.update(SlotSet("outcome", value))
        if save:
            await trackers.save(tracker)
        return tracker

    return asyncio.run(one())


def said(tracker):
    return [event.value for event in tracker.events if isinstance(event, SlotSet)]


def stored(tmp_path):
    with sqlite3.connect(tmp_path / "var" / "trackers.db") as connection:
        slots = "SELECT data FROM events WHERE type_name = 'slot' ORDER BY id"
        return [json.loads(data)["value"] for (data,) in connection.execute(slots)]


def test_conversation_that_was_kept_is_the_one_in_the_file(trackers, tmp_path):
    first = turn(trackers, "a")
    assert turn(trackers, "b") is first
    turn(trackers, "c", "d")
    assert stored(tmp_path) == ["a", "b", "c", "d"]
    again = WalTrackerStore(Domain.empty(), dialect="sqlite", db="ignored.db")
    assert said(turn(again)) == ["a", "b", "c", "d"]
    again.engine.dispose()


def test_law_11_turn_that_failed_leaves_nothing_of_itself(trackers, tmp_path):
    turn(trackers, "a")
    turn(trackers, "half", save=False)
    assert said(turn(trackers, "b")) == ["a", "b"]
    assert stored(tmp_path) == ["a", "b"]


def test_what_somebody_else_wrote_or_deleted_is_noticed(trackers, tmp_path):
    turn(trackers, "a")
    other = WalTrackerStore(Domain.empty(), dialect="sqlite", db="ignored.db")
    turn(other, "theirs")
    other.engine.dispose()
    assert said(turn(trackers, "b")) == ["a", "theirs", "b"]
    with sqlite3.connect(tmp_path / "var" / "trackers.db") as connection:
        connection.execute("DELETE FROM events")
    assert said(turn(trackers, "c")) == ["c"]


def test_after_a_session_began_anew_only_what_followed_counts(trackers, tmp_path):
    turn(trackers, "old")

    async def new_session():
        tracker = await trackers.get_or_create_tracker("dana")
        tracker.update(SessionStarted())
        tracker.update(SlotSet("outcome", "new"))
        await trackers.save(tracker)

    asyncio.run(new_session())
    assert said(turn(trackers, "b")) == ["new", "b"]


def test_kept_conversations_are_bounded(trackers, monkeypatch):
    # Rasa's first event of a conversation is its own: it listens.
    monkeypatch.setattr(tracker_store, "KEPT_EVENTS", 3)
    first = turn(trackers, "a", "b")
    assert turn(trackers, "c") is first
    assert turn(trackers) is not first
    monkeypatch.setattr(tracker_store, "KEPT_EVENTS", 100)
    monkeypatch.setattr(tracker_store, "KEPT_CONVERSATIONS", 0)
    assert turn(trackers) is not turn(trackers)
