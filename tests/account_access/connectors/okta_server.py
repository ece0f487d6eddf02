"""A little server that answers as Okta's reference documents it, or with whatever a test scripted, over real HTTP."""

import contextlib
import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

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
    body: bytes = b""


def error(code: str, summary: str) -> dict:
    return {"errorCode": code, "errorSummary": summary, "errorLink": code, "errorId": "oae1", "errorCauses": []}


def event(kind: str, user_id: str, reason: str | None) -> dict:
    """A log event of a phone's mail app; None as reason: it succeeded."""
    return {
        "eventType": kind,
        "published": "2026-11-24T07:51:54.000Z",
        "actor": {"id": user_id, "type": "User"},
        "target": [{"id": user_id, "type": "User"}],
        "outcome": {"result": "FAILURE" if reason else "SUCCESS", "reason": reason},
        "client": {
            "ipAddress": "198.51.100.77",
            "userAgent": {
                "rawUserAgent": "Apple-iPhone15C2/2107.93 Exchange ActiveSync",
                "os": "iOS",
                "browser": "UNKNOWN",
            },
            "geographicalContext": {"city": "Oakland", "country": "United States"},
        },
    }


def policy(priority: int = 1, groups=("Everyone",), days: int = 90, minutes: int = 0, **changes) -> dict:
    """A password policy in Okta's shape, for groups by their ids."""
    settings = {"age": {"maxAgeDays": days}, "lockout": {"maxAttempts": 10, "autoUnlockMinutes": minutes}}
    people = {"groups": {"include": list(groups)}}
    return {
        "status": "ACTIVE",
        "priority": priority,
        "conditions": {"people": people, "authProvider": {"provider": "OKTA"}},
        "settings": {"password": settings},
        **changes,
    }


TROUBLES = {
    "slow": Answer(200, {}, delay=0.6),
    "down": Answer(503, error("E0000010", "Service is in read only mode")),
    "limited": Answer(429, error("E0000047", "API call exceeded rate limit"), {"Retry-After": "30"}),
    "forbidden": Answer(403, error("E0000006", "You do not have permission")),
}
OKTA_VERIFY = ("push", "signed_nonce", "token:software:totp")


