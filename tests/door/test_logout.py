"""The provider's last word: a session that ended there ends here, open streams included, and nobody else can say so."""

import base64
import json
from urllib.parse import parse_qs, urlsplit

import pytest

from account_access import people
from account_access.connectors.base import DirectoryPerson
from tests.door.listening import listening
from tests.door.serving import until


def test_back_channel_logout_ends_sessions_and_streams_within_a_second(house):
    dana, eli = house.signed_in("dana"), house.signed_in("eli")
    with listening(dana) as hers, listening(eli) as his:
        until(lambda: hers.events and his.events)
        house.provider.sid = "sid-dana"
        answer = house.provider.log_out(house.url)
        assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
        assert hers.over.wait(1.0)
        assert not his.over.is_set()
    assert dana.get("/api/me").status_code == 401
    assert eli.get("/api/me").status_code == 200


def test_back_channel_logout_by_subject_ends_all_of_a_persons_sessions(house):
    one, two = house.signed_in("dana", "sid-a"), house.signed_in("dana", "sid-b")
    assert house.provider.log_out(house.url, house.provider.logout_token(sid=None, sub="00u-dana")).status_code == 200
    assert (one.get("/api/me").status_code, two.get("/api/me").status_code) == (401, 401)


BAD_LOGOUTS = [
    ("of another issuer", {"iss": "https://evil.example"}),
    ("for another client", {"aud": "payroll"}),
    ("without an issue time", {"iat": None}),
    ("an hour old", {"iat": 1}),
    ("without events", {"events": None}),
    ("of another event", {"events": {"http://schemas.openid.net/event/other": {}}}),
    ("an id token with a nonce", {"nonce": "n"}),
    ("of nobody", {"sid": None}),
    ("without an id", {"jti": None}),
]


@pytest.mark.parametrize("changes", [changes for _, changes in BAD_LOGOUTS], ids=[name for name, _ in BAD_LOGOUTS])
def test_a_logout_token_that_cannot_be_believed_ends_nothing(house, changes):
    client = house.signed_in()
    assert house.provider.log_out(house.url, house.provider.logout_token(**changes)).status_code == 400
    assert client.get("/api/me").status_code == 200


@pytest.mark.parametrize("knobs", [{"wrong_key": True}, {"algorithm": "HS256"}, {"algorithm": "none"}])
def test_a_logout_token_with_a_bad_signature_ends_nothing(house, knobs):
    client = house.signed_in()
    for name, value in knobs.items():
        setattr(house.provider, name, value)
    assert house.provider.log_out(house.url).status_code == 400
    assert client.get("/api/me").status_code == 200


def test_a_logout_token_counts_once_and_survives_key_rotation(house):
    house.signed_in()
    house.provider.rotate()
    token = house.provider.logout_token()
    assert house.provider.log_out(house.url, token).status_code == 200
    assert house.provider.log_out(house.url, token).status_code == 400
    assert house.provider.log_out(house.url, "rubbish").status_code == 400


def test_forged_logout_tokens_do_not_make_us_pester_the_provider_for_keys(house, monkeypatch):
    client = house.signed_in()
    asked = []
    real = house.app.state.door.provider.client.fetch_jwk_set

    async def counted(force=False):
        asked.append(force)
        return await real(force=force)

    monkeypatch.setattr(house.app.state.door.provider.client, "fetch_jwk_set", counted)
    for number in range(5):
        head = base64.urlsafe_b64encode(json.dumps({"alg": "RS256", "kid": f"unknown-{number}"}).encode()).decode()
        assert house.provider.log_out(house.url, f"{head.rstrip('=')}.e30.AAAA").status_code == 400
    assert asked.count(True) == 1
    assert client.get("/api/me").status_code == 200


def test_what_a_stranger_sends_makes_no_line_of_its_own_in_the_log(house, caplog):
    with caplog.at_level("INFO"):
        visitor = house.browser()
        visitor.get("/%0a2026-01-01 ERROR door forged %1b[2J")
        to = urlsplit(visitor.get("/signin", follow_redirects=False).headers["location"])
        state = parse_qs(to.query)["state"][0]
        query = {"state": state, "error": "access_denied", "error_description": "x\nINFO door forged"}
        visitor.get("/signin/callback", params=query)
    lines = [record.getMessage() for record in caplog.records if "forged" in record.getMessage()]
    assert len(lines) >= 2
    assert all(line.isprintable() for line in lines)


def test_a_person_who_leaves_the_directory_is_signed_out(house):
    client = house.signed_in()
    with listening(client) as tab:
        tab.wait_for(lambda t: t.events)
        gone = DirectoryPerson("00u-dana", "dana@acme.example", "dana@acme.example", "Dana Reed", "Dana", None, False)
        people.merge(house.store, house.clock, "okta", [gone])
        assert tab.over.wait(1.5)
    assert client.get("/api/me").status_code == 401
