"""What one turn of the conversation is about, read from the store: who speaks, what they answer, which notice it is.

The channel asks it before Rasa hears a click, the actions ask it again before they act: nothing that a tracker, slot
or entity carries decides whose offer is answered (laws 1 and 2).
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Connection

from account_access import answers, offers
from account_access.answers import CHOOSE_SYSTEM, NONE, SEVERAL, OpenAnswer
from account_access.conversation import Inbound
from account_access.offers import Offer

STALE_INTENT = "stale_answer"


@dataclass(frozen=True)
class Answered:
    """The offer that a message answers, and with what."""

    offer: Offer
    answer: OpenAnswer

    @property
    def about(self) -> dict[str, Any]:
        """What the answer is about: the one account that it chooses of several, else all that the question is about."""
        if self.answer.intent == CHOOSE_SYSTEM:
            return self.offer.subject["choices"][int(self.answer.id) - 1]
        return self.offer.subject


def answered(connection: Connection, inbound: Inbound, intent: str) -> Answered | None:
    """What the message answers, or None. `intent` matters for typed messages only."""
    if inbound.kind == "click":
        return answered_by_click(connection, inbound)
    return answered_by_words(connection, inbound, intent)


def answered_by_click(connection: Connection, inbound: Inbound) -> Answered | None:
    """The offer a click answers; None for a click that came too late or on somebody else's offer."""
    found = _own_and_current(connection, inbound, inbound.offer_id, inbound.answer_id)
    if found is None:
        return None
    target = offers.target_of(offers.raw_answers(connection, found.offer.id), found.answer.id)
    return _own_and_current(connection, inbound, *target) if target else found


def answered_by_words(connection: Connection, inbound: Inbound, intent: str) -> Answered | None:
    """The offer that typed words answer: exactly one of those answerable when they were written (X12)."""
    asked = [offer.as_open() for offer in standing(connection, inbound)]
    resolution = offers.resolve(inbound.text, intent, 1.0, asked, inbound.last_shown)
    if resolution.question in (NONE, SEVERAL):
        return None
    found = _own_and_current(connection, inbound, resolution.offer_id, resolution.answer_id)
    if found is None:
        return None
    target = offers.target_of(offers.raw_answers(connection, found.offer.id), found.answer.id)
    return _own_and_current(connection, inbound, *target) if target else found


def answered_together(connection: Connection, inbound: Inbound) -> list[Answered]:
    """The questions to which typed words such as "yes, both" say yes at once (U9); none where they might mean less."""
    if inbound.kind == "click":
        return []
    pairs = answers.together(inbound.text, [offer.as_open() for offer in standing(connection, inbound)])
    found = [_own_and_current(connection, inbound, offer.id, answer.id) for offer, answer in pairs]
    return [answered for answered in found if answered]


def standing(connection: Connection, inbound: Inbound) -> list[Offer]:
    """The offers that a typed message may answer, as far as they are still open or it has closed them itself."""
    return offers.still_answerable(connection, inbound.answerable, inbound.id, inbound.received_at)


def _own_and_current(
    connection: Connection, inbound: Inbound, offer_id: str | None, answer_id: str | None
) -> Answered | None:
    offer = offers.find(connection, offer_id)
    if offer is None or offer.person_id != inbound.person_id:
        return None
    if offer.expires_at <= inbound.received_at:
        return None
    if offer.state != offers.OPEN and offer.answered_by != inbound.id:
        return None
    answer = offer.answer(answer_id)
    return Answered(offer, answer) if answer else None
