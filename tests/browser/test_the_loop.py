"""The whole loop in a real browser, over the real processes: locked out → told → "sure" → back in, with pictures."""

from playwright.sync_api import expect

from tests.browser.person import is_back_in, lock_out

AFTER_UNLOCK = ["Great, it worked!", "Forgot Password", "Reset MFA", "Re-open issue", "This wasn't me"]


def test_n2_n3_locked_out_told_sure_back_in_by_keyboard_alone(browser, stack, somebody, picture):
    dana = somebody("dana", keyboard=True)
    elsewhere = browser.new_page(viewport={"width": 760, "height": 640})
    lock_out(elsewhere, stack, "dana")
    picture(elsewhere, "sandbox-locked")
    dana.hears("Shall I unlock it?")
    dana.may_answer("Yes", "No", "This wasn't me")
    picture(dana.page, "chat-lockout")
    dana.writes("sure")
    dana.hears("is unlocked")
    dana.may_answer(*AFTER_UNLOCK[1:])
    picture(dana.page, "chat-unlocked")
    assert stack.unlocks_at_okta("dana@acme.example") == 1
    is_back_in(elsewhere, stack, "dana", dana.password)
    elsewhere.close()
    dana.page.set_viewport_size({"width": 360, "height": 740})
    dana.page.emulate_media(color_scheme="dark")
    picture(dana.page, "chat-narrow")


def test_n4_u3_unlock_in_two_tabs_by_mouse(stack, somebody):
    one = somebody()
    two = one.window.new_page()
    two.goto(stack.door_url)
    stack.control.post("lock", login=one.login)
    one.clicks("No")
    expect(two.get_by_role("button", name="No (your answer)")).to_be_disabled()
    two.get_by_label("Your message").fill("please unlock my account")
    two.get_by_role("button", name="Send").click()
    one.may_answer("Yes", "Get help", "Cancel")
    one.clicks("Yes")
    for tab in (one.page, two):
        expect(tab.get_by_role("button", name="Great, it worked!")).to_be_enabled()
    assert stack.unlocks_at_okta(one.login) == 1
    two.get_by_role("button", name="Great, it worked!").click()
    expect(one.page.get_by_role("button", name="Great, it worked! (your answer)")).to_be_disabled()


def test_n7_signing_out_at_the_organisation_ends_the_chat(stack, somebody):
    person = somebody()
    portal = person.window.new_page()
    portal.goto(f"{stack.sandbox_url}/portal")
    portal.get_by_role("button", name="Sign out").click()
    # The provider's session is over as well, so the chat leads to its sign-in.
    expect(person.page.get_by_label("Username")).to_be_visible()
