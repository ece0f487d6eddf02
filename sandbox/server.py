"""The HTTP server of the sandbox: uvicorn, with a way to end a connection without an answer."""

import socket

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from sandbox.config import ConfigError


class ClosableProtocol(H11Protocol):
    """Puts a handle into each request's scope with which "the system is down" can close the connection."""

    def connection_made(self, transport) -> None:
        super().connection_made(transport)
        served = self.app

        async def app(scope, receive, send):
            scope.setdefault("extensions", {})["sandbox.close"] = transport.abort
            await served(scope, receive, send)

        self.app = app


def listen(port: int) -> socket.socket:
    """The listening socket on loopback. Raises ConfigError if the port is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"Port {port} is taken ({error.strerror}): stop what listens there, or set SANDBOX_PORT."
        ) from error
    return listener


def serve(app: Starlette, listener: socket.socket) -> None:
    """Serves until the process is told to stop."""
    config = uvicorn.Config(
        app,
        http=ClosableProtocol,
        ws="none",
        date_header=False,  # sandbox/pages.py dates answers by the sandbox's clock
        server_header=False,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=3,
    )
    uvicorn.Server(config).run(sockets=[listener])
