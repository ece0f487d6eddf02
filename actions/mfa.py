"""Resetting one's own MFA, and the manager's word on it (M1-M4, M7-M9): look, choose, ask, reset, ask how it went."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from account_access import notices, people, policy
from account_access.answers import CHOOSE_SYSTEM
from account_access.connectors.base import Factor, SystemFailure
from account_access.connectors.registry import System
from account_access.people import Person
from account_access.requests import Request
from account_access.resets import Choice, FactorLook
from actions.asking import AskAction
from actions.base import AccountAction, Turn, turn_to
from actions.notices import Announcement
from actions.own_accounts import RESETTABLE, seen_factors, tell_the_silent
from actions.runtime import Seen
from actions.unlock import close_answered, tell_ticket

# The answer that stands for a factor, or for all of them; nobody types it, so that no classifier chooses what goes.
CHOOSE = "choose_factor"
SEVERAL_SYSTEMS = "several_systems"


async def on_system(action: AccountAction, turn: Turn, function: Callable, *arguments: Any) -> Any:
    """Runs a function that calls the system; None where there is no answer within the turn's deadline."""
    try:
        return await action.runtime.on_system(turn.system, function, *arguments)
    except asyncio.TimeoutError:
        return None


async def look_at_factors(action: AccountAction, turn: Turn) -> list[Seen]:
    """A fresh look at the factors of each account that this turn is about, the foremost first.

    `down` where a system does not answer within the turn's deadline.
    """
    return await seen_factors(action, turn, partial(factors_in, action, turn))


async def factors_in(action: AccountAction, turn: Turn, system: System) -> FactorLook:
    """A fresh look at the person's factors in one system; `down` where it does not answer within the deadline."""
    try:
        return await action.runtime.on_system(system, action.runtime.resets.check, system, turn.person.id)
    except asyncio.TimeoutError:
        return FactorLook("down", reason="no answer within the turn's deadline")


def resettable(seen: Sequence[Seen]) -> list[System]:
    """The systems in which there is something to reset."""
    return [one.system for one in seen if one.look.outcome in RESETTABLE]


class CheckFactors(AccountAction):
    """Looks at the person's factors now, and at what policy and settings allow of them."""

    def name(self) -> str:
        return "action_check_factors"

    async def act(self, turn: Turn) -> str:
        seen = await look_at_factors(self, turn)
        self.runtime.remember(turn.cause, seen)
        turn_to(turn, seen[0].system)
        await self.runtime.in_store(self._settle, turn, seen)
        if len(resettable(seen)) > 1:
            return SEVERAL_SYSTEMS
        look = seen[0].look
        if look.outcome == "several_factors" and chosen(turn, look):
            return "one_factor"
        return look.outcome

    def _settle(self, turn: Turn, seen: Sequence[Seen]) -> None:
        """A menu entry that led here is answered: its buttons go grey."""
        close_answered(self, turn)
        tell_the_silent(self, turn, seen[1:])


class AskMfaSystem(AskAction):
    """Of which system? Asked where the person could reset something in several, and named none (U9)."""

    question = "mfa_system"

    async def subject(self, turn: Turn) -> dict[str, Any] | None:
        seen = self.runtime.looks.get(turn.cause) or await look_at_factors(self, turn)
        self.runtime.remember(turn.cause, seen)
        return {"choices": [{"system": system.key} for system in resettable(seen)]} if resettable(seen) else None

    def choice(self, turn: Turn, response: str) -> list[tuple[str, ...]]:
        """One for each system, by the names that people use for it, then the response's own."""
        systems = resettable(self.runtime.looks[turn.cause])
        each = [(system.name, CHOOSE_SYSTEM, *system.settings.aliases) for system in systems]
        return [*each, *super().choice(turn, response)]


def chosen(turn: Turn, look: FactorLook) -> Choice | None:
    """What the person has chosen: by this answer, or in the question that it answers; else the only thing there is."""
    about = turn.answered.offer.subject if turn.answered else {}
    if turn.answered and turn.answered.answer.intent == CHOOSE:
        return look.chosen(about["ids"][int(turn.answered.answer.id) - 1])
    return look.chosen(about["factor_ids"]) if about.get("factor_ids") else look.only


class OfFactors(AskAction, ABC):
    """Base of the questions about the factors of one account."""

    async def seen(self, turn: Turn) -> FactorLook:
        """The look of this turn, or a fresh one; the question is about its system."""
        seen = self.runtime.looks.get(turn.cause) or await look_at_factors(self, turn)
        self.runtime.remember(turn.cause, seen)
        turn_to(turn, seen[0].system)
        return seen[0].look


