"""The organisation's front page, a person's own portal, signing out."""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox import directory, factors, sessions, system_log
from sandbox.context import Sandbox, of
from sandbox.factors import described
from sandbox.pages import SESSION_COOKIE, client_of, cookie, current_session, render


def home(request: Request) -> Response:
    """GET /: what this is, and who can sign in with what."""
    sandbox = of(request)
    sandbox.settle()
    people = []
    with sandbox.database.read() as connection:
        for person in sandbox.config.company.people:
            user = directory.find(connection, person.login)
            methods = [described(row)["name"] for row in factors.active(connection, user["id"])]
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
        methods = [
            {**described(row), "code": factors.shown(row, sandbox.now())}
            for row in factors.every(connection, user["id"])
        ]
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
    response.delete_cookie(cookie(sandbox, SESSION_COOKIE))
    return response


ROUTES = [
    Route("/", home),
    Route("/portal", portal),
    Route("/signout", sign_out, methods=["POST"]),
]
