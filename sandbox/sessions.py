"""The organisation's own sessions: begun by a sign-in, ended by sign-out, by an admin or after 12 hours.

Ending one that the chat knows of queues a back-channel logout, which survives a crash and is sent by sandbox/logout.py.
"""

import hashlib
import json
import secrets
import sqlite3
from datetime import datetime

LIFETIME_HOURS = 12


def fingerprint(token: str) -> str:
    """What is stored of a bearer secret."""
    return hashlib.sha256(token.encode()).hexdigest()


def begin(connection: sqlite3.Connection, user_id: str, amr: list[str], now: datetime) -> str:
    """Starts a session and returns the cookie's secret."""
    token, started = secrets.token_urlsafe(32), now.timestamp()
    connection.execute(
        "INSERT INTO sessions (id, token_hash, user_id, auth_time, amr, expires) VALUES (?, ?, ?, ?, ?, ?)",
        (
            "102" + secrets.token_urlsafe(16),
            fingerprint(token),
            user_id,
            int(started),
            json.dumps(amr),
            started + LIFETIME_HOURS * 3600,
        ),
    )
    return token


def find(connection: sqlite3.Connection, token: str | None, now: datetime) -> sqlite3.Row | None:
    """The live session of this cookie."""
    return connection.execute(
        "SELECT * FROM sessions WHERE token_hash = ? AND ended IS NULL AND expires > ?",
        (fingerprint(token or ""), now.timestamp()),
    ).fetchone()


def get(connection: sqlite3.Connection, session_id: str) -> sqlite3.Row | None:
    return connection.execute("SELECT * FROM sessions WHERE id = ?", (session_id,)).fetchone()


def known_to_client(connection: sqlite3.Connection, session_id: str) -> None:
    """The chat was given a code in this session, so it wants to hear of its end."""
    connection.execute("UPDATE sessions SET with_client = 1 WHERE id = ?", (session_id,))


def end(connection: sqlite3.Connection, session: sqlite3.Row, now: datetime, tokens: bool = True) -> None:
    """Ends a session, its access tokens with it unless they are to stay, and queues the back-channel logout.

    The latter only if the chat knows of the session.
    """
    changed = connection.execute(
        "UPDATE sessions SET ended = ? WHERE id = ? AND ended IS NULL", (now.timestamp(), session["id"])
    ).rowcount
    if tokens:
        connection.execute("UPDATE access_tokens SET revoked = 1 WHERE session_id = ?", (session["id"],))
    if changed and session["with_client"]:
        connection.execute(
            "INSERT INTO logouts (session_id, user_id, due) VALUES (?, ?, ?)",
            (session["id"], session["user_id"], now.timestamp()),
        )


def end_all(connection: sqlite3.Connection, user_id: str, now: datetime, tokens: bool = True) -> int:
    """Ends every session of a person; how many there were."""
    rows = connection.execute("SELECT * FROM sessions WHERE user_id = ? AND ended IS NULL", (user_id,)).fetchall()
    for row in rows:
        end(connection, row, now, tokens)
    return len(rows)
