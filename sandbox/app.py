"""The sandbox as one ASGI application: Okta's API, OpenID provider, sign-in, portal and control page."""

from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from account_access.clock import Clock, OffsetClock
from sandbox import (
    control,
    control_page,
    enrolment_pages,
    factor_pages,
    founding,
    okta_factors,
    okta_groups,
    okta_lifecycle,
    okta_logs,
    okta_policies,
    okta_users,
    openid,
    portal,
    recovery_pages,
    sign_in_pages,
)
from sandbox.config import Config
from sandbox.context import Sandbox
from sandbox.database import Database
from sandbox.keys import signing_key
from sandbox.logout import Messenger
from sandbox.okta_errors import OktaError
from sandbox.okta_gate import OktaGate, RateLimits
from sandbox.openid_grant import Provider
from sandbox.pages import HERE, PageGuard, render


async def health(request: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def okta_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, OktaError)
    return error.response()


async def refused(request: Request, error: Exception) -> Response:
    """A path or method that is not here: in Okta's words for programs, as a page for people."""
    assert isinstance(error, HTTPException)
    if request.url.path.startswith("/api/v1/"):
        return OktaError("E0000022").response()
    title = "Page not found" if error.status_code == 404 else str(error.detail)
    return render(
        request, "error.html", error.status_code, title=title, message=f"{request.url.path} is not a page here."
    )


async def no_such_endpoint(scope: Scope, receive: Receive, send: Send) -> None:
    await OktaError("E0000007", f"{scope['path']} (Endpoint)").response()(scope, receive, send)


def _okta_api() -> Router:
    rooms = (okta_users, okta_groups, okta_lifecycle, okta_factors, okta_policies, okta_logs)
    routes = [route for room in rooms for route in room.ROUTES]
    return Router(routes, redirect_slashes=False, default=no_such_endpoint)


def _routes(okta: OktaGate) -> list[BaseRoute]:
    return [
        Route("/health", health),
        Mount("/api/v1", app=okta),
        Mount("/static", app=StaticFiles(directory=HERE / "static")),
        *openid.ROUTES,
        *sign_in_pages.ROUTES,
        *factor_pages.ROUTES,
        *recovery_pages.ROUTES,
        *enrolment_pages.ROUTES,
        *portal.ROUTES,
        *control.ROUTES,
        *control_page.ROUTES,
    ]


def create_app(config: Config, clock: Clock | None = None) -> Starlette:
    """Opens (or founds) the organisation and returns the application that serves it."""
    database = Database(config.database)
    sandbox = Sandbox(config, database, clock or OffsetClock(config.clock_file))
    founding.found(database, config.company, sandbox.now())
    key = signing_key(database)
    limits = RateLimits(sandbox)
    messenger = Messenger(sandbox, key)

    @asynccontextmanager
    async def lifespan(app: Starlette):
        messenger.start()
        yield
        messenger.stop()
        database.close()

    app = Starlette(
        routes=_routes(OktaGate(_okta_api(), sandbox, limits)),
        middleware=[
            # A page that made its own name point at this machine must not reach the control page.
            Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"]),
            Middleware(PageGuard, sandbox=sandbox),
        ],
        exception_handlers={OktaError: okta_error, HTTPException: refused},
        lifespan=lifespan,
    )
    app.state.sandbox = sandbox
    app.state.provider = Provider(sandbox, key)
    app.state.limits = limits
    app.state.messenger = messenger
    return app
