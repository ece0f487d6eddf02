"""Forgotten passwords and instructions, whole: from the words to the new password, by every way (P1-P6, I1, I2, M6)."""

import re

import httpx
import pytest
import yaml

from sandbox.sign_in import SignInRefused, answer_factor, sign_in
from tests.e2e.installation import ROOT, Installation
from tests.e2e.person import Person, titles

# What a browser says of a click of its user.
CLICK = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-User": "?1"}
CLICK |= {"Sec-Fetch-Site": "same-origin"}
NEW = "a-new-Password-of-mine-81"
OFFERED = ["Recover access", "Get help", "Cancel"]


def open_link(person: Person, entry: dict) -> httpx.Response:
    """Clicks the link under an entry, in the person's browser; the answer is not followed."""
    return person.browser.get(entry["link"]["url"], headers=CLICK, follow_redirects=False)


def press(person: Person, page: httpx.Response) -> httpx.Response:
    """Presses the one button of a page of the door's."""
    form = re.search(r'action="([^"]+)">\s*<input type="hidden" name="csrf" value="([^"]+)"', page.text)
    return person.browser.post(form.group(1), data={"csrf": form.group(2)})


def new_password(stack: Installation, page: httpx.Response, browser: httpx.Client) -> None:
    """Types a new password into the organisation's own page."""
    action = re.search(r'action="([^"]+)" id="new-password-form"', page.text).group(1)
    assert browser.post(action, data={"password": NEW}, follow_redirects=True).status_code == 200


def signs_in_with(stack: Installation, login: str, password: str | None) -> bool:
    with httpx.Client(base_url=stack.sandbox_url, timeout=10) as browser:
        try:
            return sign_in(browser, login, password, start=f"{stack.sandbox_url}/signin").status_code == 200
        except SignInRefused:
            return False


def test_p1_p2_forgotten_recovered_and_in_again(stack, person):
    offer = person.say("I forgot my password")
    assert titles(offer) == OFFERED
    said = person.press(offer, "Recover access")
    assert said["link"]["title"] == "Click here to reset your password" and said["link"]["url"].startswith("/go/")
    led = open_link(person, said)
    assert (led.status_code, led.headers["location"]) == (303, f"{stack.sandbox_url}/forgot")
    with httpx.Client(base_url=stack.sandbox_url, timeout=10) as browser:
        page = browser.post("/forgot", data={"username": person.login}, follow_redirects=True)
        new_password(stack, answer_factor(browser, page), browser)
    assert signs_in_with(stack, person.login, NEW) and not signs_in_with(stack, person.login, None)
    assert [row["act"] for row in person.audited() if row["act"].endswith("_link")] == ["make_link", "open_link"]


@pytest.mark.parametrize("words", ["recover access", "1", "yes please"])
def test_p2_in_words(stack, person, words):
    person.say("need to reset password")
    assert person.say(words)["link"]["url"].startswith("/go/")


def test_p5_link_is_its_owners_and_a_scanners_look_is_no_click(stack, somebody):
    owner, stranger = somebody(), somebody()
    said = owner.press(owner.say("forgot my password"), "Recover access")
    assert open_link(stranger, said).status_code == 404
    assert "/signin" in httpx.get(stack.door_url + said["link"]["url"]).headers["location"]
    assert owner.browser.get(said["link"]["url"], follow_redirects=False).status_code == 200
    query = "SELECT clicked_at FROM links WHERE person_id = ?"
    assert stack.rows(query, owner.person_id) == [{"clicked_at": None}]
    assert open_link(owner, said).status_code == 303


def test_p4_named_system_gets_its_own_instructions(stack, person):
    last = person.say("I forgot my VPN password")
    assert titles(last) == ["Open a ticket", "No, thanks"]
    steps = person.history()[-2]["text"]
    assert steps.startswith("Make a new VPN password\n\n") and "1. In the office" in steps
    assert person.press(last, "No, thanks")["offer"] is None and person.tickets() == []


def test_p6_named_system_without_instructions_gets_a_ticket(stack, person):
    offer = person.say("I forgot my Workday password")
    assert "workday" in offer["text"].lower() and titles(offer) == ["Open a ticket", "Cancel"]
    person.press(offer, "Open a ticket")
    assert [ticket["state"] for ticket in person.tickets()] == ["open"]


