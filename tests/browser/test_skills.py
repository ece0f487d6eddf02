"""Each skill as people meet it: in Chromium, over the real processes, with pictures for the documents."""

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.pages import look_in_every_view, typed
from tests.browser.person import lock_out

MENU = ["Unlock Account", "Forgot Password", "Reset MFA"]
AFTER_UNLOCK = ["Great, it worked!", "Forgot Password", "Reset MFA", "Re-open issue", "This wasn't me"]
NEW = "a-new-Password-of-mine-81"


def factors(stack, login: str) -> list[str]:
    """What is enrolled at the organisation, in its own words."""
    everybody = stack.control.state()["people"]
    return [each["name"] for person in everybody if person["login"].split("@")[0] == login.split("@")[0]
            for each in person["factors"]]  # fmt: skip


def tickets(stack, login: str) -> list[str]:
    """The states of a person's tickets, the earliest first."""
    query = "SELECT state FROM tickets JOIN people ON people.id = person_id WHERE login LIKE ? ORDER BY number"
    return [row["state"] for row in stack.rows(query, f"{login.split('@')[0]}@%")]


def test_g1_g3_trouble_without_a_remedy_leads_into_a_skill(somebody, picture):
    person = somebody("rafael")
    person.writes("I can't get into my Okta, it just shakes at me")
    person.may_answer(*MENU)
    picture(person.page, "skill-access")
    person.writes("2")
    person.may_answer("Recover access", "Get help", "Cancel")


def test_u1_u6_unlock_on_request_opened_again_and_asked_about(stack, somebody, picture):
    person = somebody("aiko")
    stack.control.post("lock", login=person.login)
    person.hears("Shall I unlock it?")
    person.clicks("No")
    person.hears("leave it")
    person.writes("hmm, please unlock my account after all")
    person.may_answer("Yes", "Get help", "Cancel")
    person.clicks("Yes")
    person.may_answer(*AFTER_UNLOCK)
    picture(person.page, "skill-unlock")
    assert tickets(stack, person.login) == ["resolved"]
    person.clicks("Re-open issue")
    person.hears("re-opened AA-")
    person.writes("what about my ticket?")
    person.hears("It's open")
    picture(person.page, "skill-ticket")
    assert stack.unlocks_at_okta(person.login) == 1 and tickets(stack, person.login) == ["open"]


def test_p1_p2_forgotten_password_to_signed_in_with_the_new_one_by_keyboard_alone(stack, somebody, picture):
    person = somebody("marcus", keyboard=True)
    person.writes("I forgot my password")
    person.may_answer("Recover access", "Get help", "Cancel")
    person.presses("Recover access")
    person.hears("Here is your link")
    picture(person.page, "skill-password")
    portal = person.follows("Click here to reset your password", keyboard=True)
    expect(portal).to_have_url(f"{stack.sandbox_url}/forgot")
    typed(portal, person.login, "Enter")
    portal.wait_for_url("**/signin/factor")
    typed(portal, "Enter")
    portal.wait_for_url("**/reset_password/*")
    typed(portal, NEW, "Enter")
    expect(portal.get_by_role("status")).to_contain_text("Your new password is saved")
    typed(portal, person.login, "Tab", NEW, "Enter")
    portal.wait_for_url("**/signin/factor")
    typed(portal, "Enter")
    expect(portal.get_by_role("heading", name="Hello")).to_be_visible()
    person.page.bring_to_front()
    person.page.get_by_label("Your message").focus()
    person.writes("great, I'm in again, thanks")
    person.hears("Glad to hear it")


def test_p5_link_that_is_over_gives_a_fresh_one(stack, somebody, axe):
    person = somebody()
    person.writes("forgot my password")
    person.clicks("Recover access")
    person.follows("Click here to reset your password").close()
    stack.control.post("clock", minutes=6)
    over = person.follows("Click here to reset your password")
    expect(over.get_by_role("heading", name="This link is no longer good")).to_be_visible()
    look_in_every_view(over, axe)
    over.get_by_role("button", name="Get a fresh link").click()
    look_in_every_view(over, axe)
    over.get_by_role("link", name="Click here to reset your password").click()
    expect(over).to_have_url(f"{stack.sandbox_url}/forgot")


