"""/go/<id>: the links that the assistant gave in chat lead on to the organisation's pages (P2, P5, E10, law 7).

Only the owner's own step into the page, with their session, is a click: what mail scanners, previews and prefetching
browsers do changes nothing, and neither does a stranger. A one-time link is minted by the owner's press alone, and is
handed to that browser: it is in no log and no table.
"""

import logging
import uuid
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from account_access import audit, links
from account_access.links import Link
from door import forms, pages, sign_in, visitors
from door.action_server import Unavailable
from door.visitors import Visitor

# Why the action server minted nothing, as it says it and as go.html calls it; anything else is trouble.
REFUSALS = ("password_human", "no_account", "instructions")
log = logging.getLogger("door.go")


async def go(request: Request) -> Response:
    """GET /go/ID: leads on, or says why not. Whoever is not signed in does so first."""
    if request.method == "HEAD":
        return Response(status_code=200)
    found = await visitors.visitor(request)
    if found is None:
        return RedirectResponse(sign_in.sign_in_path(request.url.path), 302)
    link = await run_in_threadpool(_own, request, found)
    if link is None:
        return page(request, found, "unknown", 404)
    if link.state_at(request.app.state.door.clock.now()) == links.EXPIRED:
        return page(request, found, "expired", 410, link)
    if link.way == links.MINTED:
        return page(request, found, "mint", 200, link)
    if not is_own_step(request):
        return page(request, found, "button", 200, link)
    clicked = await run_in_threadpool(_click, request, link)
    return RedirectResponse(clicked.target, 303) if clicked else page(request, found, "expired", 410, link)


async def press(request: Request) -> Response:
    """POST /go/ID, from our own page's button: leads on, or mints the one-time link and leads there."""
    found, link = await _pressed(request)
    if link is None:
        return page(request, found, "unknown", 404)
    clicked = await run_in_threadpool(_click, request, link)
    if clicked is None:
        return page(request, found, "expired", 410, link)
    if clicked.way == links.PORTAL:
        return page(request, found, "onward", 200, link, target=clicked.target)
    return await _mint(request, found, clicked)


async def renew(request: Request) -> Response:
    """POST /go/ID/fresh: a fresh link in the place of an expired one of the person's own."""
    found, link = await _pressed(request)
    if link is None or link.renewed_for_seconds is None:
        return page(request, found, "unknown", 404)
    fresh = await run_in_threadpool(_renew, request, link)
    return page(request, found, "fresh", 200, fresh)


async def _mint(request: Request, found: Visitor, link: Link) -> Response:
    door = request.app.state.door
    try:
        outcome, target = await door.actions.mint(link.id, found.person.id)
    except Unavailable as error:
        log.error("no reset link could be asked for: %s", error)
        outcome, target = "down", None
    if target is None or urlsplit(target).scheme not in ("https", "http"):
        refused = outcome if outcome in REFUSALS else "down"
        return page(request, found, refused, 503 if refused == "down" else 403, link)
    return page(request, found, "onward", 200, link, target=target)


async def _pressed(request: Request) -> tuple[Visitor, Link | None]:
    """Who pressed a button of our page, and their link. Raises ApiError for a press that is not theirs or not ours."""
    found, _ = await forms.pressed(request, "go")
    return found, await run_in_threadpool(_own, request, found)


def is_own_step(request: Request) -> bool:
    """Whether a person went there themselves: a step of a whole window, begun by a click or from our own pages.

    Browsers say so in headers that no page can set; what does not say so gets a button instead.
    """
    headers = request.headers
    prefetching = "prefetch" in headers.get("sec-purpose", "") or headers.get("purpose") == "prefetch"
    whole_window = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    by_person = headers.get("sec-fetch-user") == "?1" or headers.get("sec-fetch-site") == "same-origin"
    return whole_window and by_person and not prefetching


def page(
    request: Request, found: Visitor, what: str, status: int, link: Link | None = None, target: str | None = None
) -> Response:
    """The page that says where a link leads, or why it does not; `what` names a section of go.html."""
    renewable = bool(link and link.renewed_for_seconds)
    return pages.render(
        request, "go.html", status, what=what, link=link, target=target, renewable=renewable, csrf=found.session.csrf
    )


def _own(request: Request, found: Visitor) -> Link | None:
    """The person's own link of the address; the attempt on somebody else's is audited."""
    door, link_id = request.app.state.door, request.path_params["link_id"]
    with door.store.reading() as connection:
        link = links.find(connection, link_id)
    if link is None or link.person_id == found.person.id:
        return link
    with door.store.begin() as connection:
        audit.write(
            connection,
            door.clock.now(),
            f"person:{found.person.id}",
            "open_link",
            link.id,
            "refused",
            found.person.id,
            reason="not this person's link",
        )
    return None


def _click(request: Request, link: Link) -> Link | None:
    door = request.app.state.door
    with door.store.begin() as connection:
        return links.click(connection, door.clock.now(), link)


def _renew(request: Request, link: Link) -> Link:
    door = request.app.state.door
    with door.store.begin() as connection:
        return links.renew(connection, door.clock.now(), link, f"fresh:{link.id}:{uuid.uuid4()}")
