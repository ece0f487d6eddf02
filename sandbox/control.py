"""Making things happen: what the control page and its JSON API (docs/sandbox.md) can do to the organisation.

There is no authentication, for this is a sandbox on loopback; other sites' pages are refused by sandbox/pages.py.
"""

import json
import os
import sqlite3
import tempfile
from collections.abc import Callable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from account_access.clock import OffsetClock
from sandbox import directory, founding, organisation, switches
from sandbox.context import Sandbox, of
from sandbox.moments import stamp
from sandbox.okta_gate import RateLimits
from sandbox.people import GENERATED_PASSWORD
from sandbox.system_log import Client

ADMIN = "ruth"
MAX_PEOPLE = 5000
Body = Mapping[str, Any]


class Unable(ValueError):
    """One sentence that says why something cannot be made to happen."""


def _users(connection: sqlite3.Connection, body: Body) -> list[sqlite3.Row]:
    """The people meant by `login` or `logins`."""
    logins = body.get("logins", [body["login"]] if body.get("login") else [])
    if not isinstance(logins, list) or not logins or not all(isinstance(login, str) for login in logins):
        raise Unable("say whom: login (text) or logins (a list of texts)")
    users = [directory.find(connection, login) for login in logins]
    if None in users:
        raise Unable(f"nobody here is called {logins[users.index(None)]!r}")
    return users


def lock(sandbox: Sandbox, body: Body) -> dict[str, Any]:
    """Locks accounts as a device with an old password does."""
    client = Client(
        str(body.get("ip", organisation.OLD_DEVICE.ip)), str(body.get("device", organisation.OLD_DEVICE.agent))
    )
    with sandbox.database.write() as connection:
        locked = [
            user["login"]
            for user in _users(connection, body)
            if organisation.lock(connection, user, sandbox.now(), client)
        ]
    return {"locked": locked}


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


def deactivate(sandbox: Sandbox, body: Body) -> dict[str, Any]:
    """Takes accounts out of service, as an administrator does."""
    with sandbox.database.write() as connection:
        users, admin = _users(connection, body), directory.find(connection, ADMIN)
        for user in users:
            organisation.deactivate(connection, user, sandbox.now(), admin)
    return {"deactivated": [user["login"] for user in users]}


def end_sessions(sandbox: Sandbox, body: Body) -> dict[str, Any]:
    """Ends every session of people, as an administrator does; the chat is told by back-channel logout."""
    with sandbox.database.write() as connection:
        users, admin = _users(connection, body), directory.find(connection, ADMIN)
        for user in users:
            organisation.end_sessions(connection, user, sandbox.now(), admin)
    return {"ended": [user["login"] for user in users]}


def add_people(sandbox: Sandbox, body: Body) -> dict[str, Any]:
    """Adds generated people for load tests."""
    count = body.get("count")
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MAX_PEOPLE:
        raise Unable(f"count is a whole number from 1 to {MAX_PEOPLE}")
    logins = founding.add_people(sandbox.database, count, sandbox.now())
    return {"logins": logins, "password": GENERATED_PASSWORD}


def set_switch(sandbox: Sandbox, body: Body) -> dict[str, Any]:
    """Turns a switch on."""
    options = {name: value for name, value in body.items() if name not in ("kind", "target", "times")}
    with sandbox.database.write() as connection:
        return switches.set_switch(
            connection, str(body.get("kind")), str(body.get("target", "all")), body.get("times"), options
        )


def clear_switches(sandbox: Sandbox, body: Body) -> dict[str, Any]:
    """Turns a kind of switch off, or all of them."""
    with sandbox.database.write() as connection:
        return {"turned_off": switches.turn_off(connection, body.get("kind"))}


