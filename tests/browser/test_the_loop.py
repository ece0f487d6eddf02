"""The whole loop in a real browser, over the real processes: locked out → told → "sure" → back in, with pictures."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from sandbox.sign_in import password_of
from tests.browser.conftest import PICTURES
from tests.e2e.installation import Installation

FAST = {"lockout": {"poll_seconds": 1}, "schedulers": {"sync_minutes": 0.05}, "breaker": {"max_acts": 1000}}
SECONDS = 1000


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Iterator[Installation]:
    """Everything `make run` starts, on free ports."""
    installation = Installation(tmp_path_factory.mktemp("installation"), FAST).start()
    yield installation
    installation.stop()


@pytest.fixture
def window(browser, stack) -> Iterator[BrowserContext]:
    context = browser.new_context(
        viewport={"width": 1280, "height": 860}, locale="en-US", timezone_id="America/Los_Angeles"
    )
    context.set_default_timeout(20 * SECONDS)
    yield context
    context.close()


def sign_in(page: Page, login: str, password: str, keyboard: bool = False) -> None:
    """Fills the organisation's form in, by mouse or by keyboard alone."""
    page.get_by_label("Username").fill(login)
    page.get_by_label("Password").fill(password)
    if keyboard:
        page.keyboard.press("Enter")
    else:
        page.get_by_role("button", name="Sign in").click()


def open_chat(window: BrowserContext, stack: Installation, login: str, keyboard: bool = False) -> Page:
    """A tab with the chat, signed in with password and phone."""
    page = window.new_page()
    page.goto(stack.door_url)
    sign_in(page, login, password_of(login), keyboard)
    approve = page.get_by_role("button", name="Yes, it's me")
    expect(approve).to_be_visible()
    if keyboard:
        expect(approve).to_be_focused()
        page.keyboard.press("Enter")
    else:
        approve.click()
    expect(page.locator("#presence.is-online")).to_be_visible(timeout=30 * SECONDS)
    return page


def fail_five_times(browser, stack: Installation, login: str) -> Page:
    """Another browser, as of an old device, gets the password wrong until the account is locked."""
    page = browser.new_context(viewport={"width": 1280, "height": 860}).new_page()
    page.goto(f"{stack.sandbox_url}/signin")
    for _ in range(5):
        sign_in(page, login, "Not-My-Password-1")
    expect(page.get_by_role("alert")).to_contain_text("locked")
    return page


def back_in(elsewhere: Page, stack: Installation, login: str) -> None:
    """The current password works again."""
    elsewhere.goto(f"{stack.sandbox_url}/signin")
    sign_in(elsewhere, login, password_of(login))
    expect(elsewhere.get_by_role("button", name="Yes, it's me")).to_be_visible()


def picture(page: Page, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.wait_for_timeout(500)
    page.screenshot(path=PICTURES / f"{name}.png")


def test_locked_out_told_sure_back_in_by_keyboard_alone(browser, window, stack):
    page = open_chat(window, stack, "dana", keyboard=True)
    picture(page, "chat-empty")
    elsewhere = fail_five_times(browser, stack, "dana")
    picture(elsewhere, "sandbox-locked")
    expect(page.locator(".is-notice")).to_contain_text("locked")
    expect(page.get_by_role("button", name="Yes", exact=True)).to_be_enabled()
    picture(page, "chat-lockout")
    expect(page.get_by_label("Your message")).to_be_focused()
    page.keyboard.type("sure")
    page.keyboard.press("Enter")
    expect(page.locator(".entry .text").last).to_contain_text("unlocked")
    expect(page.get_by_role("button", name="Yes (your answer)")).to_be_disabled()
    picture(page, "chat-unlocked")
    assert stack.unlocks_at_okta("dana@acme.example") == 1
    back_in(elsewhere, stack, "dana")
    for name, options in {"chat-dark": {"color_scheme": "dark"}, "chat-narrow": {}}.items():
        page.emulate_media(**options or {"color_scheme": "light"})
        if name == "chat-narrow":
            page.set_viewport_size({"width": 360, "height": 740})
        picture(page, name)


def test_unlock_on_request_by_mouse_in_two_tabs(browser, window, stack):
    login = "marcus"
    one = open_chat(window, stack, login)
    two = window.new_page()
    two.goto(stack.door_url)
    fail_five_times(browser, stack, login)
    one.get_by_role("button", name="No", exact=True).click()
    expect(two.get_by_role("button", name="No (your answer)")).to_be_disabled()
    two.get_by_label("Your message").fill("please unlock my account")
    two.get_by_role("button", name="Send").click()
    expect(one.get_by_role("button", name="Get help")).to_be_enabled()
    one.get_by_role("button", name="Yes", exact=True).last.click()
    for tab in (one, two):
        expect(tab.get_by_role("button", name="Great, it worked!")).to_be_enabled()
    assert stack.unlocks_at_okta("marcus@acme.example") == 1
    two.get_by_role("button", name="Great, it worked!").click()
    expect(one.get_by_role("button", name="Great, it worked! (your answer)")).to_be_disabled()


def test_axe_finds_nothing_in_the_real_conversation(browser, window, stack, axe):
    page = open_chat(window, stack, "priya")
    page.get_by_label("Your message").fill("I can't get into my Okta")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Reset MFA")).to_be_visible()
    found = page.evaluate(axe.read_text() + "; axe.run(document)")
    assert [rule["id"] for rule in found["violations"]] == []


def test_signing_out_at_the_organisation_ends_the_chat(window, stack):
    page = open_chat(window, stack, "priya")
    portal = window.new_page()
    portal.goto(f"{stack.sandbox_url}/portal")
    portal.get_by_role("button", name="Sign out").click()
    # The provider's session is over as well, so the chat leads to its sign-in.
    expect(page.get_by_label("Username")).to_be_visible()