def test_m1_m4_one_device_of_two_goes_and_the_new_one_is_set_up(stack, somebody, picture):
    person = somebody("omar")
    stack.control.post("add-factor", login=person.login, kind="key", name="YubiKey 5C")
    others = [name for name in factors(stack, person.login) if "YubiKey" not in name]
    person.writes("I need to reset my MFA for Okta")
    person.hears("Which one is new, lost or broken?")
    picture(person.page, "skill-mfa-choice")
    person.clicks("Security key (YubiKey 5C)")
    person.may_answer("Yes, reset MFA", "Get help", "Cancel")
    assert len(factors(stack, person.login)) == len(others) + 1, "nothing goes before the yes"
    person.clicks("Yes, reset MFA")
    person.hears("Reset complete!")
    picture(person.page, "skill-mfa-done")
    assert factors(stack, person.login) == others
    portal = person.follows("Set up MFA")
    portal.get_by_label("Method").select_option("key")
    portal.get_by_label("What you call it").fill("My new key")
    portal.get_by_role("button", name="Set up").click()
    portal.get_by_role("button", name="Touch the key").click()
    expect(portal.get_by_text("Security key (My new key)")).to_be_visible()
    person.clicks("Great, it worked!")
    person.hears("Glad to hear it")


def test_m4_all_devices_by_words_alone(stack, somebody):
    person = somebody()
    stack.control.post("add-factor", login=person.login, kind="key", name="YubiKey 5C")
    person.writes("reset my mfa please")
    person.hears("Which one is new, lost or broken?")
    person.writes("all of them")
    person.hears("I'd remove from your Okta account")
    person.writes("yes, reset mfa")
    person.hears("Reset complete!")
    assert factors(stack, person.login) == []


def test_m7_code_of_another_factor_proves_who_it_is(stack, somebody, axe, picture):
    priya = somebody("priya")
    priya.writes("reset my mfa")
    priya.clicks("Security key (YubiKey 5 Nano)")
    priya.clicks("Yes, reset MFA")
    proof = priya.follows("Prove that it's me")
    look_in_every_view(proof, axe)
    proof.get_by_label("Code").fill("12")
    proof.keyboard.press("Enter")
    expect(proof.get_by_role("alert")).to_contain_text("does not count")
    look_in_every_view(proof, axe)
    proof.set_viewport_size({"width": 760, "height": 640})
    picture(proof, "skill-mfa-proof")
    phone = priya.window.new_page()
    phone.goto(f"{stack.sandbox_url}/portal")
    proof.get_by_label("Code").fill(phone.locator("output.code-now").first.inner_text())
    proof.keyboard.press("Enter")
    expect(proof.get_by_role("heading", name="Thank you")).to_be_visible()
    look_in_every_view(proof, axe)
    priya.hears("Reset complete!")
    assert not [name for name in factors(stack, "priya") if "YubiKey" in name]


def test_m9_contractor_asks_and_the_manager_approves_in_another_browser(stack, somebody, picture):
    jonas, priya = somebody("jonas"), somebody("priya")
    jonas.writes("I lost my phone, please reset my MFA")
    jonas.clicks("Ask my manager")
    jonas.hears("I've asked Priya")
    priya.hears("Jonas Lind wants to reset their MFA")
    picture(priya.page, "skill-approval")
    assert factors(stack, "jonas")
    priya.presses("Approve")
    priya.hears("Thank you")
    jonas.hears("Reset complete!")
    assert factors(stack, "jonas") == []
    picture(jonas.page, "skill-approved")


def test_m6_article_with_view_answer(somebody, axe, picture):
    person = somebody("ruth")
    person.writes("how do I set up MFA on a new phone?")
    person.hears("I have an article for that")
    article = person.follows("Set up MFA on a new phone")
    look_in_every_view(article, axe)
    article.close()
    person.clicks("View answer")
    person.may_answer("Open a ticket", "No, thanks")
    picture(person.page, "skill-article")
    person.clicks("No, thanks")
    person.hears("All right")