def move_clock(sandbox: Sandbox, body: Body) -> dict[str, Any]:
    """Moves the time of the whole installation forward; never back, for stored instants would lie in the future."""
    forward = 0.0
    for unit, seconds in (("seconds", 1), ("minutes", 60), ("hours", 3600), ("days", 86400)):
        amount = body.get(unit, 0)
        if isinstance(amount, bool) or not isinstance(amount, (int, float)) or not 0 <= amount * seconds <= 366 * 86400:
            raise Unable(f"{unit} is a number from 0 to a year: the clock only moves forward")
        forward += amount * seconds
    path = sandbox.config.clock_file
    offset = OffsetClock(path).offset() + forward
    path.parent.mkdir(parents=True, exist_ok=True)
    # Other processes read this file all the time: they see the old number or the new one, never half of it.
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(handle, "w") as file:
        file.write(f"{offset}\n")
    os.chmod(temporary, 0o644)
    os.replace(temporary, path)
    return {"now": stamp(sandbox.now()), "offset_seconds": offset}


def reset(sandbox: Sandbox, body: Body) -> dict[str, Any]:
    """Everyone as on the first day. Sessions end without word to the chat; clock and signing key stay."""
    founding.reset(sandbox.database, sandbox.now())
    return {"reset": True}


def set_rate_limits(limits: RateLimits, body: Body) -> dict[str, Any]:
    """Sets how many requests a minute each bucket allows."""
    try:
        return limits.change(dict(body))
    except ValueError as error:
        raise Unable(str(error)) from error


def state(sandbox: Sandbox, limits: RateLimits) -> dict[str, Any]:
    """How things stand: the time, who is locked, which switches are on, which logouts the chat has not heard of."""
    sandbox.settle()
    now = sandbox.now()
    with sandbox.database.read() as connection:
        users = connection.execute(
            "SELECT id, login, status, failures, status_changed, json_extract(profile, '$.displayName') AS name,"
            " (SELECT count(*) FROM sessions WHERE user_id = users.id AND ended IS NULL AND expires > ?) AS sessions"
            " FROM users ORDER BY rowid",
            (now.timestamp(),),
        ).fetchall()
        logouts = connection.execute("SELECT * FROM logouts ORDER BY id DESC LIMIT 20").fetchall()
        on = switches.all_on(connection)
    return {
        "now": stamp(now),
        "offset_seconds": OffsetClock(sandbox.config.clock_file).offset(),
        "people": [dict(user) for user in users],
        "switches": on,
        "rate_limits": limits.limits,
        "logouts": [dict(row) for row in logouts],
    }


ACTS: dict[str, Callable[[Sandbox, Body], dict[str, Any]]] = {
    "lock": lock,
    "unlock": unlock,
    "deactivate": deactivate,
    "end-sessions": end_sessions,
    "people": add_people,
    "switch": set_switch,
    "switch-off": clear_switches,
    "clock": move_clock,
    "reset": reset,
}


def perform(request: Request, name: str, body: Body) -> dict[str, Any]:
    """Makes one of ACTS happen. Raises Unable with a sentence for people."""
    try:
        if name == "rate-limits":
            return set_rate_limits(request.app.state.limits, body)
        return ACTS[name](of(request), body)
    except switches.InvalidSwitch as error:
        raise Unable(str(error)) from error


async def act(request: Request) -> Response:
    """POST /control/api/{name}: a JSON object in, a JSON object out."""
    name = request.path_params["name"]
    if name not in ACTS and name != "rate-limits":
        return JSONResponse({"error": "not_found", "message": f"there is no {name!r}; see docs/sandbox.md"}, 404)
    body = _json_object(await request.body())
    if body is None:
        return JSONResponse({"error": "invalid", "message": "the body is not a JSON object"}, 400)
    try:
        return JSONResponse(await run_in_threadpool(perform, request, name, body))
    except Unable as error:
        return JSONResponse({"error": "invalid", "message": str(error)}, 400)


def _json_object(text: bytes) -> dict[str, Any] | None:
    try:
        read = json.loads(text or b"{}")
    except ValueError:
        return None
    return read if isinstance(read, dict) else None


def show_state(request: Request) -> Response:
    """GET /control/api/state."""
    return JSONResponse(state(of(request), request.app.state.limits))


ROUTES = [
    Route("/control/api/state", show_state),
    Route("/control/api/{name}", act, methods=["POST"]),
]
