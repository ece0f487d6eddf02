"""From the store to Rasa: nothing lost, nothing twice, one at a time a person, whatever Rasa does."""

import time
import uuid

from account_access import conversation, people
from account_access.connectors.base import DirectoryPerson
from door import forwarding, tail
from tests.door.house import running_house
from tests.door.listening import listening
from tests.door.serving import serve, until
from tests.ports import free_port


def say(client, text):
    return client.post("/api/messages", json={"key": uuid.uuid4().hex, "text": text}).json()["id"]


def texts(client) -> list[str]:
    return [e["text"] for e in client.get("/api/history").json()["entries"] if e["from"] == "assistant"]


def test_one_persons_messages_are_answered_one_at_a_time_and_in_order(house):
    client = house.signed_in()
    house.rasa.seconds = 0.1
    for number in range(4):
        say(client, f"number {number}")
    until(lambda: len(texts(client)) == 4)
    assert texts(client) == [f"You said: number {number}" for number in range(4)]
    assert house.rasa.most_of_one == 1


def test_people_do_not_wait_for_each_other(house):
    clients = [house.signed_in(name) for name in ("dana", "eli", "mona")]
    house.rasa.seconds = 0.5
    started = time.monotonic()
    for client in clients:
        say(client, "hello")
    for client in clients:
        until(lambda client=client: texts(client))
    assert house.rasa.most_at_once == 3
    assert time.monotonic() - started < 1.4


def test_many_who_wait_for_a_slow_system_hold_up_nobody_else(house):
    slow = [f"slow{number}" for number in range(12)]
    batch = [DirectoryPerson(f"00u-{n}", f"{n}@acme.example", f"{n}@acme.example", n, n, None, True) for n in slow]
    people.merge(house.store, house.clock, "okta", batch)
    waiting = [house.signed_in(name) for name in slow]
    dana = house.signed_in()
    house.rasa.seconds = 6
    for client in waiting:
        say(client, "unlock my account")
    until(lambda: len(house.rasa.calls) == len(slow))
    house.rasa.seconds = 0
    say(dana, "what can you do?")
    until(lambda: texts(dana), 3)


def test_no_more_than_the_pool_at_once(house, monkeypatch):
    monkeypatch.setattr(forwarding, "POOL", 2)
    clients = [house.signed_in(name) for name in ("dana", "eli", "mona")]
    house.rasa.seconds = 0.2
    for client in clients:
        say(client, "hello")
    for client in clients:
        until(lambda client=client: texts(client))
    assert house.rasa.most_at_once == 2


def test_errors_and_busy_turns_are_tried_again(house):
    client = house.signed_in()
    house.rasa.statuses = [500, 202, 503]
    sent = say(client, "hello")
    until(lambda: texts(client), 10)
    assert texts(client) == ["You said: hello"]
    assert house.rasa.calls == [sent] * 4


def test_nothing_that_goes_wrong_once_makes_the_door_deaf_for_good(house, monkeypatch):
    """Out of file descriptors, say: the loops that everybody waits for go on."""
    client = house.signed_in()
    failed = []

    def broken(*_arguments, **_keywords):
        failed.append(1)
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(conversation, "due", broken)
        patch.setattr(conversation, "last_seqs", broken)
        with listening(client):
            sent = say(client, "hello")
            until(lambda: len(failed) >= 2)
    until(lambda: texts(client), 10)
    assert house.rasa.calls == [sent]
    with listening(client) as tab:
        tab.wait_for(lambda t: len(t.entries()) == 2)
        say(client, "again")
        tab.wait_for(lambda t: len(t.entries()) == 4)


def test_a_wrong_secret_is_loud_and_loses_nothing(house, caplog):
    client = house.signed_in()
    house.rasa.secret = "another"
    say(client, "hello")
    until(lambda: "answers 401" in caplog.text)
    house.rasa.secret = "door-secret"
    until(lambda: texts(client), 10)


def test_a_slow_answer_is_asked_for_again_and_comes_once(house, monkeypatch):
    monkeypatch.setattr(forwarding, "CALL_SECONDS", 0.2)
    client = house.signed_in()
    house.rasa.seconds = 0.6
    sent = say(client, "hello")
    until(lambda: texts(client), 10)
    time.sleep(1.5)
    assert texts(client) == ["You said: hello"]
    assert set(house.rasa.calls) == {sent}


def test_words_are_on_the_screen_while_rasa_still_puts_the_conversation_away(house, monkeypatch):
    monkeypatch.setattr(tail, "SQLITE_SECONDS", 60)
    client = house.signed_in()
    house.rasa.tail_seconds = 3
    with listening(client) as tab:
        say(client, "hello")
        tab.wait_for(lambda t: t.entries("assistant"), 2)
        assert ("typing", {"on": False, "waiting": False}) not in [e[:2] for e in tab.events[-1:]]
        tab.wait_for(lambda t: t.events[-1][:2] == ("typing", {"on": False, "waiting": False}), 6)


def test_a_turn_that_fails_after_its_words_is_tried_again(house):
    client = house.signed_in()
    house.rasa.tail_seconds, house.rasa.late_statuses = 0.1, [503]
    sent = say(client, "hello")
    until(lambda: len(house.rasa.calls) == 2, 5)
    until(lambda: not conversation.pending(house.store, house.person("dana").id), 5)
    assert texts(client) == ["You said: hello"] and set(house.rasa.calls) == {sent}


def test_while_rasa_is_down_messages_wait_and_people_are_told(house_without_rasa, monkeypatch):
    house = house_without_rasa
    monkeypatch.setattr(forwarding, "PATIENCE_SECONDS", 0.5)
    client = house.signed_in()
    with listening(client) as tab:
        sent = say(client, "hello")
        tab.wait_for(lambda t: ("typing", {"on": True, "waiting": True}) in [e[:2] for e in t.events])
        time.sleep(2.5)
        with serve((house.rasa.app, int(house.app.state.door.forwarder._rasa_url.rsplit(":", 1)[1]))):
            tab.wait_for(lambda t: t.entries("assistant"))
            tab.wait_for(lambda t: t.events[-1][:2] == ("typing", {"on": False, "waiting": False}))
        assert house.rasa.calls == [sent]
    # Knocking at a closed door used none of the message's few chances.
    with house.store.reading() as connection:
        from sqlalchemy import text

        assert connection.execute(text("SELECT attempts FROM inbound")).scalar() <= 2


def test_what_a_killed_door_left_behind_is_answered_by_the_next_one(store, clock):
    ports = [free_port() for _ in range(3)]
    with running_house(store, clock, with_rasa=False, ports=ports) as first:
        person = first.person().id
        # Killed between claim and call: nobody gives it back.
        sent = conversation.accept_text(store, clock, person, "before-the-kill", "hello").id
        until(lambda: conversation.claim(store, clock, sent, 2))
    with running_house(store, clock, ports=ports) as second:
        client = second.signed_in()
        assert texts(client) == []
        until(lambda: texts(client), 8)
        assert texts(client) == ["You said: hello"]


def test_a_door_that_closes_gives_back_what_was_under_way(store, clock):
    with running_house(store, clock) as house:
        client = house.signed_in()
        house.rasa.silent = True
        sent = say(client, "hello")
        until(lambda: house.rasa.calls)
    assert [item.id for item in conversation.due(store, clock)] == [sent]


def test_a_message_written_by_another_process_is_found_by_the_scan(house):
    client, person = house.signed_in(), house.person()
    conversation.accept_text(house.store, house.clock, person.id, "another-surface-1", "hello")
    until(lambda: texts(client), 3)
