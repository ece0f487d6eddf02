"""Rasa's one channel: messages come in from the door, notices from the schedulers, what is said becomes inbox rows.

Both callers name a row of the store and nothing else; the channel reads from there who speaks and what may be
answered. Every turn is shielded from its caller's disappearance, and replays write each row once.
"""

import asyncio
import hmac
import logging
import os
import re
from collections.abc import Awaitable, Callable
from json import dumps
from typing import Any

from rasa.core.channels.channel import InputChannel, OutputChannel, UserMessage
from sanic import Blueprint
from sanic.request import Request
from sanic.response import HTTPResponse, json
from sqlalchemy.engine import Connection

from account_access import clock as clocks
from account_access import conversation, faults, notices
from account_access import settings as configuration
from account_access.clock import Clock
from account_access.conversation import Inbound
from account_access.notices import Notice
from account_access.settings import SettingsError
from account_access.store import Store
from account_access.store.engine import StoreOutdated
from account_access.turns import STALE_INTENT, answered_by_click, standing
from channels import failed_turn
from channels.failed_turn import TurnFailed

logger = logging.getLogger(__name__)

NAME = "inbox"
# The line that tells the door to look into the inbox.
SAID = '{"said": true}\n'
FAILED_RESPONSE = "utter_turn_failed"
# Said instead of what a turn was about.
EXCUSES = (FAILED_RESPONSE, "utter_please_sign_in")
_UNFILLED = re.compile(r"\{[a-z_]+\}")
# The last stop before Rasa's regex handler, which would execute "/intent{…}" (law 2).
_COMMAND_PREFIX = re.compile(r"^[\s/\x00-\x1f]+")


