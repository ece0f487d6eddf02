"""The action server: rasa_sdk's own, with a secret on every call (law 3). Loopback only.

Rasa calls it to act; the door to mint a one-time link at its owner's press, and to have a code checked that its owner
enters on the door's page. Each of the two has a secret of its own.
"""

import hmac
import os
import sys
from collections.abc import Callable

from rasa_sdk.endpoint import create_app
from sanic.request import Request
from sanic.response import HTTPResponse, json

from account_access import settings as configuration
from account_access.settings import SettingsError
from account_access.store.engine import StoreOutdated
from actions import minting, proving, runtime
from actions.domains import WANTED, Domains
from actions.runtime import Runtime

HOST = "127.0.0.1"
DEFAULT_PORT = 5055
CALLS = "/webhook"
SECRET_HEADER = "X-Action-Secret"  # noqa: S105 (the name of a header)
# What the door may ask for.
DOOR_ROUTES = {
    minting.PATH: minting.mint,
    proving.LOOK: proving.look,
    proving.SEND: proving.send,
    proving.CHECK: proving.check,
}


def build(secret: str, link_secret: str = ""):
    """The Sanic application; only `/health` answers without a secret. Install a runtime first.

    Without a `link_secret` nothing is minted and nothing proven.
    """
    app = create_app("actions", cors_origins="")
    domains = Domains()

    @app.middleware("request")
    async def check_secret(request: Request) -> HTTPResponse | None:
        if request.path == "/health":
            return None
        header, expected = SECRET_HEADER, secret
        # The route that answers, not the path that was written: "/links/mint/" leads to "/links/mint" as well.
        if request.route is not None and f"/{request.route.path.strip('/')}" in DOOR_ROUTES:
            header, expected = minting.SECRET_HEADER, link_secret
        given = request.headers.get(header, "")
        if not expected or not hmac.compare_digest(given.encode(), expected.encode()):
            return json({"error": "unauthorized"}, status=401)
        return None

    @app.middleware("request")
    async def know_the_domain(request: Request) -> HTTPResponse | None:
        # Sanic reads the body once, and rasa_sdk's handler gets what is filled in here.
        if request.path == CALLS and isinstance(request.json, dict) and not domains.filled_in(request.json):
            return json({"error": "send the domain"}, status=WANTED)
        return None

    for path, answer in DOOR_ROUTES.items():
        _add(app, path, answer)
    return app


def _add(app, path: str, answer: Callable) -> None:
    async def asked(request: Request) -> HTTPResponse:
        return json(await answer(runtime.current(), request.json))

    app.add_route(asked, path, methods=["POST"], name=path.strip("/").replace("/", "_"))


def main() -> int:
    """Runs the server until it is stopped; 2 with one sentence a problem if it cannot start."""
    path = os.environ.get("SETTINGS", "settings.yml")
    secret = os.environ.get("ACTION_SECRET", "")
    try:
        settings = configuration.load(path, "actions")
        if len(secret) < 16:
            raise SettingsError(
                ["ACTION_SECRET: not set or shorter than 16 characters; set it for Rasa and actions alike"]
            )
        if not settings.systems:
            raise SettingsError([f"{path}: systems: no identity system; see docs/settings.md"])
        runtime.install(Runtime.of(settings))
    except (SettingsError, StoreOutdated) as error:
        print(error, file=sys.stderr)
        return 2
    app = build(secret, os.environ.get("LINK_SECRET", ""))
    app.run(HOST, int(os.environ.get("ACTIONS_PORT", DEFAULT_PORT)), workers=1, access_log=False)
    return 0
