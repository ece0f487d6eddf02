"""What happens to accounts, each with its trace in the System Log: failed sign-ins, locks, unlocks, ended sessions."""

import sqlite3
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sandbox import directory, sessions, switches, system_log
from sandbox.directory import identifier
from sandbox.system_log import Client, person

# Who acts through the Okta API: the service account that owns the token.
SERVICE = {
    "id": identifier("00u", "service", "account-access"),
    "type": "User",
    "alternateId": "svc-account-access@acme.example",
    "displayName": "Account Access service",
    "detailEntry": None,
}
# A phone's mail app that goes on trying the password of last month.
OLD_DEVICE = Client(ip="198.51.100.77", agent="Apple-iPhone15C2/2107.93 (iPhone; iOS 18.1) Exchange ActiveSync")

User = Mapping[str, Any]


def sign_in_failed(connection: sqlite3.Connection, user: User, now: datetime, reason: str, client: Client) -> None:
    """Records a failed sign-in, whatever its reason: INVALID_CREDENTIALS, LOCKED_OUT, …"""
    who = person(user)
    system_log.append(connection, now, "user.session.start", who, reason=reason, failed=True, client=client)


def wrong_secret(connection: sqlite3.Connection, user: sqlite3.Row, now: datetime, client: Client) -> bool:
    """A wrong password or code: logs it, counts it, and at the fifth in a row locks; whether the account is locked."""
    sign_in_failed(connection, user, now, "INVALID_CREDENTIALS", client)
    locked = directory.count_failure(connection, user, now)
    if locked:
        log_lock(connection, user, now, client)
    return locked


def log_lock(connection: sqlite3.Connection, user: User, now: datetime, client: Client) -> None:
    who = person(user)
    system_log.append(
        connection, now, "user.account.lock", who, target=[who], reason="LOCKED_OUT", failed=True, client=client
    )


def lock(connection: sqlite3.Connection, user: sqlite3.Row, now: datetime, client: Client = OLD_DEVICE) -> bool:
    """Locks an account as a device with an old password does: five failures within half a minute; whether it could."""
    if user["status"] != "ACTIVE":
        return False
    for failure in range(directory.MAX_FAILURES):
        then = now - timedelta(seconds=6 * (directory.MAX_FAILURES - 1 - failure))
        sign_in_failed(connection, user, then, "INVALID_CREDENTIALS", client)
    directory.set_status(connection, user["id"], "LOCKED_OUT", now)
    log_lock(connection, user, now, client)
    return True


def unlock(connection: sqlite3.Connection, user: sqlite3.Row, now: datetime, actor: User | None = None) -> bool:
    """Unlocks an account (by the API's service unless `actor` says who); whether it was locked."""
    if user["status"] != "LOCKED_OUT":
        return False
    directory.set_status(connection, user["id"], "ACTIVE", now)
    by = person(actor) if actor else SERVICE
    system_log.append(connection, now, "user.account.unlock_by_admin", by, target=[person(user)])
    return True


def unlock_through_api(connection: sqlite3.Connection, user: sqlite3.Row, now: datetime, method_and_path: str) -> bool:
    """Unlocks as the API does, with the switches that make it lie or lock again; whether Okta would have accepted."""
    if user["status"] != "LOCKED_OUT":
        return False
    if switches.take(connection, "lie", method_and_path) is not None:
        return True
    unlock(connection, user, now)
    relock = switches.take(connection, "relock", method_and_path)
    if relock and relock["seconds"]:
        connection.execute("INSERT INTO relocks VALUES (?, ?)", (user["id"], now.timestamp() + relock["seconds"]))
    elif relock:
        lock(connection, directory.find(connection, user["id"]), now)
    return True


def end_sessions(connection: sqlite3.Connection, user: User, now: datetime, actor: User | None = None) -> None:
    """An admin ends every session of a person, and the chat is told."""
    sessions.end_all(connection, user["id"], now)
    by = person(actor) if actor else SERVICE
    system_log.append(connection, now, "user.session.clear", by, target=[person(user)])


def deactivate(connection: sqlite3.Connection, user: User, now: datetime, actor: User | None = None) -> None:
    """Takes an account out of service, and its sessions with it."""
    directory.set_status(connection, user["id"], "DEPROVISIONED", now)
    sessions.end_all(connection, user["id"], now)
    by = person(actor) if actor else SERVICE
    system_log.append(connection, now, "user.lifecycle.deactivate", by, target=[person(user)])


def factors_removed(
    connection: sqlite3.Connection, user: User, now: datetime, removed: list[dict[str, Any]], everything: bool
) -> None:
    """Records that factors were taken off an account."""
    who = person(user)
    for factor in removed:
        reason = f"User reset {factor['provider']}_{factor['factorType'].upper()} factor"
        system_log.append(connection, now, "user.mfa.factor.deactivate", SERVICE, target=[who], reason=reason)
    if everything:
        system_log.append(connection, now, "user.mfa.factor.reset_all", SERVICE, target=[who])


def settle(connection: sqlite3.Connection, now: datetime) -> None:
    """Lets what was to happen by now happen: late events arrive, unlocked accounts lock again."""
    system_log.receive_late(connection, now)
    for row in connection.execute("SELECT rowid, * FROM relocks WHERE due <= ?", (now.timestamp(),)).fetchall():
        connection.execute("DELETE FROM relocks WHERE rowid = ?", (row["rowid"],))
        user = directory.find(connection, row["user_id"])
        if user:
            lock(connection, user, now)


def anything_due(connection: sqlite3.Connection, now: datetime) -> bool:
    """Whether `settle` has something to do, asked without a lock."""
    due = now.timestamp()
    return bool(
        connection.execute(
            "SELECT 1 WHERE EXISTS (SELECT 1 FROM late_events WHERE due <= ?)"
            " OR EXISTS (SELECT 1 FROM relocks WHERE due <= ?)",
            (due, due),
        ).fetchone()
    )
