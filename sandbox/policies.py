"""Password policies: how long a password lasts, what it must be, when a lockout ends by itself.

In the order of priority, the first whose groups the person is in holds. Passwords that another directory holds have
none here.
"""

import json
import sqlite3
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sandbox.directory import MAX_FAILURES, identifier
from sandbox.moments import instant, stamp
from sandbox.people import CONTINGENT, EVERYONE

# (name, group, days before the expiry from which on a sign-in warns)
POLICIES = (("Contingent workers", CONTINGENT, 7), ("Default Policy", EVERYONE, 14))
MAX_AGE_DAYS = 90
MIN_LENGTH = 12


def found(connection: sqlite3.Connection, now: datetime) -> None:
    """Writes the policies of the first day."""
    for priority, (name, group, warn_days) in enumerate(POLICIES, 1):
        policy_id = identifier("00p", name)
        document = _document(policy_id, name, priority, identifier("00g", group), warn_days, now)
        connection.execute("INSERT INTO policies VALUES (?, ?, ?)", (policy_id, priority, json.dumps(document)))


def _document(policy_id: str, name: str, priority: int, group_id: str, warn_days: int, now: datetime) -> dict[str, Any]:
    return {
        "id": policy_id,
        "type": "PASSWORD",
        "name": name,
        "description": f"The password policy for the group {name}",
        "status": "ACTIVE",
        "priority": priority,
        "system": name == "Default Policy",
        "created": stamp(now),
        "lastUpdated": stamp(now),
        "conditions": {"people": {"groups": {"include": [group_id]}}, "authProvider": {"provider": "OKTA"}},
        "settings": {
            "password": {
                "complexity": {
                    "minLength": MIN_LENGTH, "minLowerCase": 0, "minUpperCase": 0, "minNumber": 0, "minSymbol": 0,
                    "excludeUsername": True, "dictionary": {"common": {"exclude": False}}, "excludeAttributes": [],
                },
                "age": {"maxAgeDays": MAX_AGE_DAYS, "expireWarnDays": warn_days, "minAgeMinutes": 0, "historyCount": 1},
                "lockout": {
                    "maxAttempts": MAX_FAILURES, "autoUnlockMinutes": 0, "userLockoutNotificationChannels": [],
                    "showLockoutFailures": True,
                },
            },
            "recovery": {
                "factors": {
                    "recovery_question": {
                        "status": "INACTIVE", "properties": {"complexity": {"minLength": 4}},
                    },
                    "okta_email": {
                        "status": "INACTIVE", "properties": {"recoveryToken": {"tokenLifetimeMinutes": 60}},
                    },
                    "okta_sms": {"status": "ACTIVE"},
                    "okta_call": {"status": "ACTIVE"},
                }
            },
            "delegation": {"options": {"skipUnlock": False}},
        },
    }  # fmt: skip


def every(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """The policies in the order of their priority, as Okta's API shows them."""
    rows = connection.execute("SELECT document FROM policies ORDER BY priority")
    return [json.loads(row["document"]) for row in rows]


def change(connection: sqlite3.Connection, section: str, key: str, value: int, now: datetime) -> None:
    """Sets one number of `age` or `lockout` in every policy."""
    for policy in every(connection):
        policy["settings"]["password"][section][key] = value
        policy["lastUpdated"] = stamp(now)
        connection.execute("UPDATE policies SET document = ? WHERE id = ?", (json.dumps(policy), policy["id"]))


def _for(connection: sqlite3.Connection, user: Mapping[str, Any]) -> dict[str, Any]:
    """The password settings that hold for a user; nothing if another directory holds the password."""
    if user["source"] != "OKTA":
        return {}
    rows = connection.execute("SELECT group_id FROM members WHERE user_id = ?", (user["id"],))
    groups = {row["group_id"] for row in rows}
    for policy in every(connection):
        if groups & set(policy["conditions"]["people"]["groups"]["include"]):
            return policy["settings"]["password"]
    return {}


def has_expired(connection: sqlite3.Connection, user: Mapping[str, Any], now: datetime) -> bool:
    """Whether the password is too old. Okta looks at a sign-in only, and then moves the account to PASSWORD_EXPIRED."""
    days = _for(connection, user).get("age", {}).get("maxAgeDays", 0)
    return bool(days) and now >= instant(user["password_changed"]) + timedelta(days=days)


def locked_long_enough(connection: sqlite3.Connection, now: datetime) -> list[sqlite3.Row]:
    """The locked accounts whose policy unlocks them by now."""
    waits = [minutes for policy in every(connection) if (minutes := _unlock_minutes(policy["settings"]["password"]))]
    if not waits:
        return []
    locked = connection.execute(
        "SELECT * FROM users WHERE status = 'LOCKED_OUT' AND status_changed <= ?",
        (stamp(now - timedelta(minutes=min(waits))),),
    )
    return [user for user in locked.fetchall() if _ends_by(connection, user, now)]


def _unlock_minutes(password: Mapping[str, Any]) -> int:
    return password.get("lockout", {}).get("autoUnlockMinutes", 0)


def _ends_by(connection: sqlite3.Connection, user: sqlite3.Row, now: datetime) -> bool:
    minutes = _unlock_minutes(_for(connection, user))
    return bool(minutes) and now >= instant(user["status_changed"]) + timedelta(minutes=minutes)
