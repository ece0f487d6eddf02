"""Who is asking: the session cookie, and nothing else, says so (law 1)."""

import hmac
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from account_access import people, sessions
from account_access.people import Person
from account_access.sessions import Session
from door.errors import ApiError

COOKIE = "account_access_session"


@dataclass(frozen=True)
class Visitor:
    """A signed-in person and the session they came with."""

    person: Person
    session: Session


async def visitor(request: Request) -> Visitor | None:
    """The signed-in person behind a request, or None."""
    token = request.cookies.get(COOKIE)
    return await run_in_threadpool(_find, request.app.state.door, token) if token else None


def _find(door, token: str) -> Visitor | None:
    session = sessions.find(door.store, door.clock, token)
    person = people.get(door.store, session.person_id) if session else None
    return Visitor(person, session) if person else None


async def required(request: Request) -> Visitor:
    """As `visitor`; raises ApiError 401 when nobody is signed in."""
    found = await visitor(request)
    if found is None:
        raise ApiError(401, "signed_out", "Please sign in again.")
    return found


def check_post(request: Request, found: Visitor) -> None:
    """Raises ApiError unless this POST comes from our own page (or a program that holds the CSRF token)."""
    origin = request.headers.get("origin")
    if origin is not None and origin != request.app.state.door.origin:
        raise ApiError(403, "foreign_origin", "Requests from other sites are refused.")
    given = request.headers.get("x-csrf-token", "")
    if not hmac.compare_digest(given.encode(), found.session.csrf.encode()):
        raise ApiError(403, "csrf", "The X-CSRF-Token header is missing or not this session's; see GET /api/me.")


def set_cookie(request: Request, response: Response, token: str, seconds: int) -> None:
    """Hands the session's token to the browser, for so many seconds."""
    response.set_cookie(
        COOKIE, token, max_age=seconds, path="/", httponly=True, samesite="lax", secure=request.app.state.door.secure
    )


def drop_cookie(request: Request, response: Response) -> None:
    """Takes the session's token back."""
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax", secure=request.app.state.door.secure)
