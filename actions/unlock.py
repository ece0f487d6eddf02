"""Unlock on request and on a notice's yes (U1-U8, N3): look, ask, unlock, ask how it went."""

import asyncio
from collections.abc import Callable
from typing import Any

from account_access import offers, tickets
from account_access.connectors.registry import System
from account_access.requests import Request
from account_access.unlocks import Look
from actions.asking import AskAction
from actions.base import AccountAction, Turn


class CheckAccount(AccountAction):
    """Looks at the person's account now."""

    def name(self) -> str:
        return "action_check_account"

    async def act(self, turn: Turn) -> str:
        look = await check_account(self, turn)
        self.runtime.remember(turn.cause, look)
        if look.outcome == "locked":
            turn.slots["locked_since"] = self.spoken(turn, look.locked_at)
        await self.runtime.in_store(self._close_menu, turn)
        return look.outcome

    def _close_menu(self, turn: Turn) -> None:
        """A menu entry that led here is answered: its buttons go grey."""
        close_answered(self, turn)


async def check_account(action: AccountAction, turn: Turn) -> Look:
    """A fresh look and what policy allows; `down` where the system does not answer within the turn's deadline."""
    return await _on_system(action, turn, action.runtime.unlocks.check)


async def look_at(action: AccountAction, turn: Turn) -> Look:
    """A fresh look alone; `down` where the system does not answer within the turn's deadline."""
    return await _on_system(action, turn, action.runtime.unlocks.look)


async def _on_system(action: AccountAction, turn: Turn, seeing: Callable[[System, str], Look]) -> Look:
    try:
        return await action.runtime.on_system(turn.system, seeing, turn.system, turn.person.id)
    except asyncio.TimeoutError:
        return Look("down", reason="no answer within the turn's deadline")


def close_answered(action: AccountAction, turn: Turn) -> None:
    """Closes the offer that this turn answers, if it is still open."""
    if turn.answered is None:
        return
    with action.runtime.store.begin() as connection:
        offers.close(
            connection, action.now, turn.answered.offer.id, offers.ANSWERED, turn.answered.answer.id, turn.cause
        )


class AskUnlock(AskAction):
    """Shall I unlock it? Only about a lockout that was seen in this turn."""

    question = "unlock"

    async def act(self, turn: Turn) -> str:
        look = self.runtime.looks.get(turn.cause) or await check_account(self, turn)
        if look.outcome != "locked":
            return look.outcome
        turn.slots["locked_since"] = self.spoken(turn, look.locked_at)
        locked_at = look.locked_at.isoformat() if look.locked_at else None
        return await self.ask(turn, self.response(turn), unlock_subject(turn.system.key, look.external_id, locked_at))


def unlock_subject(system: str, external_id: str | None, locked_at: str | None) -> dict[str, Any]:
    """What an offer to unlock is about: this lockout of this account, no other."""
    return {"act": "unlock", "system": system, "external_id": external_id, "locked_at": locked_at}


class UnlockAccount(AccountAction):
    """Unlocks the account of the offer that this turn answers, and nothing else (X12)."""

    def name(self) -> str:
        return "action_unlock_account"

    async def act(self, turn: Turn) -> str:
        found = turn.answered
        if found is None or found.offer.subject.get("act") != "unlock" or found.answer.intent != "affirm":
            return "stale"
        system = self.runtime.systems.get(found.offer.subject["system"])
        if system is None or system.connector is None:
            await self.runtime.in_store(close_answered, self, turn)
            return "instructions"
        unlocks = self.runtime.unlocks
        request_id = await self.runtime.in_store(unlocks.confirm, found.offer, found.answer.id, turn.cause)
        if request_id is None:
            return "stale"
        try:
            outcome = await self.runtime.on_system(system, unlocks.execute, system, request_id)
        except asyncio.TimeoutError:
            outcome = "still_trying"
        if outcome == "still_trying":
            outcome = await self.runtime.in_store(unlocks.promise, request_id)
        if outcome == "handed_over":
            await self.runtime.in_store(tell_ticket, self, turn, request_id)
        return outcome


class AskAfterUnlock(AskAction):
    """It is unlocked: did it work? Says so only if a request of this turn really ended so (law 11)."""

    question = "after_unlock"

    async def subject(self, turn: Turn) -> dict[str, Any] | None:
        return await self.runtime.in_store(self._ended_well, turn)

    def without_subject(self, turn: Turn) -> str:
        return "failed"

    def _ended_well(self, turn: Turn) -> dict[str, Any] | None:
        request = request_of(self, turn)
        if request is None or request.outcome != "unlocked":
            return None
        tell_ticket(self, turn, request.id)
        return {"request": request.id}


class AskAfterLockout(AskAfterUnlock):
    """The same after a notice's yes, with the seed's three buttons (N5)."""

    question = "after_lockout"


def tell_ticket(action: AccountAction, turn: Turn, request_id: str) -> None:
    """Gives responses the reference of the ticket that records the request, if there is one."""
    with action.runtime.store.reading() as connection:
        ticket = tickets.of_request(connection, request_id)
    if ticket:
        turn.slots["ticket_reference"] = ticket.reference(action.runtime.settings.desk.prefix)


def request_of(action: AccountAction, turn: Turn) -> Request | None:
    """The request that this turn confirmed, or that its follow-up tells of."""
    unlocks = action.runtime.unlocks
    if turn.notice is not None:
        return unlocks.find(turn.notice.facts.get("request", ""))
    return unlocks.of_offer(turn.answered.offer.id, turn.cause) if turn.answered else None
