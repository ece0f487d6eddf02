"""A person at Chromium, before a whole installation: signs in, writes, clicks, follows links, sees what is shown."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Locator, Page, expect

from sandbox.sign_in import password_of
from tests.e2e.installation import Installation

SECONDS = 1000
# A turn of the conversation, on a machine that has other things to do.
PATIENCE = 20 * SECONDS
START = 30 * SECONDS


class Person:
    """One window with the chat. `complaints` is what the browser found wrong with the chat's page."""

    def __init__(self, window: BrowserContext, installation: Installation, login: str):
        self.window, self.installation, self.login = window, installation, login
        self.password = password_of(login)
        self.page = window.new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda message: message.type == "error" and self._complain(message.text))
        self.page.on("pageerror", lambda error: self._complain(str(error)))

    def come(self, keyboard: bool = False) -> "Person":
        """Opens the chat, and signs in where the organisation asks for it, by mouse or by keyboard alone."""
        self.page.goto(self.installation.door_url)
        self.page.locator("#presence.is-online, #password-form").first.wait_for(timeout=START)
        if self.page.locator("#password-form").count():
            sign_in(self.page, self.login, self.password, keyboard)
            prove(self.page, keyboard)
        expect(self.page.locator("#presence.is-online")).to_be_visible(timeout=START)
        return self

    def writes(self, text: str) -> None:
        """Types into the field, which has the focus unless somebody took it away, and sends."""
        expect(self.page.get_by_label("Your message")).to_be_focused()
        self.page.keyboard.type(text)
        self.page.keyboard.press("Enter")

    def clicks(self, title: str) -> None:
        """Clicks the latest button of this title that can be clicked."""
        self._open(title).click()

    def presses(self, title: str) -> None:
        """The same by the keyboard alone, from the field backwards."""
        expect(self.page.get_by_label("Your message")).to_be_focused()
        self._walk_back_to(self._open(title))
        self.page.keyboard.press("Enter")

    def hears(self, words: str) -> Locator:
        """Waits until the assistant's last message contains these words."""
        last = self.page.locator(".entry:not(.is-mine) .text").last
        expect(last).to_contain_text(words, timeout=PATIENCE)
        return last

    def may_answer(self, *titles: str) -> None:
        """Waits until the last message has exactly these buttons."""
        expect(self.page.locator(".entry").last.locator(".answer:enabled")).to_have_text(titles, timeout=PATIENCE)

    def follows(self, title: str, keyboard: bool = False) -> Page:
        """Follows the latest link of this title; returns the tab that opens."""
        link = self.page.get_by_role("link", name=title).last
        expect(link).to_be_visible(timeout=PATIENCE)
        with self.window.expect_page() as opened:
            if keyboard:
                self._walk_back_to(link)
                self.page.keyboard.press("Enter")
            else:
                link.click()
        opened.value.wait_for_load_state()
        return opened.value

    def said(self) -> list[str]:
        """Everything that the assistant said, as the page shows it, the earliest first."""
        return self.page.locator(".entry:not(.is-mine) .text").all_inner_texts()

    def _complain(self, text: str) -> None:
        # Whose session is over hears so from the door, and the page signs in again.
        if "status of 401" not in text:
            self.complaints.append(text)

    def _open(self, title: str) -> Locator:
        button = self.page.get_by_role("button", name=title, exact=True, disabled=False).last
        expect(button).to_be_enabled(timeout=PATIENCE)
        return button

    def _walk_back_to(self, element: Locator) -> None:
        for _ in range(30):
            if element.evaluate("each => each === document.activeElement"):
                return
            self.page.keyboard.press("Shift+Tab")
        raise AssertionError(f"{element} is not reached by the keyboard")


def sign_in(page: Page, login: str, password: str, keyboard: bool = False) -> None:
    """Fills the organisation's form in."""
    page.get_by_label("Username").fill(login)
    page.get_by_label("Password").fill(password)
    if keyboard:
        page.keyboard.press("Enter")
    else:
        page.get_by_role("button", name="Sign in").click()


def prove(page: Page, keyboard: bool = False) -> None:
    """Answers the organisation's second question with what the phone or key beside it shows; who has none goes on."""
    answer = page.locator("#phone-form .primary, #phone-code, #later-form button").first
    answer.wait_for()
    if answer.evaluate("each => each.id") == "phone-code":
        page.locator("#code").fill(answer.inner_text())
        page.keyboard.press("Enter")
    elif keyboard:
        expect(answer).to_be_focused()
        page.keyboard.press("Enter")
    else:
        answer.click()


def lock_out(page: Page, installation: Installation, login: str) -> None:
    """Gets the password wrong in this tab until the account is locked."""
    page.goto(f"{installation.sandbox_url}/signin")
    for _ in range(5):
        sign_in(page, login, "Not-My-Password-1")
    expect(page.get_by_role("alert")).to_contain_text("locked")


def is_back_in(page: Page, installation: Installation, login: str, password: str) -> None:
    """This password takes a person past the first question again."""
    page.goto(f"{installation.sandbox_url}/signin")
    sign_in(page, login, password)
    expect(page.locator("#phone-form, #code-form").first).to_be_visible()


# Opens a window for somebody: a named person, or one whom no other test knows.
Somebody = Callable[..., Person]