class InboxOutput(OutputChannel):
    """Writes each message of one turn as one inbox row, keyed on what caused the turn.

    In a notice's turn the first response of the domain, an excuse apart, is the notice: its row acknowledges it, and
    `told` says that it stands. `said` is called after each row.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        person_id: str,
        cause: str,
        notice_id: str | None = None,
        said: Callable[[], None] | None = None,
    ):
        self.store = store
        self.clock = clock
        self.person_id = person_id
        self.cause = cause
        self.notice_id = notice_id
        self.said = said
        self.parts = 0
        self.told = False

    @classmethod
    def name(cls) -> str:
        return NAME

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        """Overrides the one method that sees a message whole: words, link, and the offer whose buttons it shows."""
        part, self.parts = self.parts, self.parts + 1
        text = message.get("text") or ""
        if _UNFILLED.search(text):
            logger.error("A response was sent with a variable unfilled (%s): %s", message.get("utter_action"), text)
        faults.point("before_inbox_row")
        written = self.store.together.submit(lambda connection: self.write(connection, part, text, message))
        notice_id = await asyncio.wrap_future(written)
        self.told = self.told or (notice_id is not None and notice_id == self.notice_id)
        if self.said is not None:
            self.said()
        faults.point("after_inbox_row")

    def write(self, connection: Connection, part: int, text: str, message: dict[str, Any]) -> str | None:
        """Writes one message as a row; returns the id of the notice that it tells, if it does."""
        tells = part == 0 and message.get("utter_action") not in (None, *EXCUSES)
        notice_id = message.get("notice") or (self.notice_id if tells else None)
        conversation.say(
            connection,
            self.clock.now(),
            self.person_id,
            self.cause,
            part,
            text,
            offer_id=message.get("offer"),
            notice_id=notice_id,
            link=(message.get("custom") or {}).get("link"),
        )
        return notice_id


class ClosedInput(InputChannel):
    """Stands in where Rasa runs without our secrets (`rasa run` by hand): it answers to nobody."""

    @classmethod
    def name(cls) -> str:
        return NAME

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        return Blueprint("inbox_channel")


class InboxInput(InputChannel):
    """The two internal routes: `message` for the door, `notice` for the schedulers.

    Its secrets and the store's address come from the environment, not by `${…}` in credentials.yml, which Rasa would
    refuse to read without them.
    """

    def __init__(self, store: Store, clock: Clock, door_secret: str, scheduler_secret: str):
        self.store = store
        self.clock = clock
        self.secrets = {"X-Door-Secret": door_secret, "X-Scheduler-Secret": scheduler_secret}
        self.turns: dict[str, tuple[asyncio.Future, asyncio.Event]] = {}

    @classmethod
    def name(cls) -> str:
        return NAME

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> "InputChannel":
        names = ("DOOR_SECRET", "SCHEDULER_SECRET")
        missing = [name for name in names if len(os.environ.get(name, "")) < 16]
        try:
            settings = configuration.load(os.environ.get("SETTINGS", "settings.yml"), "channel")
            store = Store.open(settings.store.url)
        except (SettingsError, StoreOutdated) as error:
            logger.warning("The inbox channel stays closed: %s", error)
            return ClosedInput()
        if missing:
            logger.warning("The inbox channel stays closed: set %s (16 characters or more)", " and ".join(missing))
            return ClosedInput()
        failed_turn.install()
        return cls(store, clocks.from_settings(settings.clock), *[os.environ[name] for name in names])

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        routes = Blueprint("inbox_channel")

        @routes.get("/")
        async def health(_request: Request) -> HTTPResponse:
            return json({"status": "ok"})

        @routes.post("/message")
        async def message(request: Request) -> HTTPResponse:
            if not self._authentic(request, "X-Door-Secret"):
                return json({"error": "unauthorized"}, status=401)
            inbound_id = _named(request, "inbound")
            if inbound_id is None:
                return json({"error": "name an inbound row"}, status=400)
            return await self._once(
                request, inbound_id, lambda said: self._answer(request, on_new_message, inbound_id, said)
            )

        @routes.post("/notice")
        async def notice(request: Request) -> HTTPResponse:
            if not self._authentic(request, "X-Scheduler-Secret"):
                return json({"error": "unauthorized"}, status=401)
            notice_id = _named(request, "notice")
            if notice_id is None:
                return json({"error": "name a notice"}, status=400)
            return await self._once(request, notice_id, lambda _said: self._announce(request, notice_id))

        return routes

    def _authentic(self, request: Request, header: str) -> bool:
        return hmac.compare_digest(request.headers.get(header, "").encode(), self.secrets[header].encode())

    async def _once(
        self, request: Request, key: str, turn: Callable[[Callable[[], None]], Awaitable[dict[str, Any]]]
    ) -> HTTPResponse | None:
        """Runs a turn, or joins the one that is under way; it goes on when the caller goes away.

        Words are on their way to the screen as soon as they are written: a line for each tells the caller to look,
        before the line that says how the turn ended. A turn that says nothing is answered by its end alone.
        """
        if key not in self.turns:
            said = asyncio.Event()
            running = asyncio.ensure_future(turn(said.set))
            self.turns[key] = (running, said)
            running.add_done_callback(lambda _: self.turns.pop(key, None))
        running, said = self.turns[key]
        lines = None
        while not running.done():
            await _either(running, said)
            if said.is_set() and not running.done():
                said.clear()
                lines = lines or await request.respond(content_type="application/jsonl")
                await lines.send(SAID)
        try:
            body = dict(running.result())
        except (TurnFailed, Exception):
            logger.exception("Turn %s failed and will be tried again", key)
            body = {"error": "turn failed", "status": 503}
        if lines is None:
            return json(body, status=body.pop("status", 200))
        await lines.send(dumps(body) + "\n")
        await lines.eof()
        return None

    async def _in_store(self, function: Callable, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(None, lambda: function(*arguments))

    async def _answer(self, request: Request, on_new_message, inbound_id: str, said: Callable) -> dict[str, Any]:
        message = await self._in_store(self._user_message, inbound_id, said)
        if message is None:
            return {"answered": False, "error": "no such message", "status": 404}
        if message == "answered":
            return {"answered": True}
        try:
            await on_new_message(message)
        except (TurnFailed, Exception) as error:
            if not await self._in_store(self._last_attempt, inbound_id):
                raise TurnFailed(f"{type(error).__name__}: {error}") from error
            logger.exception("Message %s was given up after %d tries", inbound_id, conversation.MAX_ATTEMPTS)
            await self._apologise(request, message)
        if message.output_channel.parts == 0:
            await self._apologise(request, message)
        await self._in_store(conversation.mark_answered, self.store, self.clock, inbound_id)
        return {"answered": True}

    def _user_message(self, inbound_id: str, said: Callable[[], None]) -> UserMessage | str | None:
        with self.store.reading() as connection:
            inbound = conversation.find_inbound(connection, inbound_id)
            if inbound is None:
                return None
            if inbound.state != conversation.ACCEPTED:
                return "answered"
            metadata, parse_data = (
                _click(connection, inbound) if inbound.kind == "click" else _text(connection, inbound)
            )
        output = InboxOutput(self.store, self.clock, inbound.person_id, inbound.id, said=said)
        text = _COMMAND_PREFIX.sub("", inbound.text) or "?"
        return UserMessage(
            text,
            output,
            inbound.person_id,
            parse_data=parse_data,
            input_channel=NAME,
            message_id=inbound.id,
            metadata=metadata,
        )

    def _last_attempt(self, inbound_id: str) -> bool:
        return conversation.attempts(self.store, inbound_id) >= conversation.MAX_ATTEMPTS

    async def _apologise(self, request: Request, message: UserMessage) -> None:
        """A turn that led to no words: the person hears that it went wrong, in a designer's words."""
        agent = request.app.ctx.agent
        tracker = await agent.tracker_store.get_or_create_tracker(message.sender_id)
        said = await agent.processor.nlg.generate(FAILED_RESPONSE, tracker, NAME)
        await message.output_channel.send_response(message.sender_id, said or {"text": FAILED_RESPONSE})

    async def _announce(self, request: Request, notice_id: str) -> dict[str, Any]:
        notice, told = await self._in_store(self._notice, notice_id)
        if notice is None:
            return {"written": False, "state": "unknown", "status": 404}
        if notice.state == notices.WAITING and not told and await self._trigger(request, notice):
            return {"written": True, "state": notices.WAITING}
        return await self._in_store(self._acknowledgement, notice_id)

    async def _trigger(self, request: Request, notice: Notice) -> bool:
        """As Rasa's own trigger_intent, which however needs a channel name, loses turns and answers 200 for them.

        Whether the notice was told.
        """
        agent = request.app.ctx.agent
        output = InboxOutput(self.store, self.clock, notice.person_id, notice.id, notice.id)
        async with agent.lock_store.lock(notice.person_id):
            tracker = await agent.processor.fetch_tracker_and_update_session(notice.person_id, output)
            entities = [{"entity": "notice", "value": notice.id}, {"entity": "question", "value": "none"}]
            await agent.trigger_intent(notice.intent, entities, output, tracker)
        return output.told

    def _notice(self, notice_id: str) -> tuple[Notice | None, bool]:
        """The notice, and whether it stands in its inbox. Its person is in the store: a foreign key says so."""
        with self.store.reading() as connection:
            return notices.find(connection, notice_id), notices.was_delivered(connection, notice_id)

    def _acknowledgement(self, notice_id: str) -> dict[str, Any]:
        """What was really written: the inbox row is the acknowledgement."""
        with self.store.reading() as connection:
            written = notices.was_delivered(connection, notice_id)
            state = notices.find(connection, notice_id).state
        return {"written": written, "state": state}


