"""Chromium, driven by Playwright against a whole door; pictures of what it shows go to docs/pictures."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.door.house import House, clock, empty_store, house, store

__all__ = ["clock", "empty_store", "house", "store"]

HERE = Path(__file__).parent
PICTURES = HERE.parents[1] / "docs" / "pictures"
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage"]


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
