"""The OpenID provider: code and PKCE, tokens, prompts, replays, signing out, back-channel logout."""

import base64
import hashlib
import json
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from sandbox.logout import Messenger
from sandbox.sign_in import lock_out, sign_in

CALLBACK = "http://127.0.0.1:8000/signin/callback"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
ASKED = {
    "response_type": "code",
    "client_id": "account-access",
    "redirect_uri": CALLBACK,
    "scope": "openid profile email",
    "state": "the state",
    "nonce": "the nonce",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}
SENT_BACK = [
    ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"code_challenge_method": None}, "invalid_request"),
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"scope": "openid everything"}, "invalid_scope"),
    ({"prompt": "none"}, "login_required"),
]
SHOWN_HERE = [
    {"redirect_uri": "http://evil.example/callback"},
    {"redirect_uri": CALLBACK + "/"},
    {"client_id": "somebody-else"},
    {"client_id": None},
]
RIGHT = "stands for the right secret"
REFUSED_TOKENS = [
    ({"code": "invented"}, {}, 400, "invalid_grant"),
    ({"code_verifier": "w" * 64}, {}, 400, "invalid_grant"),
    ({"code_verifier": None}, {}, 400, "invalid_request"),
    ({"redirect_uri": "http://evil.example/"}, {}, 400, "invalid_grant"),
    ({"grant_type": "password"}, {}, 400, "unsupported_grant_type"),
    ({}, {"auth": ("account-access", "wrong")}, 401, "invalid_client"),
    ({}, {"auth": ("somebody-else", RIGHT)}, 401, "invalid_client"),
    ({}, {"auth": None}, 401, "invalid_client"),
]


def authorize_url(**changes):
    return "/oauth2/v1/authorize?" + urlencode({k: v for k, v in {**ASKED, **changes}.items() if v is not None})


def ask(browser, **changes):
    """The answer to an authorization request, not followed."""
    return browser.get(authorize_url(**changes), follow_redirects=False)


def returned(answer):
    """What the chat's callback was given."""
    location = answer.headers["location"]
    assert location.startswith(CALLBACK + "?"), location
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


def code_for(organisation, login="dana", browser=None, **changes):
    browser = browser or organisation.browser()
    sign_in(browser, login)
    return returned(ask(browser, **changes))["code"]


def redeem(organisation, code, changes=None, auth=("account-access", RIGHT)):
    secret = organisation.config.client_secret
    auth = auth and (auth[0], secret if auth[1] == RIGHT else auth[1])
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    form = {name: value for name, value in {**form, **(changes or {})}.items() if value is not None}
    return organisation.browser().post("/oauth2/v1/token", data=form, auth=auth)


def claims_of(organisation, id_token):
    keys = KeySet.import_key_set(organisation.browser().get("/oauth2/v1/keys").json())
    return jwt.decode(id_token, keys, algorithms=["RS256"]).claims


def test_discovery_leads_to_everything(organisation):
    found = organisation.browser().get("/.well-known/openid-configuration").json()
    assert found["issuer"] == organisation.config.issuer
    assert found["code_challenge_methods_supported"] == ["S256"] and found["backchannel_logout_session_supported"]
    for name in ("authorization_endpoint", "userinfo_endpoint", "jwks_uri", "end_session_endpoint"):
        assert organisation.browser().get(found[name], follow_redirects=False).status_code < 500


def test_the_id_token_says_who_and_when(organisation):
    token = redeem(organisation, code_for(organisation)).json()
    claims, now = claims_of(organisation, token["id_token"]), organisation.app.state.sandbox.now().timestamp()
    user = organisation.user()
    assert claims["iss"] == organisation.config.issuer and claims["aud"] == "account-access"
    assert (claims["sub"], claims["email"], claims["email_verified"]) == (user["id"], "dana@acme.example", True)
    assert (claims["name"], claims["preferred_username"]) == ("Dana Whitfield", "dana@acme.example")
    assert (claims["nonce"], claims["amr"]) == ("the nonce", ["pwd", "swk", "mfa"])
    assert claims["exp"] - claims["iat"] == 3600 and abs(claims["auth_time"] - now) < 5 and claims["sid"]
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    assert organisation.browser().get("/oauth2/v1/userinfo", headers=headers).json()["sub"] == user["id"]


