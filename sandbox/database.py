"""The sandbox's state: one SQLite file in WAL mode, so that a `kill -9` loses nothing that was answered."""

import queue
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS users (
    id TEXT PRIMARY KEY, login TEXT NOT NULL UNIQUE COLLATE NOCASE, status TEXT NOT NULL, created TEXT NOT NULL,
    activated TEXT, status_changed TEXT, last_login TEXT, last_updated TEXT NOT NULL, password_changed TEXT,
    profile TEXT NOT NULL, password TEXT NOT NULL, source TEXT NOT NULL, failures INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS users_by_status ON users (status, id);
CREATE TABLE IF NOT EXISTS groups (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS members (group_id TEXT NOT NULL, user_id TEXT NOT NULL, PRIMARY KEY (group_id, user_id));
CREATE TABLE IF NOT EXISTS factors (
    id TEXT PRIMARY KEY, user_id TEXT NOT NULL, position INTEGER NOT NULL, secret TEXT, document TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS factors_by_user ON factors (user_id, position);
CREATE TABLE IF NOT EXISTS policies (id TEXT PRIMARY KEY, priority INTEGER NOT NULL, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS log_events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, published TEXT NOT NULL, arrived TEXT NOT NULL, document TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS log_events_by_time ON log_events (published, seq);
CREATE TABLE IF NOT EXISTS late_events (due REAL NOT NULL, published TEXT NOT NULL, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS reset_links (
    token_hash TEXT PRIMARY KEY, user_id TEXT NOT NULL, expires REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS relocks (user_id TEXT NOT NULL, due REAL NOT NULL);
CREATE TABLE IF NOT EXISTS sign_ins (
    id TEXT PRIMARY KEY, user_id TEXT NOT NULL, purpose TEXT NOT NULL, goal TEXT NOT NULL, factor_id TEXT,
    challenge TEXT, expires REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS sessions (
    id TEXT PRIMARY KEY, token_hash TEXT NOT NULL UNIQUE, user_id TEXT NOT NULL, auth_time INTEGER NOT NULL,
    amr TEXT NOT NULL, expires REAL NOT NULL, with_client INTEGER NOT NULL DEFAULT 0, ended REAL
);
CREATE INDEX IF NOT EXISTS sessions_by_user ON sessions (user_id);
CREATE TABLE IF NOT EXISTS codes (
    code_hash TEXT PRIMARY KEY, session_id TEXT NOT NULL, user_id TEXT NOT NULL, redirect_uri TEXT NOT NULL,
    scope TEXT NOT NULL, nonce TEXT, code_challenge TEXT NOT NULL, expires REAL NOT NULL,
    used INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS access_tokens (
    token_hash TEXT PRIMARY KEY, code_hash TEXT NOT NULL, session_id TEXT NOT NULL, user_id TEXT NOT NULL,
    scope TEXT NOT NULL, expires REAL NOT NULL, revoked INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS logouts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL, user_id TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, due REAL NOT NULL, state TEXT NOT NULL DEFAULT 'waiting', last_error TEXT
);
CREATE TABLE IF NOT EXISTS switches (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, target TEXT NOT NULL, options TEXT NOT NULL,
    times INTEGER
);
"""

# Raised when a table or what people are founded with changes: an organisation of an earlier version is founded anew.
SCHEMA_VERSION = 3

# Everything but the signing key and the schema: what "reset the organisation" empties.
STATE = (
    *("users", "groups", "members", "factors", "policies", "log_events", "late_events", "relocks", "reset_links"),
    *("sign_ins", "sessions", "codes", "access_tokens", "logouts", "switches"),
)


class Database:
    """A pool of connections to one file; each `read` or `write` block is one transaction on one of them."""

    def __init__(self, path: Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._idle: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        connection = self._take()
        connection.execute("PRAGMA journal_mode=WAL")
        if connection.execute("PRAGMA user_version").fetchone()[0] < SCHEMA_VERSION:
            for table in STATE:
                connection.execute(f"DROP TABLE IF EXISTS {table}")
            connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        connection.executescript(SCHEMA)
        self._idle.put(connection)

    def _take(self) -> sqlite3.Connection:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            connection = sqlite3.connect(self.path, timeout=10, isolation_level=None, check_same_thread=False)
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA synchronous=NORMAL")
            return connection

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        connection = self._take()
        try:
            connection.execute(begin)
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
        finally:
            self._idle.put(connection)

    def read(self):
        """A consistent view."""
        return self._transaction("BEGIN")

    def write(self):
        """A transaction that holds the write lock from its first statement, so that what it reads stays true."""
        return self._transaction("BEGIN IMMEDIATE")

    def fact(self, connection: sqlite3.Connection, name: str):
        """A stored fact by name (the signing key, the day the organisation was founded) or None."""
        row = connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return row["value"] if row else None

    def close(self) -> None:
        while not self._idle.empty():
            self._idle.get_nowait().close()
