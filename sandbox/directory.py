"""Users and their groups: rows of the database, read and changed as Okta reads and changes them."""

import base64
import hashlib
import hmac
import json
import os
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sandbox.filters import Filter
from sandbox.moments import stamp

Row = sqlite3.Row
MAX_FAILURES = 5
# Interactive sign-ins only, and many of them in load tests: about 10 ms each.
SCRYPT = {"n": 2**12, "r": 8, "p": 1}


def identifier(prefix: str, *facts: str) -> str:
    """An Okta-like id that is the same after every reset, so that a person keeps their identity at the chat."""
    digest = hashlib.sha256("/".join(facts).encode()).digest()
    return prefix + base64.b32encode(digest).decode().lower()[: 20 - len(prefix)]


def hashed(password: str) -> str:
    salt = os.urandom(16)
    return f"{salt.hex()}${hashlib.scrypt(password.encode(), salt=salt, **SCRYPT).hex()}"


def password_matches(row: Row, password: str) -> bool:
    salt, _, digest = row["password"].partition("$")
    offered = hashlib.scrypt(password.encode(), salt=bytes.fromhex(salt), **SCRYPT).hex()
    return hmac.compare_digest(offered, digest)


def find(connection: sqlite3.Connection, key: str) -> Row | None:
    """The user with this id, login or unambiguous short name (the login's part before the @)."""
    row = connection.execute("SELECT * FROM users WHERE id = ? OR login = ?", (key, key)).fetchone()
    if row or "@" in key or not key:
        return row
    pattern = key.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "@%"
    rows = connection.execute("SELECT * FROM users WHERE login LIKE ? ESCAPE '\\' LIMIT 2", (pattern,)).fetchall()
    return rows[0] if len(rows) == 1 else None


def find_all(connection: sqlite3.Connection, after: str, wanted: Filter | None) -> Iterator[dict[str, Any]]:
    """Documents of the matching users in the order of their ids, from the one behind `after`."""
    ids = json.dumps(sorted(wanted.ids)) if wanted and wanted.ids is not None else None
    rows = connection.execute(
        "SELECT * FROM users WHERE id > :after AND (:status IS NULL OR status = :status)"
        " AND (:ids IS NULL OR id IN (SELECT value FROM json_each(:ids))) ORDER BY id",
        {"after": after, "status": wanted.status if wanted else None, "ids": ids},
    )
    for row in rows:
        user = document(row)
        if wanted is None or wanted.matches(user):
            yield user


def document(row: Row) -> dict[str, Any]:
    """A user as Okta's API shows it, without links."""
    profile = json.loads(row["profile"])
    return {
        "id": row["id"],
        "status": row["status"],
        "created": row["created"],
        "activated": row["activated"],
        "statusChanged": row["status_changed"],
        "lastLogin": row["last_login"],
        "lastUpdated": row["last_updated"],
        "passwordChanged": row["password_changed"],
        "type": {"id": identifier("oty", "default")},
        "profile": profile,
        "credentials": {
            "password": {},
            "emails": [{"value": profile["email"], "status": "VERIFIED", "type": "PRIMARY"}],
            "provider": {"type": row["source"], "name": row["source"]},
        },
    }


def set_status(connection: sqlite3.Connection, user_id: str, status: str, now: datetime) -> None:
    """Moves a user to another status and forgets the failed attempts that led to the old one."""
    connection.execute(
        "UPDATE users SET status = ?, status_changed = ?, last_updated = ?, failures = 0 WHERE id = ?",
        (status, stamp(now), stamp(now), user_id),
    )


def count_failure(connection: sqlite3.Connection, user: Row, now: datetime) -> bool:
    """One more failed attempt; whether it was the one that locks the account (which it then is)."""
    failures = user["failures"] + 1
    if failures >= MAX_FAILURES:
        set_status(connection, user["id"], "LOCKED_OUT", now)
        return True
    connection.execute("UPDATE users SET failures = ? WHERE id = ?", (failures, user["id"]))
    return False


def set_password(connection: sqlite3.Connection, user_id: str, hashed_password: str, now: datetime) -> None:
    """A new password, which also brings back an account whose old one was void."""
    set_status(connection, user_id, "ACTIVE", now)
    connection.execute(
        "UPDATE users SET password = ?, password_changed = ? WHERE id = ?", (hashed_password, stamp(now), user_id)
    )


def signed_in(connection: sqlite3.Connection, user_id: str, now: datetime) -> None:
    connection.execute("UPDATE users SET failures = 0, last_login = ? WHERE id = ?", (stamp(now), user_id))


def groups(connection: sqlite3.Connection, user_id: str) -> list[dict[str, Any]]:
    rows = connection.execute(
        "SELECT document FROM groups JOIN members ON groups.id = members.group_id WHERE user_id = ? ORDER BY groups.id",
        (user_id,),
    )
    return [json.loads(row["document"]) for row in rows]
