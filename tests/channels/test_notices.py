"""The schedulers' notices: only what was really written is acknowledged (the inbox row), and it is written once."""

import asyncio

import pytest

from account_access import notices
from account_access.store import tables
from channels.failed_turn import TurnFailed
from tests.channels.rasa_around import DOOR, says

pytestmark = pytest.mark.asyncio


@pytest.fixture
def notice(world):
    with world.store.begin() as connection:
        return notices.create(connection, world.clock.now(), "key", notices.LOCKOUT, world.person().id, {})


def tells(notice):
    return says({"text": "locked", "notice": notice})


@pytest.mark.parametrize("secret", [None, "", "wrong", DOOR])
async def test_law_3_only_the_schedulers_are_heard(channel, notice, secret):
    assert (await channel.schedulers(notice, secret)).status_code == 401
    assert channel.agent.triggered == []


@pytest.mark.parametrize("body", [{}, [], {"notice": 7}, {"notice": ""}])
async def test_notice_has_to_be_named(channel, body):
    assert (await channel.schedulers(None, json=body)).status_code == 400


async def test_unknown_notice(channel):
    answer = await channel.schedulers("no-such-notice")
    assert (answer.status_code, answer.json()) == (404, {"written": False, "state": "unknown"})


async def test_written_is_acknowledged(channel, notice):
    channel.agent.turn = tells(notice)
    assert (await channel.schedulers(notice)).json() == {"written": True, "state": "waiting"}
    entities = [{"entity": "notice", "value": notice}, {"entity": "question", "value": "none"}]
    assert channel.agent.triggered == [("EXTERNAL_lockout", entities)]
    assert channel.agent.locked == [channel.world.person().id], "one turn of a person at a time"


async def test_turn_that_wrote_nothing_is_not_acknowledged(channel, notice):
    """Stock Rasa answers 200 for it."""
    channel.agent.turn = says()
    assert (await channel.schedulers(notice)).json() == {"written": False, "state": "waiting"}


async def test_words_that_are_not_the_notices_are_no_acknowledgement(channel, notice):
    channel.agent.turn = says({"text": "something else"})
    assert (await channel.schedulers(notice)).json()["written"] is False


async def test_response_that_a_rule_chose_is_the_notice(channel, notice):
    """E.g. how an unlock ended: nothing is asked, so no action says it."""
    channel.agent.turn = says({"text": "done", "utter_action": "utter_already_unlocked"}, {"text": "and more"})
    for _ in range(2):
        assert (await channel.schedulers(notice)).json() == {"written": True, "state": "waiting"}
    assert [row["notice_id"] for row in channel.world.rows(tables.inbox)] == [notice, None]


@pytest.mark.parametrize("excuse", ["utter_turn_failed", "utter_please_sign_in"])
async def test_excuse_is_no_acknowledgement(channel, notice, excuse):
    channel.agent.turn = says({"text": "sorry", "utter_action": excuse})
    assert (await channel.schedulers(notice)).json()["written"] is False


async def test_dropped_by_the_action(channel, notice):
    async def drops(_output):
        channel.world.settle(notice, notices.DROPPED, "over")

    channel.agent.turn = drops
    assert (await channel.schedulers(notice)).json() == {"written": False, "state": "dropped"}
    assert (await channel.schedulers(notice)).json() == {"written": False, "state": "dropped"}
    assert len(channel.agent.triggered) == 1


async def test_n9_written_before_is_not_told_again(channel, notice):
    channel.agent.turn = tells(notice)
    for _ in range(2):
        assert (await channel.schedulers(notice)).json()["written"] is True
    assert len(channel.agent.triggered) == 1 and len(channel.world.rows(tables.inbox)) == 1


async def test_two_calls_at_once_are_one_turn(channel, notice):
    channel.agent.turn = tells(notice)
    answers = await asyncio.gather(*[channel.schedulers(notice) for _ in range(3)])
    assert [a.json()["written"] for a in answers] == [True] * 3 and len(channel.agent.triggered) == 1


@pytest.mark.parametrize("error", [TurnFailed("x"), RuntimeError("x")])
async def test_failed_turn_is_tried_again(channel, notice, error):
    async def fails(_output):
        raise error

    channel.agent.turn = fails
    assert (await channel.schedulers(notice)).status_code == 503
    channel.agent.turn = tells(notice)
    assert (await channel.schedulers(notice)).json()["written"] is True
