"""Sign-in and sign-out: whom the door lets in, and until when (N7, law 1)."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import select

from account_access import conversation, sessions
from account_access.policy import is_fresh
from account_access.store import tables
from door.sign_in import local_path
from door.visitors import COOKIE
from tests.door.listening import listening


def test_a_person_signs_in_and_reaches_the_chat(house):
    client = house.signed_in()
    me = client.get("/api/me").json()
    assert (me["login"], me["name"]) == ("dana@acme.example", "Dana Reed")
    assert "Account Access" in client.get("/").text
    asked = house.provider.authorized[0]
    assert asked["response_type"] == "code" and asked["code_challenge_method"] == "S256"
    assert asked["nonce"] and asked["state"] and asked["max_age"] == "43200"


def test_without_a_session_the_page_leads_to_sign_in_and_the_api_says_401(house):
    answer = httpx.get(f"{house.url}/")
    assert answer.status_code == 302 and answer.headers["location"] == "/signin?next=%2F"
    for path in ("/api/me", "/api/history", "/api/stream"):
        answer = httpx.get(f"{house.url}{path}")
        assert answer.status_code == 401 and answer.json()["error"] == "signed_out"


def test_the_session_cookie_is_out_of_reach_for_scripts(house):
    answers = house.browser().get("/signin").history
    cookie = next(h for a in answers for h in a.headers.get_list("set-cookie") if h.startswith(COOKIE))
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/;" in cookie


BAD_TOKENS = [
    ("signed by a stranger", {"wrong_key": True}),
    ("signed with the public key as a secret", {"algorithm": "HS256"}),
    ("not signed", {"algorithm": "none"}),
    ("for another client", {"claims": {"aud": "payroll"}}),
    ("for another client, though authorised for us", {"claims": {"aud": "payroll", "azp": "account-access"}}),
    ("by another issuer", {"claims": {"iss": "https://evil.example"}}),
    ("expired", {"claims": {"exp": 1}}),
    ("with another nonce", {"claims": {"nonce": "replayed"}}),
    ("without a nonce", {"claims": {"nonce": None}}),
    ("without a subject", {"user": {"sub": None}}),
    ("issued in the future", {"claims": {"iat": 4102444800}}),
    ("provider says no", {"error": "access_denied"}),
    ("a discovery document of somebody else", {"announced_issuer": "https://evil.example"}),
]


@pytest.mark.parametrize("knobs", [knobs for _, knobs in BAD_TOKENS], ids=[name for name, _ in BAD_TOKENS])
def test_an_identity_that_cannot_be_believed_opens_nothing(house, knobs):
    for name, value in knobs.items():
        setattr(house.provider, name, value)
    client = house.browser()
    answer = client.get("/signin")
    assert answer.status_code in (400, 503)
    assert COOKIE not in client.cookies
    assert client.get("/api/me").status_code == 401


def test_keys_may_rotate_between_two_sign_ins(house):
    house.signed_in("dana")
    house.provider.rotate()
    assert house.signed_in("eli").get("/api/me").json()["login"] == "eli@acme.example"


def test_the_callback_needs_the_state_that_this_browser_began_with(house):
    victim, attacker = house.browser(), house.browser()
    begun = attacker.get("/signin", follow_redirects=False).headers["location"]
    callback = httpx.get(begun, follow_redirects=False).headers["location"]
    assert victim.get(callback).status_code == 400
    assert COOKIE not in victim.cookies
    state = parse_qs(urlsplit(callback).query)["state"][0]
    assert victim.get(f"/signin/callback?code=x&state={state}").status_code == 400


def test_a_code_is_good_once(house):
    client = house.browser()
    begun = client.get("/signin", follow_redirects=False).headers["location"]
    callback = httpx.get(begun, follow_redirects=False).headers["location"]
    assert client.get(callback, follow_redirects=False).status_code == 303
    other = house.browser()
    assert other.get(callback).status_code == 400
    assert client.get(callback, follow_redirects=False).headers["location"] == "/"


def test_several_tabs_may_sign_in_at_the_same_moment(house):
    client = house.browser()
    begun = [client.get("/signin?next=/", follow_redirects=False).headers["location"] for _ in range(3)]
    for address in begun:
        callback = httpx.get(address, follow_redirects=False).headers["location"]
        assert client.get(callback, follow_redirects=False).status_code == 303
    assert client.get("/api/me").status_code == 200


def test_a_session_set_by_somebody_else_is_not_kept(house):
    client = house.browser()
    client.cookies.set(COOKIE, "planted", domain="127.0.0.1")
    client.get("/signin")
    tokens = [cookie.value for cookie in client.cookies.jar if cookie.name == COOKIE]
    assert any(token != "planted" for token in tokens)
    first = house.signed_in()
    before = first.cookies[COOKIE]
    first.get("/signin")
    assert first.cookies[COOKIE] != before
    assert sessions.find(house.store, house.clock, before) is None


NEXT = [
    ("/", "/"),
    ("/?a=b", "/?a=b"),
    ("/go/abc", "/go/abc"),
    (None, "/"),
    ("", "/"),
    ("https://evil.example/", "/"),
    ("//evil.example", "/"),
    ("/\\evil.example", "/"),
    ("/\t/evil.example", "/"),
    ("/a\\..\\b", "/"),
    ("\\\\evil.example", "/"),
    ("javascript:alert(1)", "/"),
    ("evil", "/"),
    ("/\r\nSet-Cookie: a=b", "/"),
    ("/signin", "/"),
    ("/signout", "/"),
    ("/" + "a" * 600, "/"),
]


@pytest.mark.parametrize("wanted, path", NEXT)
def test_only_local_paths_are_gone_on_to(wanted, path):
    assert local_path(wanted) == path


def test_next_is_honoured_after_sign_in(house):
    answer = house.browser().get("/signin", params={"next": "/?from=mail"})
    assert str(answer.url) == f"{house.url}/?from=mail"
    answer = house.browser().get("/signin", params={"next": "//evil.example/"})
    assert str(answer.url) == f"{house.url}/"


def test_a_person_whom_the_directory_does_not_know_is_told_so(house, caplog):
    house.provider.user = {"sub": "00u-stranger", "email": "stranger@acme.example", "email_verified": True}
    answer = house.browser().get("/signin")
    assert answer.status_code == 403 and "I do not know you yet" in answer.text
    assert "nobody known for subject 00u-stranger" in caplog.text


def test_an_unverified_address_links_nobody(house):
    house.provider.user = {"sub": "00u-other", "email": "dana@acme.example", "email_verified": "true"}
    assert house.browser().get("/signin").status_code == 403


def test_an_address_that_is_already_linked_needs_an_admin(house, caplog):
    house.signed_in("dana")
    house.provider.user = {"sub": "00u-impostor", "email": "dana@acme.example", "email_verified": True}
    answer = house.browser().get("/signin")
    assert answer.status_code == 403 and "needs a look from IT" in answer.text
    assert "an admin has to look" in caplog.text


def test_a_provider_that_is_down_gets_an_honest_page(house):
    house.provider.down = True
    answer = house.browser().get("/signin")
    assert answer.status_code == 503 and "Nothing of your conversation is lost" in answer.text


def test_a_provider_that_fails_between_redirect_and_callback_gets_one_too(house):
    client = house.browser()
    begun = client.get("/signin", follow_redirects=False).headers["location"]
    callback = httpx.get(begun, follow_redirects=False).headers["location"]
    house.provider.down = True
    assert client.get(callback).status_code == 503


def test_our_session_ends_with_the_id_token(house):
    client = house.signed_in()
    assert client.get("/api/me").status_code == 200
    house.move_clock(3601)
    assert client.get("/api/me").status_code == 401


def test_our_session_ends_when_the_sign_in_is_too_old(house):
    now = house.provider.now()
    house.provider.claims = {"auth_time": now - 12 * 3600 + 60, "exp": now + 86400}
    client = house.signed_in()
    house.move_clock(61)
    assert client.get("/api/me").status_code == 401


@pytest.mark.parametrize("told", [True, False])
def test_m7_a_sign_in_that_the_provider_does_not_date_is_never_fresh(house, told, caplog):
    if not told:
        house.provider.claims = {"auth_time": None, "exp": house.provider.now() + 86400}
    client = house.signed_in()
    session = sessions.find(house.store, house.clock, client.cookies["account_access_session"])
    assert timedelta(0) < session.expires_at - house.clock.now() <= timedelta(hours=12)
    csrf = {"X-CSRF-Token": client.get("/api/me").json()["csrf"]}
    accepted = client.post("/api/messages", json={"key": "a" * 32, "text": "hello"}, headers=csrf)
    assert accepted.status_code == 202
    with house.store.reading() as connection:
        stored = conversation.find_inbound(connection, connection.execute(select(tables.inbound.c.id)).scalar_one())
    assert is_fresh(stored.signed_in_ago, timedelta(hours=12)) is told
    assert stored.undated is not told and stored.session_id == session.id
    house.signed_in("eli")
    assert caplog.text.count("sends no auth_time") == (0 if told else 1), "said once, not for everybody"


def test_a_sign_in_that_is_already_too_old_asks_again_instead_of_going_in_circles(house):
    house.provider.claims = {"auth_time": house.provider.now() - 13 * 3600}
    answer = house.browser().get("/signin")
    assert answer.status_code == 403 and "fresh=1" in answer.text
    house.browser().get("/signin?fresh=1")
    assert house.provider.authorized[-1]["prompt"] == "login"


def test_sign_in_follows_the_installations_clock(house):
    house.move_clock(7 * 86400)
    assert house.signed_in().get("/api/me").status_code == 200


def test_sign_out_ends_the_session_and_its_streams(house):
    client = house.signed_in()
    with listening(client) as tab:
        tab.wait_for(lambda t: t.events)
        assert client.post("/signout").json() == {"next": "/signed-out"}
        assert tab.over.wait(1.5)
        assert tab.events[-1][0] == "signed-out"
    assert client.get("/api/me").status_code == 401
    page = client.get("/signed-out")
    assert "signed out of the chat" in page.text and f"{house.provider.issuer}/logout" in page.text
