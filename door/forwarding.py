"""Takes accepted messages to Rasa: never lost, never two at a time for one person, and so many at once that people
whose turns wait for a slow system hold up nobody else (X7, law 4).

A message is a row before it is a call. Whatever happens to the call, the row stays due until Rasa's channel has
marked it answered, so this may be killed at any instant.
"""

import asyncio
import contextlib
import json
import logging

import aiohttp
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from account_access import conversation, faults
from account_access.clock import Clock
from account_access.conversation import Due
from account_access.store import Store
from door.streams import Streams

# Quick turns at once: more only queue in Rasa, whose one thread serves them one after the other.
POOL = 8
# A turn that takes this long waits for a slow system, not for Rasa: it no longer holds up anybody else (law 4).
SLOW_SECONDS = 0.5
MAX_CALLS = 64
SCAN_SECONDS = 1.0
# A turn takes up to eight seconds by itself (law 4). A claim outlives the call, so that it never runs twice.
CALL_SECONDS = 15.0
CLAIM_SECONDS = 18.0
CONNECT_SECONDS = 2.0
# Unreachable for shorter than this is a hiccup that nobody has to hear about.
PATIENCE_SECONDS = 3.0
MAX_BACKOFF_SECONDS = 30.0
log = logging.getLogger("door.forwarding")


