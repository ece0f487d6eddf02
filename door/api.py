"""The JSON API of the chat page, the terminal client and scripts; documented in docs/door-api.md."""

import re

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from account_access import conversation
from account_access.conversation import Due
from door import messages, rates, visitors
from door.errors import ApiError
from door.redaction import redact
from door.streams import as_number
from door.visitors import Visitor

MAX_HISTORY = 100
_KEY = re.compile(r"[A-Za-z0-9_-]{8,100}")


async def me(request: Request) -> Response:
    """GET /api/me: who is signed in, and the token that every POST has to carry."""
    found = await visitors.required(request)
    return JSONResponse(
        {
            "name": found.person.name or found.person.login,
            "given_name": found.person.given_name or found.person.name or found.person.login,
            "login": found.person.login,
            "csrf": found.session.csrf,
            "session_ends_at": _instant(found.session.expires_at),
            "now": _instant(request.app.state.door.clock.now()),
        }
    )


async def send(request: Request) -> Response:
    """POST /api/messages: a typed message, cleaned, redacted, stored; it is answered whatever happens next."""
    found, body = await _posted(request)
    text, redacted = redact(messages.clean(body.get("text")))
    return await _accept(request, found, conversation.accept_text, _key(body), text, "web", redacted)


async def click(request: Request) -> Response:
    """POST /api/clicks: an answer of one of the person's own offers (X3)."""
    found, body = await _posted(request)
    offer, answer = body.get("offer"), body.get("answer")
    if not _is_id(offer) or not _is_id(answer):
        raise ApiError(400, "invalid", "offer and answer must be ids from an entry.")
    return await _accept(request, found, conversation.accept_click, _key(body), offer, answer, "web")


async def history(request: Request) -> Response:
    """GET /api/history?before=&limit=: the last entries before that seq, oldest first."""
    door = request.app.state.door
    found = await visitors.required(request)
    door.rates.check(rates.READING, "history", found.person.id)
    before = request.query_params.get("before")
    limit = min(MAX_HISTORY, max(1, as_number(request.query_params.get("limit", "50"), "limit")))
    return JSONResponse(
        await run_in_threadpool(_history, door, found.person.id, as_number(before, "before") if before else None, limit)
    )


def _history(door, person_id: str, before: int | None, limit: int) -> dict:
    # The cursor first: what is written in between comes again by the stream, and clients know an entry by its seq.
    cursor = conversation.last_seqs(door.store, [person_id]).get(person_id, 0)
    waiting = conversation.pending(door.store, person_id)
    found = conversation.entries(door.store, door.clock, person_id, before=before, limit=limit)
    return {
        "entries": [entry.as_dict() for entry in found],
        "cursor": cursor,
        "typing": waiting,
        "more": len(found) == limit,
    }


async def _posted(request: Request) -> tuple[Visitor, dict]:
    """The signed-in sender and the JSON object they sent. Raises ApiError for anything else."""
    found = await visitors.required(request)
    visitors.check_post(request, found)
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise ApiError(415, "not_json", "Send JSON, with Content-Type: application/json.")
    try:
        body = await request.json()
    except (ValueError, RecursionError):
        raise ApiError(400, "not_json", "The body is not JSON.") from None
    if not isinstance(body, dict):
        raise ApiError(400, "not_json", "The body must be a JSON object.")
    request.app.state.door.rates.check(rates.SENDING, "send", found.person.id)
    return found, body


async def _accept(request: Request, found: Visitor, accept, *content) -> Response:
    """Stores what was sent and, where Rasa has a place free, takes it there at once instead of at the next scan."""
    door, person_id = request.app.state.door, found.person.id
    signed_in = dict(auth_time=found.session.signed_in_at, session_id=found.session.id)
    hold = door.forwarder.reserve(person_id)
    accepted = None
    try:
        accepted = await run_in_threadpool(
            accept, door.store, door.clock, person_id, *content, hold_seconds=hold, **signed_in
        )
    except conversation.ForeignOffer:
        raise ApiError(404, "unknown_offer", "There is no such offer with this answer.") from None
    except conversation.KeyReused:
        raise ApiError(409, "key_reused", "This key was used before for something else.") from None
    finally:
        if hold and not (accepted and accepted.held):
            door.forwarder.give_back(person_id)
    if accepted.held:
        door.forwarder.begin(Due(accepted.id, person_id))
    else:
        door.forwarder.nudge()
    door.streams.wake(person_id)
    return JSONResponse({"id": accepted.id, "seq": accepted.seq}, 202)


def _key(body: dict) -> str:
    key = body.get("key")
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise ApiError(
            400, "invalid", "key must be 8 to 100 letters, digits, hyphens or underscores, new for each message."
        )
    return key


def _is_id(value: object) -> bool:
    """Only what an id of ours can look like goes on to the store and the audit trail."""
    return isinstance(value, str) and len(value) <= 100 and value.isascii() and value.isprintable()


def _instant(value) -> str:
    return value.isoformat(timespec="seconds").replace("+00:00", "Z")
