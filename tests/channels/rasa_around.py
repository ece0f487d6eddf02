"""What stands around the channel in Rasa: a real Sanic server, and an agent that does as it is told."""

import asyncio
import contextlib
import itertools
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest_asyncio
from rasa.core.channels.channel import UserMessage
from sanic import Sanic

from channels.inbox import InboxInput
from tests.account_access.world import World

DOOR, SCHEDULERS = "the-secret-of-the-door", "the-secret-of-the-schedulers"
_numbers = itertools.count()


@dataclass
class FakeAgent:
    """Rasa's agent as far as the channel knows it; `turn` is what it does with a message or a notice."""

    turn: Callable[[Any], Awaitable[None]]
    heard: list[UserMessage] = field(default_factory=list)
    triggered: list[tuple[str, list[dict[str, Any]]]] = field(default_factory=list)
    locked: list[str] = field(default_factory=list)
    apology: dict[str, Any] | None = field(default_factory=lambda: {"text": "Something went wrong."})

    @property
    def tracker_store(self):
        return self

    @property
    def processor(self):
        return self

    @property
    def nlg(self):
        return self

    @property
    def lock_store(self):
        return self

    async def get_or_create_tracker(self, sender_id: str):
        return sender_id

    async def fetch_tracker_and_update_session(self, sender_id: str, output):
        return sender_id

    async def generate(self, response: str, tracker, channel: str):
        assert response == "utter_turn_failed"
        return self.apology

    @contextlib.asynccontextmanager
    async def lock(self, conversation_id: str):
        self.locked.append(conversation_id)
        yield

    async def trigger_intent(self, intent: str, entities: list[dict[str, Any]], output, tracker) -> None:
        self.triggered.append((intent, entities))
        await self.turn(output)

    async def on_new_message(self, message: UserMessage) -> None:
        self.heard.append(message)
        await self.turn(message.output_channel)


def says(*messages: dict[str, Any]):
    """A turn that says these."""

    async def turn(output) -> None:
        for message in messages:
            await output.send_response("somebody", dict(message))

    return turn


@dataclass
class Channel:
    """The channel, served; `door` and `schedulers` are its two callers."""

    world: World
    agent: FakeAgent
    client: httpx.AsyncClient

    async def door(self, inbound: Any, secret: str | None = DOOR, **options) -> "Ended":
        answer = await self._post("message", "X-Door-Secret", secret, options.pop("json", {"inbound": inbound}))
        *said, last = answer.text.splitlines()
        body = json.loads(last)
        return Ended(body.pop("status", answer.status_code), body, [json.loads(line) for line in said])

    async def schedulers(self, notice: Any, secret: str | None = SCHEDULERS, **options) -> httpx.Response:
        return await self._post("notice", "X-Scheduler-Secret", secret, options.pop("json", {"notice": notice}))

    async def _post(self, route: str, header: str, secret: str | None, body: Any) -> httpx.Response:
        headers = {} if secret is None else {header: secret}
        return await self.client.post(f"/webhooks/inbox/{route}", json=body, headers=headers)


@dataclass
class Ended:
    """How the door heard that a turn ended, and the lines before that."""

    status_code: int
    body: dict[str, Any]
    said: list[dict[str, Any]]

    def json(self) -> dict[str, Any]:
        return self.body


@pytest_asyncio.fixture
async def channel(world, monkeypatch):
    # Several servers in one process, one after the other.
    monkeypatch.setattr(Sanic, "test_mode", True)
    agent = FakeAgent(says({"text": "hello"}))
    app = Sanic(f"channel_{next(_numbers)}", configure_logging=False)
    app.ctx.agent = agent
    made = InboxInput(world.store, world.clock, DOOR, SCHEDULERS)
    app.blueprint(made.blueprint(agent.on_new_message), url_prefix="/webhooks/inbox")
    server = await app.create_server("127.0.0.1", 0, return_asyncio_server=True, debug=False, access_log=False)
    await server.startup()
    port = server.server.sockets[0].getsockname()[1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=10) as client:
        yield Channel(world, agent, client)
    server.close()
    await server.wait_closed()


async def until(condition: Callable[[], Any], seconds: float = 5) -> Any:
    """The first truthy value of the condition."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not (value := condition()):
        assert asyncio.get_running_loop().time() < deadline, "it did not happen"
        await asyncio.sleep(0.01)
    return value
