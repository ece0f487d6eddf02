"""Asking: a response of the domain with buttons becomes an offer, and the offer is shown with it."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy.engine import Connection

from account_access import answers, causes, offers, outages, turns
from account_access.answers import OpenAnswer, OpenOffer
from account_access.offers import Offer
from actions.base import AccountAction, Turn, turn_to
from actions.open_questions import standing, tell_approve
from actions.runtime import Seen

# A meaning with a smaller share of the classifier's belief than this is no guess worth a button (X5).
LIKELY = 0.08
CHOICES = 3


class AskAction(AccountAction, ABC):
    """Base of the actions that ask one question; the response gives words and buttons."""

    @property
    @abstractmethod
    def question(self) -> str:
        """The question's name: a value of the slot `question`."""

    def name(self) -> str:
        return f"action_ask_{self.question}"

    async def act(self, turn: Turn) -> str:
        subject = await self.subject(turn)
        if subject is None:
            return self.without_subject(turn)
        return await self.ask(turn, self.response(turn), subject)

    def response(self, turn: Turn) -> str:
        """The response of the domain that asks."""
        return f"utter_ask_{self.question}"

    async def subject(self, turn: Turn) -> dict[str, Any] | None:
        """What the question is about, kept with the offer; None if there is nothing to ask."""
        return {}

    def without_subject(self, turn: Turn) -> str:
        """The outcome where there is nothing to ask."""
        return "nothing_open"

    async def ask(self, turn: Turn, response: str, subject: dict[str, Any]) -> str:
        choice = self.choice(turn, response)
        offer = await self.runtime.written(lambda connection: self.made(connection, turn, subject, choice))
        show(turn, response, offer)
        return "asked"

    def choice(self, turn: Turn, response: str) -> list[tuple[str, ...]]:
        """The (title, intent, other names …) of the answers, in order."""
        return buttons(turn.domain, response)

    def lasts(self, turn: Turn, subject: dict[str, Any]) -> timedelta:
        """For how long a button answers the question (X12)."""
        return timedelta(hours=self.runtime.settings.conversation.offer_hours)

    def made(
        self,
        connection: Connection,
        turn: Turn,
        subject: dict[str, Any],
        choice: Sequence[tuple[str, ...]],
        targets: Sequence[tuple[str, str]] = (),
    ) -> Offer:
        """The offer of this turn; see `offers.make`."""
        return offers.make(
            connection,
            self.now,
            turn.person.id,
            self.question,
            subject,
            choice,
            turn.cause,
            self.lasts(turn, subject),
            from_notice=turn.notice is not None,
            targets=targets,
        )


def buttons(domain: dict[str, Any], response: str) -> list[tuple[str, str]]:
    """The (title, intent) of a response's buttons. Raises KeyError if the domain has no such response or buttons."""
    variations = domain["responses"].get(response)
    if not variations:
        raise KeyError(f"domain.yml has no response {response}")
    found = variations[0].get("buttons")
    if not found:
        raise KeyError(f"{response} in domain.yml has no buttons; every question needs them")
    return [(button["title"], button["payload"].lstrip("/")) for button in found]


def show(turn: Turn, response: str, offer: Offer) -> None:
    """Utters the question; the channel takes the buttons from the offer, never from the message."""
    keywords = {"notice": turn.notice.id} if turn.notice else {}
    turn.say(response, offer=offer.id, **keywords)


class AskMenu(AskAction):
    """The access menu: what is wrong? What the directory shows comes first (G2, G4)."""

    question = "menu"

    async def act(self, turn: Turn) -> str:
        known = turn.outcome if turn.outcome in ("locked", "several_locked", "available") else None
        if turn.outcome in ("not_locked", "none_locked"):
            known = await self._cause(turn)
        return await self.ask(turn, f"utter_ask_menu_{known}" if known else "utter_ask_menu", {})

    async def _cause(self, turn: Turn) -> str | None:
        """What the first of the person's systems that shows a cause shows; the response speaks of that one."""
        looked = [one for one in self.runtime.looks.get(turn.cause, ()) if one.look.outcome == "not_locked"]
        found = await asyncio.gather(*map(self._cause_in, looked))
        for one, cause in zip(looked, found, strict=True):
            if cause is not None:
                turn_to(turn, one.system)
                return cause
        return None

    async def _cause_in(self, seen: Seen) -> str | None:
        try:
            return await self.runtime.on_system(seen.system, causes.of, seen.system, seen.look.external_id, self.now)
        except asyncio.TimeoutError:
            return None


