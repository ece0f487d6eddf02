"""Resetting one's own MFA: looked at, chosen, decided, removed, read back, recorded (M1-M4, M7-M9).

Where policy wants somebody's word or a code first, the request waits for it: approvals.py, proofs.py.

A request names the factors it may remove; whatever was enrolled after the person's yes stays (law 5).
"""

import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.engine import Connection

from account_access import conversation, faults, offers, people, policy, requests, tickets
from account_access.clock import Clock
from account_access.connectors.base import (
    AccountNotFound,
    Factor,
    OutcomeUnknown,
    SystemFailure,
    TemporarilyUnavailable,
)
from account_access.connectors.registry import System
from account_access.connectors.removing import TakesAlongMore, remove_listed
from account_access.requests import Request, Requests
from account_access.store import Store, tables

QUESTIONS = ("factor", "reset_mfa", "approval", "proof")
AWAITING = "awaiting"
# The ends that a person hears of later; where today's policy asks for something first, they have to begin anew.
TOLD_LATER = (
    *("mfa_reset", "already_reset", "factors_changed", "mfa_failed", "mfa_handed_over", "mfa_limited"),
    *("mfa_human", "mfa_instructions", "approval_denied", "approval_expired", policy.CODES_SPENT, "code_expired"),
)
BEGIN_ANEW = (policy.SIGN_IN_AGAIN, policy.APPROVAL, policy.PROOF)
# What policy says instead of a reset, in the words that rules read.
REFUSALS = {
    policy.HUMAN: "mfa_human",
    policy.LIMITED: "mfa_limited",
    policy.INSTRUCTIONS: "mfa_instructions",
    policy.SIGN_IN_AGAIN: policy.SIGN_IN_AGAIN,
    policy.APPROVAL: policy.APPROVAL,
    policy.PROOF: policy.PROOF,
    policy.CODES_SPENT: policy.CODES_SPENT,
    policy.FROZEN: policy.FROZEN,
    policy.PAUSED: policy.PAUSED,
    policy.STALE: policy.STALE,
}


@dataclass(frozen=True)
class Choice:
    """Factors that can only go together. `called` are those that a person would name; the others go along."""

    called: tuple[Factor, ...]
    factors: tuple[Factor, ...]

    @property
    def ids(self) -> list[str]:
        return sorted(factor.id for factor in self.factors)


@dataclass(frozen=True)
class FactorLook:
    """What a fresh look at a person's factors shows, and what may be chosen of them (M4).

    `choices` are single ones; `everything` is all that may go at once, None where the settings want one by one.
    """

    outcome: str
    external_id: str | None = None
    choices: tuple[Choice, ...] = ()
    everything: Choice | None = None
    reason: str = ""

    @property
    def only(self) -> Choice | None:
        """The one thing that can be chosen, None where there are several."""
        offered = {tuple(choice.ids): choice for choice in (*self.choices, self.everything) if choice}
        return next(iter(offered.values())) if len(offered) == 1 else None

    def chosen(self, factor_ids: Collection[str]) -> Choice | None:
        """The choice of exactly these factors, None where they are no choice any more."""
        offered = [choice for choice in (*self.choices, self.everything) if choice]
        return next((choice for choice in offered if choice.ids == sorted(factor_ids)), None)


@dataclass(frozen=True)
class Counted:
    """What counts against a person's limits in the rolling window."""

    resets: int
    code_tries: int


