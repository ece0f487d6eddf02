"""Making things happen: what the control page and its JSON API (docs/sandbox.md) can do to the organisation.

There is no authentication, for this is a sandbox on loopback; other sites' pages are refused by sandbox/pages.py.
"""

import json
import os
import tempfile
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from account_access.clock import OffsetClock
from sandbox import control_people, founding, policies, switches
from sandbox.context import Sandbox, of
from sandbox.control_people import Body, Unable, whole
from sandbox.moments import stamp
from sandbox.okta_gate import RateLimits
from sandbox.people import GENERATED_PASSWORD

MAX_PEOPLE = 5000
# What can be set of every password policy: (section, Okta's name, the highest number).
POLICY_NUMBERS = {
    "max_age_days": ("age", "maxAgeDays", 3650),
    "auto_unlock_minutes": ("lockout", "autoUnlockMinutes", 10080),
}


def add_people(sandbox: Sandbox, body: Body) -> dict[str, Any]:
    """Adds generated people for load tests."""
    count = whole(body, "count", 1, MAX_PEOPLE)
    logins = founding.add_people(sandbox.database, sandbox.config.company, count, sandbox.now())
    return {"logins": logins, "password": GENERATED_PASSWORD}


def set_password_policy(sandbox: Sandbox, body: Body) -> dict[str, Any]:
    """Sets how long passwords last and when lockouts end by themselves, in every policy; 0 for never."""
    chosen = {name: whole(body, name, 0, POLICY_NUMBERS[name][2]) for name in POLICY_NUMBERS if name in body}
    if not chosen:
        raise Unable(f"say which: {' or '.join(POLICY_NUMBERS)}")
    with sandbox.database.write() as connection:
        for name, value in chosen.items():
            section, key, _ = POLICY_NUMBERS[name]
            policies.change(connection, section, key, value, sandbox.now())
    return chosen


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
    founding.reset(sandbox.database, sandbox.config.company, sandbox.now())
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
            "SELECT id, login, status, failures, status_changed, password_changed,"
            " json_extract(profile, '$.displayName') AS name,"
            " (SELECT count(*) FROM sessions WHERE user_id = users.id AND ended IS NULL AND expires > ?) AS sessions"
            " FROM users ORDER BY rowid",
            (now.timestamp(),),
        ).fetchall()
        logouts = connection.execute("SELECT * FROM logouts ORDER BY id DESC LIMIT 20").fetchall()
        on = switches.all_on(connection)
        owned = control_people.factors_by_owner(connection, now)
        rules = policies.every(connection)[-1]["settings"]["password"]
    return {
        "now": stamp(now),
        "offset_seconds": OffsetClock(sandbox.config.clock_file).offset(),
        "people": [{**dict(user), "factors": owned.get(user["id"], [])} for user in users],
        "password_policy": {name: rules[section][key] for name, (section, key, _) in POLICY_NUMBERS.items()},
        "switches": on,
        "rate_limits": limits.limits,
        "logouts": [dict(row) for row in logouts],
    }


ACTS: dict[str, Callable[[Sandbox, Body], dict[str, Any]]] = {
    **control_people.ACTS,
    "people": add_people,
    "password-policy": set_password_policy,
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
