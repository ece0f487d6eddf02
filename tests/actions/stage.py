"""Runs one action as Rasa would have it run: through its class, with the real domain, a tracker and a real store."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from account_access import conversation, notices, offers
from account_access.connectors.registry import System
from account_access.notices import Notice
from account_access.offers import Offer
from account_access.store import tables
from actions import runtime
from actions.runtime import Runtime
from tests.account_access.fake_system import FakeSystem
from tests.account_access.world import World

ROOT = Path(__file__).parents[2]


@lru_cache
def domain() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))


@dataclass
class Result:
    """What an action reported and said; `said` are (response, the keywords it was given)."""

    outcome: str
    slots: dict[str, Any]
    said: list[tuple[str, dict[str, Any]]]

    @property
    def responses(self) -> list[str]:
        return [response for response, _ in self.said]


@dataclass
class Stage:
    """A world with actions; `outcome` and `events` stand for what the tracker carries from action to action."""

    world: World
    runtime: Runtime
    outcome: str | None = None
    events: list[dict[str, Any]] = field(default_factory=list)

    def message(self, intent: str, inbound: str | None = None, notice: str | None = None, **more) -> dict[str, Any]:
        """The tracker's latest message: a typed or clicked one of the store, or an external event."""
        entities = [{"entity": "notice", "value": notice}] if notice else []
        return {
            "intent": {"name": intent, "confidence": 1.0},
            "entities": entities,
            "metadata": {"inbound": inbound} if inbound else {},
            **more,
        }

    def run(self, action: type, message: dict[str, Any], sender: str | None = None) -> Result:
        sender = sender or self.world.person().id
        slots = {"outcome": self.outcome, "question": None}
        tracker = Tracker(sender, slots, message, self.events, False, None, {}, None)
        dispatcher = CollectingDispatcher()
        events = asyncio.run(action().run(dispatcher, tracker, domain()))
        changed = {event["name"]: event["value"] for event in events}
        self.outcome = changed.pop("outcome")
        said = [
            (m["response"], {k: v for k, v in m.items() if v and k not in ("response", "text")})
            for m in dispatcher.messages
        ]
        return Result(self.outcome, changed, said)

    def typed(self, action: type, words: str, intent: str, name: str = "dana") -> Result:
        """The person types something that leads to this action."""
        inbound = self.world.say(name, words)
        return self.run(action, self.message(intent, inbound), self.world.person(name).id)

    def clicked(self, action: type, offer: Offer, answer: str = "1", name: str = "dana") -> Result:
        """The person clicks a button that leads to this action."""
        inbound = self.world.click(name, offer, answer)
        return self.run(action, self.message(offer.answer(answer).intent, inbound), self.world.person(name).id)

    def notice(self, kind: str = notices.LOCKOUT, name: str = "dana", **facts: Any) -> Notice:
        """A waiting notice; of the lockout that stands, unless its facts say otherwise."""
        world = self.world
        since = world.fake.accounts[world.account(name)].locked_at
        told = {"system": "okta", "external_id": world.account(name), "locked_at": since and since.isoformat()}
        key = f"{kind}:{len(world.rows(tables.notices))}"
        with world.store.begin() as connection:
            made = notices.create(connection, world.clock.now(), key, kind, world.person(name).id, {**told, **facts})
            return notices.find(connection, made)

    def announced(self, action: type, notice: Notice, name: str = "dana") -> Result:
        """The schedulers' event leads to this action."""
        return self.run(action, self.message(notice.intent, notice=notice.id), self.world.person(name).id)

    def second(self, key: str = "store", called: str = "Store Okta", aliases=("store", "retail okta")) -> FakeSystem:
        """A further identity system, in which dana has an account of her own (`store-dana`)."""
        world = self.world
        section = world.settings.systems["okta"].copy(update={"name": called, "aliases": list(aliases)})
        fake = FakeSystem(world.clock, key)
        fake.add(f"{key}-dana", "dana")
        self.runtime.systems[key] = System(key, section, fake, ThreadPoolExecutor(4))
        with world.store.begin() as connection:
            account = dict(system=key, external_id=f"{key}-dana", person_id=world.person().id, login="dana")
            connection.execute(tables.accounts.insert().values(**account))
        return fake

    def show(self, result: Result, name: str = "dana") -> Offer:
        """Writes the inbox row of what was said last, as the channel does, and returns its offer."""
        response, keywords = result.said[-1]
        with self.world.store.begin() as connection:
            cause = f"shown-{keywords['offer']}"
            person = self.world.person(name).id
            conversation.say(connection, self.world.clock.now(), person, cause, 0, response, offer_id=keywords["offer"])
        return offers.get(self.world.store, keywords["offer"])


@pytest.fixture
def stage(world, monkeypatch):
    monkeypatch.setattr(runtime, "_current", None)
    acts = (world.unlocks, world.resets, world.approvals)
    made = Runtime(world.settings, world.store, world.clock, {"okta": world.system}, *acts)
    runtime.install(made)
    yield Stage(world, made)
    made.pool.shutdown()
    for system in made.systems.values():
        if system is not world.system:
            system.pool.shutdown()
