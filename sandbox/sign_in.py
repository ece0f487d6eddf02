"""Signs a person in like a browser does, over HTTP: for tests, benchmarks and `python -m sandbox.chat`.

with httpx.Client() as browser:
    sign_in(browser, "dana", start="http://127.0.0.1:8000/signin")
"""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx

from sandbox.people import GENERATED_PASSWORD, member

MAX_STEPS = 20


class SignInRefused(Exception):
    """The organisation's page said no; the text says what it said."""


def password_of(login: str) -> str:
    """The password a person of the sandbox has from the start."""
    known = member(login)
    return known.password if known else GENERATED_PASSWORD


def sign_in(
    browser: httpx.Client, login: str, password: str | None = None, start: str = "/signin", factor: str = ""
) -> httpx.Response:
    """Walks from `start` through password and factor to where the sign-in leads, and returns that last answer.

    `factor` picks the method whose name contains it ("SMS", "code", …); else the person's first. Who has none sets none
    up. `start` is the chat's /signin, or the organisation's. Raises SignInRefused.
    """
    answer = _follow(browser, browser.get(start))
    if _Page(answer).form("password-form"):
        answer = submit_password(browser, answer, login, password or password_of(login))
    if answer.url.path == "/signin/factor":
        answer = answer_factor(browser, answer, factor)
    if answer.url.path == "/enrol":
        answer = _not_now(browser, answer)
    return answer


def _not_now(browser: httpx.Client, page: httpx.Response) -> httpx.Response:
    """Leaves the first factor for later, as somebody without one may."""
    form = _Page(page).form("later-form")
    return _follow(browser, browser.post(urljoin(str(page.url), form.action), data=form.fields))


def submit_password(browser: httpx.Client, page: httpx.Response, login: str, password: str) -> httpx.Response:
    """Fills the organisation's password form in. Raises SignInRefused."""
    form = _Page(page).form("password-form")
    if form is None:
        raise SignInRefused(f"{page.url} shows no sign-in form (HTTP {page.status_code})")
    fields = {**form.fields, "username": login, "password": password}
    return _accepted(_follow(browser, browser.post(urljoin(str(page.url), form.action), data=fields)))


def answer_factor(browser: httpx.Client, page: httpx.Response, factor: str = "") -> httpx.Response:
    """Answers the factor page with what the phone on it shows. Raises SignInRefused."""
    if factor:
        choices = [value for name, value, text in _Page(page).buttons if name == "factor" and factor in text]
        if choices:
            page = _follow(browser, browser.post(urljoin(str(page.url), "/signin/choose"), data={"factor": choices[0]}))
    code = _Page(page).code
    answer = {"code": code} if code else {"answer": "approve"}
    return _accepted(_follow(browser, browser.post(urljoin(str(page.url), "/signin/factor"), data=answer)))


def lock_out(browser: httpx.Client, login: str, start: str = "/signin") -> str:
    """Fails five times on the organisation's page, and returns what it says at the end."""
    said = ""
    for _ in range(5):
        try:
            submit_password(browser, _follow(browser, browser.get(start)), login, "not the password")
        except SignInRefused as refused:
            said = str(refused)
    return said


def _follow(browser: httpx.Client, answer: httpx.Response) -> httpx.Response:
    """Follows redirects whether or not the client does by itself."""
    for _ in range(MAX_STEPS):
        if not answer.has_redirect_location:
            return answer
        answer = browser.get(urljoin(str(answer.url), answer.headers["location"]))
    raise SignInRefused(f"more than {MAX_STEPS} redirects, the last to {answer.url}")


def _accepted(answer: httpx.Response) -> httpx.Response:
    alert = _Page(answer).alert
    if alert and answer.url.path in ("/signin", "/signin/factor"):
        raise SignInRefused(alert)
    return answer


@dataclass
class _Form:
    """Where a form goes and what it carries along."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Page(HTMLParser):
    """The parts of a page that the walk needs: forms by id, buttons, the phone's code, the alert's text."""

    def __init__(self, answer: httpx.Response):
        super().__init__()
        self.forms: dict[str, _Form] = {}
        self.buttons: list[tuple] = []
        self.alert = self.code = ""
        self._form: _Form | None = None
        self._into = ""
        self._button: dict[str, str] | None = None
        if answer.headers.get("content-type", "").startswith("text/html"):
            self.feed(answer.text)
        self.alert = " ".join(self.alert.split())

    def form(self, name: str) -> _Form | None:
        return self.forms.get(name)

    def handle_starttag(self, tag: str, attributes: list) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag == "form":
            self._form = _Form(given.get("action", ""))
            self.forms[given.get("id", "")] = self._form
        elif tag == "input" and self._form is not None and given.get("type") == "hidden":
            self._form.fields[given["name"]] = given.get("value", "")
        elif tag == "button":
            self._button = given
        elif given.get("role") == "alert":
            self._into = "alert"
        elif given.get("id") == "phone-code":
            self._into = "code"

    def handle_endtag(self, tag: str) -> None:
        if tag in ("div", "output"):
            self._into = ""
        elif tag == "button":
            self._button = None

    def handle_data(self, data: str) -> None:
        if self._into:
            setattr(self, self._into, getattr(self, self._into) + data)
        if self._button is not None and data.strip():
            self.buttons.append((self._button.get("name"), self._button.get("value"), data.strip()))
