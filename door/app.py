"""The door as one ASGI application: what it is made of, and which address leads where."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from account_access.articles import Articles
from account_access.clock import Clock
from account_access.settings import DoorSection
from account_access.store import Store
from door import api, articles, errors, go, pages, protection, prove, sign_in, streams
from door.action_server import ActionServer
from door.errors import ApiError
from door.forwarding import Forwarder
from door.provider import Provider
from door.rates import Rates
from door.streams import Streams
from door.tail import Tail

# Our pages with forms.
PAGES = ("/go/", "/prove/")
log = logging.getLogger("door")


@dataclass
class Door:
    """What the handlers share; found at `request.app.state.door`."""

    store: Store
    clock: Clock
    organisation: str
    origin: str
    secure: bool
    cookie_secret: str
    provider: Provider
    rates: Rates
    forwarder: Forwarder
    streams: Streams
    actions: ActionServer
    articles: Articles


def create_app(section: DoorSection, store: Store, clock: Clock, told: Articles | None = None) -> protection.Protection:
    """The application for these settings; its lifespan runs the forwarder and the tail."""
    address = urlsplit(section.url)
    forwarder = Forwarder(store, clock, section.rasa_url, section.secret.get_secret_value())
    forwarder.streams = Streams(store, clock, forwarder.unreachable)
    door = Door(
        store=store,
        clock=clock,
        organisation=section.organisation,
        origin=f"{address.scheme}://{address.netloc}",
        secure=address.scheme == "https",
        cookie_secret=section.cookie_secret.get_secret_value(),
        provider=Provider(section.sign_in, section.url.rstrip("/") + "/signin/callback", clock),
        rates=Rates(),
        forwarder=forwarder,
        streams=forwarder.streams,
        actions=ActionServer(section.actions_url, section.link_secret),
        articles=told or Articles(),
    )
    app = Starlette(
        routes=_routes(),
        exception_handlers={
            ApiError: _api_error,
            protection.BodyTooLarge: lambda request, error: protection.too_large(),
            HTTPException: _http_error,
            SQLAlchemyError: _store_error,
            Exception: _unexpected,
        },
        lifespan=_lifespan,
    )
    app.state.door = door
    # Around everything, so that the answer to an unexpected error is protected as well.
    return protection.Protection(app, section.url)


def _routes() -> list:
    return [
        Route("/", pages.chat),
        Route("/health", pages.health),
        Route("/signin", sign_in.sign_in),
        Route("/signin/callback", sign_in.callback),
        Route("/signin/backchannel-logout", sign_in.backchannel_logout, methods=["POST"]),
        Route("/signout", sign_in.sign_out, methods=["POST"]),
        Route("/signed-out", sign_in.signed_out),
        Route("/api/me", api.me),
        Route("/api/messages", api.send, methods=["POST"]),
        Route("/api/clicks", api.click, methods=["POST"]),
        Route("/api/history", api.history),
        Route("/api/stream", streams.stream),
        Route("/go/{link_id}", go.go),
        Route("/go/{link_id}", go.press, methods=["POST"]),
        Route("/go/{link_id}/fresh", go.renew, methods=["POST"]),
        Route("/prove/{request_id}", prove.page),
        Route("/prove/{request_id}", prove.check, methods=["POST"]),
        Route("/prove/{request_id}/send", prove.send, methods=["POST"]),
        Route("/articles/{name}", articles.article),
        Mount("/static", StaticFiles(directory=Path(__file__).parent / "static")),
    ]


@contextlib.asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    door: Door = app.state.door
    tasks = [asyncio.create_task(door.forwarder.run()), asyncio.create_task(Tail(door.store, door.streams).run())]
    for task in tasks:
        task.add_done_callback(_report)
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _report(task: asyncio.Task) -> None:
    if not task.cancelled() and task.exception():
        log.critical("a part of the door has stopped", exc_info=task.exception())


def _wants_json(request: Request) -> bool:
    return request.url.path.startswith(("/api/", "/signout", "/signin/backchannel"))


async def _api_error(request: Request, error: ApiError) -> Response:
    """Forms of our own pages are answered by a page, everything else by JSON."""
    if not request.url.path.startswith(PAGES):
        return errors.as_json(request, error)
    what = "too_many" if error.status == 429 else "form_expired"
    page = request.url.path.removesuffix("/fresh").removesuffix("/send")
    return pages.trouble(request, what, error.status, page, error.headers)


async def _http_error(request: Request, error: HTTPException) -> Response:
    if _wants_json(request):
        return errors.as_json(request, ApiError(error.status_code, "http", error.detail, error.headers))
    return pages.trouble(request, "not_found", error.status_code)


async def _store_error(request: Request, error: SQLAlchemyError) -> Response:
    log.error("%s: the store does not answer: %s", request.url.path, type(error).__name__)
    if _wants_json(request):
        sentence = "The message store does not answer right now; nothing was accepted. Please try again."
        return errors.as_json(request, ApiError(503, "unavailable", sentence, {"Retry-After": "2"}))
    return pages.trouble(request, "unavailable", 503)


async def _unexpected(request: Request, error: Exception) -> Response:
    log.error("%s failed: %s", request.url.path, type(error).__name__, exc_info=error)
    if _wants_json(request):
        return errors.as_json(request, ApiError(500, "unexpected", "Something went wrong; nothing was accepted."))
    return pages.trouble(request, "unavailable", 500)
