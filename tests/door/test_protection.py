"""Requests that do not come from our own page, and headers that keep a browser from being misused."""

import json
import re

import httpx
import pytest

GOOD = {"key": "0123456789abcdef", "text": "hello"}


def test_pages_and_answers_carry_the_protecting_headers(house):
    client = house.signed_in()
    for path in ("/", "/api/me", "/api/history", "/health", "/static/chat.js", "/nowhere", "/signed-out"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "camera=()" in headers["permissions-policy"]
        if not path.startswith("/static/"):
            assert headers["cache-control"] == "no-store"


def test_pages_have_no_inline_script_style_or_foreign_address(house):
    client = house.signed_in()
    page = client.get("/").text
    assert not re.search(r"<script(?![^>]*src=)|\son\w+=|<style|\sstyle=", page)
    sources = page + "".join(client.get(f"/static/{name}").text for name in ("chat.js", "style.css", "entries.js"))
    assert not re.search(r"(?:src|href|url\(|from|import)[=\s(]*[\"']?(?:https?:)?//", sources)


ATTACKS = [
    ("no CSRF token", {"X-CSRF-Token": None}, 403, "csrf"),
    ("an empty token", {"X-CSRF-Token": ""}, 403, "csrf"),
    ("an invented token", {"X-CSRF-Token": "A" * 43}, 403, "csrf"),
    ("a token that is not ASCII", {"X-CSRF-Token": "é"}, 403, "csrf"),
    ("another site", {"Origin": "https://evil.example"}, 403, "foreign_origin"),
    ("another port", {"Origin": "http://127.0.0.1:1"}, 403, "foreign_origin"),
    ("a sandboxed frame", {"Origin": "null"}, 403, "foreign_origin"),
    ("a form", {"Content-Type": "application/x-www-form-urlencoded"}, 415, "not_json"),
    ("a simple request", {"Content-Type": "text/plain"}, 415, "not_json"),
    ("no session", {"Cookie": "account_access_session=invented"}, 401, "signed_out"),
    ("rebound DNS", {"Host": "evil.example"}, 421, None),
    ("rebound DNS on the same port", {"Host": "evil.example:8000"}, 421, None),
]


@pytest.mark.parametrize("headers, status, code", [a[1:] for a in ATTACKS], ids=[a[0] for a in ATTACKS])
@pytest.mark.parametrize("path", ["/api/messages", "/api/clicks"])
def test_a_post_that_is_not_our_pages_does_nothing(house, path, headers, status, code):
    client = house.signed_in()
    client.headers.encoding = "latin-1"
    for name, value in headers.items():
        client.headers.pop(name, None)
        if name == "Cookie":
            client.cookies.clear()
        if value is not None:
            client.headers[name] = value
    if "Content-Type" not in headers:
        client.headers["Content-Type"] = "application/json"
    body = {**GOOD, "offer": "x", "answer": "1"}
    answer = client.post(path, content=json.dumps(body))
    assert answer.status_code == status
    assert code is None or answer.json()["error"] == code
    assert house.rasa.calls == []


def test_somebody_elses_token_does_not_pass(house):
    dana, eli = house.signed_in("dana"), house.signed_in("eli")
    dana.headers["X-CSRF-Token"] = eli.headers["X-CSRF-Token"]
    assert dana.post("/api/messages", json=GOOD).status_code == 403


def test_our_own_origin_passes(house):
    client = house.signed_in()
    assert client.post("/api/messages", json=GOOD, headers={"Origin": house.url}).status_code == 202


@pytest.mark.parametrize("path", ["/signout", "/api/messages", "/api/clicks", "/signin/backchannel-logout"])
def test_a_get_changes_nothing(house, path):
    client = house.signed_in()
    assert client.get(path).status_code == 405
    assert client.get("/api/me").status_code == 200


def test_sign_out_from_another_site_is_refused(house):
    client = house.signed_in()
    assert client.post("/signout", headers={"Origin": "https://evil.example"}).status_code == 403
    assert client.get("/api/me").status_code == 200


@pytest.mark.parametrize("content", [b"{", b"[]", b'"text"', b"\xff\xfe", b"[" * 9000])
def test_a_body_that_is_not_our_json_is_refused(house, content):
    client = house.signed_in()
    answer = client.post("/api/messages", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400 and answer.json()["error"] == "not_json"


def test_a_large_body_is_refused_whether_it_says_so_or_not(house):
    client = house.signed_in()
    headers = {"Content-Type": "application/json"}
    large = json.dumps({**GOOD, "pad": "x" * 20000}).encode()
    assert client.post("/api/messages", content=large, headers=headers).status_code == 413

    def chunks():
        yield large[:9000]
        yield large[9000:]

    assert client.post("/api/messages", content=chunks(), headers=headers).status_code == 413
    assert httpx.post(f"{house.url}/signin/backchannel-logout", data={"logout_token": "x" * 20000}).status_code == 413


def test_health_tells_whether_the_store_answers(house, monkeypatch):
    assert httpx.get(f"{house.url}/health", headers={"Host": "anything"}).json() == {"status": "ok"}
    from sqlalchemy.exc import OperationalError

    def broken(_):
        raise OperationalError("SELECT", {}, Exception("disk I/O error"))

    monkeypatch.setattr("door.pages._ask_store", broken)
    assert httpx.get(f"{house.url}/health").status_code == 503


def test_the_access_log_has_neither_codes_nor_words(house, caplog):
    caplog.set_level("INFO")
    client = house.signed_in()
    client.post("/api/messages", json=GOOD)
    # The test's own client logs whole addresses; what counts is what the door writes.
    written = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("door"))
    assert "GET /signin/callback 303" in written
    assert "code=" not in written and "hello" not in written
    assert client.cookies["account_access_session"] not in written


def test_an_unexpected_error_is_an_honest_and_protected_answer(house, monkeypatch):
    client = house.signed_in()

    def broken(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr("door.api.conversation.accept_text", broken)
    answer = client.post("/api/messages", json=GOOD)
    assert answer.status_code == 500 and answer.json()["error"] == "unexpected"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_static_files_stay_within_their_folder(house):
    assert httpx.get(f"{house.url}/static/..%2fapp.py").status_code == 404
    assert httpx.get(f"{house.url}/static/nothing.js").status_code == 404
