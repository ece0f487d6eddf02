"""What a tab sees live: everything, once, in order, from where it left off, until its session is over (N2, N7)."""

import asyncio
import contextlib
import threading
import time
import uuid

import httpx
import pytest

from account_access import conversation, offers
from door import streams as streams_module
from tests.door.listening import listening
from tests.door.serving import until


def say(client, text):
    return client.post("/api/messages", json={"key": uuid.uuid4().hex, "text": text})


def typing(tab) -> list[dict]:
    return [data for event, data, _ in tab.events if event == "typing"]


def test_a_message_and_its_answer_reach_all_tabs_of_the_person(house):
    client = house.signed_in()
    with listening(client) as one, listening(client) as two:
        until(lambda: one.events and two.events)
        say(client, "hello")
        for tab in (one, two):
            tab.wait_for(lambda t: len(t.entries()) == 2)
            assert [entry["from"] for entry in tab.entries()] == ["me", "assistant"]
            tab.wait_for(lambda t: typing(t)[-1]["on"] is False)


def test_the_typing_indicator_is_on_while_the_answer_is_awaited(house):
    client = house.signed_in()
    house.rasa.seconds = 0.4
    with listening(client) as tab:
        tab.wait_for(typing)
        say(client, "hello")
        tab.wait_for(lambda t: {"on": True, "waiting": False} in typing(t))
        tab.wait_for(lambda t: t.entries("assistant"))
        tab.wait_for(lambda t: typing(t)[-1] == {"on": False, "waiting": False})


def test_what_comes_by_itself_is_on_screen_within_a_quarter_of_a_second(house):
    client, person = house.signed_in(), house.person()
    with listening(client) as tab:
        tab.wait_for(lambda t: t.events)
        time.sleep(0.3)
        house.rasa.speak(person.id, "notice:1", "You are locked out.", notice_id=str(uuid.uuid4()))
        written = time.monotonic()
        tab.wait_for(lambda t: t.entries())
        assert tab.at[-1] - written < 0.25
        assert tab.entries()[0]["notice"] is True


def test_an_offer_that_closes_comes_again_with_its_old_seq_and_a_higher_cursor(house):
    client, person = house.signed_in(), house.person()
    offer_id = house.rasa.speak(person.id, "notice:1", "Unlock?", "lockout")
    with listening(client) as tab:
        tab.wait_for(lambda t: t.entries())
        with house.store.begin() as connection:
            offers.close(connection, house.clock.now(), offer_id, offers.OVERTAKEN)
        tab.wait_for(lambda t: len(t.entries()) == 2)
        first, second = ((data, int(cursor)) for event, data, cursor in tab.events if event == "entry")
        assert first[0]["seq"] == second[0]["seq"] and first[1] < second[1]
        assert (first[0]["offer"]["state"], second[0]["offer"]["state"]) == ("open", "closed")


def test_a_tab_goes_on_where_it_left_off(house):
    client, person = house.signed_in(), house.person()
    for number in range(3):
        house.rasa.speak(person.id, f"told:{number}", f"message {number}")
    with listening(client, after=1) as tab:
        tab.wait_for(lambda t: len(t.entries()) == 2)
    with listening(client, after=0, headers={"Last-Event-ID": "2"}) as tab:
        tab.wait_for(lambda t: t.entries())
        assert [entry["text"] for entry in tab.entries()] == ["message 2"]


def test_a_long_absence_is_caught_up_completely(house):
    client, person = house.signed_in(), house.person()
    with house.store.begin() as connection:
        for number in range(250):
            conversation.say(connection, house.clock.now(), person.id, f"told:{number}", 1, f"message {number}")
    with listening(client) as tab:
        tab.wait_for(lambda t: len(t.entries()) == 250)
        assert [entry["seq"] for entry in tab.entries()] == sorted(entry["seq"] for entry in tab.entries())


def test_nobody_sees_somebody_elses(house):
    dana, eli = house.signed_in("dana"), house.signed_in("eli")
    with listening(eli) as tab:
        tab.wait_for(lambda t: t.events)
        say(dana, "dana's business")
        time.sleep(0.5)
        assert tab.entries() == []


def test_a_stream_ends_with_its_session(house):
    client = house.signed_in()
    with listening(client) as tab:
        tab.wait_for(lambda t: t.events)
        house.move_clock(3601)
        assert tab.over.wait(2)
        assert tab.events[-1][0] == "signed-out"


def test_heartbeats_keep_a_quiet_stream_open(house, monkeypatch):
    monkeypatch.setattr(streams_module, "HEARTBEAT_SECONDS", 0.1)
    client = house.signed_in()
    with client.stream("GET", "/api/stream") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = (line for line in answer.iter_lines() if line.startswith(":"))
        assert next(lines) == ": still here"


