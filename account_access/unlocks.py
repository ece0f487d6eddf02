"""Unlocking one's own account: looked at, decided, unlocked, read back, recorded (U1-U8, U10).

A request never unlocks a later lockout than the one the person said yes to.
"""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from account_access import faults, offers, people, policy, requests, tickets
from account_access.clock import Clock
from account_access.connectors.base import Account, AccountNotFound, OutcomeUnknown, SystemFailure
from account_access.connectors.registry import System
from account_access.requests import Request, Requests
from account_access.store import Store

QUESTIONS = ("unlock", "lockout", "relapse")


@dataclass(frozen=True)
class Look:
    """What a fresh look at a person's account shows, and what may be offered."""

    outcome: str
    external_id: str | None = None
    locked_at: datetime | None = None
    reason: str = ""


class Unlocks(Requests):
    """The unlocks of one installation.

    Outcomes of `execute`: unlocked, already_unlocked, relocked, failed, limited, human, instructions, frozen, paused,
    stale, handed_over, still_trying.
    """

    act = "unlock"
    effective = ("unlocked", "relocked")

    def __init__(self, store: Store, clock: Clock, settings):
        super().__init__(store, clock, settings.unlock, settings.breaker)

    def look(self, system: System, person_id: str) -> Look:
        """Looks at the person's account now: locked, not_locked, no_account, down, or instructions (no connector)."""
        with self.store.reading() as connection:
            external_id = people.accounts_of(connection, person_id).get(system.key)
        if system.connector is None:
            return Look("instructions")
        if external_id is None:
            return Look("no_account")
        try:
            account = system.connector.account(external_id)
        except AccountNotFound as error:
            return Look("no_account", external_id, reason=str(error))
        except SystemFailure as error:
            return Look("down", external_id, reason=str(error))
        return Look("locked" if account.locked else "not_locked", external_id, account.locked_at)

    def check(self, system: System, person_id: str) -> Look:
        """As `look`, and what policy allows if it is locked: locked, instructions, human, limited, frozen or paused."""
        seen = self.look(system, person_id)
        if seen.outcome != "locked":
            return seen
        try:
            groups = system.connector.groups(seen.external_id)
        except SystemFailure as error:
            return Look("down", seen.external_id, reason=str(error))
        with self.store.reading() as connection:
            used = self.used(connection, person_id, system.key)
            held = self.held(connection, person_id, system.key)
        decision = held or policy.decide_unlock(self._facts(system, groups, used))
        outcome = "locked" if decision.verdict == policy.ACT else decision.verdict
        return Look(outcome, seen.external_id, seen.locked_at, decision.reason)

    def touches(self, about: Mapping[str, Any]) -> dict[str, Any]:
        return {"locked_at": offers.locked_at(about)}

    def _decision(
        self, connection: Connection, system: System, request: Request, groups: Collection[str], used: int
    ) -> policy.Decision:
        return policy.decide_unlock(self._facts(system, groups, used))

    def _facts(self, system: System, groups: Collection[str], used: int) -> policy.UnlockFacts:
        return policy.UnlockFacts(
            can_unlock=system.can("unlock"),
            mode=system.settings.unlock,
            groups=frozenset(groups),
            protected_groups=system.settings.protected_groups,
            unlocks_in_window=used,
            max_per_window=self.limits.max_per_window,
            window_hours=self.limits.window_hours,
        )

    def _run(self, system: System, request: Request) -> str:
        account = system.connector.account(request.external_id)
        if not account.locked:
            outcome = "unlocked" if request.called else "already_unlocked"
            return self._finish(request, "done" if request.called else "void", outcome, "not locked when read")
        if _another_lockout(request, account):
            if request.called:
                return self._finish(request, "done", "relocked", f"locked again at {account.locked_at}")
            return self._finish(request, "void", "stale", f"the lockout is another one: {account.locked_at}")
        groups = system.connector.groups(request.external_id)
        decision = self._decide_and_mark(system, request, groups)
        if decision.verdict != policy.ACT:
            return self._finish(request, "refused", decision.verdict, decision.reason)
        self._call(system, request)
        return self._read_back(system, request, decision)

    def _call(self, system: System, request: Request) -> None:
        """Asks for the unlock; where no answer came, looks, and asks once more only while the same lockout stands."""
        started = time.monotonic()
        try:
            system.connector.unlock(request.external_id)
        except OutcomeUnknown:
            account = system.connector.account(request.external_id)
            if not account.locked or _another_lockout(request, account):
                return
            if time.monotonic() - started > requests.SECOND_CALL_WITHIN_SECONDS:
                raise
            system.connector.unlock(request.external_id)

    def _read_back(self, system: System, request: Request, decision: policy.Decision) -> str:
        for pause in requests.READ_BACK_PAUSES:
            time.sleep(pause)
            account = system.connector.account(request.external_id)
            if not account.locked:
                faults.point("reply_lost")
                return self._finish(request, "done", "unlocked", decision.reason)
            if _another_lockout(request, account):
                return self._finish(request, "done", "relocked", f"locked again at {account.locked_at}")
        return self._finish(request, "failed", "failed", "the system accepted the unlock and changed nothing")

    def _ended(self, connection: Connection, now: datetime, request: Request, outcome: str, reason: str) -> None:
        _record_in_ticket(connection, now, request, outcome, reason)
        if outcome in ("unlocked", "already_unlocked"):
            offers.overtake(connection, now, request.person_id, request.system, QUESTIONS)


def _another_lockout(request: Request, account: Account) -> bool:
    """Whether the standing lockout is not the one that the person said yes to."""
    return bool(request.locked_at and account.locked_at and account.locked_at != request.locked_at)


def _record_in_ticket(connection: Connection, now: datetime, request: Request, outcome: str, reason: str) -> None:
    """A ticket records each unlock (U7); one that could not be brought about stays open for a human."""
    if outcome not in ("unlocked", "relocked", "handed_over"):
        return
    summary = f"Account unlock on {request.system}: {outcome.replace('_', ' ')}"
    text = f"{summary}. {reason}. Asked for in chat, request {request.id}."
    ticket = tickets.open_ticket(connection, now, request.person_id, f"request:{request.id}", summary, text, request.id)
    if outcome == "unlocked":
        tickets.change_state(
            connection, now, ticket, tickets.RESOLVED, "The account was unlocked and read back.", "unlocked"
        )