def test_a_switch_lets_id_tokens_not_tell_when(organisation):
    organisation.control("switch", kind="no_auth_time", times=1)
    dated = [claims_of(organisation, redeem(organisation, code_for(organisation)).json()["id_token"]) for _ in "ab"]
    assert ["auth_time" in claims for claims in dated] == [False, True]


def test_tokens_are_of_the_sandbox_s_time(organisation):
    organisation.control("clock", days=7)
    claims = claims_of(organisation, redeem(organisation, code_for(organisation)).json()["id_token"])
    now = organisation.app.state.sandbox.now().timestamp()
    assert abs(claims["iat"] - now) < 5 and abs(claims["auth_time"] - now) < 5


def test_a_secret_may_come_in_the_form(organisation):
    secrets = {"client_id": "account-access", "client_secret": organisation.config.client_secret}
    assert redeem(organisation, code_for(organisation), secrets, auth=None).status_code == 200


def test_scopes_bound_what_is_told(organisation):
    claims = claims_of(organisation, redeem(organisation, code_for(organisation, scope="openid")).json()["id_token"])
    assert "email" not in claims and "name" not in claims


@pytest.mark.parametrize("changes, error", SENT_BACK)
def test_errors_the_chat_is_told(organisation, changes, error):
    given = returned(ask(organisation.browser(), **changes))
    assert (given["error"], given["state"]) == (error, "the state")


@pytest.mark.parametrize("changes", SHOWN_HERE)
def test_errors_the_person_is_told(organisation, changes):
    answer = ask(organisation.browser(), **changes)
    assert answer.status_code == 400 and "location" not in answer.headers


@pytest.mark.parametrize("changes, options, status, error", REFUSED_TOKENS)
def test_refused_tokens(organisation, changes, options, status, error):
    answer = redeem(organisation, code_for(organisation), changes, **options)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_a_replayed_code_is_refused_and_revokes_what_it_brought(organisation):
    code = code_for(organisation)
    headers = {"Authorization": f"Bearer {redeem(organisation, code).json()['access_token']}"}
    assert organisation.browser().get("/oauth2/v1/userinfo", headers=headers).status_code == 200
    assert redeem(organisation, code).json()["error"] == "invalid_grant"
    assert organisation.browser().get("/oauth2/v1/userinfo", headers=headers).status_code == 401


def test_a_code_lives_a_minute(organisation):
    code = code_for(organisation)
    organisation.control("clock", seconds=61)
    assert redeem(organisation, code).json()["error"] == "invalid_grant"


def test_without_a_session_the_person_signs_in_first_and_comes_back(organisation):
    # The test client answers for every address, so the walk ends at the chat's callback.
    at_the_chat = sign_in(organisation.browser(), "dana", start=authorize_url())
    assert str(at_the_chat.url).startswith(CALLBACK + "?code=")


@pytest.mark.parametrize(
    "changes, hours, leads",
    [
        ({}, 0, "callback"),
        ({"prompt": "none"}, 0, "callback"),
        ({"prompt": "login"}, 0, "sign in"),
        ({"max_age": "3600"}, 0, "callback"),
        ({"max_age": "3600"}, 2, "sign in"),
        ({"max_age": "3600", "prompt": "none"}, 2, "login_required"),
        ({}, 13, "sign in"),
    ],
)
def test_prompts_and_ages(organisation, changes, hours, leads):
    browser = organisation.browser()
    sign_in(browser, "dana")
    organisation.control("clock", hours=hours)
    location = ask(browser, **changes).headers["location"]
    if leads == "sign in":
        goal = parse_qs(urlsplit(location).query)["goal"][0]
        assert location.startswith("/signin?") and "prompt" not in goal and "max_age" not in goal
    else:
        assert location.startswith(CALLBACK) and ("code=" if leads == "callback" else leads) in location


def test_a_locked_person_s_session_goes_on(organisation):
    browser = organisation.browser()
    sign_in(browser, "dana")
    lock_out(organisation.browser(), "dana")
    assert "code" in returned(ask(browser, prompt="none"))


class Chat:
    """Stands in for the chat's back-channel logout endpoint."""

    def __init__(self, *statuses):
        self.statuses, self.tokens = list(statuses), []

    def __call__(self, request):
        assert str(request.url) == "http://127.0.0.1:8000/signin/backchannel-logout"
        self.tokens.append(parse_qs(request.content.decode())["logout_token"][0])
        return httpx.Response(self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0])


