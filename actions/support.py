"""Tickets and endings: get help, resolved, re-opened, dismissed, too late (U4-U7, N4, X3)."""

from abc import ABC, abstractmethod
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.engine import Connection

from account_access import offers, requests, tickets, turns
from account_access.store import tables
from account_access.tickets import Ticket
from actions.base import AccountAction, Turn
from actions.open_questions import standing, tell_approve
from actions.unlock import close_answered

# A second "get help" within this belongs to the ticket that is open already.
SAME_TROUBLE = timedelta(hours=1)
# How far back "it works now" and "still can't get in" reach without an offer.
RECENT = timedelta(hours=24)
LAST_MESSAGES = 5


class StoreAction(AccountAction, ABC):
    """Base of actions that need the store alone."""

    async def act(self, turn: Turn) -> str:
        return await self.runtime.in_store(self.in_store, turn)

    @abstractmethod
    def in_store(self, turn: Turn) -> str:
        """Does the work in the store's threads and returns the outcome."""

    def told(self, turn: Turn, *found: Ticket) -> None:
        prefix = self.runtime.settings.desk.prefix
        turn.slots["ticket_reference"] = ", ".join(ticket.reference(prefix) for ticket in found)


def tickets_asked_about(connection: Connection, turn: Turn) -> list[Ticket] | None:
    """The tickets of the acts that the answered question asks about; None where it asks about none."""
    subject = turn.answered.offer.subject if turn.answered else {}
    asked = subject.get("requests") or [subject[name] for name in ("request",) if subject.get(name)]
    if not asked:
        return None
    found = [tickets.of_request(connection, request_id) for request_id in asked]
    return sorted((ticket for ticket in found if ticket), key=lambda ticket: ticket.number)


class OpenTicket(StoreAction):
    """A ticket with the conversation's facts; one for the same trouble."""

    def name(self) -> str:
        return "action_open_ticket"

    def in_store(self, turn: Turn) -> str:
        close_answered(self, turn)
        with self.runtime.store.begin() as connection:
            key = f"help:{turn.cause}"
            open_one = tickets.latest(connection, turn.person.id, self.now - SAME_TROUBLE, tickets.OPEN)
            if open_one is not None and not tickets.has_key(connection, open_one.id, key):
                tickets.note(connection, self.now, open_one, "Asked for help again in chat.", turn.cause)
                self.told(turn, open_one)
                return "ticket_known"
            ticket = tickets.open_ticket(
                connection,
                self.now,
                turn.person.id,
                key,
                "Help with account access asked for in chat",
                self._facts_of(connection, turn),
            )
        self.told(turn, ticket)
        return "ticket_opened"

    def _facts_of(self, connection, turn: Turn) -> str:
        """For the desk: who, about what, and the last messages as stored (redacted)."""
        table = tables.inbound
        rows = connection.execute(
            select(table.c.text, table.c.received_at)
            .where(table.c.person_id == turn.person.id)
            .order_by(table.c.seq.desc())
            .limit(LAST_MESSAGES)
        ).all()
        lines = [f"{turn.person.name or turn.person.login} ({turn.person.login}) asked for help with account access."]
        if turn.answered:
            lines.append(
                f"Open question: {turn.answered.offer.question} {turn.answered.offer.subject.get('cause', '')}"
            )
        lines.append("Last messages:")
        # What a message says on further lines stays recognisable as the message's.
        lines += [
            f"  {row.received_at:%Y-%m-%d %H:%M} UTC  {row.text}".replace("\n", "\n    | ") for row in reversed(rows)
        ]
        return "\n".join(lines)


class MarkResolved(StoreAction):
    """It worked: counted as resolved by claim (X8). A manager's "all good" is not yet their word."""

    def name(self) -> str:
        return "action_mark_resolved"

    def in_store(self, turn: Turn) -> str:
        close_answered(self, turn)
        asked_of_me = standing(self, turn, "approve")
        if asked_of_me:
            return tell_approve(self, turn, asked_of_me)
        with self.runtime.store.begin() as connection:
            found = self._tickets(connection, turn)
            if not found:
                return "not_over" if self._lock_is_asked_about(connection, turn) else "nothing_open"
            for ticket in found:
                requests.claim_resolved(connection, self.now, ticket.request_id)
                # Re-opened before, it works after all.
                tickets.change_state(
                    connection, self.now, ticket, tickets.RESOLVED, "The person says that it works.", turn.cause
                )
        return "resolved"

    def _tickets(self, connection, turn: Turn) -> list[Ticket]:
        asked = tickets_asked_about(connection, turn)
        latest = (
            tickets.latest(connection, turn.person.id, self.now - RECENT, of_unlock=True) if asked is None else None
        )
        return [latest] if latest else asked or []

    def _lock_is_asked_about(self, connection, turn: Turn) -> bool:
        """Whether "shall I unlock it?" stands unanswered: then a look comes before any gladness."""
        if turn.inbound is None:
            return False
        found = turns.standing(connection, turn.inbound)
        return any(offer.subject.get("act") == "unlock" for offer in found)


class ReopenIssue(StoreAction):
    """Still no luck: the ticket opens again; for steps that were read and did not help, a new one is offered."""

    def name(self) -> str:
        return "action_reopen_issue"

    def in_store(self, turn: Turn) -> str:
        close_answered(self, turn)
        if self._steps_were_read(turn):
            return "not_helped"
        with self.runtime.store.begin() as connection:
            found = self._tickets(connection, turn)
            if not found:
                return "nothing_open"
            why = "The person still cannot sign in and re-opened it."
            reopened = [
                tickets.change_state(connection, self.now, ticket, tickets.OPEN, why, turn.cause) for ticket in found
            ]
        self.told(turn, *found)
        return "reopened" if any(reopened) else "ticket_known"

    def _steps_were_read(self, turn: Turn) -> bool:
        """Whether "did the steps help?" stands, or the ticket that was offered because they did not."""
        if standing(self, turn, "after_article"):
            return True
        offered = standing(self, turn, "help")
        return offered is not None and offered.subject["cause"] == "not_helped"

    def _tickets(self, connection, turn: Turn) -> list[Ticket]:
        asked = tickets_asked_about(connection, turn)
        latest = (
            tickets.latest(connection, turn.person.id, self.now - RECENT, security=False) if asked is None else None
        )
        return [latest] if latest else asked or []


class Dismiss(StoreAction):
    """No, or Cancel: the question is closed, and every other one about the same thing."""

    def name(self) -> str:
        return "action_dismiss"

    def in_store(self, turn: Turn) -> str:
        if turn.answered is None:
            return "nothing_open"
        close_answered(self, turn)
        act = turn.answered.offer.subject.get("act")
        if act == "unlock":
            with self.runtime.store.begin() as connection:
                for system in offers.systems_of(turn.answered.offer.subject):
                    offers.overtake(connection, self.now, turn.person.id, system, ("unlock", "lockout"))
        return "dismissed"


class ExplainStale(StoreAction):
    """A button that came too late: the truth about it, and nothing done (X3)."""

    def name(self) -> str:
        return "action_explain_stale"

    def in_store(self, turn: Turn) -> str:
        offer = offers.get(self.runtime.store, turn.inbound.offer_id) if turn.inbound else None
        if offer is None or offer.person_id != turn.person.id:
            return "stale_expired"
        state = offer.state_at(self.now)
        if state == offers.ANSWERED:
            return "stale_answered"
        return "stale_expired" if state == offers.EXPIRED else "stale_overtaken"