class Resets(Requests):
    """The MFA resets of one installation.

    Outcomes of `execute`: mfa_reset, already_reset, factors_changed, mfa_failed, mfa_limited, mfa_human,
    mfa_instructions, sign_in_again, code_needed, code_failed, approval_needed, frozen, paused, mfa_handed_over,
    still_trying.
    """

    act = "reset_mfa"
    effective = ("mfa_reset",)
    failed = "mfa_failed"
    given_up = "mfa_handed_over"

    def __init__(self, store: Store, clock: Clock, settings):
        super().__init__(store, clock, settings.mfa, settings.breaker)

    def check(self, system: System, person_id: str) -> FactorLook:
        """Looks at the person's factors now, and at what policy and settings allow of them.

        several_factors, one_factor, no_factor, under_way, no_account, down, mfa_human, mfa_limited, mfa_instructions,
        frozen, paused. Whether the session is fresh is asked later, of the message that confirms.
        """
        with self.store.reading() as connection:
            external_id = people.accounts_of(connection, person_id).get(system.key)
            counted = self._counted(connection, person_id, system.key)
            held = self.held(connection, person_id, system.key)
            if self._under_way(connection, person_id, system.key):
                return FactorLook("under_way", external_id)
        if system.connector is None:
            return FactorLook("mfa_instructions")
        if external_id is None:
            return FactorLook("no_account")
        try:
            groups = system.connector.groups(external_id)
            facts = self._facts(system, groups, counted, signed_in_ago=None, approved=True)
            decision = held or policy.decide_reset(facts)
            if decision.verdict != policy.ACT:
                return FactorLook(REFUSALS[decision.verdict], external_id, reason=decision.reason)
            return self._choices(external_id, system.connector.factors(external_id))
        except AccountNotFound as error:
            return FactorLook("no_account", external_id, reason=str(error))
        except SystemFailure as error:
            return FactorLook("down", external_id, reason=str(error))

    def verdict(
        self,
        system: System,
        person_id: str,
        factor_ids: Collection[str],
        signed_in_ago: timedelta | None,
        has_session: bool = False,
    ) -> str:
        """What policy says of a reset of these factors confirmed now, by a session that signed in so long ago.

        `act`, or what has to come first: sign_in_again, code_needed, approval_needed, or a refusal's outcome; down. Who
        has no other factor to prove it by, or no session that could be asked (`has_session`), needs an approval.
        """
        with self.store.reading() as connection:
            external_id = people.accounts_of(connection, person_id).get(system.key)
            counted = self._counted(connection, person_id, system.key)
            held = self.held(connection, person_id, system.key)
        try:
            groups = system.connector.groups(external_id)
            undated = has_session and signed_in_ago is None
            facts = self._facts(system, groups, counted, signed_in_ago, approved=False, undated=undated)
            decision = held or policy.decide_reset(facts)
            if decision.verdict == policy.PROOF:
                can_prove = has_session and self.provers(system, external_id, factor_ids)
                return policy.PROOF if can_prove else policy.APPROVAL
        except SystemFailure:
            return "down"
        return REFUSALS.get(decision.verdict, decision.verdict)

    def provers(self, system: System, external_id: str, going: Collection[str]) -> tuple[Factor, ...]:
        """Factors of the account, read now, whose code proves that these may go (M7). Raises SystemFailure."""
        if not system.can("codes"):
            return ()
        before = self.clock.now() - timedelta(hours=self.limits.code_factor_hours)
        return policy.proving(system.connector.factors(external_id), going, self.limits.code_factors, before)

    def code_tries(self, connection: Connection, person_id: str, system_key: str) -> int:
        """Codes of the person that were sent or wrong in the rolling window, whatever they were about."""
        table = tables.requests
        query = select(func.coalesce(func.sum(table.c.code_tries), 0)).where(
            table.c.act == self.act,
            table.c.person_id == person_id,
            table.c.system == system_key,
            table.c.confirmed_at > self.clock.now() - timedelta(hours=self.limits.window_hours),
        )
        return connection.execute(query).scalar_one()

    def _counted(self, connection: Connection, person_id: str, system_key: str) -> Counted:
        return Counted(self.used(connection, person_id, system_key), self.code_tries(connection, person_id, system_key))

    def _choices(self, external_id: str, factors: tuple[Factor, ...]) -> FactorLook:
        if not any(factor.usable for factor in factors):
            return FactorLook("no_factor", external_id)
        together = {factor: _with_company(factor, factors) for factor in factors}
        allowed = {factor: ids for factor, ids in together.items() if self._may_go(ids, factors)}
        # What goes along with something else anyway is no choice of its own; neither is what nobody can use yet.
        single: dict[frozenset[str], list[Factor]] = {}
        for factor, ids in allowed.items():
            if factor.usable and not any(ids < others for others in allowed.values()):
                single.setdefault(ids, []).append(factor)
        if not single:
            return FactorLook("mfa_human", external_id, reason="none of the factors may be reset by the settings")
        choices = [Choice(tuple(called), _those(factors, ids)) for ids, called in single.items()]
        everything = _those(factors, frozenset().union(*allowed.values()))
        whole = Choice(everything, everything)
        if self.limits.mode == "all":
            choices = []
        whole = None if self.limits.mode == "one_by_one" else whole
        look = FactorLook("several_factors", external_id, tuple(choices), whole)
        return replace(look, outcome="one_factor") if look.only else look

    def _may_go(self, ids: frozenset[str], factors: Iterable[Factor]) -> bool:
        return all(factor.kind.value in self.limits.resettable for factor in factors if factor.id in ids)

    def _under_way(self, connection: Connection, person_id: str, system_key: str) -> bool:
        """Whether one is; one that waits for a code is not: whoever has lost that page begins anew."""
        table = tables.requests
        query = select(table.c.id).where(
            table.c.act == self.act,
            table.c.person_id == person_id,
            table.c.system == system_key,
            table.c.state.in_((*requests.UNDER_WAY, AWAITING)),
            or_(table.c.state != AWAITING, table.c.approver_id.is_not(None)),
        )
        return connection.execute(query.limit(1)).first() is not None

    def awaited(self, connection: Connection, person_id: str, whose) -> Request | None:
        """The person's latest request that waits for a manager's word or a code, and is in time.

        `whose` is the condition on the table that says for which of the two.
        """
        table = tables.requests
        query = select(table.c.id).where(
            table.c.act == self.act,
            table.c.person_id == person_id,
            table.c.state == AWAITING,
            table.c.due_at > self.clock.now(),
            whose,
        )
        found = connection.execute(query.order_by(table.c.confirmed_at.desc()).limit(1)).scalar()
        return requests.find(connection, found) if found else None

    def touches(self, about: Mapping[str, Any]) -> dict[str, Any]:
        return {"factor_ids": sorted(about["factor_ids"])}

    def _decision(
        self, connection: Connection, system: System, request: Request, groups: Collection[str], used: int
    ) -> policy.Decision:
        # The message that said yes, as it was stored: a turn that runs again hours later judges by the same instants.
        confirming = conversation.find_inbound(connection, request.cause)
        ago = confirming.signed_in_ago if confirming else None
        counted = Counted(used, self.code_tries(connection, request.person_id, request.system))
        approved, proven = request.approved_at is not None, request.proven_at is not None
        undated = confirming is not None and confirming.undated
        return policy.decide_reset(self._facts(system, groups, counted, ago, approved, proven, undated))

    def _facts(
        self,
        system: System,
        groups: Collection[str],
        counted: Counted,
        signed_in_ago: timedelta | None,
        approved: bool,
        proven: bool = False,
        undated: bool = False,
    ) -> policy.ResetFacts:
        return policy.ResetFacts(
            can_reset=system.can("factors"),
            mode=system.settings.mfa,
            groups=frozenset(groups),
            protected_groups=system.settings.protected_groups,
            verification=self.limits.verification,
            verification_by_group=self.limits.verification_by_group,
            signed_in_ago=signed_in_ago,
            undated=undated,
            fresh_for=timedelta(hours=self.limits.fresh_hours),
            approved=approved,
            proven=proven,
            code_tries=counted.code_tries,
            max_code_tries=self.limits.code_tries,
            resets_in_window=counted.resets,
            max_per_window=self.limits.max_per_window,
            window_hours=self.limits.window_hours,
        )

    def _run(self, system: System, request: Request) -> str:
        if not self._standing(system, request):
            if request.called:
                return self._removed(system, request, "gone when read")
            return self._finish(request, "void", "already_reset", "the factors were gone when read")
        groups = system.connector.groups(request.external_id)
        decision = self._decide_and_mark(system, request, groups)
        if decision.verdict != policy.ACT:
            return self._finish(request, "refused", REFUSALS[decision.verdict], decision.reason)
        try:
            self._remove(system, request)
        except TakesAlongMore as error:
            return self._finish(request, "void", "factors_changed", str(error))
        except TemporarilyUnavailable:
            raise
        except SystemFailure as error:
            return self._unfinished(system, request, f"{type(error).__name__}: {error}")
        for pause in requests.READ_BACK_PAUSES:
            time.sleep(pause)
            if not self._standing(system, request):
                faults.point("factors_removed")
                return self._removed(system, request, decision.reason)
        return self._unfinished(system, request, "the system accepted the removal and changed nothing")

    def _unfinished(self, system: System, request: Request, reason: str) -> str:
        """Failed; or done by half: a human brings that to its end, and its owner hears of it like of any reset (M7)."""
        left, asked = len(self._standing(system, request)), len(request.factor_ids)
        if not left:
            return self._removed(system, request, reason)
        if left == asked:
            return self._finish(request, "failed", self.failed, reason)
        return self._finish(request, "done", self.given_up, f"{asked - left} of {asked} factors were removed; {reason}")

    def _standing(self, system: System, request: Request) -> list[str]:
        """Ids of those of the request's factors that are still enrolled, as read now."""
        return [f.id for f in system.connector.factors(request.external_id) if f.id in request.factor_ids]

    def _remove(self, system: System, request: Request) -> None:
        """Asks for the removal; where no answer came, looks, and asks once more for what still stands."""
        started = time.monotonic()
        try:
            remove_listed(system.connector, request.external_id, request.factor_ids)
        except OutcomeUnknown:
            if not self._standing(system, request):
                return
            if time.monotonic() - started > requests.SECOND_CALL_WITHIN_SECONDS:
                raise
            remove_listed(system.connector, request.external_id, request.factor_ids)

    def _removed(self, system: System, request: Request, reason: str) -> str:
        """The factors are gone; the sessions follow where the settings want it, and ending them twice harms nobody."""
        if self.limits.end_sessions and system.can("sessions"):
            try:
                system.connector.end_sessions(request.external_id)
            except TemporarilyUnavailable:
                raise
            except SystemFailure as error:
                reason = f"{reason}; its sessions could not be ended: {type(error).__name__}: {error}"
        return self._finish(request, "done", "mfa_reset", reason)

    def end_waiting(self, request: Request, outcome: str, reason: str) -> str:
        """The end of a request that was not approved or proven: approval_denied, approval_expired, code_…"""
        return self._finish(request, "refused", outcome, reason)

    def expire_waiting(self) -> int:
        """Ends requests for which the manager's word or the code did not come in time (M7, M9); returns how many."""
        table, now = tables.requests, self.clock.now()
        query = select(table.c.id).where(table.c.act == self.act, table.c.state == AWAITING, table.c.due_at <= now)
        with self.store.reading() as connection:
            over = connection.execute(query).scalars().all()
        for request_id in over:
            request = self.find(request_id)
            if request.approver_id:
                self.end_waiting(request, "approval_expired", "the manager did not answer in time")
            else:
                self.end_waiting(request, "code_expired", "no right code was entered in time")
        return len(over)

    def _ended(self, connection: Connection, now: datetime, request: Request, outcome: str, reason: str) -> None:
        _record_in_ticket(connection, now, request, outcome, reason)
        if outcome in ("mfa_reset", "already_reset"):
            offers.overtake(connection, now, request.person_id, request.system, QUESTIONS)


def _with_company(factor: Factor, factors: Iterable[Factor]) -> frozenset[str]:
    """The ids of the factor and of all that go with it."""
    return frozenset({factor.id} | (factor.takes_along & {other.id for other in factors}))


def _those(factors: Iterable[Factor], ids: Collection[str]) -> tuple[Factor, ...]:
    return tuple(factor for factor in factors if factor.id in ids)


def _record_in_ticket(connection: Connection, now: datetime, request: Request, outcome: str, reason: str) -> None:
    """A ticket records each reset (U7); what could not be brought to its end stays open for a human."""
    if outcome not in ("mfa_reset", "mfa_handed_over"):
        return
    summary = f"MFA reset on {request.system}: {outcome.removeprefix('mfa_').replace('_', ' ')}"
    text = f"{summary}. {reason}. {len(request.factor_ids)} factors, asked for in chat, request {request.id}."
    ticket = tickets.open_ticket(connection, now, request.person_id, f"request:{request.id}", summary, text, request.id)
    if outcome == "mfa_reset":
        tickets.change_state(
            connection, now, ticket, tickets.RESOLVED, "The factors were removed and read back.", "mfa_reset"
        )
