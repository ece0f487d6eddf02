"""Rasa's SQL tracker store in a SQLite file of its own, with WAL; an error fails the turn instead of hiding it."""

import os
from pathlib import Path

from rasa.core.tracker_store import SQLTrackerStore
from sqlalchemy import create_engine, event
from sqlalchemy.orm import sessionmaker
from sqlalchemy.pool import QueuePool

from account_access import faults
from channels import failed_turn
from channels.failed_turn import TurnFailed

BUSY_SECONDS = 5


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

    def _keep_connections(self) -> None:
        """Rasa opens and closes a connection for each read and save, and closing the last one puts the whole log away.

        That was a fifth of the time of all of Rasa (measured by py-spy with 60 people talking).
        """
        url = self.engine.url
        self.engine.dispose()
        self.engine = create_engine(url, poolclass=QueuePool, connect_args={"check_same_thread": False})
        event.listen(self.engine, "connect", _pragmas)
        self.sessionmaker = sessionmaker(bind=self.engine)

    async def save(self, tracker) -> None:
        faults.point("before_tracker_saved")
        try:
            await super().save(tracker)
        except Exception as error:
            raise TurnFailed(f"the tracker of {tracker.sender_id} was not saved: {error}") from error

    async def retrieve(self, sender_id):
        try:
            return await super().retrieve(sender_id)
        except Exception as error:
            raise TurnFailed(f"the tracker of {sender_id} was not read: {error}") from error


def _pragmas(connection, _record) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    # What is lost with the last milliseconds of a power cut is replayed: the inbound row is still due.
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
    cursor.close()
