"""A little server that answers as Okta's reference documents it, or with whatever a test scripted, over real HTTP."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from account_access.connectors.okta import OktaConnector
from account_access.settings import SystemSection

PAGE = 2


def connector_to(url: str, read_timeout: float = 0.3) -> OktaConnector:
    """A connector with short timeouts (seconds)."""
    return OktaConnector(
        "okta", SystemSection(name="Okta", url=url, token="a-token", connect_timeout=0.5, read_timeout=read_timeout)
    )


@dataclass
class Answer:
    """What one request gets; `cut` ends the body after so many bytes, `closed` the connection without a word.

    `trickle` is the pause after each byte of the body.
    """

    status: int = 200
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0
    cut: int | None = None
    closed: bool = False
    trickle: float = 0


@dataclass(frozen=True)
class Seen:
    """One request as it came in."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]


def error(code: str, summary: str) -> dict:
    return {"errorCode": code, "errorSummary": summary, "errorLink": code, "errorId": "oae1", "errorCauses": []}


class OktaServer:
    """Users, groups and a System Log in memory; `script` holds answers that come before all that."""

    def __init__(self) -> None:
        self.users: dict[str, dict] = {}
        self.groups: dict[str, list[str]] = {}
        self.events: list[dict] = []
        self.seen: list[Seen] = []
        self.script: dict[str, list[Answer]] = {}
        self.url = ""

    def add(self, name: str, status: str = "ACTIVE", **profile) -> str:
        user_id = f"00u{name}"
        self.users[user_id] = {
            "id": user_id,
            "status": status,
            "statusChanged": "2026-11-24T07:51:54.000Z",
            "profile": {
                "login": f"{name}@acme.example",
                "email": f"{name}@acme.example",
                "firstName": name.title(),
                "lastName": "Reed",
                **profile,
            },
        }
        return user_id

    def lock(self, user_id: str) -> None:
        self.users[user_id]["status"] = "LOCKED_OUT"
        target = {"id": user_id, "type": "User"}
        self.events.append({"eventType": "user.account.lock", "target": [target], "actor": {"id": "x", "type": "Sys"}})

    def next_answers(self, request: str, *answers: Answer) -> None:
        """Scripts the next answers to a request such as `GET /api/v1/users`."""
        self.script.setdefault(request, []).extend(answers)

    def answer(self, seen: Seen) -> Answer:
        scripted = self.script.get(f"{seen.method} {seen.path}")
        if scripted:
            return scripted.pop(0)
        if seen.headers.get("Authorization") != "SSWS a-token":
            return Answer(401, error("E0000011", "Invalid token provided"))
        parts = seen.path.removeprefix("/api/v1/").split("/")
        if parts == ["logs"]:
            return self._logs(seen)
        if parts == ["users"]:
            return self._list(seen)
        user = self.users.get(parts[1])
        if user is None:
            return Answer(404, error("E0000007", "Not found: Resource not found"))
        if parts[2:] == ["groups"]:
            return Answer(200, [{"id": g, "profile": {"name": g}} for g in self.groups.get(parts[1], ["Everyone"])])
        if parts[2:] == ["lifecycle", "unlock"]:
            return self._unlock(user)
        return Answer(200, user)

    def _unlock(self, user: dict) -> Answer:
        if user["status"] != "LOCKED_OUT":
            return Answer(403, error("E0000032", "Unlock is not allowed for this user."))
        user["status"] = "ACTIVE"
        return Answer(200, {})

    def _list(self, seen: Seen) -> Answer:
        found = list(self.users.values())
        if "LOCKED_OUT" in seen.query.get("search", ""):
            found = [user for user in found if user["status"] == "LOCKED_OUT"]
        start = int(seen.query.get("after", 0))
        following = f"{self.url}/api/v1/users?after={start + PAGE}&search={seen.query.get('search', '')}&limit=200"
        links = f'<{self.url}/api/v1/users>; rel="self"'
        if start + PAGE < len(found):
            links += f', <{following.replace(" ", "%20").replace(chr(34), "%22")}>; rel="next"'
        return Answer(200, found[start : start + PAGE], {"Link": links})

    def _logs(self, seen: Seen) -> Answer:
        start = int(seen.query.get("after", 0))
        found = self.events[start : start + PAGE]
        following = f"{self.url}/api/v1/logs?after={start + len(found)}"
        return Answer(200, found, {"Link": f'<{self.url}/api/v1/logs>; rel="self", <{following}>; rel="next"'})


def _handler(server: OktaServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            parsed = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(parsed.query).items()}
            seen = Seen(self.command, parsed.path, query, dict(self.headers))
            server.seen.append(seen)
            answer = server.answer(seen)
            time.sleep(answer.delay)
            self.close_connection = answer.closed or answer.cut is not None
            if not answer.closed:
                self._send(answer)

        def _send(self, answer: Answer) -> None:
            body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            # A client that lost its patience has gone.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                for piece in [body[i : i + 1] for i in range(len(body))] if answer.trickle else [body[: answer.cut]]:
                    self.wfile.write(piece)
                    time.sleep(answer.trickle)

        do_GET = do_POST = _serve

        def log_message(self, *_arguments) -> None:
            """Tests are quiet."""

    return Handler


@contextlib.contextmanager
def serving() -> Iterator[OktaServer]:
    """The server on a free port, until the end of the block."""
    okta = OktaServer()
    http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(okta))
    okta.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield okta
    finally:
        http.shutdown()
        http.server_close()
        thread.join(5)
