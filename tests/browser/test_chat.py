"""The chat page in a real browser: by mouse, by keyboard alone, in two tabs, offline, for everyone's eyes and ears."""

import re
import uuid
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from account_access import conversation
from tests.browser.pages import look

ASK = "please unlock my account"


def write(page: Page, text: str) -> None:
    page.get_by_label("Your message").fill(text)
    page.keyboard.press("Enter")


def bubbles(page: Page):
    return page.locator(".entry .text")


def notice(
    house, text="Your Okta account was locked at 9:14 AM after five failed sign-ins. Should I unlock it for you?"
):
    return house.rasa.speak(house.person().id, f"notice:{uuid.uuid4()}", text, "lockout", notice_id=str(uuid.uuid4()))


def test_the_loop_by_mouse(visit, house):
    window = visit()
    page = window.open()
    expect(page.get_by_role("heading", name="Hello Dana")).to_be_visible()
    page.get_by_role("button", name="Unlock my account").click()
    page.get_by_role("button", name="Yes").click()
    expect(bubbles(page).last).to_have_text("You chose Yes.")
    chosen = page.get_by_role("button", name="Yes (your answer)")
    expect(chosen).to_be_disabled()
    expect(page.get_by_role("button", name="No", exact=True)).to_be_disabled()
    expect(page.get_by_label("Your message")).to_be_focused()
    expect(page.locator("#typing")).to_be_hidden()
    assert window.complaints == []


def test_the_loop_by_keyboard_alone(visit, house):
    page = visit().open()
    expect(page.get_by_label("Your message")).to_be_focused()
    page.keyboard.type("please unlock me")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("thank you")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Yes")).to_be_visible()
    # Backwards from the field: the last button of the last message comes first.
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name="No")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name="Yes")).to_be_focused()
    page.keyboard.press("Enter")
    expect(bubbles(page).last).to_have_text("You chose Yes.")
    expect(page.get_by_label("Your message")).to_be_focused()
    assert bubbles(page).first.inner_text() == "please unlock me\nthank you"


def test_a_notice_arrives_by_itself_and_badges_a_hidden_tab(visit, house):
    window = visit()
    page = window.open()
    page.evaluate("Object.defineProperty(document, 'hidden', {configurable: true, get: () => true})")
    notice(house)
    expect(page.locator(".is-notice")).to_contain_text("five failed sign-ins")
    assert page.title().startswith("(1) Account Access")
    page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
    assert page.title().startswith("Account Access")


def test_two_tabs_show_the_same(visit, house):
    window = visit()
    one, two = window.open(), window.open()
    write(one, ASK)
    expect(two.get_by_role("button", name="Yes")).to_be_enabled()
    two.get_by_role("button", name="No").click()
    expect(one.get_by_role("button", name="No (your answer)")).to_be_disabled()
    expect(bubbles(one).last).to_have_text("You chose No.")
    assert bubbles(one).all_inner_texts() == bubbles(two).all_inner_texts()


def test_eight_tabs_share_one_stream_and_the_next_takes_over(visit, house):
    window = visit()
    tabs = [window.open() for _ in range(8)]
    assert len(house.app.state.door.streams) == 1
    write(tabs[7], "hello from the eighth")
    expect(bubbles(tabs[3]).last).to_have_text("You said: hello from the eighth")
    tabs[0].close()
    write(tabs[1], "and again")
    for tab in tabs[1:]:
        expect(bubbles(tab).last).to_have_text("You said: and again")


def test_a_reload_and_a_way_back_through_long_history(visit, house):
    person, now = house.person(), house.clock.now()
    with house.store.begin() as connection:
        for number in range(130):
            at = now - timedelta(days=2, minutes=130 - number)
            conversation.say(connection, at, person.id, f"told:{number}", 1, f"message {number}")
    page = visit().open()
    expect(bubbles(page)).to_have_count(40)
    expect(bubbles(page).last).to_be_in_viewport()
    page.locator("#scroller").hover()
    for _ in range(12):
        page.mouse.wheel(0, -4000)
        page.wait_for_timeout(120)
    expect(bubbles(page).first).to_have_text("message 0")
    assert bubbles(page).all_inner_texts() == [f"message {number}" for number in range(130)]
    notice(house)
    jump = page.get_by_role("button", name="New message")
    expect(jump).to_be_visible()
    jump.click()
    expect(page.locator(".is-notice")).to_be_in_viewport()
    expect(jump).to_be_hidden()
    assert page.locator(".day").all_inner_texts()[-1] == "Today"


