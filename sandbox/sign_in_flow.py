"""What the steps of a sign-in share: what they say, how they fail, how they end."""

import sqlite3
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sandbox import directory, sessions, system_log
from sandbox.context import Sandbox
from sandbox.pages import SESSION_COOKIE, SIGN_IN_COOKIE, client_of, cookie, render

MESSAGES = {
    "wrong": "Unable to sign in. Check your username and password.",
    "locked": "Your account is locked because of too many authentication attempts.",
    "enrolled_nothing": "We cannot tell here that it is you. Ask IT to reset your password.",
    "elsewhere": "Your password is kept by Active Directory. Change it on a work computer, or ask IT.",
    "recovery": "Your password is being reset. Use the link you were sent to choose a new one.",
    "code": "That code is not right. Check it and try again.",
    "denied": "You have chosen to reject this sign-in.",
    "expired": "That took too long. Please sign in again.",
}
STATUS_OF = {"wrong": 401, "code": 401, "denied": 401, "locked": 403, "recovery": 403, "expired": 400,
             "enrolled_nothing": 403, "elsewhere": 403}  # fmt: skip


def password_page(request: Request, goal: str, username: str = "", problem: str = "", done: bool = False) -> Response:
    """The first step, with what went wrong (a key of MESSAGES); `done`: a new password was just made."""
    return render(
        request,
        "sign_in.html",
        STATUS_OF.get(problem, 200),
        goal=goal,
        username=username,
        message=MESSAGES.get(problem, ""),
        locked=problem == "locked",
        done=done,
    )


def complete(
    connection: sqlite3.Connection,
    sandbox: Sandbox,
    request: Request,
    user: sqlite3.Row,
    amr: list[str],
    goal: str,
    factor: dict[str, Any] | None = None,
) -> Response:
    """The person is in: session, log, counter back to zero, on to where they were going."""
    now, client, who = sandbox.now(), client_of(request), system_log.person(user)
    if factor:
        kind = "user.authentication.auth_via_mfa"
        system_log.append(connection, now, kind, who, target=[who], reason=factor["name"], client=client)
    system_log.append(connection, now, "user.session.start", who, client=client)
    directory.signed_in(connection, user["id"], now)
    token = sessions.begin(connection, user["id"], amr, now)
    response = RedirectResponse(goal, 303)
    response.set_cookie(cookie(sandbox, SESSION_COOKIE), token, httponly=True, samesite="lax")
    response.delete_cookie(cookie(sandbox, SIGN_IN_COOKIE))
    return response