class AskFactor(OfFactors):
    """Which one is it? The answers are the person's own factors, by the names they know them by (M4)."""

    question = "factor"

    async def act(self, turn: Turn) -> str:
        look = await self.seen(turn)
        if look.outcome != "several_factors":
            return look.outcome
        listed = [choice.ids for choice in (*look.choices, look.everything) if choice]
        return await self.ask(turn, self.response(turn), {"system": turn.system.key, "ids": listed})

    def choice(self, turn: Turn, response: str) -> list[tuple[str, str]]:
        """The factors, then the response's buttons; the one for all of them only where all at once may go."""
        look = self.runtime.looks[turn.cause][0].look
        factors = [(called(turn.domain, choice.called), CHOOSE) for choice in look.choices]
        others = super().choice(turn, response)
        return factors + [(title, intent) for title, intent in others if intent != CHOOSE or look.everything]


def called(domain: dict[str, Any], factors: Sequence[Factor]) -> str:
    """The factors in the words of the domain (`utter_factor_<kind>`) and by the names that their owner gave them."""
    names: dict[str, list[str]] = {}
    for factor in factors:
        names.setdefault(domain["responses"][f"utter_factor_{factor.kind.value}"][0]["text"], []).append(factor.name)
    told = [(title, ", ".join(filter(None, given))) for title, given in names.items()]
    return ", ".join(f"{title} ({given})" if given else title for title, given in told)


class FactorQuestion(OfFactors, ABC):
    """Base of the questions about certain factors: those just chosen, those asked about before, or the only ones."""

    async def act(self, turn: Turn) -> str:
        look = await self.seen(turn)
        if look.outcome not in RESETTABLE:
            return look.outcome
        choice = chosen(turn, look)
        await self.runtime.in_store(close_answered, self, turn)
        if choice is None:
            return "factors_changed"
        before = await self.before(turn, choice)
        if before:
            return before
        turn.slots["factors"] = called(turn.domain, choice.factors)
        subject = {"act": "reset_mfa", "system": turn.system.key, "external_id": look.external_id}
        return await self.ask(turn, self.response(turn), {**subject, "factor_ids": choice.ids})

    async def before(self, turn: Turn, choice: Choice) -> str | None:
        """The outcome where something else comes first."""
        return None


class AskResetMfa(FactorQuestion):
    """Shall I reset it? It names what goes (M4), and is asked only where a yes would do (M7)."""

    question = "reset_mfa"

    async def before(self, turn: Turn, choice: Choice) -> str | None:
        verdict = await on_system(self, turn, self._verdict, turn, choice) or "down"
        return None if verdict == policy.ACT else verdict

    def _verdict(self, turn: Turn, choice: Choice) -> str:
        has_session = bool(turn.inbound and turn.inbound.session_id)
        about = (turn.system, turn.person.id, choice.ids)
        return self.runtime.resets.verdict(*about, signed_in_ago(turn), has_session)


def signed_in_ago(turn: Turn) -> timedelta | None:
    """How long before this message its sender had signed in; None where nobody can tell."""
    return turn.inbound.signed_in_ago if turn.inbound else None


def undated(turn: Turn) -> bool:
    """Whether nobody could tell that after another sign-in either."""
    return turn.inbound is not None and turn.inbound.undated


class AskApproval(FactorQuestion):
    """Sign in again, or shall I ask your manager? The response says which is wanted (M7, M9)."""

    question = "approval"

    def response(self, turn: Turn) -> str:
        return "utter_ask_approval_stale" if turn.outcome == policy.SIGN_IN_AGAIN else "utter_ask_approval"


class AskProof(FactorQuestion):
    """Shall I reset it, once a code of another factor has shown on a page of ours that it's you? (M7)"""

    question = "proof"


class RequestProof(AccountAction):
    """Gives the page where the code is entered; the reset waits for it. No code ever comes into the chat (M7)."""

    def name(self) -> str:
        return "action_request_proof"

    async def act(self, turn: Turn) -> str:
        found = turn.answered
        if found is None or found.offer.question != AskProof.question or found.answer.intent != "affirm":
            return "stale"
        if turn.inbound is None or turn.inbound.session_id is None:
            return "stale"
        proofs = self.runtime.proofs
        request_id = await self.runtime.in_store(
            proofs.ask, found.offer, found.answer.id, turn.cause, turn.inbound.session_id
        )
        if request_id is None:
            return "stale"
        turn.slots["proof_path"] = f"/prove/{request_id}"
        return "proof_asked"


class ResetMfa(AccountAction):
    """Removes the factors that the question answered by this turn named, and nothing else (X12)."""

    def name(self) -> str:
        return "action_reset_mfa"

    async def act(self, turn: Turn) -> str:
        found = turn.answered
        if found is None or found.offer.question != "reset_mfa" or found.answer.intent != "affirm":
            return "stale"
        system = self.runtime.systems.get(found.offer.subject["system"])
        if system is None or system.connector is None:
            await self.runtime.in_store(close_answered, self, turn)
            return "mfa_instructions"
        resets = self.runtime.resets
        request_id = await self.runtime.in_store(resets.confirm, found.offer, found.answer.id, turn.cause)
        if request_id is None:
            return "stale"
        outcome = await on_system(self, turn, resets.execute, system, request_id) or "still_trying"
        if outcome == "still_trying":
            outcome = await self.runtime.in_store(resets.promise, request_id)
        if outcome == resets.given_up:
            await self.runtime.in_store(tell_ticket, self, turn, request_id)
        return outcome


