"""Chromium, driven by Playwright: against a whole door that does as it is told, and against a whole installation.

`pytest tests/browser --pictures` also makes the pictures of the documents anew.
"""

import contextlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser import pictures
from tests.browser.pages import look_in_every_view
from tests.browser.person import SECONDS, Person, Somebody
from tests.door.house import House, clock, empty_store, house, store
from tests.e2e.installation import Installation, eventually

__all__ = ["clock", "empty_store", "house", "store"]

HERE = Path(__file__).parent
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage"]
# Small intervals, so that nobody waits for the next poll; all tests together would look like a password spray.
QUICK = {"lockout": {"poll_seconds": 1}, "schedulers": {"sync_minutes": 0.05}}
QUICK["breaker"] = {"max_lockouts": 1000, "max_acts": 1000}
# No reminder comes between, whatever hour it is.
EVERYBODY = {"exclude": {"worker_types": ["Employee", "Contractor", "Vendor", "Intern"]}}
WITHOUT_REMINDERS = {"password": EVERYBODY, "contractor": EVERYBODY}
PEOPLE = 40
# Of one person's window; what the pictures show is as large.
WINDOW = {"viewport": {"width": 760, "height": 640}, "locale": "en-US", "timezone_id": "America/Los_Angeles"}


def pytest_addoption(parser):
    parser.addoption("--pictures", action="store_true", help="make the documents' pictures anew")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def axe() -> Path:
    """axe-core's script, from the lock file beside this one."""
    script = HERE / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=HERE, check=True)
    return script


class Visit:
    """One person at one browser: their context, and what its pages complained about."""

    def __init__(self, context: BrowserContext, house: House):
        self.context, self.house = context, house
        self.complaints: list[str] = []
        context.on("console", lambda message: message.type == "error" and self.complaints.append(message.text))
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("request", self._request)

    def _request(self, request) -> None:
        if not request.url.startswith((self.house.url, self.house.provider.issuer, "data:")):
            self.complaints.append(f"asked for {request.url}")

    def open(self) -> Page:
        """A tab with the chat, connected."""
        page = self.context.new_page()
        page.goto(self.house.url)
        page.locator("#presence.is-online").wait_for()
        return page


@pytest.fixture
def visit(browser, house) -> Iterator[Callable[..., Visit]]:
    """Opens a browser window as a person; options are Playwright's for a context."""
    contexts = []

    def begin(name: str = "dana", **options) -> Visit:
        house.provider.user = {"sub": f"00u-{name}", "email": f"{name}@acme.example", "email_verified": True}
        settings = {"viewport": {"width": 1280, "height": 860}, "locale": "en-US", "timezone_id": "America/Los_Angeles"}
        context = browser.new_context(**{**settings, **options})
        context.set_default_timeout(8000)
        contexts.append(context)
        return Visit(context, house)

    yield begin
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def picture(request) -> Callable[[Page, str], None]:
    """Keeps what a page shows as a picture of that name, where pictures are wanted."""
    return pictures.keep if request.config.getoption("--pictures") else lambda page, name: None


@contextlib.contextmanager
def installed(home: Path, changes: dict) -> Iterator[Installation]:
    """Everything that `make run` starts, with these changes of settings.yml, and people whom nobody knows yet."""
    installation = Installation(home, changes).start()
    try:
        installation.control.post("rate-limits", **dict.fromkeys(("users", "user", "update", "logs", "other"), 6000))
        logins = installation.control.post("people", count=PEOPLE)["logins"]
        known = "SELECT 1 FROM people WHERE login = ?"
        eventually(lambda: installation.rows(known, logins[-1]), why="the directory's people were not read")
        installation.unused = iter(logins)
        yield installation
    finally:
        installation.stop()


@pytest.fixture(scope="session")
def stack(tmp_path_factory) -> Iterator[Installation]:
    """One installation for all tests here; what one does to it must not matter to the others."""
    with installed(tmp_path_factory.mktemp("installation"), {**QUICK, **WITHOUT_REMINDERS}) as installation:
        yield installation


@pytest.fixture
def somebody(browser, stack, axe) -> Iterator[Somebody]:
    """`somebody()` is a person whom no other test knows, signed in; `somebody("priya")` is Priya.

    At the end each of their conversations is looked at, in every view.
    """
    present: list[Person] = []

    def come(login: str = "", keyboard: bool = False) -> Person:
        context = browser.new_context(**WINDOW)
        context.set_default_timeout(20 * SECONDS)
        present.append(Person(context, stack, login or next(stack.unused)))
        return present[-1].come(keyboard)

    yield come
    for person in present:
        look_in_every_view(person.page, axe)
        assert person.complaints == []
        person.window.close()
