"""Notices that the store has changed, whoever changed it, and wakes the streams it concerns."""

import asyncio
import logging
import sqlite3
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy.exc import SQLAlchemyError

from account_access.store import Store
from account_access.store.engine import sqlite_path
from door.streams import Streams

SQLITE_SECONDS = 0.1
OTHER_SECONDS = 0.25
SESSION_SECONDS = 0.8
log = logging.getLogger("door.tail")


class Tail:
    """Looks ten times a second on SQLite, where looking costs microseconds, and four times elsewhere."""

    def __init__(self, store: Store, streams: Streams):
        self.streams = streams
        self._path = sqlite_path(store.engine.url.render_as_string(hide_password=False))
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="tail")
        self._connection: sqlite3.Connection | None = None
        self._version: int | None = None

    async def run(self) -> None:
        """Until cancelled; a store that does not answer is reported and asked again."""
        last_check = 0.0
        loop = asyncio.get_running_loop()
        try:
            while True:
                await asyncio.sleep(OTHER_SECONDS if self._path is None else SQLITE_SECONDS)
                try:
                    if await self._changed():
                        await self.streams.look()
                    if loop.time() - last_check >= SESSION_SECONDS:
                        last_check = loop.time()
                        await self.streams.check_sessions()
                except (SQLAlchemyError, sqlite3.Error) as error:
                    log.error("the store does not answer: %s", error)
                    await asyncio.sleep(1)
                except Exception as error:
                    # Whatever it was, every open stream waits for this loop.
                    log.critical("looking for news failed and is repeated", exc_info=error)
                    await asyncio.sleep(1)
        finally:
            self._thread.shutdown(wait=False)

    async def _changed(self) -> bool:
        if self._path is None:
            return True
        version = await asyncio.get_running_loop().run_in_executor(self._thread, self._data_version)
        changed, self._version = version != self._version, version
        return changed

    def _data_version(self) -> int:
        # Counts commits of every other connection, this process's included; nothing is read from the file for it.
        if self._connection is None:
            self._connection = sqlite3.connect(self._path, timeout=1, isolation_level=None)
        return self._connection.execute("PRAGMA data_version").fetchone()[0]
