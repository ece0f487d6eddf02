"""The Factors API: list, read, unenrol, reset all, verify a code."""

import json
import sqlite3
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox import directory, factors, organisation
from sandbox.context import of
from sandbox.okta_errors import OktaError
from sandbox.okta_lifecycle import asked
from sandbox.okta_users import the_user, truth
from sandbox.pages import client_of


def _with_links(request: Request, user_id: str, row: sqlite3.Row) -> dict[str, Any]:
    user = f"{of(request).config.issuer}/api/v1/users/{user_id}"
    links = {
        "self": {"href": f"{user}/factors/{row['id']}", "hints": {"allow": ["GET", "DELETE"]}},
        "verify": {"href": f"{user}/factors/{row['id']}/verify", "hints": {"allow": ["POST"]}},
        "user": {"href": user, "hints": {"allow": ["GET"]}},
    }
    return {**json.loads(row["document"]), "_links": links}


def list_factors(request: Request) -> Response:
    with of(request).database.read() as connection:
        user = the_user(connection, request)
        rows = factors.every(connection, user["id"])
    return JSONResponse([_with_links(request, user["id"], row) for row in rows])


def get_factor(request: Request) -> Response:
    with of(request).database.read() as connection:
        user = the_user(connection, request)
        row = factors.find(connection, user["id"], request.path_params["factor"])
    if row is None:
        raise _not_found(request)
    return JSONResponse(_with_links(request, user["id"], row))


def _not_found(request: Request) -> OktaError:
    return OktaError("E0000007", f"{request.path_params['factor']} (UserFactor)")


def delete_factor(request: Request) -> Response:
    """`removeRecoveryEnrollment` is taken and has no effect: a phone recovers nothing here once it is no factor."""
    sandbox = of(request)
    truth(request, "removeRecoveryEnrollment", False)
    with sandbox.database.write() as connection:
        user, now = _in_service(connection, request), sandbox.now()
        if factors.find(connection, user["id"], request.path_params["factor"]) is None:
            raise _not_found(request)
        if not organisation.lies(connection, asked(request)):
            removed = factors.remove(connection, user["id"], request.path_params["factor"], now)
            organisation.factors_removed(connection, user, now, removed)
    return Response(status_code=204)


def _in_service(connection: sqlite3.Connection, request: Request) -> sqlite3.Row:
    """The user of the path. Raises OktaError if they are deactivated, for then factors stay as they are."""
    user = the_user(connection, request)
    if user["status"] == "DEPROVISIONED":
        raise OktaError("E0000038")
    return user


def reset_factors(request: Request) -> Response:
    sandbox = of(request)
    with sandbox.database.write() as connection:
        user, now = _in_service(connection, request), sandbox.now()
        if not organisation.lies(connection, asked(request)):
            removed = []
            for row in factors.every(connection, user["id"]):
                removed += factors.remove(connection, user["id"], row["id"], now)
            organisation.factors_removed(connection, user, now, removed, everything=True)
    return JSONResponse({})


async def verify_factor(request: Request) -> Response:
    """With `passCode` the code is checked, without it one is sent to a factor that does not show any by itself."""
    try:
        body = json.loads(await request.body() or b"{}")
    except ValueError:
        raise OktaError("E0000003") from None
    if not isinstance(body, dict):
        raise OktaError("E0000003")
    return await run_in_threadpool(_verify_factor, request, body.get("passCode"))


def _verify_factor(request: Request, offered: Any) -> Response:
    sandbox = of(request)
    with sandbox.database.write() as connection:
        user, now = _in_service(connection, request), sandbox.now()
        factor = factors.find(connection, user["id"], request.path_params["factor"])
        if factor is None or json.loads(factor["document"])["status"] != "ACTIVE":
            raise _not_found(request)
        kind = factors.kind_of(factor)[0]
        if kind not in factors.CODE_KINDS:
            raise OktaError("E0000001", "passCode", [f"The sandbox verifies no {kind} through the API."])
        if user["status"] == "LOCKED_OUT":
            raise OktaError("E0000069")
        if not offered and kind == factors.APP_CODE:
            raise OktaError("E0000001", "passCode", ["passCode: The field cannot be left blank"])
        if not offered:
            factors.send(connection, factor)
            return JSONResponse({"factorResult": "CHALLENGE"})
        right = factors.use(connection, factor, str(offered), now)
        if not right:
            organisation.wrong_secret(
                connection, directory.find(connection, user["id"]), now, client_of(request), organisation.FACTOR_STEP
            )
    # Outside, so that the failure stays counted.
    if not right:
        raise OktaError("E0000068", causes=["Your token doesn't match our records. Please try again."])
    return JSONResponse({"factorResult": "SUCCESS"})


ROUTES = [
    Route("/users/{user}/factors", list_factors),
    Route("/users/{user}/factors/{factor}", get_factor),
    Route("/users/{user}/factors/{factor}", delete_factor, methods=["DELETE"]),
    Route("/users/{user}/factors/{factor}/verify", verify_factor, methods=["POST"]),
    Route("/users/{user}/lifecycle/reset_factors", reset_factors, methods=["POST"]),
]
