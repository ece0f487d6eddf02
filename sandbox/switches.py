"""What the control page can make go wrong: a row per switch, taken by the requests it concerns.

A switch has a kind, a target (which requests of the Okta API), options, and perhaps a number of times. Sign-in is
concerned by `no_auth_time` alone.
"""

import json
import re
import sqlite3
from typing import Any

# kind: (what it does, its options with their defaults)
KINDS: dict[str, tuple] = {
    "slow": ("answers after `seconds`", {"seconds": 10.0}),
    "down": (
        "answers 503; with `how`=closed it closes the connection instead, with `how`=reply_lost after doing the work",
        {"how": "503"},
    ),
    "rate_limit": ("answers 429 with the reset `seconds` from now", {"seconds": 30.0}),
    "error": ("answers 500", {}),
    "malformed": ("answers 200 with JSON that breaks off", {}),
    "forbidden": ("answers 403: the token lacks permission", {}),
    "lie": ("acts answer well and change nothing", {}),
    "relock": ("the account locks again `seconds` after an unlock (a device with an old password)", {"seconds": 0.0}),
    "no_auth_time": ("ID tokens do not tell when their person signed in", {}),
    "late_log": ("events reach the System Log `seconds` late, out of order", {"seconds": 20.0}),
}
TARGETS = {
    "all": r".*",
    "users": r"GET /api/v1/users",
    "user": r"GET /api/v1/users/[^/]+",
    "unlock": r"POST /api/v1/users/[^/]+/lifecycle/unlock",
    "factors": r"\w+ /api/v1/users/[^/]+/factors.*",
    "reset_password": r"POST /api/v1/users/[^/]+/lifecycle/reset_password",
    "sessions": r"DELETE /api/v1/users/[^/]+/sessions",
    "policies": r"GET /api/v1/policies.*",
    "logs": r"GET /api/v1/logs",
    "tokens": r"POST /oauth2/v1/token",
}
OWN_TARGET = {"relock": "unlock", "late_log": "logs", "no_auth_time": "tokens"}


class InvalidSwitch(ValueError):
    """One sentence that says what is wrong with a switch that was asked for."""


def set_switch(
    connection: sqlite3.Connection,
    kind: str,
    target: str = "all",
    times: int | None = None,
    options: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Turns a switch on (replacing the same kind for the same target) and returns it. Raises InvalidSwitch."""
    if kind not in KINDS:
        raise InvalidSwitch(f"unknown switch {kind!r}; there are {', '.join(KINDS)}")
    target = OWN_TARGET.get(kind, target)
    if target not in TARGETS and not re.fullmatch(r"[A-Z]+ /api/v1/\S*", target):
        raise InvalidSwitch(f"unknown target {target!r}; use {', '.join(TARGETS)}, or a method and path")
    if times is not None and (isinstance(times, bool) or not isinstance(times, int) or times < 1):
        raise InvalidSwitch("times is a whole number of at least 1, or absent for ever")
    settled = _options(kind, options or {})
    connection.execute("DELETE FROM switches WHERE kind = ? AND target = ?", (kind, target))
    cursor = connection.execute(
        "INSERT INTO switches (kind, target, options, times) VALUES (?, ?, ?, ?)",
        (kind, target, json.dumps(settled), times),
    )
    return {"id": cursor.lastrowid, "kind": kind, "target": target, "times": times, **settled}


def _options(kind: str, given: dict[str, Any]) -> dict[str, Any]:
    settled = dict(KINDS[kind][1])
    for name, value in given.items():
        if name not in settled:
            raise InvalidSwitch(f"{kind} has no option {name!r}")
        if name == "how" and value not in ("503", "closed", "reply_lost"):
            raise InvalidSwitch("how is 503, closed or reply_lost")
        if name == "seconds" and (
            isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 3600
        ):
            raise InvalidSwitch("seconds is a number from 0 to 3600")
        settled[name] = value
    return settled


def all_on(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """The switches that are on, oldest first."""
    rows = connection.execute("SELECT * FROM switches ORDER BY id").fetchall()
    return [
        {
            "id": row["id"],
            "kind": row["kind"],
            "target": row["target"],
            "times": row["times"],
            **json.loads(row["options"]),
        }
        for row in rows
    ]


def turn_off(connection: sqlite3.Connection, kind: str | None = None) -> int:
    """Turns one kind of switch off, or all; how many were on."""
    return connection.execute("DELETE FROM switches WHERE ? IS NULL OR kind = ?", (kind, kind)).rowcount


def take(connection: sqlite3.Connection, kind: str, method_and_path: str, target: str = "") -> dict[str, Any] | None:
    """The options of a switch of this kind that concerns the request, using up one of its times; None if none is on."""
    for row in connection.execute("SELECT * FROM switches WHERE kind = ? ORDER BY id", (kind,)).fetchall():
        if row["target"] != target and not re.fullmatch(
            TARGETS.get(row["target"], re.escape(row["target"])), method_and_path
        ):
            continue
        if row["times"] == 1:
            connection.execute("DELETE FROM switches WHERE id = ?", (row["id"],))
        elif row["times"]:
            connection.execute("UPDATE switches SET times = times - 1 WHERE id = ?", (row["id"],))
        return json.loads(row["options"])
    return None
