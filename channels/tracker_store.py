"""Rasa's SQL tracker store: on SQLite in a file of its own with WAL; an error fails the turn instead of hiding it.

Stock Rasa reads and replays a whole conversation before each turn, and writes what is new by the object-relational
mapper: together a quarter of its time. The one Rasa process of an installation (channels/lock_store.py) keeps the
conversations it spoke in last, and asks the database only whether it knows more than is kept.
"""

import json
import os
from collections import OrderedDict
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from rasa.core.tracker_store import SQLTrackerStore
from rasa.shared.core.events import SessionStarted
from rasa.shared.core.trackers import DialogueStateTracker
from sqlalchemy import bindparam, create_engine, event, func, select
from sqlalchemy.orm import sessionmaker
from sqlalchemy.pool import QueuePool

from account_access import faults
from channels import failed_turn
from channels.failed_turn import TurnFailed
from channels.kept_tracker import keep

BUSY_SECONDS = 5
KEPT_CONVERSATIONS = 500
# A conversation longer than this is read again each time: a bound on memory, about 2 kB an event.
KEPT_EVENTS = 400


class Kept(NamedTuple):
    """A tracker as it was saved, and the number of its last stored row."""

    tracker: DialogueStateTracker
    last_row: int


class WalTrackerStore(SQLTrackerStore):
    """Stock Rasa falls back to memory when a save fails and answers as if nothing had happened: here the turn fails."""

    def __init__(self, *arguments, **keywords):
        failed_turn.install()
        if keywords.get("dialect", "sqlite") == "sqlite":
            keywords["db"] = os.environ.get("TRACKERS_DB") or keywords.get("db") or "var/trackers.db"
            Path(keywords["db"]).parent.mkdir(parents=True, exist_ok=True)
        super().__init__(*arguments, **keywords)
        if self.engine.dialect.name == "sqlite":
            self._keep_connections()
        rows = self.SQLEvent.__table__
        self._insert = rows.insert()
        self._last_row = select(func.max(rows.c.id)).where(rows.c.sender_id == bindparam("sender"))
        # Retrieving takes a tracker out, saving puts it back: of a turn that fails nothing is left.
        self._kept: OrderedDict[str, Kept] = OrderedDict()

    def _keep_connections(self) -> None:
        """Rasa opens and closes a connection for each read and save, and closing the last one puts the whole log away.

        That was a fifth of the time of all of Rasa (measured by py-spy with 60 people talking).
        """
        url = self.engine.url
        self.engine.dispose()
        self.engine = create_engine(url, poolclass=QueuePool, connect_args={"check_same_thread": False})
        event.listen(self.engine, "connect", _pragmas)
        self.sessionmaker = sessionmaker(bind=self.engine)

    async def save(self, tracker: DialogueStateTracker) -> None:
        faults.point("before_tracker_saved")
        try:
            await self.stream_events(tracker)
            self._append(tracker)
        except Exception as error:
            raise TurnFailed(f"the tracker of {tracker.sender_id} was not saved: {error}") from error

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        kept = self._kept.pop(sender_id, None)
        try:
            if kept is not None and kept.last_row == self._last_stored(sender_id):
                return kept.tracker
            tracker = await super().retrieve(sender_id)
            return None if tracker is None else keep(tracker)
        except Exception as error:
            raise TurnFailed(f"the tracker of {sender_id} was not read: {error}") from error

    def init_tracker(self, sender_id: str) -> DialogueStateTracker:
        """Of somebody who speaks for the first time."""
        return keep(super().init_tracker(sender_id))

    def _last_stored(self, sender_id: str) -> int | None:
        with self.engine.connect() as connection:
            return connection.execute(self._last_row, {"sender": sender_id}).scalar()

    def _append(self, tracker: DialogueStateTracker) -> None:
        stored = getattr(tracker, "stored_events", None)
        new = list(islice(tracker.events, self._count(tracker) if stored is None else stored, None))
        with self.engine.begin() as connection:
            if new:
                connection.execute(self._insert, [_row(tracker.sender_id, happened) for happened in new])
            last_row = connection.execute(self._last_row, {"sender": tracker.sender_id}).scalar()
        # Rasa reads what followed a session's start and leaves out the start itself: so that one is read once more.
        if len(tracker.events) <= KEPT_EVENTS and not any(isinstance(happened, SessionStarted) for happened in new):
            tracker.stored_events = len(tracker.events)
            self._kept[tracker.sender_id] = Kept(tracker, last_row)
            while len(self._kept) > KEPT_CONVERSATIONS:
                self._kept.popitem(last=False)

    def _count(self, tracker: DialogueStateTracker) -> int:
        """How many of this tracker's events are stored, as Rasa counts: those since the last session's start."""
        with self.session_scope() as session:
            return self._event_query(session, tracker.sender_id, fetch_events_from_all_sessions=False).count()


def _row(sender_id: str, happened) -> dict:
    data = happened.as_dict()
    return {
        "sender_id": sender_id,
        "type_name": happened.type_name,
        "timestamp": data.get("timestamp"),
        "intent_name": data.get("parse_data", {}).get("intent", {}).get("name"),
        "action_name": data.get("name"),
        "data": json.dumps(data),
    }


def _pragmas(connection, _record) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    # What is lost with the last milliseconds of a power cut is replayed: the inbound row is still due.
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
    cursor.close()