def test_p4_named_system_gets_its_own_steps(somebody):
    person = somebody()
    person.writes("I forgot my VPN password")
    person.hears("shall I open a ticket?")
    assert any(text.startswith("Make a new VPN password") for text in person.said())
    person.writes("no thanks, that helps")
    person.hears("All right")


def test_u4_human_wanted_gets_a_ticket_and_no_second_one(stack, somebody):
    person = somebody()
    person.writes("I need to talk to a human")
    person.hears("I've opened a ticket for you: AA-")
    person.writes("open a ticket please")
    person.hears("already a ticket open")
    assert tickets(stack, person.login) == ["open"]


def test_x10_this_wasnt_me_stops_self_service(stack, somebody, picture):
    person = somebody("nadia")
    stack.control.post("lock", login=person.login)
    person.may_answer("Yes", "No", "This wasn't me")
    person.presses("This wasn't me")
    person.hears("I've called security")
    picture(person.page, "skill-not-me")
    person.writes("please unlock my account")
    person.hears("Only security can allow it again")
    assert stack.control.status(person.login) == "LOCKED_OUT" and tickets(stack, person.login) == ["open"]


def test_x9_x14_why_it_locked_what_was_done_and_why_it_was_told(browser, stack, somebody, picture):
    person = somebody("lena")
    elsewhere = browser.new_page()
    lock_out(elsewhere, stack, person.login)
    elsewhere.close()
    person.hears("Shall I unlock it?")
    person.writes("why was I locked?")
    person.hears("My question still stands")
    assert any("5 wrong passwords" in text for text in person.said())
    picture(person.page, "skill-why")
    person.writes("sure")
    person.hears("unlocked")
    person.writes("what have you done to my account?")
    person.hears("because you said yes to my message (AA-")
    picture(person.page, "skill-receipts")
    person.writes("why did you write to me?")
    person.hears("showed me that your account was locked")


# What the assistant, its pages and its articles tell people to say, and what they must get to hear then.
TOLD_TO_SAY = {
    "forgot my password": "page where you make a new Okta password",
    "I forgot my password": "page where you make a new Okta password",
    "reset MFA": "I'd remove from your Okta account",
    "reset my MFA": "I'd remove from your Okta account",
    "fewer messages, please": "at most 2 messages",
    "turn notifications back on": "as usual: at most 4 messages",
    "open a ticket": "ticket for you: AA-",
    "get help": "already a ticket open",
    "this wasn't me": "Were there attempts on your account that weren't yours?",
}


FIRST_FEW = 5


def test_x5_what_people_are_told_to_say_is_understood(somebody):
    sources = ["domain.yml", *Path("door/templates").glob("*.html"), *Path("knowledge").glob("*.md")]
    told = " ".join(" ".join(Path(source).read_text(encoding="utf-8").split()) for source in sources)
    phrases = {phrase.replace("\u2019", "'") for phrase in re.findall(r"\b[Ss]ay [\"\u201c]([^\"\u201d]+)", told)}
    assert phrases == set(TOLD_TO_SAY)
    # Two people, for the door lets nobody write as fast as all of it would be.
    one, other = somebody(), somebody()
    for number, (phrase, answer) in enumerate(TOLD_TO_SAY.items()):
        person = one if number < FIRST_FEW else other
        person.writes(phrase)
        person.hears(answer)


def test_p3_password_typed_into_the_chat_is_told_and_kept_nowhere(stack, somebody, picture):
    person = somebody()
    secret = "Correct-Horse-77-Battery"
    person.writes(f"my password is {secret} and it doesn't work")
    person.hears("never share a password")
    assert secret not in person.page.content()
    for path in [*stack.home.glob("*.db*"), *(stack.home / "log").iterdir()]:
        assert secret.encode() not in path.read_bytes(), f"{path.name} holds it"


def test_x6_silent_system_is_told_and_its_return_as_well(stack, somebody):
    person = somebody()
    stack.control.post("switch", kind="down")
    try:
        person.writes("please unlock my account")
        person.hears("I can't reach Okta right now")
        person.may_answer("Open a ticket", "Cancel")
    finally:
        stack.control.post("switch-off")
    stack.control.post("clock", seconds=20)
    person.hears("answers again")
    person.may_answer(*MENU)
