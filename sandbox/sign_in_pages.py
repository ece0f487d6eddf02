"""The organisation's sign-in, first step: the password.

Five wrong ones in a row lock the account, and the page says so.
"""

import sqlite3

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox import directory, organisation
from sandbox.context import Sandbox, of
from sandbox.factor_pages import begin_factor
from sandbox.pages import client_of, safe_goal
from sandbox.sign_in_flow import complete, password_page


def sign_in_page(request: Request) -> Response:
    """GET /signin."""
    return password_page(request, safe_goal(request.query_params.get("goal")))


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
        if problem:
            response = None
        elif not directory.factors(connection, user["id"]):
            response = complete(connection, sandbox, request, user, ["pwd"], goal)
        else:
            response = begin_factor(connection, sandbox, user, goal)
    return response or password_page(request, goal, username, problem)


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
    if user["status"] == "DEPROVISIONED":
        organisation.sign_in_failed(connection, user, now, "VERIFICATION_ERROR", client)
        return "wrong"
    if not right:
        return "locked" if organisation.wrong_secret(connection, user, now, client) else "wrong"
    return "recovery" if user["status"] == "RECOVERY" else ""


ROUTES = [
    Route("/signin", sign_in_page),
    Route("/signin", password, methods=["POST"]),
]
