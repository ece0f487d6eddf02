"""Rasa's own stores as we set them up: trackers that are really saved, a lock that is handed on promptly."""

import asyncio
import sqlite3
import time

import pytest
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import SlotSet

from channels import failed_turn
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