class AskAfterReset(AskAction):
    """Reset complete: did it work? Says so only if a request of this turn really ended so (law 11)."""

    question = "after_reset"

    async def subject(self, turn: Turn) -> dict[str, Any] | None:
        return await self.runtime.in_store(self._ended_well, turn)

    def without_subject(self, turn: Turn) -> str:
        return "mfa_failed"

    def _ended_well(self, turn: Turn) -> dict[str, Any] | None:
        request = self._request(turn)
        if request is None or request.outcome != "mfa_reset":
            return None
        tell_ticket(self, turn, request.id)
        return {"request": request.id}

    def _request(self, turn: Turn) -> Request | None:
        resets = self.runtime.resets
        if turn.notice is not None:
            return resets.find(turn.notice.facts.get("request", ""))
        return resets.of_offer(turn.answered.offer.id, turn.cause) if turn.answered else None


class RequestApproval(AccountAction):
    """Asks the person's manager, whom the directory names now (M9)."""

    def name(self) -> str:
        return "action_request_approval"

    async def act(self, turn: Turn) -> str:
        found = turn.answered
        if found is None or found.offer.question != "approval" or found.answer.intent != "affirm":
            return "stale"
        approvals, subject = self.runtime.approvals, found.offer.subject
        if self.runtime.resets.of_offer(found.offer.id, turn.cause) is None:
            try:
                approver = await self.runtime.on_system(
                    turn.system, approvals.approver, turn.system, subject["external_id"]
                )
            except (SystemFailure, asyncio.TimeoutError):
                return "down"
            if approver is None:
                await self.runtime.in_store(close_answered, self, turn)
                return "no_approver"
            asked = await self.runtime.in_store(approvals.ask, found.offer, found.answer.id, turn.cause, approver)
            if asked is None:
                return "stale"
        await self.runtime.in_store(self._tell_approver, turn)
        return "approval_asked"

    def _tell_approver(self, turn: Turn) -> None:
        request = self.runtime.resets.of_offer(turn.answered.offer.id, turn.cause)
        approver = people.get(self.runtime.store, request.approver_id)
        turn.slots["approver_name"] = approver.name or approver.login


class AskApprove(AskAction, Announcement):
    """Somebody's reset waits for your word: a notice to the manager (M9)."""

    question = "approve"

    async def act(self, turn: Turn) -> str:
        if turn.notice is None or turn.notice.kind != notices.APPROVAL:
            return "notice_dropped"
        request = await self.runtime.in_store(self._waiting, turn)
        if request is None:
            await self.runtime.in_store(self.drop, turn, "decided or over when it was about to be told")
            return "notice_dropped"
        until = request.due_at.isoformat()
        subject = {"system": request.system, "request": request.id, "until": until}
        return await self.ask(turn, self.response(turn), subject)

    def _waiting(self, turn: Turn) -> Request | None:
        request = self.runtime.approvals.waiting(turn.notice.facts["request"], turn.person.id)
        if request:
            requester = people.get(self.runtime.store, request.person_id)
            turn.slots["requester_name"] = requester.name or requester.login
            turn.slots["approve_until"] = self.spoken(turn, request.due_at)
        return request

    def lasts(self, turn: Turn, subject: dict[str, Any]) -> timedelta:
        return datetime.fromisoformat(subject["until"]) - self.now


class DecideReset(AccountAction, ABC):
    """Base of the manager's yes and no: only on the question that was put to them."""

    intent: str

    async def act(self, turn: Turn) -> str:
        found = turn.answered
        if found is None or found.offer.question != "approve" or found.answer.intent != self.intent:
            return "stale"
        await self.runtime.in_store(self._tell_requester, turn)
        return await self.decide(turn)

    @abstractmethod
    async def decide(self, turn: Turn) -> str:
        """Notes the word and returns the outcome."""

    def _tell_requester(self, turn: Turn) -> None:
        request = self.runtime.resets.find(turn.answered.offer.subject["request"])
        requester: Person = people.get(self.runtime.store, request.person_id)
        turn.slots["requester_name"] = requester.name or requester.login


class ApproveReset(DecideReset):
    """The manager's yes, by a fresh session of theirs."""

    intent = "affirm"

    def name(self) -> str:
        return "action_approve_reset"

    async def decide(self, turn: Turn) -> str:
        approvals, offer = self.runtime.approvals, turn.answered.offer
        system: System = self.runtime.systems.get(offer.subject["system"]) or turn.system
        try:
            return await self.runtime.on_system(
                system, approvals.approve, system, offer, turn.cause, signed_in_ago(turn), undated(turn)
            )
        except (SystemFailure, asyncio.TimeoutError):
            return "down"


class DenyReset(DecideReset):
    """The manager's no."""

    intent = "deny"

    def name(self) -> str:
        return "action_deny_reset"

    async def decide(self, turn: Turn) -> str:
        return await self.runtime.in_store(self.runtime.approvals.deny, turn.answered.offer, turn.cause)
