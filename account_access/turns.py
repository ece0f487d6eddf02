"""What one turn of the conversation is about, read from the store: who speaks, what they answer, which notice it is.

The channel asks it before Rasa hears a click, the actions ask it again before they act: nothing that a tracker, slot
or entity carries decides whose offer is answered (laws 1 and 2).
"""

from dataclasses import dataclass

from sqlalchemy.engine import Connection

from account_access import offers
from account_access.answers import NONE, SEVERAL, OpenAnswer
from account_access.conversation import Inbound
from account_access.offers import Offer

STALE_INTENT = "stale_answer"


@dataclass(frozen=True)
class Answered:
    """The offer that a message answers, and with what."""

    offer: Offer
    answer: OpenAnswer


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
    candidates = offers.still_answerable(connection, inbound.answerable, inbound.id)
    resolution = offers.resolve(inbound.text, intent, 1.0, [offer.as_open() for offer in candidates])
    if resolution.question in (NONE, SEVERAL):
        return None
    found = _own_and_current(connection, inbound, resolution.offer_id, resolution.answer_id)
    if found is None:
        return None
    target = offers.target_of(offers.raw_answers(connection, found.offer.id), found.answer.id)
    return _own_and_current(connection, inbound, *target) if target else found


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
