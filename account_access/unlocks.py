"""Unlocking one's own account: checked, confirmed, decided, done, read back, recorded (U1-U8, U10, law 5).

A confirmed unlock is a row before it is a call. Whoever runs it reads first, so that a retry after a crash tells the
truth and never unlocks a later lockout than the one the person said yes to.
"""

import logging
import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from account_access import audit, faults, notices, offers, people, policy, tickets
from account_access.clock import Clock
from account_access.connectors.base import (
    Account,
    AccountNotFound,
    OutcomeUnknown,
    SystemFailure,
    TemporarilyUnavailable,
)
from account_access.connectors.registry import System
from account_access.store import Store, claims, tables

logger = logging.getLogger(__name__)

# Longer than the calls of one run together: look, groups, unlock and three reads back, each with connect and read
# timeouts of 8 s at the most.
CLAIM_SECONDS = 120
# Followups leave a fresh request to the turn that confirmed it.
GRACE_SECONDS = 20
BACKOFF_SECONDS = (5, 10, 20, 40, 60, 60, 120, 120, 300)
# The system may take a moment until a read shows what it did.
READ_BACK_PAUSES = (0.0, 0.4, 0.8)
# A second call in the same run only where the first failed fast: a person is waiting.
SECOND_CALL_WITHIN_SECONDS = 2.0
QUESTIONS = ("unlock", "lockout")
FINAL = ("done", "failed", "refused", "void", "handed_over")


@dataclass(frozen=True)
class Look:
    """What a fresh look at a person's account shows, and what may be offered."""

    outcome: str
    external_id: str | None = None
    locked_at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True)
class Request:
    id: str
    person_id: str
    system: str
    external_id: str
    locked_at: datetime | None
    offer_id: str
    question: str
    cause: str
    state: str
    called: bool
    outcome: str | None
    attempts: int
    confirmed_at: datetime


_COLUMNS = [tables.requests.c[name] for name in Request.__dataclass_fields__]