class AskRephrase(AskAction):
    """Not understood: other words, or one of the likeliest meanings (X5).

    The response has a button for every meaning that may be offered. Three are shown: the likeliest first, then the
    first ones of the response.
    """

    question = "rephrase"

    async def act(self, turn: Turn) -> str:
        # A manager's word is never guessed from words that were not understood (X12), and no guess is worth more here.
        offer = await self.runtime.in_store(standing, self, turn, "approve")
        if offer:
            await self.runtime.in_store(tell_approve, self, turn, offer)
            return "asked"
        # Two messages in a row that were not understood: no third round of guessing.
        if turn.intent == turn.previous_intent == "nlu_fallback":
            return "give_up"
        return await super().act(turn)

    def choice(self, turn: Turn, response: str) -> list[tuple[str, str]]:
        every = super().choice(turn, response)
        titles = {intent: title for title, intent in every}
        likely = [intent for intent, share in turn.ranking if intent in titles and share >= LIKELY]
        ordered = dict.fromkeys([*likely, *titles])
        return [(titles[intent], intent) for intent in ordered][:CHOICES]


class AskHelp(AskAction):
    """Shall I open a ticket? With the reason: one response a cause, `utter_ask_help_<cause>`."""

    question = "help"
    CAUSE_BY_INTENT = {
        "ask_mfa_instructions": "mfa",
        "ask_about_someone_else": "someone_else",
        "nlu_fallback": "not_understood",
    }

    def response(self, turn: Turn) -> str:
        cause = self.CAUSE_BY_INTENT.get(turn.intent) or turn.outcome
        if cause == "mfa_human" and turn.inbound is not None and turn.inbound.undated:
            cause = "mfa_undated"
        return f"utter_ask_help_{cause}"

    async def subject(self, turn: Turn) -> dict[str, Any]:
        cause = self.response(turn).removeprefix("utter_ask_help_")
        if cause == "down":
            await self.runtime.in_store(self._wait_for_the_system, turn)
            # With it the question ends when the system is back.
            return {"cause": cause, "system": turn.system.key}
        return {"cause": cause}

    def _wait_for_the_system(self, turn: Turn) -> None:
        """Who met a silent system hears when it is back (X6)."""
        with self.runtime.store.repeatable() as connection:
            outages.meet(connection, self.now, turn.person.id, turn.system.key, turn.cause)


class AskWhich(AskAction):
    """Which open question is meant? Its buttons stand for answers of those questions.

    A yes to lockouts of several systems, and to nothing else, is asked about those: the outcome is `several_locked`.
    """

    question = answers.WHICH

    async def act(self, turn: Turn) -> str:
        found = await self.runtime.in_store(self._meant, turn)
        if not found:
            return "nothing_open"
        if turn.intent == "affirm" and answers.only_lockouts(offer for offer, _ in found):
            return "several_locked"
        offer = await self.runtime.in_store(self._which, turn, found)
        show(turn, self.response(turn), offer)
        return "asked"

    def _meant(self, turn: Turn) -> list[tuple[OpenOffer, OpenAnswer]]:
        if turn.inbound is None:
            return []
        with self.runtime.store.reading() as connection:
            open_offers = turns.standing(connection, turn.inbound)
        asked = [offer.as_open() for offer in open_offers if offer.question != self.question]
        words = turn.inbound.text, turn.intent
        return [*answers.candidates(*words, asked), *answers.perhaps(*words, asked)]

    def _which(self, turn: Turn, found: Sequence[tuple[OpenOffer, OpenAnswer]]) -> Offer:
        listed = [(self._title(turn, offer, answer, found), answer.intent) for offer, answer in found]
        with self.runtime.store.repeatable() as connection:
            return self.made(connection, turn, {}, listed, [(offer.id, answer.id) for offer, answer in found])

    def _title(self, turn: Turn, offer: OpenOffer, answer: OpenAnswer, found: Sequence) -> str:
        """What a designer calls the question (`utter_which_<question>`), and the answer's own title.

        With its system, where two questions of that kind are about different ones.
        """
        named = turn.domain["responses"].get(f"utter_which_{offer.question}")
        if not named:
            return answer.title
        alike = {other.subject for other, _ in found if other.question == offer.question}
        system = self.runtime.systems.get(offer.subject.partition(":")[2])
        of_which = f" ({system.name})" if len(alike) > 1 and system else ""
        return f"{named[0]['text']}{of_which}: {answer.title}"
