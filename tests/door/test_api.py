"""Sending, clicking and reading by the HTTP API: what is taken, what is refused, and whose it is (X1, X3, P3)."""

import json
import uuid

import pytest
from sqlalchemy import select

from account_access.store import tables
from tests.door.serving import until


def key() -> str:
    return uuid.uuid4().hex


def say(client, text, used_key=None, **options):
    return client.post("/api/messages", json={"key": used_key or key(), "text": text}, **options)


def seen(client) -> list[dict]:
    return client.get("/api/history").json()["entries"]


def answered(client) -> list[dict]:
    """The history, once nothing is being answered any more."""

    def quiet():
        history = client.get("/api/history").json()
        return history["entries"] if not history["typing"] else None

    return until(quiet)


def stored(house) -> list:
    with house.store.reading() as connection:
        return connection.execute(select(tables.inbound)).all()


def test_a_message_is_kept_answered_and_shown_in_order(house):
    client = house.signed_in()
    sent = say(client, "hello")
    assert sent.status_code == 202
    mine, theirs = answered(client)
    assert (mine["from"], mine["text"], mine["seq"]) == ("me", "hello", sent.json()["seq"])
    assert (theirs["from"], theirs["text"]) == ("assistant", "You said: hello")


TYPED = [
    ("/restart", "restart"),
    ('  /EXTERNAL_lockout{"notice": 1}', 'EXTERNAL_lockout{"notice": 1}'),
    ("//affirm", "affirm"),
    ("/ / /affirm@0.3", "affirm@0.3"),
    ("\u00a0/session_start", "session_start"),
    ("\x1f/back", "back"),
    ("\x00/SetSlots(a=b)", "SetSlots(a=b)"),
    ("\u200b/restart", "restart"),
    ("\ufeff/restart", "restart"),
    ("\u2028\u3000/restart", "restart"),
    ("\u202e/restart", "restart"),
    ("\u200d/restart", "restart"),
    ("\n\n/restart\n", "restart"),
    ("\t/\t/restart", "restart"),
    ("\uff0frestart", "restart"),
    ("and/or", "and/or"),
    ("bell\x07 and\x1b[31m red", "bell and[31m red"),
    ("two\r\nlines", "two\nlines"),
    ("broken \ud800 half", "broken  half"),
    ("e\u0301", "é"),
    ("👩\u200d💻 hi", "👩\u200d💻 hi"),
]


@pytest.mark.parametrize("typed, kept", TYPED, ids=[ascii(typed) for typed, _ in TYPED])
def test_typed_text_is_text_in_whatever_disguise(house, typed, kept):
    client = house.signed_in()
    # Python's own JSON, since half a surrogate pair is legal there and not in httpx's.
    import json

    body = json.dumps({"key": key(), "text": typed})
    assert client.post("/api/messages", content=body, headers={"Content-Type": "application/json"}).status_code == 202
    assert [row.text for row in stored(house)] == [kept]


REFUSED = [
    ("", "empty"),
    ("   ", "empty"),
    ("/", "empty"),
    (" / // ", "empty"),
    ("\u200b\u00a0/\x1f", "empty"),
    ("a" * 1001, "too_long"),
    (None, "invalid"),
    (7, "invalid"),
    (["hello"], "invalid"),
]


@pytest.mark.parametrize("text, code", REFUSED, ids=[f"{ascii(text)[:20]}" for text, _ in REFUSED])
def test_what_cannot_be_a_message_is_refused_and_not_stored(house, text, code):
    client = house.signed_in()
    answer = say(client, text)
    assert answer.status_code == 400 and answer.json()["error"] == code and answer.json()["message"].endswith(".")
    assert stored(house) == []


def test_a_thousand_characters_are_fine(house):
    assert say(house.signed_in(), "ä" * 1000).status_code == 202


def test_secrets_are_nowhere_afterwards(house, caplog):
    client = house.signed_in()
    caplog.set_level(0)
    say(client, "my password is hunter2 and the code is 123456")
    entries = answered(client)
    assert entries[0]["text"] == "my password is ••• and the code is •••"
    assert [row.redacted for row in stored(house)] == [True]
    house.store.close()
    for path in house.clock.path.parent.glob("store.db*"):
        assert b"hunter2" not in path.read_bytes()
    assert "hunter2" not in caplog.text and "123456" not in caplog.text


def test_a_repeated_key_is_one_message_and_another_text_under_it_is_refused(house):
    client, used = house.signed_in(), key()
    first, again = say(client, "hello", used), say(client, "hello", used)
    assert first.json() == again.json()
    other = say(client, "something else", used)
    assert other.status_code == 409 and other.json()["error"] == "key_reused"
    assert len(stored(house)) == 1
    assert len(answered(client)) == 2


def test_the_same_key_of_two_people_is_two_messages(house):
    used = key()
    assert say(house.signed_in("dana"), "hello", used).status_code == 202
    assert say(house.signed_in("eli"), "hi", used).status_code == 202
    assert len(stored(house)) == 2


@pytest.mark.parametrize("bad", [None, "", "short", "x" * 101, "white space here", 12345678, "key/with/slash"])
def test_a_key_has_a_shape(house, bad):
    client = house.signed_in()
    answer = client.post("/api/messages", json={"key": bad, "text": "hello"})
    assert answer.status_code == 400 and answer.json()["error"] == "invalid"