def test_what_is_written_offline_is_sent_once_when_the_connection_is_back(visit, house):
    window = visit()
    page = window.open()
    window.context.set_offline(True)
    write(page, "are you there?")
    expect(page.locator("#banner")).to_contain_text("You are offline")
    expect(page.locator(".is-waiting .meta")).to_contain_text("Not sent yet")
    window.context.set_offline(False)
    expect(bubbles(page).last).to_have_text("You said: are you there?", timeout=15000)
    expect(page.locator("#banner")).to_be_hidden()
    assert len(house.rasa.calls) == 1


def test_a_refused_message_says_why_and_can_be_edited(visit, house):
    page = visit().open()
    write(page, "///")
    failed = page.locator(".is-failed")
    expect(failed).to_contain_text("There is nothing to send")
    failed.get_by_role("button", name="Edit").click()
    expect(page.get_by_label("Your message")).to_have_value("///")
    expect(failed).to_have_count(0)
    write(page, "x" * 1100)
    expect(page.get_by_role("alert")).to_contain_text("too long")
    expect(page.get_by_label("Your message")).to_have_value("x" * 1100)


def test_the_page_comes_back_with_its_draft_when_the_session_ended(visit, house):
    window = visit()
    page = window.open()
    page.get_by_label("Your message").fill("half a sentence")
    house.provider.log_out(house.url, house.provider.logout_token(sid=None, sub="00u-dana"))
    # Signed in again without a question, since the provider's own session lives.
    page.wait_for_event("load")
    expect(page.locator("#presence.is-online")).to_be_visible()
    expect(page.get_by_label("Your message")).to_have_value("half a sentence")
    assert len(house.provider.authorized) == 2


def test_a_tab_with_an_old_token_goes_on_after_another_signed_in_again(visit, house):
    window = visit()
    page, other = window.open(), window.open()
    other.goto(f"{house.url}/signin?next=/")
    write(page, "still here")
    expect(bubbles(page).last).to_have_text("You said: still here")
    expect(page.locator("#presence.is-online")).to_be_visible()


def test_sign_out_leaves_no_tab_behind(visit, house):
    window = visit()
    one, two = window.open(), window.open()
    one.get_by_role("button", name="Sign out").click()
    for tab in (one, two):
        expect(tab.get_by_role("heading", name="You are signed out of the chat")).to_be_visible()


def test_hostile_text_is_shown_and_does_nothing(visit, house):
    window = visit()
    page = window.open()
    hostile = "<img src=x onerror=alert(1)> [click](javascript:alert(1)) <script>alert(1)</script>"
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    write(page, hostile)
    expect(bubbles(page).first).to_have_text(hostile)
    expect(bubbles(page).last).to_have_text(f"You said: {hostile}")
    link = {"title": "Click me", "url": "javascript:alert(1)"}
    house.rasa.speak(house.person().id, "told:1", "A link.", link=link)
    expect(bubbles(page).last).to_have_text("A link.")
    assert page.locator(".log a, .log img, .log script").count() == 0
    assert window.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing(visit, house, axe, scheme, width):
    window = visit(color_scheme=scheme, viewport={"width": width, "height": 700})
    page = window.open()
    look(page, axe)
    write(page, ASK)
    page.get_by_role("button", name="Yes").click()
    expect(bubbles(page).last).to_have_text("You chose Yes.")
    notice(house)
    write(page, "and the link please")
    expect(page.get_by_role("link", name="Open the portal")).to_be_visible()
    write(page, "///")
    expect(page.locator(".is-failed")).to_be_visible()
    page.locator(".is-failed").get_by_role("button", name="Discard").hover()
    look(page, axe)
    for path in ("/signed-out", "/nowhere"):
        page.goto(house.url + path)
        look(page, axe)


def test_motion_is_reduced_for_those_who_ask(visit, house):
    page = visit(reduced_motion="reduce").open()
    write(page, "hello")
    expect(bubbles(page).last).to_have_text(re.compile("You said"))
    assert page.evaluate("document.getAnimations().length") == 0
