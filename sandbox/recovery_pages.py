"""Making a new password: by a reset link, after "Forgot password?", or because the old one has expired."""

import sqlite3

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox import directory, factors, organisation, reset_links
from sandbox.context import Sandbox, of
from sandbox.factor_pages import RECOVER, begin_factor
from sandbox.pages import client_of, render
from sandbox.policies import MIN_LENGTH
from sandbox.sign_in_flow import MESSAGES, STATUS_OF

VOID = "This link is no longer valid. Ask for a new one."


def forgot_page(request: Request, username: str = "", problem: str = "") -> Response:
    """GET /forgot: who forgot their password."""
    return render(
        request, "forgot.html", STATUS_OF.get(problem, 200), username=username, message=MESSAGES.get(problem, "")
    )


async def forgot(request: Request) -> Response:
    """POST /forgot: username. Goes on to a factor that proves who it is."""
    username = str((await request.form()).get("username", "")).strip()
    return await run_in_threadpool(_forgot, request, username)


def _forgot(request: Request, username: str) -> Response:
    sandbox = of(request)
    sandbox.settle()
    with sandbox.database.write() as connection:
        user = directory.find(connection, username)
        problem = _hindrance(connection, user)
        response = None if problem else begin_factor(connection, sandbox, user, "/portal", RECOVER)
    return response or forgot_page(request, username, problem)


def _hindrance(connection: sqlite3.Connection, user: sqlite3.Row | None) -> str:
    """Why there is no way on from here (a key of MESSAGES). Who is unknown hears what those without a factor hear."""
    if user is None or user["status"] in ("DEPROVISIONED", "SUSPENDED"):
        return "enrolled_nothing"
    if user["source"] != "OKTA":
        return "elsewhere"
    if user["status"] in ("LOCKED_OUT", "RECOVERY"):
        return "locked" if user["status"] == "LOCKED_OUT" else "recovery"
    return "" if factors.active(connection, user["id"]) else "enrolled_nothing"


def reset_page(request: Request, problem: str = "", status: int = 200) -> Response:
    """GET /reset_password/{token}: looking at it uses nothing up."""
    sandbox = of(request)
    with sandbox.database.read() as connection:
        valid = reset_links.owner(connection, request.path_params["token"], sandbox.now()) is not None
    return render(
        request,
        "reset_password.html",
        status if valid else 403,
        valid=valid,
        message=problem if valid else VOID,
        expired="expired" in request.query_params,
        minimum=MIN_LENGTH,
    )


async def choose_password(request: Request) -> Response:
    """POST /reset_password/{token}: password."""
    chosen = str((await request.form()).get("password", ""))
    return await run_in_threadpool(_choose_password, request, chosen)


def _choose_password(request: Request, chosen: str) -> Response:
    sandbox, token = of(request), request.path_params["token"]
    with sandbox.database.read() as connection:
        owner = reset_links.owner(connection, token, sandbox.now())
        user = directory.find(connection, owner) if owner else None
    if user is None:
        return reset_page(request)
    if len(chosen) < MIN_LENGTH:
        return reset_page(request, f"Use at least {MIN_LENGTH} characters.", 400)
    if directory.password_matches(user, chosen):
        return reset_page(request, "That is the old password. Choose another one.", 400)
    hashed = directory.hashed(chosen)
    if not _save(sandbox, request, token, hashed):
        return reset_page(request)
    return RedirectResponse("/signin?done=password", 303)


def _save(sandbox: Sandbox, request: Request, token: str, hashed: str) -> bool:
    """Stores the new password and uses the link up; whether nobody was faster."""
    with sandbox.database.write() as connection:
        now = sandbox.now()
        owner = reset_links.owner(connection, token, now)
        if owner is None:
            return False
        reset_links.use(connection, token)
        user = directory.find(connection, owner)
        organisation.new_password(connection, user, hashed, now, client_of(request))
    return True


ROUTES = [
    Route("/forgot", forgot_page),
    Route("/forgot", forgot, methods=["POST"]),
    Route("/reset_password/{token}", reset_page),
    Route("/reset_password/{token}", choose_password, methods=["POST"]),
]
