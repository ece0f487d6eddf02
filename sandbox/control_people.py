"""What the control page can make happen to people: locks, factors, passwords, sessions."""

import json
import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sandbox import directory, enrolment, factors, organisation
from sandbox.context import Sandbox
from sandbox.moments import stamp
from sandbox.people import GENERATED_PASSWORD, member
from sandbox.system_log import Client

ADMIN = "ruth"
MAX_ATTEMPTS = 50
MAX_AGE_DAYS = 3650
Body = Mapping[str, Any]


class Unable(ValueError):
    """One sentence that says why something cannot be made to happen."""


def whole(body: Body, name: str, lowest: int, highest: int) -> int:
    """A whole number of the body. Raises Unable."""
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
        raise Unable(f"{name} is a whole number from {lowest} to {highest}")
    return value


def _users(connection: sqlite3.Connection, body: Body) -> list[sqlite3.Row]:
    """The people meant by `login` or `logins`."""
    logins = body.get("logins", [body["login"]] if body.get("login") else [])
    if not isinstance(logins, list) or not logins or not all(isinstance(login, str) for login in logins):
        raise Unable("say whom: login (text) or logins (a list of texts)")
    users = [directory.find(connection, login) for login in logins]
    if None in users:
        raise Unable(f"nobody here is called {logins[users.index(None)]!r}")
    return users


def _device(body: Body) -> Client:
    """From where and with what: by default the device that goes on trying an old password."""
    old = organisation.OLD_DEVICE
    return Client(str(body.get("ip", old.ip)), str(body.get("device", old.agent)))


def lock(sandbox: Sandbox, body: Body) -> dict[str, Any]:
    """Locks accounts as a device with an old password does."""
    with sandbox.database.write() as connection:
        locked = [
            user["login"]
            for user in _users(connection, body)
            if organisation.lock(connection, user, sandbox.now(), _device(body))
        ]
    return {"locked": locked}


def fail_attempts(sandbox: Sandbox, body: Body) -> dict[str, Any]:
    """A device with an old password tries so many times, a second apart, the last time now; the fifth locks."""
    count, client, tried = whole(body, "count", 1, MAX_ATTEMPTS), _device(body), []
    with sandbox.database.write() as connection:
        for user in _users(connection, body):
            for before in reversed(range(count)):
                _try_once(connection, user["id"], sandbox.now() - timedelta(seconds=before), client)
            tried.append(user["login"])
    return {"tried": tried}


def _try_once(connection: sqlite3.Connection, user_id: str, now, client: Client) -> None:
    user = directory.find(connection, user_id)
    if user["status"] == "LOCKED_OUT":
        organisation.sign_in_failed(connection, user, now, "LOCKED_OUT", client)
    else:
        organisation.wrong_secret(connection, user, now, client)


def unlock(sandbox: Sandbox, body: Body) -> dict[str, Any]:
    """Unlocks accounts elsewhere, as an administrator in Okta's own console does."""
    with sandbox.database.write() as connection:
        admin = directory.find(connection, ADMIN)
        unlocked = [
            user["login"]
            for user in _users(connection, body)
            if organisation.unlock(connection, user, sandbox.now(), admin)
        ]
    return {"unlocked": unlocked}


def _as_admin(done: str, act: Callable) -> Callable[[Sandbox, Body], dict[str, Any]]:
    """An act of the administrator on each of the people meant; `done` names it in the answer."""

    def perform(sandbox: Sandbox, body: Body) -> dict[str, Any]:
        with sandbox.database.write() as connection:
            users, admin = _users(connection, body), directory.find(connection, ADMIN)
            for user in users:
                act(connection, user, sandbox.now(), admin)
        return {done: [user["login"] for user in users]}

    return perform


def restore(sandbox: Sandbox, body: Body) -> dict[str, Any]:
    """Gives people back the password of the first day and a usable account; factors stay as they are."""
    with sandbox.database.write() as connection:
        users = _users(connection, body)
        for user in users:
            known = member(user["login"])
            password = directory.hashed(known.password if known else GENERATED_PASSWORD)
            directory.set_password(connection, user["id"], password, sandbox.now())
    return {"restored": [user["login"] for user in users]}


