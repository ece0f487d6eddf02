"""Several accounts of one person that are locked at once: all are shown, one yes each or all (U9)."""

import asyncio
from collections.abc import Sequence
from typing import Any

from account_access import offers, policy, turns
from account_access.answers import ALL, CHOOSE_SYSTEM
from account_access.connectors.registry import System
from account_access.requests import Request
from account_access.turns import Answered
from account_access.unlocks import Look
from actions.asking import AskAction
from actions.base import AccountAction, Turn
from actions.own_accounts import LOCKED, SEVERAL_LOCKED, lockouts_listed, outcome_of
from actions.runtime import Seen
from actions.unlock import check_accounts, execute, requests_of, results_listed, unlock_subject

UNLOCKED, PARTLY, TOLD, STALE = "unlocked", "partly_unlocked", "told", "stale"
# Ends after which nobody from IT is needed.
WELL = ("unlocked", "already_unlocked", "still_trying", "handed_over")


class AskUnlockSeveral(AskAction):
    """Which shall I unlock? About those lockouts alone that were seen in this turn, or told of before it."""

    question = "unlock_several"

    async def act(self, turn: Turn) -> str:
        seen = self.runtime.looks.get(turn.cause) or await self.runtime.in_store(lockouts_told, self, turn)
        if outcome_of(seen) != SEVERAL_LOCKED:
            seen = await check_accounts(self, turn)
        self.runtime.remember(turn.cause, seen)
        if outcome_of(seen) != SEVERAL_LOCKED:
            return outcome_of(seen)
        turn.slots["lockouts"] = lockouts_listed(self, turn, seen)
        lockouts = [_subject(one) for one in _locked(seen)]
        return await self.ask(turn, self.response(turn), {"act": "unlock", "choices": lockouts})

    def choice(self, turn: Turn, response: str) -> list[tuple[str, ...]]:
        """One for each account, by the names that people use for its system, then the response's own."""
        locked = _locked(self.runtime.looks[turn.cause])
        each = [(one.system.name, CHOOSE_SYSTEM, *one.system.settings.aliases) for one in locked]
        return [*each, *super().choice(turn, response)]


def _locked(seen: Sequence[Seen]) -> list[Seen]:
    return [one for one in seen if one.look.outcome == LOCKED]


def _subject(seen: Seen) -> dict[str, Any]:
    locked_at = seen.look.locked_at.isoformat() if seen.look.locked_at else None
    about = unlock_subject(seen.system.key, seen.look.external_id, locked_at)
    return {name: value for name, value in about.items() if name != "act"}


def lockouts_told(action: AccountAction, turn: Turn) -> list[Seen]:
    """The lockouts of different systems that open questions ask about, as they told of them."""
    if turn.inbound is None:
        return []
    with action.runtime.store.reading() as connection:
        asked = turns.standing(connection, turn.inbound)
    found: dict[str, Seen] = {}
    for offer in asked:
        system = action.runtime.systems.get(offer.subject.get("system"))
        if offer.subject.get("act") == "unlock" and system is not None:
            locked_at = offers.locked_at(offer.subject)
            found[system.key] = Seen(system, Look(LOCKED, offer.subject["external_id"], locked_at))
    return list(found.values())


class UnlockAccounts(AccountAction):
    """Unlocks every account of the list that this turn says yes to, each for itself, and no other (U9, X12)."""

    def name(self) -> str:
        return "action_unlock_accounts"

    async def act(self, turn: Turn) -> str:
        confirmed = await self.runtime.in_store(self._confirm, turn)
        if not confirmed:
            return STALE
        # At the same time, each in its own system's threads: a slow one holds up no other (law 4).
        await asyncio.gather(*[execute(self, system, request.id) for system, request in confirmed])
        return await self.runtime.in_store(self._tell, turn)

    def _confirm(self, turn: Turn) -> list[tuple[System, Request]]:
        said = [(yes.offer, yes.answer.id, self._chosen(yes)) for yes in self._yeses(turn)]
        if not all(chosen for _, _, chosen in said):
            return []
        self.runtime.unlocks.confirm_all(said, turn.cause)
        requests = requests_of(self, turn)
        return [(self.runtime.systems[request.system], request) for request in requests]

    def _yeses(self, turn: Turn) -> list[Answered]:
        """The one question that was answered with all of its accounts, or all those that "yes, both" answers."""
        found = turn.answered
        if found is not None:
            is_all = found.offer.subject.get("act") == "unlock" and found.answer.intent == ALL
            return [found] if is_all else []
        with self.runtime.store.reading() as connection:
            return turns.answered_together(connection, turn.inbound) if turn.inbound else []

    def _chosen(self, yes: Answered) -> list[dict[str, Any]]:
        """The accounts of the question whose systems the settings still have."""
        things = offers.things_of(yes.offer.subject)
        return [about for about in things if self._can(self.runtime.systems.get(about["system"]))]

    def _can(self, system: System | None) -> bool:
        return system is not None and system.connector is not None

    def _tell(self, turn: Turn) -> str:
        confirmed = requests_of(self, turn)
        turn.slots["results"] = results_listed(self, turn, confirmed)
        ends = {request.outcome or "still_trying" for request in confirmed}
        if ends == {policy.FROZEN}:
            return policy.FROZEN
        if not ends <= set(WELL):
            return PARTLY
        return UNLOCKED if UNLOCKED in ends else TOLD