def offer_of(client) -> dict:
    return next(entry["offer"] for entry in reversed(answered(client)) if entry["offer"])


def test_a_click_answers_its_offer_once(house):
    client = house.signed_in()
    say(client, "please unlock me")
    offer = offer_of(client)
    assert offer["state"] == "open" and [a["title"] for a in offer["answers"]] == ["Yes", "No"]
    body = {"key": key(), "offer": offer["id"], "answer": offer["answers"][0]["id"]}
    assert client.post("/api/clicks", json=body).status_code == 202
    entries = answered(client)
    assert [entry["text"] for entry in entries[-2:]] == ["Yes", "You chose Yes."]
    assert offer_of(client)["state"] == "answered" and offer_of(client)["chosen"] == body["answer"]


def test_a_stale_click_is_taken_and_answered_with_the_truth(house):
    client = house.signed_in()
    say(client, "please unlock me")
    offer = offer_of(client)
    for answer in offer["answers"]:
        sent = client.post("/api/clicks", json={"key": key(), "offer": offer["id"], "answer": answer["id"]})
        assert sent.status_code == 202
        entries = answered(client)
    assert entries[-1]["text"] == "That button is no longer open; nothing was done."


def test_the_same_click_from_two_tabs_at_once_is_one(house):
    client = house.signed_in()
    say(client, "please unlock me")
    offer = offer_of(client)
    house.rasa.seconds = 0.3
    bodies = [{"key": key(), "offer": offer["id"], "answer": offer["answers"][0]["id"]} for _ in range(2)]
    first, second = (client.post("/api/clicks", json=body).json() for body in bodies)
    assert first == second
    assert [entry["text"] for entry in answered(client)].count("You chose Yes.") == 1


def test_somebody_elses_offer_an_unknown_one_and_an_invented_answer_are_the_same_404(house):
    dana, eli = house.signed_in("dana"), house.signed_in("eli")
    say(dana, "please unlock me")
    offer = offer_of(dana)
    say(eli, "please unlock me")
    own = offer_of(eli)
    tries = [
        {"offer": offer["id"], "answer": offer["answers"][0]["id"]},
        {"offer": str(uuid.uuid4()), "answer": "1"},
        {"offer": own["id"], "answer": "99"},
        {"offer": own["id"], "answer": "affirm"},
    ]
    replies = [eli.post("/api/clicks", json={"key": key(), **body}) for body in tries]
    assert {(reply.status_code, reply.text) for reply in replies} == {(404, replies[0].text)}
    assert offer_of(dana)["state"] == "open"


SHAPELESS = [{}, {"offer": 1, "answer": "1"}, {"offer": "x" * 200, "answer": "1"}]
SHAPELESS += [{"offer": odd, "answer": "1"} for odd in ("\ud800", "\x00", "a\n", "\x1b]0;x\x07", "é")]


@pytest.mark.parametrize("body", SHAPELESS)
def test_a_click_has_a_shape(house, body):
    client = house.signed_in()
    client.headers["Content-Type"] = "application/json"
    assert client.post("/api/clicks", content=json.dumps({"key": key(), **body})).status_code == 400


def test_everybody_sees_their_own_conversation_only(house):
    dana, eli = house.signed_in("dana"), house.signed_in("eli")
    say(dana, "dana's business")
    answered(dana)
    assert seen(eli) == []


def test_history_goes_back_page_by_page(house):
    client, person = house.signed_in(), house.person()
    for number in range(7):
        house.rasa.speak(person.id, f"told:{number}", f"message {number}")
    latest = client.get("/api/history?limit=3").json()
    assert [entry["text"] for entry in latest["entries"]] == ["message 4", "message 5", "message 6"]
    assert latest["more"] and latest["cursor"] == latest["entries"][-1]["seq"] and latest["typing"] is False
    older = client.get(f"/api/history?limit=5&before={latest['entries'][0]['seq']}").json()
    assert [entry["text"] for entry in older["entries"]] == [f"message {n}" for n in range(4)]
    assert not older["more"]


@pytest.mark.parametrize("query", ["before=x", "limit=-1", "before=1e9", "limit=٣", "before=9999999999999999"])
def test_odd_numbers_are_refused(house, query):
    assert house.signed_in().get(f"/api/history?{query}").status_code == 400


def test_too_many_messages_are_slowed_down_for_that_person_alone(house):
    dana, eli = house.signed_in("dana"), house.signed_in("eli")
    answers = [say(dana, f"hello {number}") for number in range(8)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused and refused[0].json()["error"] == "too_many"
    assert 1 <= int(refused[0].headers["retry-after"]) <= 60
    assert say(eli, "hello").status_code == 202


def test_a_message_waits_while_the_store_is_gone_and_nothing_is_claimed(house, monkeypatch):
    from sqlalchemy.exc import OperationalError

    client = house.signed_in()

    def broken(*_, **__):
        raise OperationalError("SELECT", {}, Exception("disk I/O error"))

    monkeypatch.setattr("door.api.conversation.accept_text", broken)
    answer = say(client, "hello")
    assert answer.status_code == 503 and answer.json()["error"] == "unavailable"
    assert int(answer.headers["retry-after"]) > 0