class OktaServer:
    """Users, groups, factors and a System Log in memory.

    `script` holds answers that come before all that; `trouble` is what is wrong with every request.
    """

    def __init__(self) -> None:
        self.users: dict[str, dict] = {}
        self.groups: dict[str, list[str]] = {}
        self.factors: dict[str, list[dict]] = {}
        self.policies: list[dict] = [policy()]
        self.events: list[dict] = []
        self.codes: dict[str, str] = {}
        self.seen: list[Seen] = []
        self.script: dict[str, list[Answer]] = {}
        self.trouble = ""
        self.url = ""

    def add(self, name: str, status: str = "ACTIVE", **profile) -> str:
        user_id = f"00u{name}"
        self.users[user_id] = {
            "id": user_id,
            "status": status,
            "statusChanged": "2026-11-24T07:51:54.000Z",
            "passwordChanged": "2026-11-01T07:00:00.000Z",
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
        self.events.append(event("user.account.lock", user_id, "LOCKED_OUT"))

    def fail(self, user_id: str, times: int) -> None:
        """So many wrong passwords."""
        self.events += [event("user.session.start", user_id, "INVALID_CREDENTIALS") for _ in range(times)]

    def enrol(self, user_id: str, kind: str, provider: str = "OKTA", **profile) -> str:
        """Enrols a factor of Okta's type and returns its id."""
        factor_id = f"factor{sum(map(len, self.factors.values()))}{kind[:3]}"
        factor = {"id": factor_id, "factorType": kind, "provider": provider, "status": "ACTIVE", "profile": profile}
        self.factors.setdefault(user_id, []).append({**factor, "created": "2026-01-02T03:04:05.000Z"})
        return factor_id

    def next_answers(self, request: str, *answers: Answer) -> None:
        """Scripts the next answers to a request such as `GET /api/v1/users`."""
        self.script.setdefault(request, []).extend(answers)

    def answer(self, seen: Seen) -> Answer:
        scripted = self.script.get(f"{seen.method} {seen.path}")
        if scripted:
            return scripted.pop(0)
        if seen.headers.get("Authorization") != "SSWS a-token":
            return Answer(401, error("E0000011", "Invalid token provided"))
        early = TROUBLES.get(self.trouble)
        if early:
            return early
        if self.trouble == "lie" and seen.method != "GET":
            return Answer(200, {"resetPasswordUrl": f"{self.url}/reset_password/never-made"})
        answer = self._answer(seen)
        return replace(answer, closed=True) if self.trouble == "reply_lost" and seen.method != "GET" else answer

    def _answer(self, seen: Seen) -> Answer:
        parts = seen.path.removeprefix("/api/v1/").split("/")
        if parts == ["logs"]:
            return self._history(seen) if seen.query.get("sortOrder") == "DESCENDING" else self._logs(seen)
        if parts == ["policies"]:
            return Answer(200, self.policies)
        if parts == ["users"]:
            return self._list(seen)
        if parts[0] == "groups":
            return self._groups(*parts[1:])
        # By id, or by login.
        by_login = {user["profile"]["login"]: user for user in self.users.values()}
        user = self.users.get(parts[1]) or by_login.get(unquote(parts[1]))
        if user is None:
            return Answer(404, error("E0000007", "Not found: Resource not found"))
        if parts[2:] == ["groups"]:
            return Answer(200, [{"id": g, "profile": {"name": g}} for g in self.groups.get(parts[1], ["Everyone"])])
        if parts[2:3] == ["factors"]:
            return self._factors(seen, user["id"], *parts[3:])
        if parts[2:] == ["sessions"]:
            return Answer(204, b"")
        if parts[2:3] == ["lifecycle"]:
            return self._unlock(user) if parts[3] == "unlock" else self._reset_password(user)
        return Answer(200, user)

    def _groups(self, group_id: str = "", _users: str = "") -> Answer:
        """Every group, or the members of one; Everyone is Okta's own, and has everybody."""
        if not group_id:
            names = {"Everyone", *(name for groups in self.groups.values() for name in groups)}
            types = {"Everyone": "BUILT_IN"}
            listed = [
                {"id": name, "type": types.get(name, "OKTA_GROUP"), "profile": {"name": name}} for name in sorted(names)
            ]
            return Answer(200, listed)
        return Answer(200, [user for user in self.users.values() if group_id in self.groups.get(user["id"], ())])

    def _factors(self, seen: Seen, user_id: str, factor_id: str = "", verify: str = "") -> Answer:
        enrolled = self.factors.setdefault(user_id, [])
        if seen.method == "GET":
            return Answer(200, enrolled)
        chosen = next((factor for factor in enrolled if factor["id"] == factor_id), None)
        if chosen is None:
            return Answer(404, error("E0000007", "Not found: Resource not found"))
        if verify:
            return self._verify(seen, user_id, factor_id)
        family = OKTA_VERIFY if chosen["factorType"] == "push" else ()
        enrolled[:] = [f for f in enrolled if f is not chosen and f["factorType"] not in family]
        return Answer(204, b"")

    def _verify(self, seen: Seen, user_id: str, factor_id: str) -> Answer:
        """A right code is good once; a locked account's is not looked at."""
        if self.users[user_id]["status"] == "LOCKED_OUT":
            return Answer(403, error("E0000069", "User Locked"))
        offered = json.loads(seen.body).get("passCode")
        if offered is None:
            self.codes[factor_id] = "246810"
            return Answer(200, {"factorResult": "CHALLENGE"})
        if self.codes.get(factor_id) != offered:
            return Answer(403, error("E0000068", "Invalid Passcode/Answer"))
        del self.codes[factor_id]
        return Answer(200, {"factorResult": "SUCCESS"})

    def _reset_password(self, user: dict) -> Answer:
        if user["status"] == "DEPROVISIONED":
            return Answer(403, error("E0000038", "This operation is not allowed in the user's current status."))
        user["status"] = "RECOVERY"
        return Answer(200, {"resetPasswordUrl": f"{self.url}/reset_password/s3cret-of-{user['id']}"})

    def _history(self, seen: Seen) -> Answer:
        """The newest first, as a query without polling; of whom the filter names."""
        wanted = [e for e in self.events if f'"{e["target"][0]["id"]}"' in seen.query["filter"]]
        return Answer(200, [e for e in reversed(wanted) if e["published"] >= seen.query["since"]])

    def _unlock(self, user: dict) -> Answer:
        if user["status"] != "LOCKED_OUT":
            return Answer(403, error("E0000032", "Unlock is not allowed for this user."))
        user["status"] = "ACTIVE"
        return Answer(200, {})

    def _list(self, seen: Seen) -> Answer:
        found = list(self.users.values())
        if "LOCKED_OUT" in seen.query.get("search", ""):
            found = [user for user in found if user["status"] == "LOCKED_OUT"]
        if "filter" in seen.query:
            wanted = re.findall('id eq "([^"]*)"', seen.query["filter"])
            found = [user for user in found if user["id"] in wanted]
        asked = next((f"{key}={seen.query[key]}" for key in ("filter", "search") if key in seen.query), "")
        start = int(seen.query.get("after", 0))
        following = f"{self.url}/api/v1/users?after={start + PAGE}&{asked}&limit=200"
        links = f'<{self.url}/api/v1/users>; rel="self"'
        if start + PAGE < len(found):
            links += f', <{following.replace(" ", "%20").replace(chr(34), "%22")}>; rel="next"'
        return Answer(200, found[start : start + PAGE], {"Link": links})

    def _logs(self, seen: Seen) -> Answer:
        start, locks = (
            int(seen.query.get("after", 0)),
            [e for e in self.events if "start" not in e.get("eventType", "")],
        )
        found = locks[start : start + PAGE]
        following = f"{self.url}/api/v1/logs?after={start + len(found)}"
        return Answer(200, found, {"Link": f'<{self.url}/api/v1/logs>; rel="self", <{following}>; rel="next"'})


def _handler(server: OktaServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            parsed = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(parsed.query).items()}
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            seen = Seen(self.command, parsed.path, query, dict(self.headers), body)
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

        do_GET = do_POST = do_DELETE = _serve

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