def deliver(organisation, chat):
    key = organisation.app.state.provider.key
    client = httpx.Client(transport=httpx.MockTransport(chat))
    Messenger(organisation.app.state.sandbox, key, client).send_due()


def logout_states(organisation):
    return [row["state"] for row in organisation.browser().get("/control/api/state").json()["logouts"]]


ENDS = {
    "sign-out": lambda organisation, browser: browser.post("/signout"),
    "an admin": lambda organisation, browser: organisation.api("DELETE", "/users/dana/sessions"),
    "deactivation": lambda organisation, browser: organisation.api("POST", "/users/dana/lifecycle/deactivate"),
    "the control page": lambda organisation, browser: organisation.control("end-sessions", login="dana"),
}


@pytest.mark.parametrize("how", ENDS)
def test_the_chat_hears_of_the_end_of_a_session(organisation, how):
    browser, chat = organisation.browser(), Chat(200)
    claims = claims_of(organisation, redeem(organisation, code_for(organisation, browser=browser)).json()["id_token"])
    ENDS[how](organisation, browser)
    deliver(organisation, chat)
    (token,) = chat.tokens
    said = claims_of(organisation, token)
    header = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    assert header["typ"] == "logout+jwt" and header["alg"] == "RS256"
    assert (said["sid"], said["sub"], said["iss"], said["aud"]) == tuple(
        claims[n] for n in ("sid", "sub", "iss", "aud")
    )
    assert said["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert "nonce" not in said and said["jti"] and said["exp"] > said["iat"]
    assert logout_states(organisation) == ["sent"]


def test_a_session_the_chat_never_saw_ends_silently(organisation):
    browser = organisation.browser()
    sign_in(browser, "dana")
    browser.post("/signout")
    assert logout_states(organisation) == []


def test_a_logout_is_repeated_until_heard(organisation):
    browser, chat = organisation.browser(), Chat(503, 503, 204)
    code_for(organisation, browser=browser)
    browser.post("/signout")
    deliver(organisation, chat)
    deliver(organisation, chat)
    assert len(chat.tokens) == 1 and logout_states(organisation) == ["waiting"]
    for _ in range(2):
        organisation.control("clock", minutes=1)
        deliver(organisation, chat)
    assert len(chat.tokens) == 3 and logout_states(organisation) == ["sent"]


def test_a_refused_logout_is_not_repeated(organisation):
    browser = organisation.browser()
    code_for(organisation, browser=browser)
    browser.post("/signout")
    deliver(organisation, Chat(400))
    assert logout_states(organisation) == ["refused"]


@pytest.mark.parametrize(
    "then, target",
    [
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000/?state=s"),
        ("http://evil.example/", "/signin"),
        ("", "/signin"),
    ],
)
def test_signing_out_from_the_chat(organisation, then, target):
    browser = organisation.browser()
    id_token = redeem(organisation, code_for(organisation, browser=browser)).json()["id_token"]
    organisation.control("clock", hours=3)
    query = {"id_token_hint": id_token, "post_logout_redirect_uri": then, "state": "s"}
    answer = browser.get("/oauth2/v1/logout", params=query, follow_redirects=False)
    assert answer.headers["location"] == target
    assert browser.get("/portal").url.path == "/signin"


def test_nobody_is_signed_out_without_their_token(organisation):
    browser = organisation.browser()
    sign_in(browser, "dana")
    assert browser.get("/oauth2/v1/logout", params={"id_token_hint": "x.y.z"}).url.path == "/portal"


@pytest.mark.parametrize("query, status", [("?oauthTokens=true", 401), ("?oauthTokens=false", 200), ("", 200)])
def test_sessions_that_okta_s_api_ends_take_their_tokens_along_if_asked(organisation, query, status):
    browser = organisation.browser()
    token = redeem(organisation, code_for(organisation, browser=browser)).json()["access_token"]
    assert organisation.api("DELETE", f"/users/dana/sessions{query}").status_code == 204
    assert browser.get("/portal").url.path == "/signin"
    headers = {"Authorization": f"Bearer {token}"}
    assert browser.get("/oauth2/v1/userinfo", headers=headers).status_code == status
