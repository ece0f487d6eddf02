"""Opens and migrates the store: SQLite (WAL) on a laptop, PostgreSQL in production, by the address alone (law 10)."""

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.pool import QueuePool

from account_access.store.together import Together

BUSY_SECONDS = 15
# The number of the advisory lock of PostgreSQL that every writer takes; any number that nobody else takes.
WRITE_LOCK = 4_021_976
MIGRATIONS = Path(__file__).parent / "migrations"


class StoreOutdated(Exception):
    """The store is not there, or its schema is not the one this code was written for."""


class Store:
    """A handle on the database; one a process, shared by its threads."""

    def __init__(self, engine: Engine):
        self.engine = engine
        # Made once: an option set on a connection costs as much as a small query.
        self._reading = engine.execution_options(read_only=True)
        self._repeatable = engine.execution_options(repeatable=True)
        self.together = Together(self.repeatable)

    @classmethod
    def open(cls, url: str) -> "Store":
        """Connects to a migrated store. Raises StoreOutdated if the supervisor has not migrated it."""
        path = sqlite_path(url)
        if path and not path.exists():
            raise StoreOutdated(f"{path}: not there; `make run` makes it, or set STORE_URL to where it is")
        engine = _engine(url)
        with engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
        head = ScriptDirectory(str(MIGRATIONS)).get_current_head()
        if current != head:
            name = url_without_password(url)
            raise StoreOutdated(f"{name}: its schema is {current}, not {head}; `make run` brings it up to date")
        return cls(engine)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction, on the disk when this returns: not even a power cut undoes it.

        It takes the one write lock at once, so that a read is never outdated by its write: SQLite has one by itself,
        on PostgreSQL it is an advisory lock. Nothing that waits for another system happens inside.
        """
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def repeatable(self) -> Iterator[Connection]:
        """One transaction of what is done again if it is lost: claims, words said, turns marked as answered.

        It does not wait for the disk (2 ms, with everybody else waiting for the write lock). Killing any process of
        ours loses nothing of it. A power cut may lose the last ones, never one of them without all after it, so
        that the store is as it was a moment earlier: the message or notice is still due.
        """
        with self._repeatable.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for reads alone: never waits for a writer."""
        with self._reading.connect() as connection:
            yield connection

    def close(self) -> None:
        self.together.close()
        self.engine.dispose()


def migrate(url: str) -> Path | None:
    """Brings the schema up to date; only the supervisor calls it, before anything starts (law 10).

    A SQLite store that needs migrating is copied first; returns the copy's path, or None if none was needed.
    """
    path = sqlite_path(url)
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
        if current == ScriptDirectory(str(MIGRATIONS)).get_current_head():
            return None
        copy = _copy(path) if path and current else None
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        return copy
    finally:
        engine.dispose()
        if path and path.exists():
            os.chmod(path, 0o600)


def sqlite_path(url: str) -> Path | None:
    """The file of a SQLite address, None for any other database."""
    parsed = make_url(url)
    return Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None


def url_without_password(url: str) -> str:
    return make_url(url).render_as_string(hide_password=True)


def _copy(path: Path) -> Path:
    copy = path.with_name(f"{path.name}.{time.strftime('%Y%m%dT%H%M%S')}.bak")
    with sqlite3.connect(path) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    shutil.copymode(path, copy)
    return copy


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return _server_engine(parsed)
    engine = create_engine(
        parsed,
        future=True,
        poolclass=QueuePool,
        pool_size=8,
        max_overflow=24,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _pragmas(dbapi_connection, _record):
        # pysqlite opens its transactions late and deferred; we begin them ourselves, below.
        dbapi_connection.isolation_level = None
        cursor = dbapi_connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection):
        options = connection.get_execution_options()
        if options.get("read_only"):
            connection.exec_driver_sql("BEGIN")
            return
        waits = "NORMAL" if options.get("repeatable") else "FULL"
        if connection.info.get("synchronous") != waits:
            connection.exec_driver_sql(f"PRAGMA synchronous={waits}")
            connection.info["synchronous"] = waits
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _server_engine(url: URL) -> Engine:
    """PostgreSQL, with one writer at a time as on SQLite: every transaction was written, and is tested, for that.

    A writer holds the lock for a millisecond or two; readers never wait.
    """
    waits = {"options": f"-c lock_timeout={BUSY_SECONDS * 1000}"}
    engine = create_engine(url, future=True, pool_pre_ping=True, pool_size=8, max_overflow=24, connect_args=waits)

    @event.listens_for(engine, "begin")
    def _begin(connection):
        options = connection.get_execution_options()
        if options.get("read_only"):
            return
        if options.get("repeatable"):
            connection.exec_driver_sql("SET LOCAL synchronous_commit TO OFF")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITE_LOCK})")

    return engine