def test_a_person_has_a_limited_number_of_streams(house, monkeypatch):
    monkeypatch.setattr(streams_module, "MAX_STREAMS_A_PERSON", 2)
    client = house.signed_in()
    with listening(client) as one, listening(client) as two:
        until(lambda: one.events and two.events)
        answer = client.get("/api/stream")
        assert answer.status_code == 429 and answer.json()["error"] == "too_many_streams"
    until(lambda: len(house.app.state.door.streams) == 0)


@pytest.mark.parametrize("after", ["x", "-1", "1.5", "1e3"])
def test_a_cursor_is_a_number(house, after):
    assert house.signed_in().get(f"/api/stream?after={after}").status_code == 400


def test_a_hundred_streams_cost_one_query_a_look_and_all_hear(house, monkeypatch):
    monkeypatch.setattr(streams_module, "MAX_STREAMS_A_PERSON", 200)
    clients = [house.signed_in(name) for name in ("dana", "eli", "mona")]
    people = [house.person(name) for name in ("dana", "eli", "mona")]
    heard, stop = [], threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_listen_many(house, clients, 40, heard, stop)), daemon=True)
    thread.start()
    until(lambda: heard or len(house.app.state.door.streams) == 120, 20)
    time.sleep(1)
    assert heard == []
    queries = _count_queries(house)
    time.sleep(2)
    # A few looks at sessions and at what is due, however many streams there are: nobody spoke.
    assert len(queries) <= 8, queries
    for person in people:
        house.rasa.speak(person.id, f"told:{person.id}", "Good morning.")
    until(lambda: len(heard) == 120, 10)
    stop.set()
    thread.join(10)


def test_while_many_wait_a_look_wakes_only_whom_it_concerns(house, monkeypatch):
    """A hundred people who wait for slow turns must not each be read anew at every commit of the others."""
    waiting = [house.signed_in(name) for name in ("dana", "eli")]
    mona = house.signed_in("mona")
    house.rasa.seconds = 4
    with listening(waiting[0]) as tab, listening(waiting[1]):
        for client in waiting:
            say(client, "unlock my account")
        until(lambda: len(house.rasa.calls) == 2)
        tab.wait_for(lambda t: typing(t) and typing(t)[-1]["on"])
        time.sleep(0.3)
        looks = _count_looks(house, monkeypatch)
        for number in range(5):
            house.rasa.speak(house.person("mona").id, f"told:{number}", "Good morning.")
            time.sleep(0.15)
        assert {person for person in looks} <= {house.person("mona").id}, looks
        tab.wait_for(lambda t: t.entries("assistant"), 8)
    assert len(mona.get("/api/history").json()["entries"]) == 5


def _count_looks(house, monkeypatch) -> list[str]:
    """The people whose conversations are read from now on."""
    looks, stock = [], conversation.entries

    def entries(store, clock, person_id, **window):
        looks.append(person_id)
        return stock(store, clock, person_id, **window)

    monkeypatch.setattr(conversation, "entries", entries)
    return looks


def _count_queries(house) -> list[str]:
    from sqlalchemy import event

    queries: list[str] = []

    @event.listens_for(house.store.engine, "before_cursor_execute")
    def _count(connection, cursor, statement, parameters, context, executemany):
        if statement.startswith("SELECT"):
            queries.append(statement)

    return queries


async def _listen_many(house, clients, each, heard, stop) -> None:
    async with httpx.AsyncClient(timeout=None, limits=httpx.Limits(max_connections=None)) as browser:

        async def listen(cookies):
            async with browser.stream("GET", f"{house.url}/api/stream", headers={"Cookie": cookies}) as answer:
                assert answer.status_code == 200, await answer.aread()
                async for line in answer.aiter_lines():
                    if "Good morning." in line:
                        heard.append(line)

        cookies = [f"account_access_session={client.cookies['account_access_session']}" for client in clients]
        tasks = [asyncio.create_task(listen(cookie)) for cookie in cookies for _ in range(each)]
        while not stop.is_set():
            await asyncio.sleep(0.05)
            heard += [repr(task.exception()) for task in tasks if task.done()]
        for task in tasks:
            task.cancel()
        with contextlib.suppress(Exception):
            await asyncio.gather(*tasks, return_exceptions=True)


def test_a_stream_that_opens_while_sessions_are_looked_at_stays_open(house, monkeypatch):
    """The look asked only about those that were open when it began."""
    streams, sessions = house.app.state.door.streams, streams_module.sessions
    client = house.signed_in("eli")
    look = sessions.live

    def slow_look(store, clock, ids):
        found = look(store, clock, ids)
        streams._open.add(late)
        return found

    early = streams_module.Stream("somebody's session", "somebody", 0)
    late = streams_module.Stream("a session that began just now", "somebody else", 0)
    streams._open.add(early)
    monkeypatch.setattr(sessions, "live", slow_look)
    try:
        asyncio.run(streams.check_sessions())
        assert early.over
        assert not late.over
    finally:
        streams._open -= {early, late}
    assert client.get("/api/me").status_code == 200
