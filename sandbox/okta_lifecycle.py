"""What the Users API does to accounts: unlock, password reset and expiry, ended sessions, out of service."""

import sqlite3
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox import directory, organisation, reset_links, sessions, system_log
from sandbox.context import of
from sandbox.okta_errors import OktaError
from sandbox.okta_users import the_user, truth

# Nobody makes a new password for these.
NO_PASSWORD = frozenset({"DEPROVISIONED", "SUSPENDED", "STAGED", "PROVISIONED"})


def asked(request: Request) -> str:
    """The request as switches name it."""
    return f"{request.method} {request.url.path}"


def unlock(request: Request) -> Response:
    sandbox = of(request)
    with sandbox.database.write() as connection:
        user = the_user(connection, request)
        if not organisation.unlock_through_api(connection, user, sandbox.now(), asked(request)):
            raise OktaError("E0000032", causes=["The user is not locked out."])
    return JSONResponse({})


def reset_password(request: Request) -> Response:
    """Puts the user into RECOVERY; with sendEmail=false the link is in the answer, else it would be in an e-mail."""
    sandbox, send_email = of(request), truth(request, "sendEmail", True)
    revoke_sessions = truth(request, "revokeSessions", False)
    with sandbox.database.write() as connection:
        user, now = _with_password_here(connection, request), sandbox.now()
        if organisation.lies(connection, asked(request)):
            link = reset_links.address(sandbox.config.issuer, reset_links.new_token())
        else:
            directory.set_status(connection, user["id"], "RECOVERY", now)
            link = reset_links.address(sandbox.config.issuer, reset_links.issue(connection, user["id"], now))
            if revoke_sessions:
                sessions.end_all(connection, user["id"], now)
            target = [system_log.person(user)]
            system_log.append(connection, now, "user.account.reset_password", organisation.SERVICE, target=target)
    return JSONResponse({} if send_email else {"resetPasswordUrl": link})


def _with_password_here(connection: sqlite3.Connection, request: Request) -> sqlite3.Row:
    """The user of the path. Raises OktaError if there is no password of theirs to be changed."""
    user = the_user(connection, request)
    if user["status"] in NO_PASSWORD or user["source"] != "OKTA":
        raise OktaError("E0000038")
    return user


def expire_password(request: Request) -> Response:
    sandbox = of(request)
    with sandbox.database.write() as connection:
        user = _with_password_here(connection, request)
        if not organisation.lies(connection, asked(request)):
            organisation.expire_password(connection, user, sandbox.now())
        return JSONResponse(directory.document(the_user(connection, request)))


def end_sessions(request: Request) -> Response:
    """DELETE /users/{user}/sessions: `oauthTokens` says whether access tokens go with them."""
    sandbox, tokens = of(request), truth(request, "oauthTokens", False)
    with sandbox.database.write() as connection:
        user = the_user(connection, request)
        if not organisation.lies(connection, asked(request)):
            organisation.end_sessions(connection, user, sandbox.now(), tokens=tokens)
    return Response(status_code=204)


def _out_of_service(act: Callable) -> Callable[[Request], Response]:
    def endpoint(request: Request) -> Response:
        sandbox = of(request)
        with sandbox.database.write() as connection:
            user = the_user(connection, request)
            if not organisation.lies(connection, asked(request)):
                act(connection, user, sandbox.now())
        return JSONResponse({})

    return endpoint


ROUTES = [
    Route("/users/{user}/sessions", end_sessions, methods=["DELETE"]),
    Route("/users/{user}/lifecycle/unlock", unlock, methods=["POST"]),
    Route("/users/{user}/lifecycle/reset_password", reset_password, methods=["POST"]),
    Route("/users/{user}/lifecycle/expire_password", expire_password, methods=["POST"]),
    Route("/users/{user}/lifecycle/suspend", _out_of_service(organisation.suspend), methods=["POST"]),
    Route("/users/{user}/lifecycle/deactivate", _out_of_service(organisation.deactivate), methods=["POST"]),
]
