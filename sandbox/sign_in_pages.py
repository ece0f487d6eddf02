"""The organisation's sign-in, first step: the password.

Five wrong ones in a row lock the account, and the page says so. Who has no factor is asked to set one up.
"""

import sqlite3
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox import directory, factors, organisation, policies, reset_links
from sandbox.context import Sandbox, of
from sandbox.factor_pages import begin_factor
from sandbox.pages import client_of, safe_goal
from sandbox.sign_in_flow import complete, password_page


def sign_in_page(request: Request) -> Response:
    """GET /signin."""
    done = request.query_params.get("done") == "password"
    return password_page(request, safe_goal(request.query_params.get("goal")), done=done)


async def password(request: Request) -> Response:
    """POST /signin: username, password, goal."""
    form = await request.form()
    given = {name: str(form.get(name, "")) for name in ("username", "password", "goal")}
    return await run_in_threadpool(_password, request, given["username"].strip(), given["password"], given["goal"])


def _password(request: Request, username: str, offered: str, goal: str) -> Response:
    sandbox, goal = of(request), safe_goal(goal)
    sandbox.settle()
    with sandbox.database.read() as connection:
        known = directory.find(connection, username)
    # Hashing takes its time, so it happens before the write lock is held.
    right = known is not None and directory.password_matches(known, offered)
    with sandbox.database.write() as connection:
        user = directory.find(connection, username)
        problem = _judge(connection, sandbox, request, user, right)
        response = None if problem else _go_on(connection, sandbox, request, user, goal)
    return response or password_page(request, goal, username, problem)


def _go_on(
    connection: sqlite3.Connection, sandbox: Sandbox, request: Request, user: sqlite3.Row, goal: str
) -> Response:
    """The password was right: a new one if it has expired, a factor, or setting the first one up."""
    now = sandbox.now()
    if user["status"] == "ACTIVE" and policies.has_expired(connection, user, now):
        organisation.expire_password(connection, user, now, user)
    elif user["status"] == "ACTIVE":
        if factors.active(connection, user["id"]):
            return begin_factor(connection, sandbox, user, goal)
        return complete(connection, sandbox, request, user, ["pwd"], f"/enrol?{urlencode({'goal': goal})}")
    token = reset_links.issue(connection, user["id"], now)
    return RedirectResponse(f"/reset_password/{token}?expired=1", 303)


def _judge(
    connection: sqlite3.Connection, sandbox: Sandbox, request: Request, user: sqlite3.Row | None, right: bool
) -> str:
    """What stands in the way of this sign-in (a key of MESSAGES), nothing if the password opens the account."""
    now, client = sandbox.now(), client_of(request)
    if user is None:
        return "wrong"
    if user["status"] == "LOCKED_OUT":
        organisation.sign_in_failed(connection, user, now, "LOCKED_OUT", client)
        return "locked"
    if user["status"] in ("DEPROVISIONED", "SUSPENDED"):
        organisation.sign_in_failed(connection, user, now, "VERIFICATION_ERROR", client)
        return "wrong"
    if not right:
        return "locked" if organisation.wrong_secret(connection, user, now, client) else "wrong"
    return "recovery" if user["status"] == "RECOVERY" else ""


ROUTES = [
    Route("/signin", sign_in_page),
    Route("/signin", password, methods=["POST"]),
]