def age_password(sandbox: Sandbox, body: Body) -> dict[str, Any]:
    """Lets people's passwords be so many days old."""
    days = whole(body, "days", 0, MAX_AGE_DAYS)
    with sandbox.database.write() as connection:
        users, changed = _users(connection, body), stamp(sandbox.now() - timedelta(days=days))
        for user in users:
            connection.execute("UPDATE users SET password_changed = ? WHERE id = ?", (changed, user["id"]))
    return {"aged": [user["login"] for user in users]}


def write_number(sandbox: Sandbox, body: Body) -> dict[str, Any]:
    """Writes an employee number into people's profiles, or takes theirs away, as an administrator does."""
    number = body.get("number")
    if number is not None and not isinstance(number, str):
        raise Unable("number is a text, or null for none")
    with sandbox.database.write() as connection:
        users = _users(connection, body)
        for user in users:
            profile = {**json.loads(user["profile"]), "employeeNumber": number}
            values = (json.dumps(profile), stamp(sandbox.now()), user["id"])
            connection.execute("UPDATE users SET profile = ?, last_updated = ? WHERE id = ?", values)
    return {"numbered": [user["login"] for user in users]}


def add_factor(sandbox: Sandbox, body: Body) -> dict[str, Any]:
    """Sets a factor up for people, as if they had done it themselves."""
    kind, name = str(body.get("kind", "")), str(body.get("name", "")).strip()
    problem = enrolment.problem_with(kind, name)
    if problem:
        raise Unable(f"kind is one of {', '.join(enrolment.CHOICES)}; {problem}".rstrip("."))
    with sandbox.database.write() as connection:
        users = _users(connection, body)
        for user in users:
            factor = enrolment.begin(connection, user, kind, name, sandbox.now())
            enrolment.complete(connection, user, factor, sandbox.now())
    return {"enrolled": [user["login"] for user in users]}


def remove_factor(sandbox: Sandbox, body: Body) -> dict[str, Any]:
    """Takes one factor off its owner, with what goes along, as an administrator does; `factor` is its id."""
    with sandbox.database.write() as connection:
        found = connection.execute(
            "SELECT user_id FROM factors WHERE id = ?", (str(body.get("factor", "")),)
        ).fetchone()
        if found is None:
            raise Unable("there is no such factor; `factor` is an id of the state")
        user, admin = (directory.find(connection, key) for key in (found["user_id"], ADMIN))
        removed = factors.remove(connection, user["id"], body["factor"], sandbox.now())
        organisation.factors_removed(connection, user, sandbox.now(), removed, actor=admin)
    return {"removed": [factor["id"] for factor in removed]}


def factors_by_owner(connection: sqlite3.Connection, now: datetime) -> dict[str, list[dict[str, Any]]]:
    """Everybody's factors in words, and the code that each shows now, by their owner's id."""
    owned: dict[str, list[dict[str, Any]]] = {}
    for row in connection.execute("SELECT * FROM factors ORDER BY position"):
        told = factors.described(row)
        created = json.loads(row["document"])["created"]
        owned.setdefault(row["user_id"], []).append({**told, "created": created, "code": factors.shown(row, now)})
    return owned


ACTS: dict[str, Callable[[Sandbox, Body], dict[str, Any]]] = {
    "lock": lock,
    "failed-attempts": fail_attempts,
    "unlock": unlock,
    "suspend": _as_admin("suspended", organisation.suspend),
    "deactivate": _as_admin("deactivated", organisation.deactivate),
    "end-sessions": _as_admin("ended", organisation.end_sessions),
    "expire-password": _as_admin("expired", organisation.expire_password),
    "password-age": age_password,
    "employee-number": write_number,
    "restore": restore,
    "add-factor": add_factor,
    "remove-factor": remove_factor,
}
