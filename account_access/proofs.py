"""A code of another factor proves that an MFA reset is its owner's wish; it is entered on a page of the door (M7).

The request is written when the person says yes, and waits for a right code from that person, in the session of the chat
that asked. The code itself goes through the door and the action server to the identity system, and is kept nowhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from pydantic import SecretStr
from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from account_access import audit, people, policy
from account_access.clock import Clock
from account_access.connectors.base import (
    SENT_CODES,
    AccountNotFound,
    Factor,
    StateRefused,
    SystemFailure,
    TemporarilyUnavailable,
)
from account_access.connectors.registry import System
from account_access.offers import Offer
from account_access.requests import Request
from account_access.resets import AWAITING, Resets
from account_access.store import Store, tables


@dataclass(frozen=True)
class Prover:
    """Who wants to prove something: the request of the page's address, and whose session of the chat it is."""

    request_id: str
    person_id: str
    session_id: str


@dataclass(frozen=True)
class Page:
    """What the page can show: `waiting` with the factors to choose from and those that go, or why there is nothing.

    proven, over (unknown, somebody else's, expired, ended), held (self-service is stopped), none (no factor), down.
    """

    outcome: str
    factors: Sequence[Factor] = ()
    going: Sequence[Factor] = ()


class Proofs:
    """The proofs of one installation: only the action server has them, for it holds the systems' tokens."""

    def __init__(self, store: Store, clock: Clock, settings, resets: Resets):
        self.store = store
        self.clock = clock
        self.limits = settings.mfa
        self.resets = resets

    def ask(self, offer: Offer, answer_id: str, cause: str, session_id: str) -> str | None:
        """Closes the offer and writes the request that waits for a code, in one transaction; an earlier one is void.

        Returns the request's id, also to a retry of the same message; None if the offer was closed by something else.
        """
        until = self.clock.now() + timedelta(minutes=self.limits.code_minutes)
        waiting = dict(state=AWAITING, session_id=session_id, due_at=until, follow_up_owed=True)
        with self.store.begin() as connection:
            request_id = self.resets.write(connection, offer, answer_id, cause, **waiting)
            if request_id is not None:
                self._void_earlier(connection, offer, request_id)
        return request_id

    def asked(self, connection: Connection, person_id: str, session_id: str | None) -> Request | None:
        """This person's own request that waits for a code of this session now."""
        return self.resets.awaited(connection, person_id, tables.requests.c.session_id == session_id)

    def look(self, system: System, prover: Prover) -> Page:
        """What the page shows now; changes nothing."""
        request, refused = self._open(prover)
        if request is None:
            return Page(refused)
        try:
            enrolled = system.connector.factors(request.external_id)
            factors = self.resets.provers(system, request.external_id, request.factor_ids)
        except SystemFailure:
            return Page("down")
        going = [factor for factor in enrolled if factor.id in request.factor_ids]
        return Page("waiting" if factors else "none", factors, going)

    def send(self, system: System, prover: Prover, factor_id: str) -> str:
        """Has a code sent to the factor: sent, wait (one was sent just now), or as `check`. Counts as a try."""
        request, factor, refused = self._factor(system, prover, factor_id)
        if factor is None or factor.kind not in SENT_CODES:
            return refused or "choose"
        if not self._take_a_try(request):
            return self._spent(request, factor, "no code is left to be sent")
        try:
            system.connector.send_code(request.external_id, factor.id)
        except TemporarilyUnavailable as error:
            self._note(request, factor, "not sent", str(error))
            return "down" if error.retry_after is None else "wait"
        except SystemFailure as error:
            self._note(request, factor, "not sent", str(error))
            return "down"
        self._note(request, factor, "sent")
        return "sent"

    def check(self, system: System, prover: Prover, factor_id: str, code: SecretStr) -> str:
        """Whether the code proves it: proven, wrong, too_many, choose (not such a factor now), over, held, down.

        A try is counted before the system is asked, so that no crash gives one back (law 5).
        """
        request, factor, refused = self._factor(system, prover, factor_id)
        if factor is None:
            return refused
        if not self._take_a_try(request):
            return self._spent(request, factor, "no try is left")
        try:
            right = system.connector.code_is_right(request.external_id, factor.id, code)
        except AccountNotFound:
            return "choose"
        except StateRefused as error:
            return self._spent(request, factor, f"the system believes no code any more: {error}")
        except SystemFailure as error:
            self._note(request, factor, "not answered", str(error))
            return "down"
        if right:
            return self._proven(request, factor)
        self._note(request, factor, "wrong")
        with self.store.reading() as connection:
            tried = self.resets.code_tries(connection, request.person_id, request.system)
        return "wrong" if tried < self.limits.code_tries else self._spent(request, factor, "that was the last try")

    def _open(self, prover: Prover) -> tuple[Request | None, str]:
        """The request, if it waits for a code from this very session; else the reason why not."""
        request = self.resets.find(prover.request_id)
        if request is None or (request.person_id, request.session_id) != (prover.person_id, prover.session_id):
            return None, "over"
        if request.proven_at is not None:
            return None, "proven"
        if request.state != AWAITING or request.due_at <= self.clock.now():
            return None, "over"
        with self.store.reading() as connection:
            held = self.resets.held(connection, request.person_id, request.system, request.confirmed_at)
            owner = people.owner_of(connection, request.system, request.external_id)
        if owner != request.person_id:
            return None, "over"
        return (None, "held") if held else (request, "")

    def _factor(self, system: System, prover: Prover, factor_id: str) -> tuple[Request | None, Factor | None, str]:
        """The request and the factor, if its code would be believed now; else the reason why not."""
        request, refused = self._open(prover)
        if request is None:
            return None, None, refused
        try:
            able = self.resets.provers(system, request.external_id, request.factor_ids)
        except SystemFailure:
            return request, None, "down"
        return request, next((factor for factor in able if factor.id == factor_id), None), "choose"

    def _take_a_try(self, request: Request) -> bool:
        """Counts one more code; False where none is left. Two at once never share the last one."""
        table, conversations = tables.requests, tables.conversations
        mine = select(conversations.c.person_id).where(conversations.c.person_id == request.person_id)
        with self.store.begin() as connection:
            # On PostgreSQL two transactions would count side by side; SQLite writes one at a time anyway.
            connection.execute(mine.with_for_update())
            if self.resets.code_tries(connection, request.person_id, request.system) >= self.limits.code_tries:
                return False
            connection.execute(update(table).where(table.c.id == request.id).values(code_tries=table.c.code_tries + 1))
        return True

    def _proven(self, request: Request, factor: Factor) -> str:
        """From here on followups do what was asked for, once more by policy."""
        table, now = tables.requests, self.clock.now()
        with self.store.begin() as connection:
            changed = connection.execute(
                update(table)
                .where(table.c.id == request.id, table.c.state == AWAITING, table.c.due_at > now)
                .values(state="confirmed", proven_at=now, due_at=now, code_tries=table.c.code_tries - 1)
            )
            if changed.rowcount != 1:
                return "over"
            self._audit(connection, request, factor, "proven", None)
        return "proven"

    def _spent(self, request: Request, factor: Factor, reason: str) -> str:
        self._note(request, factor, "refused", reason)
        self.resets.end_waiting(request, policy.CODES_SPENT, reason)
        return "too_many"

    def _void_earlier(self, connection: Connection, offer: Offer, request_id: str) -> None:
        table, now = tables.requests, self.clock.now()
        earlier = select(table.c.id).where(
            table.c.act == self.resets.act,
            table.c.person_id == offer.person_id,
            table.c.system == offer.subject["system"],
            table.c.state == AWAITING,
            table.c.session_id.is_not(None),
            table.c.id != request_id,
        )
        for void_id in connection.execute(earlier).scalars().all():
            changed = connection.execute(
                update(table)
                .where(table.c.id == void_id, table.c.state == AWAITING)
                .values(state="void", outcome="code_replaced", reason="begun anew", finished_at=now, due_at=None)
            )
            if changed.rowcount != 1:
                continue  # proven in this very moment
            actor, about = f"person:{offer.person_id}", f"{offer.subject['system']}:{offer.subject['external_id']}"
            detail = {"request": void_id}
            audit.write(
                connection, now, actor, self.resets.act, about, "code_replaced", offer.person_id, "begun anew", detail
            )

    def _note(self, request: Request, factor: Factor, result: str, reason: str | None = None) -> None:
        with self.store.begin() as connection:
            self._audit(connection, request, factor, result, reason)

    def _audit(self, connection: Connection, request: Request, factor: Factor, result: str, reason: str | None) -> None:
        audit.write(
            connection,
            self.clock.now(),
            f"person:{request.person_id}",
            "prove_reset",
            f"{request.system}:{request.external_id}",
            result,
            request.person_id,
            reason,
            {"request": request.id, "factor": factor.kind.value},
        )
