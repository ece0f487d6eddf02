"""How things stand: what is waited for, and what a question means (X4).

"What now?", "when will it be back?" and "did she answer?" mean what the store says is open for this person; the words
alone do not tell.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from account_access import freezes, links, outages, policy, requests, tickets
from account_access.offers import Offer
from account_access.outages import Outage
from account_access.requests import Request
from account_access.tickets import Ticket
from actions.base import Turn, turn_to
from actions.open_questions import standing, tell_approve, tell_waiting_for
from actions.support import StoreAction

STATUS_REACH = timedelta(days=30)
# A page behind a link asks its questions soon after it was given.
LINK_REACH = timedelta(hours=1)
DONE = {
    "after_reset": "utter_tell_standing_reset",
    "after_unlock": "utter_tell_standing_unlocked",
    "after_lockout": "utter_tell_standing_unlocked",
}


class TellStanding(StoreAction):
    """What became of it: of the ticket, the manager's word, the silent system; whichever is the latest."""

    def name(self) -> str:
        return "action_tell_standing"

    def in_store(self, turn: Turn) -> str:
        with self.runtime.store.reading() as connection:
            if freezes.standing(connection, turn.person.id) is not None:
                return policy.FROZEN
        if turn.previous_intent == "share_secret":
            turn.say("utter_tell_standing_secret")
            return "told"
        waits = self._waits(turn)
        done = standing(self, turn)
        if done and done.question in DONE and all(since <= done.created_at for since, _ in waits):
            return self._done(turn, done)
        if not waits:
            return "ticket_none"
        _, tell = max(waits, key=lambda wait: wait[0])
        return tell()

    def _waits(self, turn: Turn) -> list[tuple[datetime, Callable[[], str]]]:
        """What this person may mean: since when (UTC), and how it is told."""
        me, since = turn.person.id, self.now - STATUS_REACH
        with self.runtime.store.reading() as connection:
            ticket = tickets.latest(connection, me, since, tickets.OPEN)
            # Only where nothing is open: an act's own ticket is resolved as soon as it is opened.
            ticket = ticket or tickets.latest(connection, me, since)
            changed = tickets.changed_at(connection, ticket.id) if ticket else None
            asked = self.runtime.approvals.asked(connection, me)
            wanted = code_wanted(self, connection, turn)
            outage = outages.waited_for(connection, self.now, me)
        decision = standing(self, turn, "approve")
        found: list[tuple[datetime, Callable[[], str]]] = []
        if ticket:
            found.append((changed, lambda: self._told(turn, ticket, changed)))
        if asked:
            found.append((asked.confirmed_at, lambda: tell_waiting_for(self, turn, asked)))
        if wanted:
            found.append((wanted.confirmed_at, lambda: tell_code(turn, wanted)))
        if outage:
            found.append((outage.since, lambda: self._silent(turn, outage)))
        if decision:
            found.append((decision.created_at, lambda: tell_approve(self, turn, decision)))
        return found

    def _done(self, turn: Turn, offer: Offer) -> str:
        """An act is over, and the question how it went stands: what its owner does next."""
        with self.runtime.store.reading() as connection:
            request = requests.find(connection, offer.subject["request"])
        turn_to(turn, self.runtime.systems.get(request.system) or turn.system)
        turn.say(DONE[offer.question], offer=offer.id)
        return "told"

    def _told(self, turn: Turn, ticket: Ticket, changed: datetime) -> str:
        self.told(turn, ticket)
        turn.slots["ticket_changed"] = self.spoken(turn, changed)
        return "ticket_told" if ticket.state == tickets.OPEN else "ticket_closed"

    def _silent(self, turn: Turn, outage: Outage) -> str:
        system = self.runtime.systems.get(outage.system) or turn.system
        turn.slots["system_name"] = system.name
        turn.say("utter_tell_standing_system")
        return "told"


class TellApproval(StoreAction):
    """Ask my manager: I have, and this is how long they have; or whether that is wanted at all (M9)."""

    def name(self) -> str:
        return "action_tell_approval"

    def in_store(self, turn: Turn) -> str:
        with self.runtime.store.reading() as connection:
            asked = self.runtime.approvals.asked(connection, turn.person.id)
        offer = standing(self, turn, "approval")
        if asked:
            return tell_waiting_for(self, turn, asked)
        if offer:
            turn.say("utter_tell_approval_offered", offer=offer.id)
        else:
            turn.say("utter_tell_approval_none")
        return "told"


class TellMeaning(StoreAction):
    """What is that? About the question that is open, or the code that is waited for; nothing is begun by asking."""

    def name(self) -> str:
        return "action_tell_meaning"

    def in_store(self, turn: Turn) -> str:
        with self.runtime.store.reading() as connection:
            wanted = code_wanted(self, connection, turn)
        if wanted:
            return tell_code(turn, wanted)
        offer = standing(self, turn)
        if offer and offer.question == "approve":
            return tell_approve(self, turn, offer)
        response = f"utter_tell_meaning_{offer.question}" if offer else ""
        if response in turn.domain["responses"]:
            turn.say(response, offer=offer.id)
        else:
            turn.say("utter_tell_meaning_link" if self._has_a_link(turn) else "utter_tell_meaning_other")
        return "told"

    def _has_a_link(self, turn: Turn) -> bool:
        """Whether this may be about the page behind a link that the person was just given."""
        with self.runtime.store.reading() as connection:
            return links.made_since(connection, turn.person.id, self.now - LINK_REACH)


class TellIfSafe(StoreAction):
    """Is that safe? Of the assistant; to a manager who is asked for their word, of what they are asked."""

    def name(self) -> str:
        return "action_tell_if_safe"

    def in_store(self, turn: Turn) -> str:
        offer = standing(self, turn, "approve")
        if offer:
            return tell_approve(self, turn, offer)
        turn.say("utter_tell_if_safe")
        offer = standing(self, turn)
        if offer and offer.question == "password":
            turn.say("utter_tell_meaning_password", offer=offer.id)
        return "told"


class TellQuestionStands(StoreAction):
    """The lockout's question once more, with its buttons; silent if it was answered or settled meanwhile."""

    def name(self) -> str:
        return "action_tell_question_stands"

    def in_store(self, turn: Turn) -> str:
        offer = standing(self, turn, "lockout")
        if offer:
            turn.say("utter_tell_question_stands", offer=offer.id)
        return "told"


def code_wanted(action: StoreAction, connection: Connection, turn: Turn) -> Request | None:
    """The reset that waits for a code of this very session, if there is one (M7)."""
    session = turn.inbound.session_id if turn.inbound else None
    return action.runtime.proofs.asked(connection, turn.person.id, session) if session else None


def tell_code(turn: Turn, wanted: Request) -> str:
    """Which code is meant, and where it goes: never into the chat."""
    turn.slots["proof_path"] = f"/prove/{wanted.id}"
    turn.say("utter_tell_meaning_code")
    return "told"
