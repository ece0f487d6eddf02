"""What guards every request: the right host, a small body, headers that leave a browser nothing to misuse."""

import logging
import time
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

MAX_BODY_BYTES = 16 * 1024

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
log = logging.getLogger("door.access")


class Protection:
    """ASGI middleware around the whole application; `state` is the application's."""

    def __init__(self, app: Starlette, url: str):
        self.app = app
        self.state = app.state
        self.url = url
        self.host = urlsplit(url).netloc.lower()
        self.headers = dict(HEADERS)
        if url.startswith("https:"):
            self.headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()

        async def guarded_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._finish(scope, message, started)
            await send(message)

        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, guarded_send)
            return
        await self.app(scope, _Limited(receive), guarded_send)

    def _refusal(self, scope: Scope):
        headers = Headers(scope=scope)
        # A page of another name that resolves to our address (DNS rebinding) never gets further than this.
        if scope["path"] != "/health" and headers.get("host", "").lower() != self.host:
            return PlainTextResponse(f"This assistant is at {self.url}\n", 421)
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > MAX_BODY_BYTES:
            return too_large()
        return None

    def _finish(self, scope: Scope, message: Message, started: float) -> None:
        headers = MutableHeaders(scope=message)
        for name, value in self.headers.items():
            headers[name] = value
        if not scope["path"].startswith("/static/"):
            headers["Cache-Control"] = "no-store"
        # Never the query (it carries sign-in codes), never a body.
        elapsed = (time.perf_counter() - started) * 1000
        log.info("%s %s %d %.0f ms", scope["method"], on_one_line(scope["path"]), message["status"], elapsed)


def on_one_line(text: object) -> str:
    """What a stranger sent, for a log: no line of their own, no terminal codes, not for ever."""
    return ascii(str(text))[1:-1][:300]


def too_large() -> JSONResponse:
    """The refusal of a body beyond MAX_BODY_BYTES."""
    return JSONResponse({"error": "too_large", "message": f"The request is larger than {MAX_BODY_BYTES} bytes."}, 413)


class BodyTooLarge(Exception):
    """A body without a declared length turned out to be larger than allowed."""


class _Limited:
    """Counts a body as it arrives, since a chunked one declares no length."""

    def __init__(self, receive: Receive):
        self.receive = receive
        self.seen = 0

    async def __call__(self) -> Message:
        message = await self.receive()
        if message["type"] == "http.request":
            self.seen += len(message.get("body", b""))
            if self.seen > MAX_BODY_BYTES:
                raise BodyTooLarge
        return message
