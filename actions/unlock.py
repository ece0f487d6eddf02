"""Unlock on request and on a notice's yes (U1-U8, N3): look, ask, unlock, ask how it went.

Several accounts of one person at once: unlock_several.py.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from account_access import offers, tickets, words
from account_access.answers import CHOOSE_SYSTEM
from account_access.connectors.registry import System
from account_access.requests import Request
from account_access.unlocks import Look
from actions.asking import AskAction
from actions.base import AccountAction, Turn, facts_of, turn_to
from actions.own_accounts import lockouts_listed, outcome_of, seen_locked, tell_the_others
from actions.runtime import Seen


class CheckAccount(AccountAction):
    """Looks at the person's accounts now."""

    def name(self) -> str:
        return "action_check_account"

    async def act(self, turn: Turn) -> str:
        seen = await check_accounts(self, turn)
        self.runtime.remember(turn.cause, seen)
        turn_to(turn, seen[0].system)
        if seen[0].look.outcome == "locked":
            turn.slots["locked_since"] = self.spoken(turn, seen[0].look.locked_at)
        if len(seen) > 1:
            turn.slots["lockouts"] = lockouts_listed(self, turn, seen)
            turn.slots["systems"] = ", ".join(one.system.name for one in seen if one.look.outcome == "not_locked")
        await self.runtime.in_store(self._settle, turn, seen)
        return outcome_of(seen)

    def _settle(self, turn: Turn, seen: Sequence[Seen]) -> None:
        """A menu entry that led here is answered: its buttons go grey."""
        close_answered(self, turn)
        tell_the_others(self, turn, seen)


async def check_accounts(action: AccountAction, turn: Turn) -> list[Seen]:
    """A fresh look at each of the person's accounts and what policy allows, the foremost first.

    `down` where a system does not answer within the turn's deadline.
    """
    return await seen_locked(action, turn, partial(_on_system, action, turn, action.runtime.unlocks.check))


async def look_at(action: AccountAction, turn: Turn) -> Look:
    """A fresh look alone; `down` where the system does not answer within the turn's deadline."""
    return await _on_system(action, turn, action.runtime.unlocks.look, turn.system)


async def _on_system(action: AccountAction, turn: Turn, seeing: Callable[[System, str], Look], system: System) -> Look:
    try:
        return await action.runtime.on_system(system, seeing, system, turn.person.id)
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
        seen = self.runtime.looks.get(turn.cause) or await check_accounts(self, turn)
        if outcome_of(seen) != "locked":
            return outcome_of(seen)
        look = seen[0].look
        turn_to(turn, seen[0].system)
        turn.slots["locked_since"] = self.spoken(turn, look.locked_at)
        locked_at = look.locked_at.isoformat() if look.locked_at else None
        return await self.ask(turn, self.response(turn), unlock_subject(turn.system.key, look.external_id, locked_at))


def unlock_subject(system: str, external_id: str | None, locked_at: str | None) -> dict[str, Any]:
    """What an offer to unlock is about: this lockout of this account, no other."""
    return {"act": "unlock", "system": system, "external_id": external_id, "locked_at": locked_at}


class UnlockAccount(AccountAction):
    """Unlocks the account of the offer that this turn answers, or the one it chooses of several, no other (X12)."""

    def name(self) -> str:
        return "action_unlock_account"

    async def act(self, turn: Turn) -> str:
        found = turn.answered
        if found is None or found.offer.subject.get("act") != "unlock":
            return "stale"
        if found.answer.intent not in ("affirm", CHOOSE_SYSTEM):
            return "stale"
        system = self.runtime.systems.get(found.about["system"])
        if system is None or system.connector is None:
            await self.runtime.in_store(close_answered, self, turn)
            return "instructions"
        confirm = self.runtime.unlocks.confirm
        request_id = await self.runtime.in_store(confirm, found.offer, found.answer.id, turn.cause, found.about)
        if request_id is None:
            return "stale"
        outcome = await execute(self, system, request_id)
        if outcome == "handed_over":
            await self.runtime.in_store(tell_ticket, self, turn, request_id)
        return outcome


async def execute(action: AccountAction, system: System, request_id: str) -> str:
    """Runs a confirmed unlock and returns its outcome; the end of one that takes longer than the turn is promised."""
    unlocks = action.runtime.unlocks
    try:
        outcome = await action.runtime.on_system(system, unlocks.execute, system, request_id)
    except asyncio.TimeoutError:
        outcome = "still_trying"
    return await action.runtime.in_store(unlocks.promise, request_id) if outcome == "still_trying" else outcome


class AskAfterUnlock(AskAction):
    """It is unlocked: did it work? Says so only if a request of this turn really ended so (law 11)."""

    question = "after_unlock"

    def response(self, turn: Turn) -> str:
        return f"utter_ask_{self.question}_several" if "results" in turn.slots else super().response(turn)

    async def subject(self, turn: Turn) -> dict[str, Any] | None:
        return await self.runtime.in_store(self._ended_well, turn)

    def without_subject(self, turn: Turn) -> str:
        return "failed"

    def _ended_well(self, turn: Turn) -> dict[str, Any] | None:
        confirmed = requests_of(self, turn)
        done = [request.id for request in confirmed if request.outcome == "unlocked"]
        if not done:
            return None
        tell_ticket(self, turn, done[0])
        if len(confirmed) == 1:
            return {"request": done[0]}
        turn.slots["results"] = results_listed(self, turn, confirmed)
        return {"requests": done}


class AskAfterLockout(AskAfterUnlock):
    """The same after a notice's yes, with the seed's three buttons (N5)."""

    question = "after_lockout"


def tell_ticket(action: AccountAction, turn: Turn, request_id: str) -> None:
    """Gives responses the reference of the ticket that records the request, if there is one."""
    with action.runtime.store.reading() as connection:
        ticket = tickets.of_request(connection, request_id)
    if ticket:
        turn.slots["ticket_reference"] = ticket.reference(action.runtime.settings.desk.prefix)


def requests_of(action: AccountAction, turn: Turn) -> list[Request]:
    """The requests that this turn confirmed, or the one that its follow-up tells of."""
    unlocks = action.runtime.unlocks
    if turn.notice is not None:
        found = unlocks.find(turn.notice.facts.get("request", ""))
        return [found] if found else []
    return unlocks.of_cause(turn.cause)


def results_listed(action: AccountAction, turn: Turn, confirmed: Sequence[Request]) -> str:
    """A line for each unlock with what came of it, in the order of the settings and the words of the domain."""
    lines = []
    for key, system in action.runtime.systems.items():
        for request in confirmed:
            if request.system == key:
                lines.append(_result(action, turn.domain["responses"], system, request))
    return "\n".join(lines)


def _result(action: AccountAction, responses: Mapping[str, Any], system: System, request: Request) -> str:
    with action.runtime.store.reading() as connection:
        ticket = tickets.of_request(connection, request.id)
    reference = ticket.reference(action.runtime.settings.desk.prefix) if ticket else ""
    facts = {**facts_of(system), "ticket_reference": reference}
    for outcome in (request.outcome or "still_trying", "other"):
        line = words.fill(responses, f"utter_unlock_result_{outcome}", facts)
        if line:
            return line
    raise KeyError("domain.yml has no response utter_unlock_result_other")
