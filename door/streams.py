"""Open event streams: one a tab, each shows its person everything new until the session ends (N2, N7)."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from account_access import conversation, sessions
from account_access.clock import Clock
from account_access.sessions import Session
from account_access.store import Store
from door import rates, visitors
from door.errors import ApiError

HEARTBEAT_SECONDS = 15
BATCH = 100
MAX_STREAMS_A_PERSON = 20
log = logging.getLogger("door.streams")


@dataclass(eq=False)
class Stream:
    """One tab that listens."""

    session_id: str
    person_id: str
    cursor: int
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    typing: tuple[bool, bool] | None = None
    over: bool = False


class Streams:
    """All open streams; they sleep until somebody wakes their person."""

    def __init__(self, store: Store, clock: Clock, unreachable: Callable[[], bool]):
        self.store = store
        self.clock = clock
        self._unreachable = unreachable
        self._open: set[Stream] = set()

    def open(self, session: Session, cursor: int) -> Stream:
        """Registers a tab. Raises ApiError 429 beyond MAX_STREAMS_A_PERSON."""
        if sum(stream.person_id == session.person_id for stream in self._open) >= MAX_STREAMS_A_PERSON:
            raise ApiError(429, "too_many_streams", "Too many windows are open on this chat.", {"Retry-After": "10"})
        stream = Stream(session.id, session.person_id, cursor)
        self._open.add(stream)
        return stream

    async def events(self, stream: Stream) -> AsyncIterator[ServerSentEvent]:
        """What the tab gets to see, from its cursor on, until its session is over."""
        try:
            while not stream.over:
                stream.wake.clear()
                async for event in self._news(stream):
                    yield event
                await stream.wake.wait()
            yield ServerSentEvent(event="signed-out", data="{}")
        finally:
            self._open.discard(stream)

    async def _news(self, stream: Stream) -> AsyncIterator[ServerSentEvent]:
        full = True
        while full and not stream.over:
            # Asked before the entries: an answer written in between clears the indicator a moment late, never early.
            news, waiting = await run_in_threadpool(self._read, stream)
            full = len(news) == BATCH
            for entry in news:
                yield ServerSentEvent(event="entry", id=str(entry.cursor), data=_json(entry.as_dict()))
                stream.cursor = entry.cursor
        typing = (waiting, waiting and self._unreachable())
        if typing != stream.typing and not stream.over:
            stream.typing = typing
            yield ServerSentEvent(event="typing", data=_json({"on": typing[0], "waiting": typing[1]}))

    def _read(self, stream: Stream):
        waiting = conversation.pending(self.store, stream.person_id)
        news = conversation.entries(self.store, self.clock, stream.person_id, after=stream.cursor, limit=BATCH)
        return news, waiting

    def wake(self, person_id: str) -> None:
        """Something happened in this person's conversation."""
        for stream in self._open:
            if stream.person_id == person_id:
                stream.wake.set()

    def wake_waiting(self) -> None:
        """Whether Rasa can be reached has changed: whoever waits for it should know."""
        for stream in self._open:
            if stream.typing and stream.typing[0]:
                stream.wake.set()

    async def look(self) -> None:
        """The store has changed: wakes those whose conversation did, or whose wait is over. Two queries for all."""
        people = {stream.person_id for stream in self._open}
        if not people:
            return
        typing = {stream.person_id for stream in self._open if stream.typing and stream.typing[0]}
        last, waiting = await run_in_threadpool(self._look, people, typing)
        for stream in self._open:
            over = stream.person_id in typing and stream.person_id not in waiting
            if over or last.get(stream.person_id, 0) > stream.cursor:
                stream.wake.set()

    def _look(self, people: set[str], typing: set[str]) -> tuple[dict[str, int], set[str]]:
        waiting = conversation.still_pending(self.store, typing) if typing else set()
        return conversation.last_seqs(self.store, people), waiting

    async def check_sessions(self) -> None:
        """Ends the streams whose session no longer stands. One query for all."""
        ids = {stream.session_id for stream in self._open}
        if not ids:
            return
        live = await run_in_threadpool(sessions.live, self.store, self.clock, ids)
        for stream in self._open:
            # One that opened while the store was asked has not been asked about.
            if stream.session_id in ids and stream.session_id not in live:
                stream.over = True
                stream.wake.set()

    def __len__(self) -> int:
        return len(self._open)


async def stream(request: Request) -> Response:
    """GET /api/stream?after=: the entries after that cursor and everything that follows, as server-sent events."""
    door = request.app.state.door
    found = await visitors.required(request)
    door.rates.check(rates.READING, "stream", found.person.id)
    # A browser that reconnects says by itself how far it came; that is later than the address it first asked for.
    given = request.headers.get("last-event-id") or request.query_params.get("after", "0")
    opened = door.streams.open(found.session, as_number(given, "after"))
    return EventSourceResponse(
        door.streams.events(opened),
        ping=HEARTBEAT_SECONDS,
        ping_message_factory=lambda: ServerSentEvent(comment="still here"),
        sep="\n",
    )


def as_number(text: str, name: str) -> int:
    """A cursor or count from an address. Raises ApiError 400."""
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise ApiError(400, "invalid", f"{name} must be a whole number.")
    return int(text)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
