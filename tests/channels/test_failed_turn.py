"""A turn whose action failed did not happen; and what we mend of Rasa is still what we mended (laws 3, 5, 11)."""

import asyncio
import hashlib
import inspect
import re

import pytest
import rasa
from rasa.core.actions.action import ActionExecutionRejection, RemoteAction
from rasa.core.agent import Agent
from rasa.core.channels.channel import OutputChannel
from rasa.core.lock_store import LockStore
from rasa.core.processor import MessageProcessor as Processor
from rasa.core.tracker_store import SQLTrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import ClientResponseError, EndpointConfig

from channels import failed_turn
from channels.failed_turn import TurnFailed

SECRET = "the-secret-of-rasa-and-actions"


class Endpoint(EndpointConfig):
    """Answers as it is told, and remembers what it was when it was asked."""

    def __init__(self, answer):
        super().__init__("http://127.0.0.1:1/webhook")
        self.answer, self.asked = answer, []

    async def request(self, **_keywords):
        self.asked.append((self.url, dict(self.headers)))
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


@pytest.fixture
def installed(monkeypatch):
    """Installs the mend over stock Rasa, with the environment of the launcher, and takes it away again."""
    stock = inspect.unwrap(RemoteAction.run)

    def install(**environment):
        for name in ("ACTION_SECRET", "ACTIONS_WEBHOOK"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(RemoteAction, "run", stock)
        monkeypatch.setattr(RemoteAction, "_validate_action_result", RemoteAction._validate_action_result)
        failed_turn.install()

    return install


def run(answer):
    endpoint = Endpoint(answer)
    domain = Domain.empty()
    tracker = DialogueStateTracker("somebody", domain.slots)
    events = asyncio.run(RemoteAction("action_x", endpoint).run(None, None, tracker, domain))
    return endpoint, events


FAILURES = [
    RuntimeError("x"),
    ClientResponseError(500, "crashed", "{}"),
    ClientResponseError(401, "unauthorized", "{}"),
    ConnectionError("refused"),
    {"events": "no list", "responses": []},
    {"events": [{"event": "slot"}], "responses": []},
    {"events": [], "responses": ["no object"]},
    ["no object"],
]


@pytest.mark.parametrize("answer", FAILURES, ids=repr)
def test_law_11_failed_action_fails_its_turn(installed, answer):
    """Stock Rasa goes on with no events and lets rules read the outcome of an earlier turn."""
    installed(ACTION_SECRET=SECRET)
    with pytest.raises(TurnFailed, match="action_x"):
        run(answer)


def test_turn_failed_is_not_caught_by_those_who_catch_exceptions():
    assert not issubclass(TurnFailed, Exception)


def test_rejection_of_an_execution_is_still_rasas_own(installed):
    installed(ACTION_SECRET=SECRET)
    rejected = ClientResponseError(400, "rejected", '{"action_name": "action_x", "error": "no"}')
    with pytest.raises(ActionExecutionRejection):
        run(rejected)


def test_good_answer_is_taken(installed):
    installed(ACTION_SECRET=SECRET)
    event = {"event": "slot", "name": "outcome", "value": "asked", "timestamp": None}
    _, events = run({"events": [event], "responses": []})
    assert [(e.key, e.value) for e in events] == [("outcome", "asked")]


def test_law_3_every_call_carries_the_secret_to_where_actions_stand(installed):
    installed(ACTION_SECRET=SECRET, ACTIONS_WEBHOOK="http://127.0.0.1:7777/webhook")
    endpoint, _ = run({"events": [], "responses": []})
    ((url, headers),) = endpoint.asked
    assert (url, headers["X-Action-Secret"]) == ("http://127.0.0.1:7777/webhook", SECRET)


def test_n7_without_a_secret_nobody_is_signed_in_and_nobody_is_called(installed):
    """`rasa shell` in a clone."""
    installed()
    endpoint, events = run(RuntimeError("never asked"))
    assert endpoint.asked == [] and [(e.key, e.value) for e in events] == [("outcome", "signed_out")]


def test_installing_twice_wraps_once(installed):
    installed(ACTION_SECRET=SECRET)
    once = RemoteAction.run
    failed_turn.install()
    assert RemoteAction.run is once


# What we override or lean on, as it stands in Rasa 3.6.21: look at it again before moving to another version.
PINNED = {
    "RemoteAction.run": (RemoteAction.run, "ccabf6f1160d527a"),
    "LockStore._acquire_lock": (LockStore._acquire_lock, "ead2fff373291c24"),
    "SQLTrackerStore.save": (SQLTrackerStore.save, "57165e46eab3de08"),
    "SQLTrackerStore.retrieve": (SQLTrackerStore.retrieve, "0d99846daced97d3"),
    "OutputChannel.send_response": (OutputChannel.send_response, "dfa5294a87fcab23"),
    "Agent.trigger_intent": (Agent.trigger_intent, "0c2376a64efe4e22"),
    "Processor.fetch_tracker_and_update_session": (
        Processor.fetch_tracker_and_update_session,
        "400f21a2ea5d3426",
    ),
    "Processor.trigger_external_user_uttered": (
        Processor.trigger_external_user_uttered,
        "8c48d4ce64b54342",
    ),
}


def test_rasa_is_the_one_we_mended():
    assert rasa.__version__ == "3.6.21"


@pytest.mark.parametrize("name", PINNED)
def test_mended_method_is_still_the_stock_one(name):
    method, digest = PINNED[name]
    source = inspect.getsource(inspect.unwrap(method))
    assert hashlib.sha256(source.encode()).hexdigest()[:16] == digest


def test_calls_share_a_connection(installed):
    """Rasa's own endpoint makes a session and a connection for each call."""
    installed(ACTION_SECRET=SECRET)

    async def two_calls():
        connections = []

        async def answer(reader, writer):
            connections.append(1)
            for _ in range(2):
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(re.search(rb"content-length: (\d+)", head.lower())[1])
                await reader.readexactly(length)
                body = b'{"events": [], "responses": []}'
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
                )
                writer.write(body)
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        endpoint = EndpointConfig(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/webhook")
        tracker = DialogueStateTracker("somebody", [])
        for _ in range(2):
            await RemoteAction("action_x", endpoint).run(None, None, tracker, Domain.empty())
        await endpoint._kept.close()
        server.close()
        return len(connections)

    assert asyncio.run(two_calls()) == 1
