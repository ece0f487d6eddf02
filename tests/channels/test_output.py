"""What Rasa says becomes inbox rows, each once, with the offer whose buttons it shows."""

import asyncio
import logging

import pytest

from account_access import conversation, notices
from account_access.store import tables
from channels.inbox import InboxOutput


def output(world, cause="inbound-1"):
    return InboxOutput(world.store, world.clock, world.person().id, cause)


def send(target, *messages):
    async def all_of_them():
        for message in messages:
            await target.send_response("whoever Rasa thinks it is", message)

    asyncio.run(all_of_them())


def entries(world):
    return [entry.as_dict() for entry in conversation.entries(world.store, world.clock, world.person().id)]


def test_each_message_is_one_row_in_order(world):
    target = output(world)
    send(target, {"text": "one"}, {"text": "two"})
    assert [entry["text"] for entry in entries(world)] == ["one", "two"] and target.parts == 2
    assert [(r["cause"], r["part"]) for r in world.rows(tables.inbox)] == [("inbound-1", 0), ("inbound-1", 1)]


def test_replay_writes_only_what_is_missing(world):
    send(output(world), {"text": "one"})
    send(output(world), {"text": "one"}, {"text": "two"})
    assert [entry["text"] for entry in entries(world)] == ["one", "two"]


def test_buttons_are_the_offers_and_never_the_messages(world):
    offer = world.offer(question="menu", answers=(("Unlock Account", "unlock_account"),), shown=False)
    buttons = [{"title": "Evil", "payload": "/unlock_account"}]
    send(output(world), {"text": "which?", "buttons": buttons, "offer": offer.id})
    (entry,) = entries(world)
    assert entry["offer"]["answers"] == [{"id": "1", "title": "Unlock Account"}]


def test_link_of_a_response_is_kept(world):
    link = {"title": "Portal", "url": "https://acme.example"}
    send(output(world), {"text": "there", "custom": {"link": link}})
    assert entries(world)[0]["link"] == link


def test_notice_is_acknowledged_by_its_row_and_once(world):
    with world.store.begin() as connection:
        notice = notices.create(connection, world.clock.now(), "key", notices.LOCKOUT, world.person().id, {})
    for cause in (notice, "another"):
        send(output(world, cause), {"text": "locked", "notice": notice})
    assert [(entry["text"], entry["notice"]) for entry in entries(world)] == [("locked", True)]


def test_recipient_is_the_person_of_the_turn_whoever_rasa_names(world):
    send(output(world), {"text": "hello"})
    assert [row["person_id"] for row in world.rows(tables.inbox)] == [world.person().id]


def test_time_is_the_clocks(world):
    world.clock.move(hours=5)
    send(output(world), {"text": "hello"})
    assert world.rows(tables.inbox)[0]["created_at"] == world.clock.now()


def test_message_without_words_is_a_row_too(world):
    send(output(world), {"custom": {"link": {"title": "t", "url": "https://acme.example"}}})
    assert entries(world)[0]["text"] == ""


@pytest.mark.parametrize(("text", "complains"), [("since {locked_since}", True), ("{ smile }", False), ("fine", False)])
def test_unfilled_variable_is_a_designers_mistake_in_the_log(world, caplog, text, complains):
    with caplog.at_level(logging.ERROR):
        send(output(world), {"text": text, "utter_action": "utter_x"})
    assert ("utter_x" in caplog.text) is complains
