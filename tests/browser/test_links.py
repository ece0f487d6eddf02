"""The pages behind the links of the chat (/go, /articles) in Chromium: what each says, for everyone's eyes and ears."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from account_access import links
from account_access.store import tables
from tests.browser.pages import look_in_every_view

REFUSED = {
    "password_human": "Only IT can do this for your account",
    "no_account": "I cannot find your account",
    "instructions": "This cannot be done from here",
    "down": "That did not work just now",
}


@pytest.fixture
def page(visit, house) -> Page:
    """Dana's window, signed in; at the end of a link is nothing, so that the page before it can be looked at."""
    page = visit().open()
    page.context.route(f"{house.provider.issuer}/reset/*", lambda route: route.fulfill(status=204))
    return page


def make(house, name: str = "dana", **options) -> str:
    """A link of that person; returns its address."""
    now, days = house.clock.now(), timedelta(days=3)
    values = {"kind": "password", "system": "okta", "target": f"{house.provider.issuer}/reset/portal"}
    values |= {"expires_at": now + days, "renewed_for": days, "good_for": timedelta(minutes=5)} | options
    with house.store.begin() as connection:
        return house.url + links.make(connection, now, f"{name} {options}", house.person(name).id, **values).path


def minted(house) -> str:
    return make(house, target=None, way=links.MINTED)


def end_all(house) -> None:
    with house.store.begin() as connection:
        connection.execute(tables.links.update().values(expires_at=house.clock.now()))


def titled(page: Page, title: str) -> None:
    expect(page.get_by_role("heading", name=title)).to_be_visible()


def test_p5_link_of_somebody_else(page, house, axe):
    page.goto(make(house, "eli"))
    titled(page, "This is not a link of yours")
    look_in_every_view(page, axe)
    page.get_by_role("link", name="Go to the chat").press("Enter")
    expect(page.locator("#presence.is-online")).to_be_visible()


def test_p5_link_that_is_over_and_its_fresh_one(page, house, axe):
    address = make(house)
    end_all(house)
    page.goto(address)
    titled(page, "This link is no longer good")
    look_in_every_view(page, axe)
    page.get_by_role("button", name="Get a fresh link").press("Enter")
    titled(page, "Here is a fresh link")
    look_in_every_view(page, axe)


def test_e10_reminders_link_that_is_over_leads_back_to_the_chat(page, house, axe):
    address = make(house, renewed_for=None)
    end_all(house)
    page.goto(address)
    titled(page, "This link is no longer good")
    look_in_every_view(page, axe)
    page.get_by_role("link", name="Go to the chat").click()
    expect(page.locator("#presence.is-online")).to_be_visible()


def test_law7_what_is_no_step_of_a_person_asks_for_a_press(page, house, axe):
    page.context.set_extra_http_headers({"Sec-Purpose": "prefetch"})
    page.goto(make(house))
    titled(page, "One step to go")
    look_in_every_view(page, axe)
    page.get_by_role("button", name="Yes, take me there").press("Enter")
    titled(page, "On to your organisation")


def test_p5_minted_link_says_what_it_does_before_it_does_it(page, house, axe):
    house.actions.answer = {"outcome": "minted", "target": f"{house.provider.issuer}/reset/one-time"}
    page.goto(minted(house))
    titled(page, "Make a new password")
    expect(page.get_by_text("your old password stops working")).to_be_visible()
    look_in_every_view(page, axe)
    assert house.actions.asked == []
    page.get_by_role("button", name="Reset my password now").press("Enter")
    titled(page, "On to your organisation")
    look_in_every_view(page, axe)


@pytest.mark.parametrize("outcome", REFUSED)
def test_p5_refusal_is_told_and_leads_on(page, house, axe, outcome):
    house.actions.answer = {"outcome": outcome}
    page.goto(minted(house))
    page.get_by_role("button", name="Reset my password now").click()
    titled(page, REFUSED[outcome])
    look_in_every_view(page, axe)
    onward = page.get_by_role("button", name="Try again").or_(page.get_by_role("link", name="Go to the chat"))
    expect(onward).to_be_visible()


def test_m6_article(page, house, axe):
    page.goto(f"{house.url}/articles/vpn")
    titled(page, "A <new> VPN password")
    look_in_every_view(page, axe)
