"""Pages: templates, the organisation's cookies, and the headers and checks every one of them gets."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox import sessions
from sandbox.context import Sandbox, of
from sandbox.system_log import Client

HERE = Path(__file__).parent
# Browsers share cookies between the ports of a host, and two organisations may run on one.
SESSION_COOKIE, SIGN_IN_COOKIE = "organisation_session_{port}", "organisation_sign_in_{port}"

_templates = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page from its template."""
    config = of(request).config
    html = _templates.get_template(template).render(
        organisation=config.company.name, door_url=config.door_url, path=request.url.path, **values
    )
    return HTMLResponse(html, status)


def client_of(request: Request) -> Client:
    """From where and with what a person signs in."""
    address = request.client.host if request.client else "127.0.0.1"
    return Client(ip=address, agent=request.headers.get("user-agent", "unknown"))


def cookie(sandbox: Sandbox, name: str) -> str:
    """The name of this organisation's own cookie: SESSION_COOKIE or SIGN_IN_COOKIE."""
    return name.format(port=sandbox.config.port)


def current_session(request: Request):
    """The live session of the request's cookie, or None."""
    sandbox = of(request)
    with sandbox.database.read() as connection:
        return sessions.find(connection, request.cookies.get(cookie(sandbox, SESSION_COOKIE)), sandbox.now())


def safe_goal(goal: str | None) -> str:
    """Where a sign-in leads: a path of this site, whatever was asked for."""
    parts = urlsplit(goal or "")
    if not goal or parts.scheme or parts.netloc or not goal.startswith("/") or goal.startswith(("//", "/\\")):
        return "/portal"
    return goal


class PageGuard:
    """Refuses cross-site POSTs, dates every answer by the sandbox's clock and sends the security headers."""

    def __init__(self, app: ASGIApp, sandbox: Sandbox):
        self.app, self.sandbox = app, sandbox
        # A browser checks form-action against redirects too, and a sign-in ends at the chat.
        self.policy = (
            "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
            f"form-action 'self' {sandbox.config.door_url}"
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        headers = Headers(scope=scope)
        to_api = scope["path"].startswith(("/api/v1/", "/oauth2/v1/token"))
        if scope["method"] not in ("GET", "HEAD") and not to_api and cross_site(headers):
            refusal = PlainTextResponse("This form was not sent from the organisation's own pages.\n", 403)
            return await refusal(scope, receive, send)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add_headers(MutableHeaders(scope=message))
            await send(message)

        await self.app(scope, receive, sending)

    def _add_headers(self, headers: MutableHeaders) -> None:
        # Okta's clients tell how long to wait from X-Rate-Limit-Reset and Date, so both must be of one clock.
        headers["Date"] = self.sandbox.now().strftime("%a, %d %b %Y %H:%M:%S GMT")
        headers["X-Content-Type-Options"] = "nosniff"
        if headers.get("content-type", "").startswith("text/html"):
            headers["Content-Security-Policy"] = self.policy
            headers["Referrer-Policy"] = "same-origin"
            headers["Cache-Control"] = "no-store"


def cross_site(headers: Headers) -> bool:
    """Whether a browser says that a request comes from somebody else's page; scripts say nothing."""
    origin = headers.get("origin")
    if origin is not None:
        return urlsplit(origin).netloc != headers.get("host") or urlsplit(origin).scheme != "http"
    return headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
