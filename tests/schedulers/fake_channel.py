"""Rasa's channel as the schedulers know it: a server on a free port that answers as a test says."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from account_access import conversation, notices
from tests.account_access.world import World


@dataclass
class FakeChannel:
    """`answer` gets a notice's id and returns (status, body); a body of bytes is sent as it is."""

    world: World
    answer: Callable[[str], tuple[int, Any]]
    url: str = ""
    heard: list[str] = field(default_factory=list)
    secrets: list[str | None] = field(default_factory=list)

    def writes(self, notice_id: str) -> tuple[int, Any]:
        """A good channel: the inbox row, then the acknowledgement."""
        with self.world.store.begin() as connection:
            notice = notices.find(connection, notice_id)
            conversation.say(
                connection,
                self.world.clock.now(),
                notice.person_id,
                notice.id,
                0,
                f"{notice.kind}!",
                notice_id=notice.id,
            )
        return 200, {"written": True, "state": "waiting"}

    def drops(self, notice_id: str) -> tuple[int, Any]:
        self.world.settle(notice_id, notices.DROPPED, "over")
        return 200, {"written": False, "state": "dropped"}


def _handler(channel: FakeChannel) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert self.path == "/webhooks/inbox/notice" and list(body) == ["notice"]
            channel.heard.append(body["notice"])
            channel.secrets.append(self.headers.get("X-Scheduler-Secret"))
            status, answer = channel.answer(body["notice"])
            payload = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self.wfile.write(payload)

        def log_message(self, *_arguments) -> None:
            """Tests are quiet."""

    return Handler


@contextlib.contextmanager
def serving(world: World) -> Iterator[FakeChannel]:
    channel = FakeChannel(world, lambda notice_id: (500, {}))
    channel.answer = channel.writes
    http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(channel))
    channel.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield channel
    finally:
        http.shutdown()
        http.server_close()
        thread.join(5)


def slowly(seconds: float, answer: Callable[[str], tuple[int, Any]]):
    """The same answer, later."""

    def later(notice_id: str) -> tuple[int, Any]:
        time.sleep(seconds)
        return answer(notice_id)

    return later