async def _either(running: asyncio.Future, said: asyncio.Event) -> None:
    """Until the turn is over or has said something; being cancelled here does not touch the turn."""
    news = asyncio.ensure_future(said.wait())
    try:
        await asyncio.wait({running, news}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        news.cancel()


def _named(request: Request, key: str) -> str | None:
    body = request.json if isinstance(request.json, dict) else {}
    value = body.get(key)
    return value if isinstance(value, str) and value else None


def _click(connection, inbound: Inbound) -> tuple[dict[str, Any], dict[str, Any]]:
    """A click arrives parsed, with the answer's intent and question, as if the words had been understood."""
    found = answered_by_click(connection, inbound)
    intent = found.answer.intent if found else STALE_INTENT
    question = found.offer.question if found else "none"
    return {"inbound": inbound.id}, _parsed(inbound.text, intent, question)


def _parsed(text: str, intent: str, question: str) -> dict[str, Any]:
    return {
        "text": text,
        "intent": {"name": intent, "confidence": 1.0},
        "entities": [{"entity": "question", "value": question}],
    }


def _text(connection, inbound: Inbound) -> tuple[dict[str, Any], None]:
    """Typed words carry the offers they may answer; the last NLU component resolves them."""
    listed = [offer.as_open().as_metadata() for offer in standing(connection, inbound)]
    asked = {"offers": listed, "last_shown": inbound.last_shown}
    return {"inbound": inbound.id, **asked, "redacted": inbound.redacted}, None
