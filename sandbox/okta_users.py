"""The Users API: list, search, read, groups."""

import sqlite3
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox import directory, filters
from sandbox.context import of
from sandbox.filters import Filter, InvalidFilter
from sandbox.okta_errors import OktaError

MAX_PAGE = 200


def whole_number(request: Request, name: str, default: int, highest: int) -> int:
    """A limit from the query. Raises OktaError."""
    text = request.query_params.get(name, str(default))
    if not text.isascii() or not text.isdigit():
        raise OktaError("E0000001", name, [f"{name}: must be a whole number"])
    return min(int(text), highest)


def truth(request: Request, name: str, default: bool) -> bool:
    """A true or false from the query. Raises OktaError."""
    text = request.query_params.get(name, str(default)).lower()
    if text not in ("true", "false"):
        raise OktaError("E0000001", name, [f"{name}: must be true or false"])
    return text == "true"


def links(request: Request, following: dict[str, str]) -> list[str]:
    """The values of the Link headers, self before next: Okta's own SDK keeps only the last one."""
    base = f"{of(request).config.issuer}{request.url.path}"
    here = f"{base}?{request.url.query}" if request.url.query else base
    values = [f'<{here}>; rel="self"']
    if following:
        values.append(f'<{base}?{urlencode({**request.query_params, **following})}>; rel="next"')
    return values


def listing(request: Request, items: list[dict[str, Any]], following: dict[str, str]) -> JSONResponse:
    """A page of a list with its Link headers."""
    response = JSONResponse(items)
    for value in links(request, following):
        response.headers.append("Link", value)
    return response


def _with_links(request: Request, user: dict[str, Any], full: bool) -> dict[str, Any]:
    own = f"{of(request).config.issuer}/api/v1/users/{user['id']}"
    shown: dict[str, Any] = {"self": {"href": own}}
    if full:
        post = {"resetPassword": "reset_password", "resetFactors": "reset_factors", "deactivate": "deactivate",
                "expirePassword": "expire_password"}  # fmt: skip
        if user["status"] == "LOCKED_OUT":
            post["unlock"] = "unlock"
        for name, action in post.items():
            shown[name] = {"href": f"{own}/lifecycle/{action}", "method": "POST"}
    return {**user, "_links": shown}


def _wanted(request: Request) -> Filter | None:
    """What the query's search, filter or q asks for. Raises OktaError."""
    search, narrow, q = (request.query_params.get(name) for name in ("search", "filter", "q"))
    if search is not None and narrow is not None:
        raise OktaError("E0000033")
    try:
        if search is not None:
            return filters.parse(search, filters.USER_SEARCH)
        if narrow is not None:
            return filters.parse(narrow, filters.USER_FILTER)
    except InvalidFilter as error:
        raise OktaError("E0000031", causes=[str(error)]) from error
    if q:
        begin = q.casefold()
        names = ("firstName", "lastName", "email")
        return Filter(lambda user: _in_service(user) and any(_starts(user["profile"][name], begin) for name in names))
    return Filter(_in_service)


def _in_service(user: dict[str, Any]) -> bool:
    return user["status"] != "DEPROVISIONED"


def _starts(text: str, begin: str) -> bool:
    return text.casefold().startswith(begin)


def list_users(request: Request) -> Response:
    """GET /users: by search, filter, q, or everyone who is not deactivated."""
    only_q = "q" in request.query_params and not {"search", "filter"} & set(request.query_params)
    limit = whole_number(request, "limit", 10 if only_q else MAX_PAGE, MAX_PAGE) or MAX_PAGE
    wanted = _wanted(request)
    if "search" in request.query_params and "sortBy" in request.query_params:
        return _sorted_users(request, wanted, limit)
    with of(request).database.read() as connection:
        found = directory.find_all(connection, request.query_params.get("after", ""), wanted)
        page = list(islice(found, limit + 1))
    following = {"after": page[limit - 1]["id"], "limit": str(limit)} if len(page) > limit and not only_q else {}
    return listing(request, [_with_links(request, user, False) for user in page[:limit]], following)


def _sorted_users(request: Request, wanted: Filter | None, limit: int) -> Response:
    """A search in an order of the caller's: the cursor is the id of the last one shown."""
    attribute, after = request.query_params["sortBy"], request.query_params.get("after")
    if not filters.USER_SEARCH.knows(attribute):
        raise OktaError("E0000031", causes=[f"cannot sort by {attribute}"])
    with of(request).database.read() as connection:
        everyone = list(directory.find_all(connection, "", wanted))
    descending = request.query_params.get("sortOrder", "asc").lower().startswith("desc")
    everyone.sort(key=lambda user: str(filters.values(user, attribute)[0] or "").casefold(), reverse=descending)
    start = next((at + 1 for at, user in enumerate(everyone) if user["id"] == after), 0)
    page = everyone[start : start + limit]
    following = {"after": page[-1]["id"], "limit": str(limit)} if start + limit < len(everyone) else {}
    return listing(request, [_with_links(request, user, False) for user in page], following)


def the_user(connection: sqlite3.Connection, request: Request) -> sqlite3.Row:
    """The user of the path. Raises OktaError (404)."""
    user = directory.find(connection, request.path_params["user"])
    if user is None:
        raise OktaError("E0000007", f"{request.path_params['user']} (User)")
    return user


def get_user(request: Request) -> Response:
    with of(request).database.read() as connection:
        user = directory.document(the_user(connection, request))
    return JSONResponse(_with_links(request, user, True))


def list_groups(request: Request) -> Response:
    with of(request).database.read() as connection:
        groups = directory.groups(connection, the_user(connection, request)["id"])
    return listing(request, groups, {})


ROUTES = [
    Route("/users", list_users),
    Route("/users/{user}", get_user),
    Route("/users/{user}/groups", list_groups),
]
