"""`python -m door`: reads settings.yml (or $SETTINGS), opens the store and listens. Exit 2: it could not start."""

import contextlib
import errno
import logging
import os
import resource
import socket
import sys

import uvicorn
from sqlalchemy.exc import SQLAlchemyError

from account_access import articles, clock, settings
from account_access.store import Store, claims
from account_access.store.engine import StoreOutdated
from door.app import create_app

# Longer than proxies and clients keep an idle connection (nginx: 60): whoever closes first must not be the one who is
# about to be written to. Uvicorn's own five seconds broke a message now and then.
KEEP_ALIVE_SECONDS = 75


def main() -> int:
    """Runs the door until it is told to stop; returns the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    _all_open_files_allowed()
    # What they say contains addresses with sign-in codes in them, or is noise.
    for name in ("aiohttp", "httpx2", "httpcore2", "authlib", "alembic", "sse_starlette"):
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        loaded = settings.load(os.environ.get("SETTINGS", "settings.yml"), "door")
        told = articles.load(loaded.knowledge)
        store = Store.open(loaded.store.url)
        claims.release_of_the_dead(store)
        listener = _listener(loaded.door.listen)
    except (settings.SettingsError, StoreOutdated, _CannotListen) as error:
        print(f"door: {error}", file=sys.stderr)
        return 2
    except SQLAlchemyError as error:
        print(f"door: the store cannot be opened: {getattr(error, 'orig', error)}; check store.url", file=sys.stderr)
        return 2
    app = create_app(loaded.door, store, clock.from_settings(loaded.clock), told)
    config = uvicorn.Config(
        app,
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=2,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listener])
    store.close()
    return 0


def _all_open_files_allowed() -> None:
    # The usual soft limit of 1024 would let a thousand idle connections keep everybody else out.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # where "unlimited" is more than the kernel gives
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class _CannotListen(Exception):
    pass


def _listener(listen: str) -> socket.socket:
    """The listening socket, bound before anything starts. Raises _CannotListen with what to do about it."""
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, int(port)))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise _CannotListen(
                f"port {port} on {host} is in use; stop what listens there or change door.listen"
            ) from None
        raise _CannotListen(
            f"cannot listen on {listen} ({error.strerror}); change door.listen in settings.yml"
        ) from None
    return listener


if __name__ == "__main__":
    sys.exit(main())
