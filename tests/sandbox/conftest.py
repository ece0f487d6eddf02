"""An organisation of its own for every test, in this process."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.testclient import TestClient

from sandbox.app import create_app
from sandbox.config import Config

TOKEN = "a-token-of-the-organisation"
CLIENT_SECRET = "the-chat's-secret"


@dataclass
class Organisation:
    """The application and what tests do with it."""

    app: Any
    config: Config

    def browser(self) -> TestClient:
        """A browser with no cookies."""
        return TestClient(self.app, base_url=self.config.issuer, raise_server_exceptions=False)

    def api(self, method: str, path: str, token: str = TOKEN, **options: Any):
        """A call of the Okta API."""
        headers = {"Authorization": f"SSWS {token}"}
        return self.browser().request(method, f"/api/v1{path}", headers=headers, **options)

    def control(self, act: str, **body: Any):
        """A call of the control API that must succeed."""
        answer = self.browser().post(f"/control/api/{act}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def user(self, login: str = "dana") -> dict:
        return self.api("GET", f"/users/{login}").json()

    def events(self, *kinds: str) -> list:
        """The System Log from the start, or its events of these kinds."""
        events = self.api("GET", "/logs", params={"limit": 1000}).json()
        return [event for event in events if not kinds or event["eventType"] in kinds]


def configured(folder) -> Config:
    return Config(
        okta_token=TOKEN,
        client_secret=CLIENT_SECRET,
        database=folder / "sandbox.db",
        clock_file=folder / "clock-offset",
        port=8080,
        door_url="http://127.0.0.1:8000",
    )


@pytest.fixture(scope="session")
def founded(tmp_path_factory):
    """The database of a new organisation: hashing passwords and making a key takes longer than copying it."""
    config = configured(tmp_path_factory.mktemp("founded"))
    create_app(config).state.sandbox.database.close()
    return config.database


@pytest.fixture
def config(tmp_path, founded) -> Config:
    shutil.copy(founded, tmp_path / "sandbox.db")
    return configured(tmp_path)


@pytest.fixture
def organisation(config) -> Iterator[Organisation]:
    app = create_app(config)
    yield Organisation(app, config)
    app.state.sandbox.database.close()
