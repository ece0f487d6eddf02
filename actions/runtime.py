"""What the actions work with: store, clock, settings, systems, acts; made once, by the action server's start.

rasa_sdk imports and instantiates every action by itself, so they find it here, and refuse to exist without it: under
a bare `rasa run actions` nobody would check who calls.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.engine import Connection

from account_access import articles
from account_access import clock as clocks
from account_access.approvals import Approvals
from account_access.articles import Articles
from account_access.clock import Clock
from account_access.connectors.registry import System, systems_of
from account_access.passwords import Passwords
from account_access.proofs import Proofs
from account_access.resets import FactorLook, Resets
from account_access.settings import Settings
from account_access.store import Store, claims
from account_access.unlocks import Look, Unlocks

# A turn hears back within this; the rest of the turn deadline is for the way to the screen.
MARGIN_SECONDS = 1.0
STORE_THREADS = 8
REMEMBERED_LOOKS = 500


@dataclass(frozen=True)
class Seen:
    """What a fresh look at one system showed of a person's account there; `named`: their message named the system."""

    system: System
    look: Look | FactorLook
    named: bool = False


@dataclass
class Runtime:
    settings: Settings
    store: Store
    clock: Clock
    systems: dict[str, System]
    unlocks: Unlocks
    resets: Resets
    approvals: Approvals
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(STORE_THREADS, "store"))
    looks: dict[str, Sequence[Seen]] = field(default_factory=dict)
    articles: Articles = field(default_factory=Articles)

    @classmethod
    def of(cls, settings: Settings) -> "Runtime":
        """Reads the articles, opens the store, builds the connectors. Raises SettingsError and StoreOutdated."""
        told = articles.load(settings.knowledge)
        store, clock = Store.open(settings.store.url), clocks.from_settings(settings.clock)
        claims.release_of_the_dead(store)
        unlocks, resets = Unlocks(store, clock, settings), Resets(store, clock, settings)
        approvals = Approvals(store, clock, settings, resets)
        return cls(settings, store, clock, systems_of(settings), unlocks, resets, approvals, articles=told)

    @property
    def passwords(self) -> Passwords:
        """The ways to new passwords."""
        return Passwords(self.store, self.clock, self.settings)

    @property
    def proofs(self) -> Proofs:
        """The codes that prove a reset."""
        return Proofs(self.store, self.clock, self.settings, self.resets)

    def remember(self, cause: str, seen: Sequence[Seen]) -> None:
        """Keeps what was just seen, the foremost first, for the next action of the same turn.

        It is only a short cut, never a fact.
        """
        self.looks[cause] = seen
        while len(self.looks) > REMEMBERED_LOOKS:
            self.looks.pop(next(iter(self.looks)), None)

    async def in_store(self, function: Callable, *arguments: Any) -> Any:
        """Runs a store function in the store's threads: quick, but never on the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self.pool, lambda: function(*arguments))

    async def written(self, function: Callable[[Connection], Any]) -> Any:
        """What a function of a connection returns, once it is committed together with those of other turns."""
        return await asyncio.wrap_future(self.store.together.submit(function))

    async def on_system(self, system: System, function: Callable, *arguments: Any) -> Any:
        """Runs a function that calls the system in that system's own threads (law 4).

        Raises asyncio.TimeoutError at the turn's deadline; the function goes on and what it does is not lost.
        """
        deadline = self.settings.conversation.turn_deadline_seconds - MARGIN_SECONDS
        future = asyncio.wrap_future(system.submit(function, *arguments))
        return await asyncio.wait_for(asyncio.shield(future), deadline)


_current: Runtime | None = None


def install(runtime: Runtime) -> None:
    """Makes the runtime the one that actions use."""
    global _current
    _current = runtime


def current() -> Runtime:
    """The installed runtime. Raises RuntimeError where actions were started without it."""
    if _current is None:
        raise RuntimeError("actions run only in their own authenticated server: start it with `python -m actions`")
    return _current