class Unlocks:
    """The unlocks of one installation; shared by the action server and the schedulers."""

    def __init__(self, store: Store, clock: Clock, settings):
        self.store = store
        self.clock = clock
        self.limits = settings.unlock

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
        """As `look`, and for a locked account what policy allows: locked, instructions, human or limited."""
        seen = self.look(system, person_id)
        if seen.outcome != "locked":
            return seen
        try:
            groups = system.connector.groups(seen.external_id)
        except SystemFailure as error:
            return Look("down", seen.external_id, reason=str(error))
        decision = self._decide(system, person_id, groups)
        outcome = "locked" if decision.verdict == policy.ACT else decision.verdict
        return Look(outcome, seen.external_id, seen.locked_at, decision.reason)

    def _decide(self, system: System, person_id: str, groups) -> policy.Decision:
        with self.store.reading() as connection:
            used = self._used(connection, person_id, system.key, excluding="")
        return policy.decide_unlock(self._facts(system, groups, used))

    def _facts(self, system: System, groups, used: int) -> policy.UnlockFacts:
        return policy.UnlockFacts(
            can_unlock=system.can("unlock"),
            mode=system.settings.unlock,
            groups=frozenset(groups),
            protected_groups=system.settings.protected_groups,
            unlocks_in_window=used,
            max_per_window=self.limits.max_per_window,
            window_hours=self.limits.window_hours,
        )

    def _used(self, connection: Connection, person_id: str, system_key: str, excluding: str) -> int:
        """Self-service unlocks in the rolling window; one under way counts, one that changed nothing does not."""
        table = tables.requests
        since = self.clock.now() - timedelta(hours=self.limits.window_hours)
        query = select(table.c.id).where(
            table.c.person_id == person_id,
            table.c.system == system_key,
            table.c.id != excluding,
            table.c.called.is_(True),
            table.c.confirmed_at > since,
            or_(table.c.outcome.is_(None), table.c.outcome.in_(("unlocked", "relocked"))),
        )
        return len(connection.execute(query).all())

    def confirm(self, offer: offers.Offer, answer_id: str, cause: str) -> str | None:
        """Closes the offer and writes the request, in one transaction; a retry of the same message finds it.

        Returns the request's id, or None if the offer was closed by something else meanwhile.
        """
        table, now = tables.requests, self.clock.now()
        with self.store.begin() as connection:
            known = connection.execute(
                select(table.c.id, table.c.cause).where(table.c.key == f"unlock:{offer.id}")
            ).first()
            if known is not None:
                return known.id if known.cause == cause else None
            if not offers.close(connection, now, offer.id, offers.ANSWERED, answer_id, cause):
                return None
            request_id = str(uuid.uuid4())
            connection.execute(table.insert().values(id=request_id, **self._request_values(offer, cause, now)))
            audit.write(
                connection, now, f"person:{offer.person_id}", "confirm_unlock", request_id, "confirmed", offer.person_id
            )
        faults.point("request_row_written")
        return request_id

    def _request_values(self, offer: offers.Offer, cause: str, now: datetime) -> dict:
        locked_at = offer.subject.get("locked_at")
        return dict(
            key=f"unlock:{offer.id}",
            act="unlock",
            person_id=offer.person_id,
            system=offer.subject["system"],
            external_id=offer.subject["external_id"],
            locked_at=datetime.fromisoformat(locked_at) if locked_at else None,
            offer_id=offer.id,
            question=offer.question,
            cause=cause,
            state="confirmed",
            called=False,
            confirmed_at=now,
            due_at=now + timedelta(seconds=GRACE_SECONDS),
            attempts=0,
            follow_up_owed=False,
        )

    def find(self, request_id: str) -> Request | None:
        with self.store.reading() as connection:
            return _find(connection, request_id)

    def of_offer(self, offer_id: str, cause: str) -> Request | None:
        """The request that this message confirmed by answering that offer."""
        table = tables.requests
        query = select(*_COLUMNS).where(table.c.key == f"unlock:{offer_id}", table.c.cause == cause)
        with self.store.reading() as connection:
            row = connection.execute(query).first()
        return Request(*row) if row else None

    def due(self, limit: int = 50) -> list[Request]:
        """Requests stuck half way whose time has come: for followups."""
        table, now = tables.requests, self.clock.now()
        query = (
            select(*_COLUMNS)
            .where(
                table.c.state.in_(("confirmed", "executing")),
                table.c.due_at <= now,
                or_(table.c.claimed_until.is_(None), table.c.claimed_until <= now),
            )
            .limit(limit)
        )
        with self.store.reading() as connection:
            return [Request(*row) for row in connection.execute(query)]

    def execute(self, system: System, request_id: str) -> str:
        """Runs the request as far as it gets and returns its outcome, `still_trying` while it is not over.

        unlocked, already_unlocked, relocked, failed, limited, human, instructions, stale, handed_over. Safe to repeat
        at any time by anybody: a claim keeps a second runner away, and the account is read before it is touched.
        """
        request = self._claim(request_id)
        if request is None:
            standing = self.find(request_id)
            return standing.outcome if standing and standing.state in FINAL else "still_trying"
        try:
            return self._run(system, request)
        except TemporarilyUnavailable as error:
            return self._postpone(request, error)
        except SystemFailure as error:
            return self._finish(request, "failed", "failed", f"{type(error).__name__}: {error}")
        except SQLAlchemyError:
            raise  # our own store is in trouble: nothing can be noted now, the claim ends by itself
        except Exception as error:
            # A mistake of ours or an answer nobody thought of: tried again like an outage, and handed over like one.
            logger.exception("Request %s failed in an unforeseen way", request.id)
            return self._postpone(request, TemporarilyUnavailable(f"{type(error).__name__}: {error}"))

    def _claim(self, request_id: str) -> Request | None:
        table, now = tables.requests, self.clock.now()
        with self.store.begin() as connection:
            taken = connection.execute(
                update(table)
                .where(
                    table.c.id == request_id,
                    table.c.state.in_(("confirmed", "executing")),
                    or_(table.c.claimed_until.is_(None), table.c.claimed_until <= now),
                )
                .values(
                    state="executing",
                    claimed_until=now + timedelta(seconds=CLAIM_SECONDS),
                    claimed_by=claims.holder(),
                    attempts=table.c.attempts + 1,
                )
            )
            return _find(connection, request_id) if taken.rowcount == 1 else None

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
            if time.monotonic() - started > SECOND_CALL_WITHIN_SECONDS:
                raise
            system.connector.unlock(request.external_id)

    def _decide_and_mark(self, system: System, request: Request, groups) -> policy.Decision:
        """Policy and the note that the call follows are one transaction: two requests never share the last place."""
        conversations = tables.conversations
        mine = select(conversations.c.person_id).where(conversations.c.person_id == request.person_id)
        with self.store.begin() as connection:
            # On PostgreSQL two transactions would count side by side; SQLite writes one at a time anyway.
            connection.execute(mine.with_for_update())
            used = self._used(connection, request.person_id, request.system, request.id)
            decision = policy.decide_unlock(self._facts(system, groups, used))
            if decision.verdict == policy.ACT:
                connection.execute(
                    update(tables.requests).where(tables.requests.c.id == request.id).values(called=True)
                )
            audit.write(
                connection,
                self.clock.now(),
                f"person:{request.person_id}",
                "decide_unlock",
                f"{request.system}:{request.external_id}",
                decision.verdict,
                request.person_id,
                decision.reason,
                {"request": request.id, "attempt": request.attempts},
                key=f"decide_unlock:{request.id}:{request.attempts}",
            )
        return decision

    def _read_back(self, system: System, request: Request, decision: policy.Decision) -> str:
        for pause in READ_BACK_PAUSES:
            time.sleep(pause)
            account = system.connector.account(request.external_id)
            if not account.locked:
                faults.point("reply_lost")
                return self._finish(request, "done", "unlocked", decision.reason)
            if _another_lockout(request, account):
                return self._finish(request, "done", "relocked", f"locked again at {account.locked_at}")
        return self._finish(request, "failed", "failed", "the system accepted the unlock and changed nothing")

    def _postpone(self, request: Request, error: TemporarilyUnavailable) -> str:
        if request.attempts > len(BACKOFF_SECONDS):
            return self._finish(
                request, "handed_over", "handed_over", f"gave up after {request.attempts} tries: {error}"
            )
        pause = max(BACKOFF_SECONDS[request.attempts - 1], error.retry_after or 0)
        table, now = tables.requests, self.clock.now()
        with self.store.begin() as connection:
            connection.execute(
                update(table)
                .where(table.c.id == request.id)
                .values(claimed_until=None, due_at=now + timedelta(seconds=pause), reason=str(error))
            )
            audit.write(
                connection,
                now,
                "system:" + request.system,
                "unlock",
                f"{request.system}:{request.external_id}",
                "postponed",
                request.person_id,
                str(error),
                {"request": request.id, "attempt": request.attempts},
                key=f"postpone:{request.id}:{request.attempts}",
            )
        return "still_trying"

    def _finish(self, request: Request, state: str, outcome: str, reason: str) -> str:
        """The end of a request, its ticket, its audit record and the follow-up it owes, in one transaction."""
        table, now = tables.requests, self.clock.now()
        with self.store.begin() as connection:
            connection.execute(
                update(table)
                .where(table.c.id == request.id)
                .values(state=state, outcome=outcome, reason=reason, finished_at=now, due_at=None, claimed_until=None)
            )
            audit.write(
                connection,
                now,
                f"person:{request.person_id}",
                "unlock",
                f"{request.system}:{request.external_id}",
                outcome,
                request.person_id,
                reason,
                {"request": request.id},
                key=f"unlock:{request.id}",
            )
            _record_in_ticket(connection, now, request, outcome, reason)
            if outcome in ("unlocked", "already_unlocked"):
                offers.overtake(connection, now, request.person_id, request.system, QUESTIONS)
            owed = connection.execute(select(table.c.follow_up_owed).where(table.c.id == request.id)).scalar()
            if owed:
                _owe_follow_up(connection, now, request)
        return outcome

    def promise(self, request_id: str) -> str:
        """The person hears "still trying": from now on a follow-up is owed. If it just ended, its outcome instead."""
        table = tables.requests
        with self.store.begin() as connection:
            request = _find(connection, request_id)
            if request.state in FINAL:
                return request.outcome
            connection.execute(update(table).where(table.c.id == request_id).values(follow_up_owed=True))
        return "still_trying"

    def claim_resolved(self, connection: Connection, request_id: str) -> None:
        """The person says it worked (X8: claimed, apart from verified)."""
        table = tables.requests
        connection.execute(
            update(table)
            .where(table.c.id == request_id, table.c.claimed_resolved_at.is_(None))
            .values(claimed_resolved_at=self.clock.now())
        )


def _find(connection: Connection, request_id: str) -> Request | None:
    row = connection.execute(select(*_COLUMNS).where(tables.requests.c.id == request_id)).first()
    return Request(*row) if row else None


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


def _owe_follow_up(connection: Connection, now: datetime, request: Request) -> None:
    notices.create(
        connection,
        now,
        f"follow_up:{request.id}",
        notices.FOLLOW_UP,
        request.person_id,
        {"request": request.id, "system": request.system},
    )
