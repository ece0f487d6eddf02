"""The question that is open for a person, shown or named once more by whatever action has reason to (X4).

A question that is shown again is the same offer, so that there is still one thing to say yes to (X12).
"""

from account_access import offers, people, turns
from account_access.offers import Offer
from account_access.requests import Request
from actions.base import AccountAction, Turn


def standing(action: AccountAction, turn: Turn, question: str | None = None) -> Offer | None:
    """The person's open question of that name, or of any, that was shown last and a typed answer may concern."""
    if turn.inbound is None:
        return None
    with action.runtime.store.reading() as connection:
        found = turns.standing(connection, turn.inbound)
    named = [offer for offer in found if offer.state == offers.OPEN and question in (None, offer.question)]
    in_time = [offer for offer in named if offer.expires_at > action.now]
    return in_time[-1] if in_time else None


def tell_approve(action: AccountAction, turn: Turn, offer: Offer) -> str:
    """Names once more whose reset waits for this manager's word, and shows that question."""
    request = action.runtime.approvals.waiting(offer.subject["request"], turn.person.id)
    if request is None:
        turn.say("utter_approval_over")
        return "told"
    requester = people.get(action.runtime.store, request.person_id)
    turn.slots["requester_name"] = requester.name or requester.login
    turn.slots["approve_until"] = action.spoken(turn, request.due_at)
    turn.say("utter_tell_standing_approve", offer=offer.id)
    return "told"


def tell_waiting_for(action: AccountAction, turn: Turn, request: Request) -> str:
    """Names the manager who was asked, since when, and how long they have."""
    approver = people.get(action.runtime.store, request.approver_id)
    turn.slots["approver_name"] = approver.name or approver.login
    turn.slots["asked_at"] = action.spoken(turn, request.confirmed_at)
    turn.slots["approve_until"] = action.spoken(turn, request.due_at)
    turn.say("utter_tell_standing_approval")
    return "told"
