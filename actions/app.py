"""The action server: rasa_sdk's own, with a secret on every call (law 3). Loopback only.

Rasa calls it to act, and the door to mint a one-time link at its owner's press; each has a secret of its own.
"""

import hmac
import os
import sys

from rasa_sdk.endpoint import create_app
from sanic.request import Request
from sanic.response import HTTPResponse, json

from account_access import settings as configuration
from account_access.settings import SettingsError
from account_access.store.engine import StoreOutdated
from actions import minting, runtime
from actions.runtime import Runtime

HOST = "127.0.0.1"
DEFAULT_PORT = 5055
SECRET_HEADER = "X-Action-Secret"  # noqa: S105 (the name of a header)


def build(secret: str, link_secret: str = ""):
    """The Sanic application; only `/health` answers without a secret. Install a runtime first.

    Without a `link_secret` nothing is minted.
    """
    app = create_app("actions", cors_origins="")

    @app.middleware("request")
    async def check_secret(request: Request) -> HTTPResponse | None:
        if request.path == "/health":
            return None
        header, expected = SECRET_HEADER, secret
        if request.path == minting.PATH:
            header, expected = minting.SECRET_HEADER, link_secret
        given = request.headers.get(header, "")
        if not expected or not hmac.compare_digest(given.encode(), expected.encode()):
            return json({"error": "unauthorized"}, status=401)
        return None

    @app.post(minting.PATH)
    async def mint(request: Request) -> HTTPResponse:
        return json(await minting.mint(runtime.current(), request.json))

    return app


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