class Forwarder:
    """The one road from the store to Rasa."""

    def __init__(self, store: Store, clock: Clock, rasa_url: str, secret: str):
        self.store = store
        self.clock = clock
        self.streams: Streams | None = None
        self._rasa_url = rasa_url.rstrip("/")
        self._secret = secret
        self._client: aiohttp.ClientSession | None = None
        self._nudged = asyncio.Event()
        self._busy: dict[str, Due | None] = {}
        self._quick: set[str] = set()
        self._calls: set[asyncio.Task] = set()
        self._failures: dict[str, int] = {}
        self._down_since: float | None = None

    def nudge(self) -> None:
        """A message was accepted: look at once instead of at the next scan."""
        self._nudged.set()

    def reserve(self, person_id: str) -> float:
        """A place for a message that is about to be accepted: for how many seconds to claim it, 0 if there is none.

        Spares the usual message the scan. Whoever got a place says `begin` or `give_back`.
        """
        if self._down_since is not None or self._free() <= 0 or person_id in self._busy:
            return 0
        self._busy[person_id] = None
        return CLAIM_SECONDS

    def give_back(self, person_id: str) -> None:
        """The reserved place is not needed after all."""
        self._busy.pop(person_id, None)
        self._nudged.set()

    def begin(self, item: Due) -> None:
        """Takes a claimed message to Rasa now, in its person's reserved or free place."""
        self._busy[item.person_id] = item
        self._quick.add(item.id)
        asyncio.get_running_loop().call_later(SLOW_SECONDS, self._no_longer_quick, item.id)
        task = asyncio.create_task(self._send(item))
        self._calls.add(task)
        task.add_done_callback(lambda done: self._done(done, item.person_id))

    def unreachable(self) -> bool:
        """Whether Rasa has not been reachable for a while, so that people should be told that they wait."""
        return self._down_since is not None and _now() - self._down_since >= PATIENCE_SECONDS

    async def run(self) -> None:
        """Until cancelled: each nudge and each second, whatever is due goes out."""
        try:
            while True:
                # Nobody nudged in time: then this is the scan that finds what a crash left behind.
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._nudged.wait(), SCAN_SECONDS)
                self._nudged.clear()
                try:
                    if await self._reachable():
                        await self._send_due()
                except SQLAlchemyError as error:
                    log.error("the store does not answer: %s", error)
                    await asyncio.sleep(SCAN_SECONDS)
                except Exception as error:
                    # Whatever it was, everybody waits for this loop.
                    log.critical("the scan for messages failed and is repeated", exc_info=error)
                    await asyncio.sleep(SCAN_SECONDS)
        finally:
            await self._hand_over()

    async def _hand_over(self) -> None:
        """The door is closing: what is under way is given back, so that the next door need not wait for the claim."""
        for task in self._calls:
            task.cancel()
        for item in filter(None, self._busy.values()):
            conversation.release(self.store, self.clock, item.id, 0)
        if self._client is not None:
            await self._client.close()

    def _rasa(self) -> aiohttp.ClientSession:
        """Kept connections to Rasa; made at first use, because that has to be inside the event loop."""
        if self._client is None:
            self._client = aiohttp.ClientSession(
                headers={"X-Door-Secret": self._secret},
                timeout=aiohttp.ClientTimeout(total=CALL_SECONDS, sock_connect=CONNECT_SECONDS),
                connector=aiohttp.TCPConnector(limit=MAX_CALLS + 2),
            )
        return self._client

    async def _reachable(self) -> bool:
        """Asks Rasa itself while it is down: a claim would count as one of the message's few chances."""
        if self._down_since is None:
            return True
        patience = aiohttp.ClientTimeout(total=CONNECT_SECONDS)
        try:
            async with self._rasa().get(f"{self._rasa_url}/", timeout=patience) as answer:
                status = answer.status
        except (aiohttp.ClientError, asyncio.TimeoutError):
            status = None
        if status != 200:
            self._tell_waiting()
            return False
        log.info("Rasa answers again after %.1f s", _now() - self._down_since)
        self._down_since = None
        self._tell_waiting()
        return True

    async def _send_due(self) -> None:
        free = self._free()
        if free <= 0:
            return
        for item in await run_in_threadpool(self._claim_due, free, frozenset(self._busy)):
            self.begin(item)

    def _free(self) -> int:
        return min(POOL - len(self._quick), MAX_CALLS - len(self._busy))

    def _claim_due(self, free: int, busy: frozenset[str]) -> list[Due]:
        waiting = conversation.due(self.store, self.clock, limit=free + len(busy))
        mine = [item for item in waiting if item.person_id not in busy][:free]
        return [item for item in mine if conversation.claim(self.store, self.clock, item.id, CLAIM_SECONDS)]

    def _no_longer_quick(self, inbound_id: str) -> None:
        if inbound_id in self._quick:
            self._quick.discard(inbound_id)
            self._nudged.set()

    def _done(self, task: asyncio.Task, person_id: str) -> None:
        self._calls.discard(task)
        if task.cancelled():
            return
        item = self._busy.pop(person_id, None)
        if item is not None:
            self._quick.discard(item.id)
        if self.streams is not None:
            self.streams.wake(person_id)
        self._nudged.set()

    async def _send(self, item: Due) -> None:
        faults.point("door_mid_turn")
        retry_in = await self._call(item)
        if retry_in is None:
            self._failures.pop(item.id, None)
            return
        try:
            await run_in_threadpool(conversation.release, self.store, self.clock, item.id, retry_in)
        except (SQLAlchemyError, OSError) as error:
            log.error("message %s stays claimed for %.0f s: %s", item.id, CLAIM_SECONDS, error)

    async def _call(self, item: Due) -> float | None:
        """One call; None if the turn is over, else in how many seconds to try again."""
        address = f"{self._rasa_url}/webhooks/inbox/message"
        try:
            async with self._rasa().post(address, json={"inbound": item.id}) as answer:
                status = answer.status if answer.status != 200 else await self._listen(answer, item.person_id)
        except aiohttp.ServerTimeoutError as error:
            # Nothing accepts the connection: it is an asyncio.TimeoutError as well, so it is looked for first.
            return self._not_reached(item, error)
        except asyncio.TimeoutError:
            # Rasa may well be at it still: it finds the message claimed or answered when asked again.
            log.warning("message %s: no answer within %.0f s", item.id, CALL_SECONDS)
            return 1.0
        except aiohttp.ClientError as error:
            return self._not_reached(item, error)
        if status == 200:
            return None
        if status == 202:
            return 0.5
        failures = self._failures[item.id] = self._failures.get(item.id, 0) + 1
        level = logging.CRITICAL if status == 401 else logging.WARNING
        log.log(level, "message %s: Rasa's channel answers %d", item.id, status)
        return min(MAX_BACKOFF_SECONDS, 2.0 ** (failures - 1))

    async def _listen(self, answer: aiohttp.ClientResponse, person_id: str) -> int:
        """Wakes the person's tabs at each line that says that there are words; the status of the last line."""
        async for line in answer.content:
            told = json.loads(line)
            if not told.get("said"):
                return told.get("status", 200)
            if self.streams is not None:
                self.streams.wake(person_id)
        return 502

    def _not_reached(self, item: Due, error: Exception) -> float:
        log.warning("message %s: Rasa cannot be reached: %s", item.id, type(error).__name__)
        self._down_since = self._down_since or _now()
        return 0.0

    def _tell_waiting(self) -> None:
        if self.streams is not None:
            self.streams.wake_waiting()


def _now() -> float:
    return asyncio.get_running_loop().time()
