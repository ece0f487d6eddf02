"""What happens to accounts, each with its trace in the System Log: failed sign-ins, locks, unlocks, ended sessions."""

import sqlite3
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sandbox import directory, policies, sessions, switches, system_log
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

PASSWORD_STEP, FACTOR_STEP = "user.session.start", "user.authentication.auth_via_mfa"

User = Mapping[str, Any]


def sign_in_failed(
    connection: sqlite3.Connection, user: User, now: datetime, reason: str, client: Client, step: str = PASSWORD_STEP
) -> None:
    """Records a failed sign-in, whatever its reason: INVALID_CREDENTIALS, LOCKED_OUT, …"""
    who = person(user)
    target = [who] if step == FACTOR_STEP else None
    system_log.append(connection, now, step, who, target=target, reason=reason, failed=True, client=client)


def wrong_secret(
    connection: sqlite3.Connection, user: sqlite3.Row, now: datetime, client: Client, step: str = PASSWORD_STEP
) -> bool:
    """A wrong password or code: logs it, counts it, and at the fifth in a row locks; whether the account is locked.

    Nothing is counted of an account whose password is void anyway.
    """
    sign_in_failed(connection, user, now, "INVALID_CREDENTIALS", client, step)
    if user["status"] != "ACTIVE":
        return False
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


def lies(connection: sqlite3.Connection, method_and_path: str) -> bool:
    """Whether the switch is on that answers well and changes nothing."""
    return switches.take(connection, "lie", method_and_path) is not None


def unlock_through_api(connection: sqlite3.Connection, user: sqlite3.Row, now: datetime, method_and_path: str) -> bool:
    """Unlocks as the API does, with the switches that make it lie or lock again; whether Okta would have accepted."""
    # The directory that holds the password is the one that counts failures.
    if user["status"] != "LOCKED_OUT" or user["source"] != "OKTA":
        return False
    if lies(connection, method_and_path):
        return True
    unlock(connection, user, now)
    relock = switches.take(connection, "relock", method_and_path)
    if relock and relock["seconds"]:
        connection.execute("INSERT INTO relocks VALUES (?, ?)", (user["id"], now.timestamp() + relock["seconds"]))
    elif relock:
        lock(connection, directory.find(connection, user["id"]), now)
    return True


def end_sessions(
    connection: sqlite3.Connection, user: User, now: datetime, actor: User | None = None, tokens: bool = True
) -> None:
    """An admin ends every session of a person, with their access tokens if wanted, and the chat is told."""
    sessions.end_all(connection, user["id"], now, tokens)
    by = person(actor) if actor else SERVICE
    system_log.append(connection, now, "user.session.clear", by, target=[person(user)])


def deactivate(connection: sqlite3.Connection, user: User, now: datetime, actor: User | None = None) -> None:
    """Takes an account out of service, and its sessions with it."""
    _out_of_service(connection, user, now, "DEPROVISIONED", "user.lifecycle.deactivate", actor)


def suspend(connection: sqlite3.Connection, user: User, now: datetime, actor: User | None = None) -> None:
    """Takes an account out of service for a while, and its sessions with it."""
    _out_of_service(connection, user, now, "SUSPENDED", "user.lifecycle.suspend", actor)


def _out_of_service(
    connection: sqlite3.Connection, user: User, now: datetime, status: str, kind: str, actor: User | None
) -> None:
    directory.set_status(connection, user["id"], status, now)
    sessions.end_all(connection, user["id"], now)
    by = person(actor) if actor else SERVICE
    system_log.append(connection, now, kind, by, target=[person(user)])


def expire_password(connection: sqlite3.Connection, user: User, now: datetime, actor: User | None = None) -> None:
    """The password has to be changed at the next sign-in; None as actor: the API's service."""
    directory.set_status(connection, user["id"], "PASSWORD_EXPIRED", now)
    by = person(actor) if actor else SERVICE
    system_log.append(connection, now, "user.account.expire_password", by, target=[person(user)])


def new_password(connection: sqlite3.Connection, user: User, hashed: str, now: datetime, client: Client) -> None:
    """The person made a new password, by which the old one ends and the account can be used again."""
    directory.set_password(connection, user["id"], hashed, now)
    who = person(user)
    system_log.append(connection, now, "user.account.update_password", who, target=[who], client=client)


def factors_removed(
    connection: sqlite3.Connection,
    user: User,
    now: datetime,
    removed: list[dict[str, Any]],
    everything: bool = False,
    actor: User | None = None,
) -> None:
    """Records that factors were taken off an account."""
    who, by = person(user), person(actor) if actor else SERVICE
    for factor in removed:
        reason = f"User reset {factor['provider']}_{factor['factorType'].upper()} factor"
        system_log.append(connection, now, "user.mfa.factor.deactivate", by, target=[who], reason=reason)
    if everything:
        system_log.append(connection, now, "user.mfa.factor.reset_all", by, target=[who])


def factor_enrolled(connection: sqlite3.Connection, user: User, now: datetime, factor: Mapping[str, Any]) -> None:
    """Records that a person set a factor up."""
    who, reason = person(user), f"User set up {factor['provider']}_{factor['factorType'].upper()} factor"
    system_log.append(connection, now, "user.mfa.factor.activate", who, target=[who], reason=reason)


def settle(connection: sqlite3.Connection, now: datetime) -> None:
    """Lets what was to happen by now happen: late events arrive, accounts unlock by themselves or lock again."""
    system_log.receive_late(connection, now)
    for user in policies.locked_long_enough(connection, now):
        directory.set_status(connection, user["id"], "ACTIVE", now)
        who = person(user)
        system_log.append(connection, now, "user.account.unlock", system_log.SYSTEM, target=[who])
    for row in connection.execute("SELECT rowid, * FROM relocks WHERE due <= ?", (now.timestamp(),)).fetchall():
        connection.execute("DELETE FROM relocks WHERE rowid = ?", (row["rowid"],))
        user = directory.find(connection, row["user_id"])
        if user:
            lock(connection, user, now)


def anything_due(connection: sqlite3.Connection, now: datetime) -> bool:
    """Whether `settle` has something to do, asked without a lock."""
    due = now.timestamp()
    if policies.locked_long_enough(connection, now):
        return True
    return bool(
        connection.execute(
            "SELECT 1 WHERE EXISTS (SELECT 1 FROM late_events WHERE due <= ?)"
            " OR EXISTS (SELECT 1 FROM relocks WHERE due <= ?)",
            (due, due),
        ).fetchone()
    )
