"""Privileged acts of people on their own accounts: confirmed, decided, done, read back, recorded (law 5).

A confirmed act is a row before it is a call. Whoever runs it reads first, so that a retry after a crash tells the
truth and never touches more than the person said yes to. What is done, and what shows that it was, is each act's own:
unlocks.py, resets.py.
"""

import logging
import uuid
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from account_access import audit, breaker, faults, freezes, notices, offers, people, policy
from account_access.clock import Clock
from account_access.connectors.base import SystemFailure, TemporarilyUnavailable
from account_access.connectors.registry import System
from account_access.store import Store, claims, tables

logger = logging.getLogger(__name__)

# Longer than the calls of one run together, each with connect and read timeouts of 8 s at the most.
CLAIM_SECONDS = 120
# Followups leave a fresh request to the turn that confirmed it.
GRACE_SECONDS = 20
BACKOFF_SECONDS = (5, 10, 20, 40, 60, 60, 120, 120, 300)
# The system may take a moment until a read shows what it did.
READ_BACK_PAUSES = (0.0, 0.4, 0.8)
# A second call in the same run only where the first failed fast: a person is waiting.
SECOND_CALL_WITHIN_SECONDS = 2.0
UNDER_WAY = ("confirmed", "executing")
FINAL = ("done", "failed", "refused", "void", "handed_over")


@dataclass(frozen=True)
class Request:
    id: str
    act: str
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
    factor_ids: tuple[str, ...] | None = None
    approver_id: str | None = None
    approved_at: datetime | None = None
    due_at: datetime | None = None
    session_id: str | None = None
    proven_at: datetime | None = None
    code_tries: int = 0


_COLUMNS = [tables.requests.c[name] for name in Request.__dataclass_fields__]


