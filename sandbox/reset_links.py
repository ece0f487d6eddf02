"""One-time links by which a person makes a new password; only a fingerprint of each is kept."""

import secrets
import sqlite3
from datetime import datetime

from sandbox.sessions import fingerprint

HOURS = 1


def new_token() -> str:
    return secrets.token_urlsafe(16)


def address(issuer: str, token: str) -> str:
    return f"{issuer}/reset_password/{token}"


def issue(connection: sqlite3.Connection, user_id: str, now: datetime) -> str:
    """A fresh token for a person, which makes their earlier ones void."""
    token = new_token()
    connection.execute("DELETE FROM reset_links WHERE user_id = ?", (user_id,))
    connection.execute(
        "INSERT INTO reset_links VALUES (?, ?, ?)", (fingerprint(token), user_id, now.timestamp() + HOURS * 3600)
    )
    return token


def owner(connection: sqlite3.Connection, token: str, now: datetime) -> str | None:
    """Whose token this is, None if it is nobody's, used or too old."""
    row = connection.execute(
        "SELECT user_id FROM reset_links WHERE token_hash = ? AND expires > ?", (fingerprint(token), now.timestamp())
    ).fetchone()
    return row["user_id"] if row else None


def use(connection: sqlite3.Connection, token: str) -> None:
    """The token worked and works no more."""
    connection.execute("DELETE FROM reset_links WHERE token_hash = ?", (fingerprint(token),))
