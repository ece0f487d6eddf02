"""The organisation's front page, a person's own portal, signing out, and choosing a new password by a reset link."""

import json
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox import directory, sessions, system_log
from sandbox.context import Sandbox, of
from sandbox.factor_pages import described
from sandbox.moments import stamp
from sandbox.pages import SESSION_COOKIE, client_of, current_session, render
from sandbox.people import PEOPLE

MIN_PASSWORD = 12


def home(request: Request) -> Response:
    """GET /: what this is, and who can sign in with what."""
    sandbox = of(request)
    sandbox.settle()
    people = []
    with sandbox.database.read() as connection:
        for person in PEOPLE:
            user = directory.find(connection, person.login)
            methods = [described(row)["name"] for row in directory.factors(connection, user["id"])]
            people.append({"member": person, "status": user["status"], "factors": methods})
        generated = connection.execute("SELECT count(*) FROM users WHERE login LIKE 'load%'").fetchone()[0]
    return render(request, "home.html", people=people, generated=generated, issuer=sandbox.config.issuer)


def portal(request: Request) -> Response:
    """GET /portal: the signed-in person's home."""
    sandbox, session = of(request), current_session(request)
    if session is None:
        return RedirectResponse("/signin", 302)
    with sandbox.database.read() as connection:
        user = directory.find(connection, session["user_id"])
        manager_login = json.loads(user["profile"])["managerId"]
        manager = directory.find(connection, manager_login) if manager_login else None
        methods = [described(row)["name"] for row in directory.factors(connection, user["id"])]
        activity = _activity(connection, user["id"], sandbox)
    return render(
        request,
        "portal.html",
        profile=json.loads(user["profile"]),
        account=user["status"],
        manager=json.loads(manager["profile"])["displayName"] if manager else None,
        factors=methods,
        activity=activity,
        password_changed=user["password_changed"],
    )


def _activity(connection, user_id: str, sandbox: Sandbox) -> list[dict[str, Any]]:
    """The person's latest ten entries in the System Log, newest first."""
    rows = connection.execute(
        "SELECT document FROM log_events WHERE json_extract(document, '$.actor.id') = ?"
        " OR json_extract(document, '$.target[0].id') = ? ORDER BY published DESC, seq DESC LIMIT 10",
        (user_id, user_id),
    )
    return [json.loads(row["document"]) for row in rows]


def sign_out(request: Request) -> Response:
    """POST /signout: ends the session; the chat's ends with it."""
    sandbox, session = of(request), current_session(request)
    if session is not None:
        with sandbox.database.write() as connection:
            sessions.end(connection, session, sandbox.now())
            who = system_log.person(directory.find(connection, session["user_id"]))
            system_log.append(connection, sandbox.now(), "user.session.end", who, client=client_of(request))
    response = RedirectResponse("/signin", 303)
    response.delete_cookie(SESSION_COOKIE)
    return response


def reset_page(request: Request, message: str = "", status: int = 200) -> Response:
    """GET /reset_password/{token}."""
    return render(request, "reset_password.html", status, message=message, minimum=MIN_PASSWORD)


async def choose_password(request: Request) -> Response:
    """POST /reset_password/{token}: password."""
    chosen = str((await request.form()).get("password", ""))
    return await run_in_threadpool(_choose_password, request, chosen)


def _choose_password(request: Request, chosen: str) -> Response:
    sandbox, token_hash = of(request), sessions.fingerprint(request.path_params["token"])
    if len(chosen) < MIN_PASSWORD:
        return reset_page(request, f"Use at least {MIN_PASSWORD} characters.", 400)
    password, now = directory.hashed(chosen), sandbox.now()
    with sandbox.database.write() as connection:
        link = connection.execute(
            "DELETE FROM reset_links WHERE token_hash = ? AND expires > ? RETURNING user_id",
            (token_hash, now.timestamp()),
        ).fetchone()
        if link:
            directory.set_status(connection, link["user_id"], "ACTIVE", now)
            connection.execute(
                "UPDATE users SET password = ?, password_changed = ? WHERE id = ?",
                (password, stamp(now), link["user_id"]),
            )
            who = system_log.person(directory.find(connection, link["user_id"]))
            system_log.append(connection, now, "user.account.update_password", who, target=[who])
    if not link:
        return reset_page(request, "This link is no longer valid. Ask for a new one.", 403)
    return RedirectResponse("/signin", 303)


ROUTES = [
    Route("/", home),
    Route("/portal", portal),
    Route("/signout", sign_out, methods=["POST"]),
    Route("/reset_password/{token}", reset_page),
    Route("/reset_password/{token}", choose_password, methods=["POST"]),
]
