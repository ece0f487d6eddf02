"""A whole door on a free port: real store, real HTTP, a provider and a Rasa that do as they are told."""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from account_access import people
from account_access.articles import Article, Articles
from account_access.clock import OffsetClock
from account_access.connectors.base import DirectoryPerson
from account_access.people import Person
from account_access.settings import DoorSection
from account_access.store import Store, migrate
from door.app import create_app
from tests.door.fake_actions import FakeActions
from tests.door.fake_provider import FakeProvider
from tests.door.fake_rasa import FakeRasa
from tests.door.serving import serve
from tests.ports import free_port

LOGINS = ("dana", "eli", "mona")
NOTHING = frozenset()
ARTICLES = Articles(
    [
        Article(
            "vpn",
            "A <new> VPN password",
            NOTHING,
            NOTHING,
            NOTHING,
            NOTHING,
            None,
            "1. Open <b>it</b>.\n\n<script>x()</script>",
        )
    ]
)


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("store") / "empty.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def clock(tmp_path) -> OffsetClock:
    return OffsetClock(tmp_path / "clock-offset")


@pytest.fixture
def store(empty_store, tmp_path, clock) -> Iterator[Store]:
    shutil.copy(empty_store, tmp_path / "store.db")
    opened = Store.open(f"sqlite:///{tmp_path / 'store.db'}")
    batch = [
        DirectoryPerson(
            f"00u-{name}",
            f"{name}@acme.example",
            f"{name}@acme.example",
            f"{name.title()} Reed",
            name.title(),
            None,
            True,
        )
        for name in LOGINS
    ]
    people.merge(opened, clock, "okta", batch)
    yield opened
    opened.close()


@dataclass
class House:
    """What a test plays with."""

    url: str
    app: object
    store: Store
    clock: OffsetClock
    provider: FakeProvider
    rasa: FakeRasa
    actions: FakeActions
    browsers: list[httpx.Client] = field(default_factory=list)

    def person(self, name: str = "dana") -> Person:
        return people.by_login(self.store, f"{name}@acme.example")[0]

    def browser(self) -> httpx.Client:
        """A client with a cookie jar that follows redirects, as a browser does."""
        self.browsers.append(httpx.Client(base_url=self.url, follow_redirects=True, timeout=10))
        return self.browsers[-1]

    def signed_in(self, name: str = "dana", sid: str | None = None) -> httpx.Client:
        """A client signed in as that person, with the CSRF token as a default header."""
        self.provider.user = {"sub": f"00u-{name}", "email": f"{name}@acme.example", "email_verified": True}
        self.provider.sid = sid or f"sid-{name}"
        client = self.browser()
        answer = client.get("/signin")
        assert answer.status_code == 200 and answer.url.path == "/", answer.text
        client.headers["X-CSRF-Token"] = client.get("/api/me").json()["csrf"]
        return client

    def move_clock(self, seconds: float) -> None:
        self.clock.path.write_text(str(self.clock.offset() + seconds))
        self.provider.offset = self.clock.offset()


@contextlib.contextmanager
def running_house(store: Store, clock: OffsetClock, with_rasa: bool = True, ports=()) -> Iterator[House]:
    """Ports of door, provider and Rasa may be given, so that a restarted door is at the same address."""
    ports = ports or [free_port() for _ in range(3)]
    door_url, issuer, rasa_url = (f"http://127.0.0.1:{port}" for port in ports)
    provider, rasa, actions = FakeProvider(issuer), FakeRasa(store, clock), FakeActions()
    actions_port = free_port()
    section = DoorSection(
        listen=f"127.0.0.1:{ports[0]}",
        url=door_url,
        organisation="Acme",
        rasa_url=rasa_url,
        secret="door-secret",
        cookie_secret="cookie-secret",
        actions_url=f"http://127.0.0.1:{actions_port}",
        link_secret=actions.secret,
        sign_in={"issuer": issuer, "client_id": "account-access", "client_secret": "s3cret", "max_hours": 12},
    )
    app = create_app(section, store, clock, ARTICLES)
    apps = [(provider.app, ports[1]), (actions.app, actions_port), (app, ports[0])] + (
        [(rasa.app, ports[2])] if with_rasa else []
    )
    house = House(door_url, app, store, clock, provider, rasa, actions)
    with serve(*apps):
        yield house
        for browser in house.browsers:
            browser.close()


@pytest.fixture
def house(store, clock) -> Iterator[House]:
    with running_house(store, clock) as running:
        yield running


@pytest.fixture
def house_without_rasa(store, clock) -> Iterator[House]:
    with running_house(store, clock, with_rasa=False) as running:
        yield running
