"""Reads an event stream in a thread, for tests that want to see what a tab sees."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator

import httpx
from httpx_sse import connect_sse

from tests.door.serving import until


class Listener:
    """`events` is (event, data, id) as they came; `over` is set when the stream has ended."""

    def __init__(self, client: httpx.Client, after: int = 0, headers: dict | None = None):
        self.events: list[tuple[str, dict, str]] = []
        self.at: list[float] = []
        self.over = threading.Event()
        self._client = httpx.Client(base_url=client.base_url, cookies=client.cookies, timeout=None)
        self._after, self._headers = after, headers or {}
        self._socket: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with contextlib.suppress(httpx.HTTPError, RuntimeError):
            path = f"/api/stream?after={self._after}"
            with connect_sse(self._client, "GET", path, headers=self._headers) as source:
                self._socket = source.response.extensions["network_stream"].get_extra_info("socket")
                for event in source.iter_sse():
                    self.at.append(time.monotonic())
                    self.events.append((event.event, json.loads(event.data), event.id))
        self.over.set()

    def entries(self, sender: str | None = None) -> list[dict]:
        return [data for event, data, _ in self.events if event == "entry" and sender in (None, data["from"])]

    def wait_for(self, condition, seconds: float = 5.0):
        """The first truthy value of condition(listener)."""
        return until(lambda: condition(self), seconds)

    def close(self) -> None:
        """Goes away as a closed tab does."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._client.close()


@contextlib.contextmanager
def listening(client: httpx.Client, after: int = 0, headers: dict | None = None) -> Iterator[Listener]:
    listener = Listener(client, after, headers)
    try:
        yield listener
    finally:
        listener.close()