def test_m6_question_gets_the_article_and_view_answer_its_steps(stack, person):
    offer = person.say("How to reset MFA?")
    assert titles(offer)[0] == "View answer" and offer["link"]["url"] == "/articles/mfa-new-phone"
    assert "The old phone is lost" in person.browser.get(offer["link"]["url"]).text
    person.press(offer, "View answer")
    said = [entry["text"] for entry in person.history()]
    assert any(text.startswith("Set up MFA on a new phone\n\n") for text in said)
    assert person.installation.rows("SELECT id FROM requests WHERE person_id = ?", person.person_id) == []


@pytest.fixture(scope="module")
def by_instructions(tmp_path_factory):
    """An organisation that wants no automated unlock, and one-time links."""
    okta = yaml.safe_load((ROOT / "settings.yml").read_text())["systems"]["okta"]
    okta |= {"unlock": "instructions", "password_reset": "minted"}
    changes = {"systems": {"okta": okta}, "lockout": {"poll_seconds": 1}, "schedulers": {"sync_minutes": 0.05}}
    installation = Installation(tmp_path_factory.mktemp("by-instructions"), changes).start()
    try:
        yield installation
    finally:
        installation.stop()


def test_p5_minted_link_at_the_owners_press_alone(by_instructions):
    dana = Person(by_instructions, "dana").sign_in()
    said = dana.press(dana.say("I forgot my password"), "Recover access")
    page = open_link(dana, said)
    assert page.status_code == 200 and by_instructions.control.status("dana") == "ACTIVE"
    onward = press(dana, page)
    assert by_instructions.control.status("dana") == "RECOVERY"
    target = re.search(r'href="(http[^"]+/reset_password/[^"]+)"', onward.text).group(1)
    secret = target.rpartition("/")[2].encode()
    with httpx.Client(timeout=10, base_url=by_instructions.sandbox_url) as browser:
        new_password(by_instructions, browser.get(target), browser)
    assert signs_in_with(by_instructions, "dana", NEW)
    kept = [*by_instructions.home.glob("store.db*"), *by_instructions.home.glob("trackers.db*")]
    for path in [*kept, *(by_instructions.home / "log").iterdir()]:
        assert path.name.startswith("sandbox") or secret not in path.read_bytes(), f"{path.name} holds it"


def test_i2_instructions_come_only_after_yes_and_without_a_ticket(by_instructions):
    aiko = Person(by_instructions, "aiko").sign_in()
    by_instructions.control.post("lock", login="aiko")
    notice = aiko.notice()
    assert "1. " not in notice["text"] and "portal" not in notice["text"]
    last = aiko.press(notice, "Yes")
    assert titles(last) == ["Forgot Password", "Reset MFA", "Re-open issue"]
    assert any(entry["text"].startswith("Unlock your account yourself\n\n") for entry in aiko.history())
    assert by_instructions.control.status("aiko") == "LOCKED_OUT" and aiko.tickets() == []


def test_g4_what_the_directory_shows_comes_first_in_the_menu(stack, person):
    """No lockout, but a password that is over, or no factor: said, and its remedy first; then it leads there (G3)."""
    plain = person.say("I can't get into my account")
    assert titles(plain) == ["Unlock Account", "Forgot Password", "Reset MFA"]
    stack.control.post("expire-password", login=person.login)
    menu = person.say("I can't get into my account")
    assert "has expired" in menu["text"] and titles(menu) == ["Forgot Password", "Unlock Account", "Reset MFA"]
    assert "Recover access" in titles(person.say("1"))
    stack.control.post("restore", login=person.login)
    factors = next(p["factors"] for p in stack.control.state()["people"] if p["login"] == person.login)
    stack.control.post("remove-factor", factor=factors[0]["id"])
    menu = person.say("I can't get into my account")
    assert "no MFA" in menu["text"] and titles(menu)[0] == "Reset MFA"
    assert person.press(menu, "Reset MFA")["link"]["url"].endswith("/enrol")
