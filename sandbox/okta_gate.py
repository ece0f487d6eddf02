"""What every request to the Okta API passes: the switches, the token and the rate limits, with their headers."""

import hmac
import json
import secrets
import threading
from collections import Counter
from typing import Any

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox import switches
from sandbox.context import Sandbox
from sandbox.okta_errors import OktaError

# Requests a minute, as documented for a workforce organisation; of the System Log's 120 a token gets half.
RATE_LIMITS = {"users": 600, "user": 2000, "update": 600, "logs": 60, "other": 1200}
ANSWERS = {"error": "E0000009", "forbidden": "E0000006"}


class RateLimits:
    """Counts requests per bucket and minute of the sandbox's clock."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        with sandbox.database.read() as connection:
            stored = sandbox.database.fact(connection, "rate_limits")
        self.limits = {**RATE_LIMITS, **json.loads(stored or "{}")}
        self._counts: Counter = Counter()
        self._minute = 0
        self._lock = threading.Lock()

    def change(self, limits: dict[str, Any]) -> dict[str, int]:
        """Sets limits, which outlive a restart, and returns all of them. Raises ValueError with a sentence."""
        for name, value in limits.items():
            if name not in RATE_LIMITS or isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{', '.join(RATE_LIMITS)} are whole numbers of requests a minute")
        self.limits.update(limits)
        with self.sandbox.database.write() as connection:
            connection.execute("INSERT OR REPLACE INTO facts VALUES ('rate_limits', ?)", (json.dumps(self.limits),))
        return self.limits

    def count(self, bucket: str, now: float) -> tuple[int, int, int]:
        """One more request: the limit, what remains (below 0: refused), and the second at which the minute ends."""
        with self._lock:
            minute = int(now // 60)
            if minute != self._minute:
                self._minute = minute
                self._counts.clear()
            self._counts[bucket] += 1
            return self.limits[bucket], self.limits[bucket] - self._counts[bucket], (minute + 1) * 60


def bucket_of(method: str, path: str) -> str:
    parts = path.removeprefix("/api/v1/").strip("/").split("/")
    if parts[0] == "logs":
        return "logs"
    if parts[0] != "users":
        return "other"
    if method != "GET":
        return "update"
    return "users" if len(parts) == 1 else "user"


class OktaGate:
    """Wraps the Okta API's routes."""

    def __init__(self, app: ASGIApp, sandbox: Sandbox, limits: RateLimits):
        self.app, self.sandbox, self.limits = app, sandbox, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, path = scope["method"], scope["path"]
        troubles = await run_in_threadpool(self._troubles, f"{method} {path}")
        if "slow" in troubles:
            await anyio.sleep(troubles["slow"]["seconds"])
        how = troubles.get("down", {}).get("how")
        if how == "closed":
            return await close(scope)
        await run_in_threadpool(self.sandbox.settle)
        limit, remaining, reset = self._counted(method, path, troubles)
        send = self._with_headers(send, limit, max(remaining, 0), reset)
        refusal = self._refusal(scope, remaining, troubles)
        if refusal:
            return await refusal(scope, receive, send)
        if how == "reply_lost":
            await self.app(scope, receive, _nowhere)
            return await close(scope)
        if "malformed" in troubles:
            send = broken_off(send)
        await self.app(scope, receive, send)

    def _troubles(self, method_and_path: str) -> dict[str, dict[str, Any]]:
        """The switches that concern this request, by kind."""
        with self.sandbox.database.read() as connection:
            if not switches.all_on(connection):
                return {}
        with self.sandbox.database.write() as connection:
            taken = {
                kind: switches.take(connection, kind, method_and_path)
                for kind in ("slow", "down", "rate_limit", "error", "malformed", "forbidden")
            }
        return {kind: options for kind, options in taken.items() if options is not None}

    def _counted(self, method: str, path: str, troubles: dict[str, Any]) -> tuple[int, int, int]:
        now = self.sandbox.now().timestamp()
        limit, remaining, reset = self.limits.count(bucket_of(method, path), now)
        if "rate_limit" in troubles:
            return limit, -1, int(now + troubles["rate_limit"]["seconds"])
        return limit, remaining, reset

    def _refusal(self, scope: Scope, remaining: int, troubles: dict[str, Any]) -> JSONResponse | None:
        if troubles.get("down", {}).get("how") == "503":
            return OktaError("E0000010").response()
        if not token_matches(Headers(scope=scope).get("authorization", ""), self.sandbox.config.okta_token):
            return OktaError("E0000011").response()
        if remaining < 0:
            return OktaError("E0000047").response()
        for kind, code in ANSWERS.items():
            if kind in troubles:
                return OktaError(code).response()
        return None

    def _with_headers(self, send: Send, limit: int, remaining: int, reset: int) -> Send:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Rate-Limit-Limit"] = str(limit)
                headers["X-Rate-Limit-Remaining"] = str(remaining)
                headers["X-Rate-Limit-Reset"] = str(reset)
                headers["X-Okta-Request-Id"] = secrets.token_urlsafe(16)
                headers["Cache-Control"] = "no-cache, no-store"
            await send(message)

        return sending


def token_matches(header: str, token: str) -> bool:
    """Whether an Authorization header carries the token; Okta's SDK sends no blank behind the scheme."""
    scheme, offered = header[:4], header[4:].strip()
    return scheme.upper() == "SSWS" and hmac.compare_digest(offered.encode(), token.encode())


async def _nowhere(message: Message) -> None:
    """Takes an answer that nobody will read."""


async def close(scope: Scope) -> None:
    """Ends the connection without an answer, by the handle that sandbox/server.py put into the scope."""
    scope["extensions"]["sandbox.close"]()
    await anyio.sleep(0.05)  # lets the server notice, or it would answer 500 for us


def broken_off(send: Send) -> Send:
    """Passes on an answer of which only the first half of the body arrives."""
    start: list[Message] = []
    body = bytearray()

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.append(message)
            return
        body.extend(message.get("body", b""))
        if message.get("more_body"):
            return
        half = bytes(body[: max(1, len(body) // 2)]) if body else json.dumps({"id": "00u"}).encode()[:-3]
        MutableHeaders(scope=start[0])["Content-Length"] = str(len(half))
        await send({**start[0], "status": 200})
        await send({"type": "http.response.body", "body": half})

    return sending
