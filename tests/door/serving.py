"""Runs an ASGI application in a thread on a free port, for tests that want real HTTP."""

import contextlib
import threading
import time
from collections.abc import Iterator

import uvicorn


@contextlib.contextmanager
def serve(*apps_and_ports) -> Iterator[None]:
    """Runs each (application, port); stops them together at the end."""
    running = [_start(app, port) for app, port in apps_and_ports]
    try:
        for server, thread in running:
            _wait_for(server, thread)
        yield
    finally:
        for server, _ in running:
            server.should_exit = True
        for _, thread in running:
            thread.join(10)


def _start(app, port: int) -> tuple[uvicorn.Server, threading.Thread]:
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, ws="none", log_config=None, access_log=False, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    return server, thread


def _wait_for(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + 10
    while not server.started:
        if time.monotonic() > deadline or not thread.is_alive():
            raise RuntimeError(f"nothing listens on {server.config.port}")
        time.sleep(0.01)


def until(condition, seconds: float = 5.0):
    """The first truthy value of the condition. Raises AssertionError when the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s")
        time.sleep(0.02)
