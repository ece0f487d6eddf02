"""The System Log API: polling (no `until`, oldest first) always has a next link; bounded queries end."""

import base64
import json
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox import filters, system_log
from sandbox.context import of
from sandbox.filters import InvalidFilter
from sandbox.moments import instant
from sandbox.okta_errors import OktaError
from sandbox.okta_users import listing, whole_number

DEFAULT_SPAN = timedelta(days=7)
DEFAULT_PAGE, MAX_PAGE = 100, 1000


def _time(request: Request, name: str) -> datetime | None:
    text = request.query_params.get(name)
    if not text:
        return None
    try:
        return instant(text)
    except ValueError as error:
        raise OktaError("E0000001", name, [f"{name}: must be an ISO 8601 date and time"]) from error


def _cursor(request: Request, shape: type) -> Any:
    """The opaque cursor of an earlier answer; one of the other kind of query is refused."""
    text = request.query_params.get("after")
    if not text:
        return None
    try:
        read = json.loads(base64.urlsafe_b64decode(text.encode()))
    except ValueError:
        read = None
    if not isinstance(read, shape):
        raise OktaError("E0000001", "after", ["after: invalid cursor"])
    return read


def _opaque(cursor: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(cursor).encode()).decode()


def _matches(request: Request) -> system_log.Matches:
    text, q = request.query_params.get("filter"), request.query_params.get("q")
    try:
        wanted = filters.parse(text, filters.LOG_FILTER).matches if text else lambda event: True
    except InvalidFilter as error:
        raise OktaError("E0000031", causes=[str(error)]) from error
    if not q:
        return wanted
    keywords = q.casefold().split()
    return lambda event: wanted(event) and all(word in json.dumps(event).casefold() for word in keywords)


def list_events(request: Request) -> Response:
    """GET /logs."""
    sandbox = of(request)
    now, since, until = sandbox.now(), _time(request, "since"), _time(request, "until")
    order = request.query_params.get("sortOrder", "ASCENDING").upper()
    if order not in ("ASCENDING", "DESCENDING"):
        raise OktaError("E0000001", "sortOrder", ["sortOrder: must be ASCENDING or DESCENDING"])
    if since and until and since > until:
        raise OktaError("E0000001", "since", ["since: must be before until"])
    limit = whole_number(request, "limit", DEFAULT_PAGE, MAX_PAGE)
    since = max(since or (until or now) - DEFAULT_SPAN, now - system_log.KEPT)
    matches = _matches(request)
    with sandbox.database.read() as connection:
        if until is None and order == "ASCENDING":
            events, number = system_log.poll(connection, since, _cursor(request, int), matches, limit)
            return listing(request, events, {"after": _opaque(number)})
        after = _cursor(request, list)
        span = (since, until or now + timedelta(milliseconds=1))
        events, place = system_log.between(
            connection, span, tuple(after) if after else None, matches, limit, order == "DESCENDING"
        )
    return listing(request, events, {"after": _opaque(place)} if place and limit else {})


ROUTES = [Route("/logs", list_events)]