class Requests(ABC):
    """The requests of one act in one installation; shared by the action server and the schedulers.

    `act` is its name in offers, rows and the audit trail; `effective` are the outcomes that count against its limit;
    `failed` and `given_up` are those of what the system would not do, and of what it did not do in many tries.
    `limits` has `max_per_window` and `window_hours`; `mass_limits` are the breaker's.
    """

    act: str
    effective: Collection[str]
    failed = "failed"
    given_up = "handed_over"

    def __init__(self, store: Store, clock: Clock, limits, mass_limits):
        self.store = store
        self.clock = clock
        self.limits = limits
        self.mass_limits = mass_limits

    @abstractmethod
    def touches(self, about: Mapping[str, Any]) -> dict[str, Any]:
        """The columns that say what the request may touch, from what the person was asked about."""

    @abstractmethod
    def _run(self, system: System, request: Request) -> str:
        """Reads, decides, acts, reads back and finishes; returns the outcome. Raises SystemFailure."""

    @abstractmethod
    def _decision(
        self, connection: Connection, system: System, request: Request, groups: Collection[str], used: int
    ) -> policy.Decision:
        """What policy says of this request now, after `used` acts in the window."""

    @abstractmethod
    def _ended(self, connection: Connection, now: datetime, request: Request, outcome: str, reason: str) -> None:
        """What else the end of a request brings about, in its transaction: the ticket, questions that are settled."""

    def confirm(
        self, offer: offers.Offer, answer_id: str, cause: str, about: Mapping[str, Any] | None = None
    ) -> str | None:
        """Closes the offer and writes the request, in one transaction; a retry of the same message finds it.

        `about`: the one account that the answer chooses of several in the question. Returns the request's id, or None
        if the offer was closed by something else meanwhile.
        """
        written = self.confirm_all([(offer, answer_id, [about or offer.subject])], cause)
        return written[0] if written else None

    def confirm_all(
        self, answered: Sequence[tuple[offers.Offer, str, Sequence[Mapping[str, Any]]]], cause: str
    ) -> list[str]:
        """As `confirm`, for all that one message says yes to: offers, their answers, and the accounts chosen (U9)."""
        with self.store.begin() as connection:
            written = [
                request_id
                for offer, answer_id, chosen in answered
                for request_id in self.write_each(connection, offer, answer_id, cause, chosen)
            ]
        faults.point("request_row_written")
        return written

    def write(
        self, connection: Connection, offer: offers.Offer, answer_id: str, cause: str, **changes: Any
    ) -> str | None:
        """As `confirm`, in the caller's transaction; `changes` are columns that differ from a confirmed request's."""
        written = self.write_each(connection, offer, answer_id, cause, [offer.subject], **changes)
        return written[0] if written else None

    def write_each(
        self,
        connection: Connection,
        offer: offers.Offer,
        answer_id: str,
        cause: str,
        chosen: Sequence[Mapping[str, Any]],
        **changes: Any,
    ) -> list[str]:
        """As `write`, one request for each of the accounts that the person chose of those in the question (U9)."""
        table, now = tables.requests, self.clock.now()
        query = select(table.c.id, table.c.cause).where(table.c.act == self.act, table.c.offer_id == offer.id)
        known = connection.execute(query.order_by(table.c.key)).all()
        if known:
            return [row.id for row in known if row.cause == cause]
        if not offers.close(connection, now, offer.id, offers.ANSWERED, answer_id, cause):
            return []
        written = []
        for about in chosen:
            request_id = str(uuid.uuid4())
            values = self._values(offer, about, cause, now) | changes
            connection.execute(table.insert().values(id=request_id, **values))
            actor = f"person:{offer.person_id}"
            audit.write(connection, now, actor, f"confirm_{self.act}", request_id, values["state"], offer.person_id)
            written.append(request_id)
        return written

    def _values(self, offer: offers.Offer, about: Mapping[str, Any], cause: str, now: datetime) -> dict[str, Any]:
        key = f"{self.act}:{offer.id}"
        return dict(
            key=key if about is offer.subject else f"{key}:{about['system']}",
            act=self.act,
            person_id=offer.person_id,
            system=about["system"],
            external_id=about["external_id"],
            offer_id=offer.id,
            question=offer.question,
            cause=cause,
            state="confirmed",
            called=False,
            confirmed_at=now,
            due_at=now + timedelta(seconds=GRACE_SECONDS),
            attempts=0,
            follow_up_owed=False,
            **self.touches(about),
        )

    def find(self, request_id: str) -> Request | None:
        """The request of this act with that id."""
        with self.store.reading() as connection:
            return self._find(connection, request_id)

    def of_offer(self, offer_id: str, cause: str) -> Request | None:
        """The request that this message confirmed by answering that offer."""
        table = tables.requests
        query = select(*_COLUMNS).where(table.c.key == f"{self.act}:{offer_id}", table.c.cause == cause)
        with self.store.reading() as connection:
            row = connection.execute(query).first()
        return Request(*row) if row else None

    def of_cause(self, cause: str) -> list[Request]:
        """Every request that this message confirmed."""
        table = tables.requests
        query = select(*_COLUMNS).where(table.c.act == self.act, table.c.cause == cause).order_by(table.c.key)
        with self.store.reading() as connection:
            return [Request(*row) for row in connection.execute(query)]

    def due(self, limit: int = 50) -> list[Request]:
        """Requests stuck half way whose time has come: for followups."""
        table, now = tables.requests, self.clock.now()
        query = (
            select(*_COLUMNS)
            .where(
                table.c.act == self.act,
                table.c.state.in_(UNDER_WAY),
                table.c.due_at <= now,
                or_(table.c.claimed_until.is_(None), table.c.claimed_until <= now),
            )
            .limit(limit)
        )
        with self.store.reading() as connection:
            return [Request(*row) for row in connection.execute(query)]

    def used(self, connection: Connection, person_id: str, system_key: str, excluding: str = "") -> int:
        """Acts of the person in the rolling window; one under way counts, one that changed nothing does not."""
        table = tables.requests
        since = self.clock.now() - timedelta(hours=self.limits.window_hours)
        query = select(table.c.id).where(
            table.c.act == self.act,
            table.c.person_id == person_id,
            table.c.system == system_key,
            table.c.id != excluding,
            table.c.called.is_(True),
            table.c.confirmed_at > since,
            or_(table.c.outcome.is_(None), table.c.outcome.in_(self.effective)),
        )
        return len(connection.execute(query).all())

    def held(
        self, connection: Connection, person_id: str, system_key: str, asked_at: datetime | None = None
    ) -> policy.Decision | None:
        """What keeps every act of this person on this system from being done now: frozen or paused; else None.

        `asked_at`: of what was asked for then (UTC), None for what would be asked for now.
        """
        freeze = freezes.standing(connection, person_id, asked_at)
        number = str(freezes.ticket_of(connection, freeze).number) if freeze else None
        return policy.hold(number, breaker.paused_because(connection, self.clock.now(), system_key, self.mass_limits))

    def execute(self, system: System, request_id: str) -> str:
        """Runs the request as far as it gets and returns its outcome, `still_trying` while it is not over.

        Safe to repeat at any time by anybody: a claim keeps a second runner away, and the account is read before it
        is touched.
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
            return self._finish(request, "failed", self.failed, f"{type(error).__name__}: {error}")
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
                    table.c.act == self.act,
                    table.c.state.in_(UNDER_WAY),
                    or_(table.c.claimed_until.is_(None), table.c.claimed_until <= now),
                )
                .values(
                    state="executing",
                    claimed_until=now + timedelta(seconds=CLAIM_SECONDS),
                    claimed_by=claims.holder(),
                    attempts=table.c.attempts + 1,
                )
            )
            return self._find(connection, request_id) if taken.rowcount == 1 else None

    def _decide_and_mark(self, system: System, request: Request, groups: Collection[str]) -> policy.Decision:
        """Policy and the note that the call follows are one transaction: two requests never share the last place."""
        conversations = tables.conversations
        mine = select(conversations.c.person_id).where(conversations.c.person_id == request.person_id)
        with self.store.begin() as connection:
            # On PostgreSQL two transactions would count side by side; SQLite writes one at a time anyway.
            connection.execute(mine.with_for_update())
            used = self.used(connection, request.person_id, request.system, request.id)
            held = self.held(connection, request.person_id, request.system, request.confirmed_at)
            if people.owner_of(connection, request.system, request.external_id) != request.person_id:
                held = policy.Decision(policy.STALE, "the account is not this person's any more")
            decision = held or self._decision(connection, system, request, groups, used)
            if decision.verdict == policy.ACT:
                # Counted last, so that what would not be done anyway trips nothing.
                tripped = breaker.guard(connection, self.clock.now(), request.system, self.mass_limits, request.id)
                decision = policy.hold(None, tripped) or decision
            if decision.verdict == policy.ACT:
                connection.execute(
                    update(tables.requests).where(tables.requests.c.id == request.id).values(called=True)
                )
            audit.write(
                connection,
                self.clock.now(),
                f"person:{request.person_id}",
                f"decide_{self.act}",
                f"{request.system}:{request.external_id}",
                decision.verdict,
                request.person_id,
                decision.reason,
                {"request": request.id, "attempt": request.attempts},
                key=f"decide_{self.act}:{request.id}:{request.attempts}",
            )
        return decision

    def _postpone(self, request: Request, error: TemporarilyUnavailable) -> str:
        if request.attempts > len(BACKOFF_SECONDS):
            return self._finish(
                request, "handed_over", self.given_up, f"gave up after {request.attempts} tries: {error}"
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
                self.act,
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
            changed = connection.execute(
                update(table)
                .where(table.c.id == request.id, table.c.state == request.state)
                .values(state=state, outcome=outcome, reason=reason, finished_at=now, due_at=None, claimed_until=None)
            )
            if changed.rowcount != 1:
                # Somebody else brought it on meanwhile: theirs is the end that counts.
                return self._find(connection, request.id).outcome or "still_trying"
            audit.write(
                connection,
                now,
                f"person:{request.person_id}",
                self.act,
                f"{request.system}:{request.external_id}",
                outcome,
                request.person_id,
                reason,
                {"request": request.id},
                key=f"{self.act}:{request.id}",
            )
            self._ended(connection, now, request, outcome, reason)
            owed = connection.execute(select(table.c.follow_up_owed).where(table.c.id == request.id)).scalar()
            if owed:
                _owe_follow_up(connection, now, request)
        return outcome

    def promise(self, request_id: str) -> str:
        """The person hears "still trying": from now on a follow-up is owed. If it just ended, its outcome instead."""
        table = tables.requests
        with self.store.begin() as connection:
            request = self._find(connection, request_id)
            if request.state in FINAL:
                return request.outcome
            connection.execute(update(table).where(table.c.id == request_id).values(follow_up_owed=True))
        return "still_trying"

    def _find(self, connection: Connection, request_id: str) -> Request | None:
        table = tables.requests
        row = connection.execute(select(*_COLUMNS).where(table.c.id == request_id, table.c.act == self.act)).first()
        return Request(*row) if row else None


def find(connection: Connection, request_id: str) -> Request | None:
    """The request with this id, whatever its act."""
    row = connection.execute(select(*_COLUMNS).where(tables.requests.c.id == request_id)).first()
    return Request(*row) if row else None


def claim_resolved(connection: Connection, now: datetime, request_id: str) -> None:
    """The person says it worked (X8: claimed, apart from verified)."""
    table = tables.requests
    connection.execute(
        update(table)
        .where(table.c.id == request_id, table.c.claimed_resolved_at.is_(None))
        .values(claimed_resolved_at=now)
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
