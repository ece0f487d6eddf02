"""Stands where Rasa's channel stands: answers an inbound row in the store, as well or badly as a test wants."""

import asyncio
import json
import time
from datetime import timedelta

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from account_access import conversation, offers
from account_access.clock import Clock
from account_access.store import Store

YES_NO = (("Yes", "affirm"), ("No", "deny"))


class FakeRasa:
    """`calls` is the inbound ids it was asked to answer; `statuses` are answered before it behaves again."""

    def __init__(self, store: Store, clock: Clock, secret: str = "door-secret"):
        self.store, self.clock, self.secret = store, clock, secret
        self.calls: list[str] = []
        self.statuses: list[int] = []
        self.seconds = 0.0
        # How long a turn goes on after its words are written; the statuses with which such turns end first.
        self.tail_seconds = 0.0
        self.late_statuses: list[int] = []
        self.silent = False
        self.running: dict[str, int] = {}
        self.most_at_once = 0
        self.most_of_one = 0
        self.app = Starlette(
            routes=[
                Route("/", lambda request: PlainTextResponse("Hello from Rasa: 3.6.21")),
                Route("/webhooks/inbox/message", self.message, methods=["POST"]),
            ]
        )

    async def message(self, request: Request) -> Response:
        if request.headers.get("x-door-secret") != self.secret:
            return Response(status_code=401)
        inbound_id = (await request.json())["inbound"]
        self.calls.append(inbound_id)
        if self.silent:
            await asyncio.sleep(60)
        if self.statuses:
            return Response(status_code=self.statuses.pop(0))
        await run_in_threadpool(self.answer, inbound_id)
        if self.tail_seconds:
            return StreamingResponse(self.to_its_end(inbound_id), media_type="application/jsonl")
        await run_in_threadpool(conversation.mark_answered, self.store, self.clock, inbound_id)
        return JSONResponse({"answered": True})

    async def to_its_end(self, inbound_id: str):
        """The lines of Rasa's channel: there are words; and, later, how the turn ended."""
        yield '{"said": true}\n'
        await asyncio.sleep(self.tail_seconds)
        if self.late_statuses:
            yield json.dumps({"error": "turn failed", "status": self.late_statuses.pop(0)}) + "\n"
            return
        await run_in_threadpool(conversation.mark_answered, self.store, self.clock, inbound_id)
        yield '{"answered": true}\n'

    def answer(self, inbound_id: str) -> None:
        """Echoes text; "unlock" is answered with an offer; a click closes its offer; "link" with a link."""
        with self.store.reading() as connection:
            inbound = conversation.find_inbound(connection, inbound_id)
        person = inbound.person_id
        self.running[person] = self.running.get(person, 0) + 1
        self.most_of_one = max(self.most_of_one, self.running[person])
        self.most_at_once = max(self.most_at_once, sum(self.running.values()))
        time.sleep(self.seconds)
        with self.store.begin() as connection:
            self._write(connection, inbound)
        self.running[person] -= 1

    def _write(self, connection, inbound) -> None:
        now, cause, text = self.clock.now(), f"inbound:{inbound.id}", inbound.text
        offer_id, link = None, None
        words = f"You said: {text}"
        if inbound.kind == "click":
            words = self._clicked(connection, now, inbound)
        elif "unlock" in text.lower():
            offer_id = self.offer(connection, inbound.person_id, cause, "unlock")
            words = "Your Okta account is locked. Should I unlock it?"
        elif "link" in text.lower():
            link = {"title": "Open the portal", "url": "https://portal.acme.example/"}
        conversation.say(connection, now, inbound.person_id, cause, 1, words, offer_id=offer_id, link=link)

    def _clicked(self, connection, now, inbound) -> str:
        offer = offers.find(connection, inbound.offer_id)
        if offer.state_at(now) != offers.OPEN:
            return "That button is no longer open; nothing was done."
        offers.close(connection, now, offer.id, offers.ANSWERED, inbound.answer_id, inbound.id)
        return f"You chose {inbound.text}."

    def offer(self, connection, person_id: str, cause: str, question: str, answers=YES_NO, hours: float = 24) -> str:
        """A new offer; it is shown by the row that carries its id."""
        return offers.make(
            connection, self.clock.now(), person_id, question, {}, answers, cause, timedelta(hours=hours)
        ).id

    def speak(self, person_id: str, cause: str, text: str, question: str | None = None, **more) -> str | None:
        """A message by itself, with an offer if it asks a question. Returns the offer's id."""
        with self.store.begin() as connection:
            offer_id = self.offer(connection, person_id, cause, question) if question else None
            conversation.say(connection, self.clock.now(), person_id, cause, 1, text, offer_id=offer_id, **more)
        return offer_id
