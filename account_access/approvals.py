"""Manager approval of an MFA reset: asked, given, refused, or over (M9).

The request is written when the manager is asked, and waits for them. Who the manager is comes from the directory, when
they are asked and again when they decide; nobody ever approves for themselves.
"""

from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.engine import Connection

from account_access import audit, freezes, notices, offers, people, policy, requests
from account_access.clock import Clock
from account_access.connectors.registry import System
from account_access.offers import Offer
from account_access.people import Person
from account_access.requests import Request
from account_access.resets import AWAITING, Resets
from account_access.store import Store, tables

# The ends of a request whose manager was bothered for nothing.
IN_VAIN = ("approval_denied", "approval_expired")


class Approvals:
    """The approvals of one installation; shared by the action server and the schedulers."""

    def __init__(self, store: Store, clock: Clock, settings, resets: Resets):
        self.store = store
        self.clock = clock
        self.limits = settings.mfa
        self.resets = resets

    def approver(self, system: System, external_id: str) -> Person | None:
        """The owner of the account's manager's account, read from the directory now; None if there is nobody to ask.

        Nobody: none named, not known or not active here, frozen, or asked in vain as often as may be reset in a window.
        Raises SystemFailure.
        """
        if not system.can("manager"):
            return None
        manager = system.connector.manager(external_id)
        if manager is None or manager == external_id:
            return None
        with self.store.reading() as connection:
            owner = people.owner_of(connection, system.key, manager)
            person = people.find(connection, owner) if owner else None
            own = people.owner_of(connection, system.key, external_id)
            if person is None or not person.active or person.id == own:
                return None
            # Somebody else may be in a frozen manager's session (X10); and who is asked too often says yes to be left
            # in peace.
            frozen = freezes.standing(connection, person.id) is not None
            return None if frozen or self._in_vain(connection, system, own) >= self.limits.max_per_window else person

    def _in_vain(self, connection: Connection, system: System, person_id: str | None) -> int:
        """How often the manager was asked in the rolling window and said no, or nothing."""
        table = tables.requests
        query = select(func.count()).where(
            table.c.act == self.resets.act,
            table.c.person_id == person_id,
            table.c.system == system.key,
            table.c.outcome.in_(IN_VAIN),
            table.c.confirmed_at > self.clock.now() - timedelta(hours=self.limits.window_hours),
        )
        return connection.execute(query).scalar_one()

    def ask(self, offer: Offer, answer_id: str, cause: str, approver: Person) -> str | None:
        """Closes the offer, writes the request that waits, and the notice to the approver, in one transaction.

        Returns the request's id, also to a retry of the same message; None if the offer was closed by something else.
        """
        now = self.clock.now()
        until = now + timedelta(minutes=self.limits.approval_minutes)
        waiting = dict(state=AWAITING, approver_id=approver.id, due_at=until, follow_up_owed=True)
        with self.store.begin() as connection:
            request_id = self.resets.write(connection, offer, answer_id, cause, **waiting)
            if request_id is not None:
                facts = {"request": request_id, "system": offer.subject["system"]}
                notices.create(connection, now, f"approval:{request_id}", notices.APPROVAL, approver.id, facts)
        return request_id

    def asked(self, connection: Connection, person_id: str) -> Request | None:
        """This person's own request that waits for their manager's word now."""
        return self.resets.awaited(connection, person_id, tables.requests.c.approver_id.is_not(None))

    def turned_down(self, connection: Connection, person_id: str, since: datetime) -> tuple[Request, datetime] | None:
        """The person's last request, with its end (UTC), if it ended since then without the manager's yes."""
        table = tables.requests
        query = select(table.c.id, table.c.outcome, table.c.finished_at).where(
            table.c.person_id == person_id, table.c.finished_at > since
        )
        last = connection.execute(query.order_by(table.c.finished_at.desc()).limit(1)).first()
        if last is None or last.outcome not in IN_VAIN:
            return None
        return requests.find(connection, last.id), last.finished_at

    def waiting(self, request_id: str, approver_id: str) -> Request | None:
        """The request, if it still waits for this person's word."""
        request = self.resets.find(request_id)
        if request is None or request.state != AWAITING or request.approver_id != approver_id:
            return None
        return request if request.due_at > self.clock.now() else None

    def approve(
        self, system: System, offer: Offer, cause: str, signed_in_ago: timedelta | None, undated: bool = False
    ) -> str:
        """The manager says yes: approved, sign_in_again, or approval_over. Raises SystemFailure.

        `signed_in_ago`: how long before their word their session had signed in, None where nobody can tell. Where
        nobody could tell after another sign-in either (`undated`), a human decides instead of the manager.
        """
        if undated:
            return self._to_a_human(offer)
        if not policy.is_fresh(signed_in_ago, timedelta(hours=self.limits.fresh_hours)):
            return policy.SIGN_IN_AGAIN
        request = self.waiting(offer.subject["request"], offer.person_id)
        if request is None:
            return "approved" if self._decided_by(offer, cause, "approved") else "approval_over"
        approver = self.approver(system, request.external_id)
        if approver is None or approver.id != offer.person_id:
            self._note(request, offer.person_id, "refused", "is not the manager any more, or is frozen")
            return "approval_over"
        table, now = tables.requests, self.clock.now()
        with self.store.begin() as connection:
            changed = connection.execute(
                update(table)
                .where(table.c.id == request.id, table.c.state == AWAITING, table.c.due_at > now)
                .values(state="confirmed", approved_at=now, due_at=now)
            )
            if changed.rowcount != 1:
                return "approval_over"
            offers.close(connection, now, offer.id, offers.ANSWERED, "1", cause)
            self._audit(connection, request, offer.person_id, "approved", None, cause)
        return "approved"

    def _to_a_human(self, offer: Offer) -> str:
        request = self.waiting(offer.subject["request"], offer.person_id)
        if request is not None:
            reason = "the organisation's sign-in does not tell when the manager signed in (auth_time)"
            self._note(request, offer.person_id, "refused", reason)
            self.resets.end_waiting(request, "mfa_human", reason)
        return "approval_over"

    def deny(self, offer: Offer, cause: str) -> str:
        """The manager says no: approval_denied, or approval_over."""
        request = self.waiting(offer.subject["request"], offer.person_id)
        if request is None:
            return "approval_denied" if self._decided_by(offer, cause, "denied") else "approval_over"
        with self.store.begin() as connection:
            offers.close(connection, self.clock.now(), offer.id, offers.ANSWERED, None, cause)
            self._audit(connection, request, offer.person_id, "denied", None, cause)
        return self.resets.end_waiting(request, "approval_denied", "the manager said no")

    def _decided_by(self, offer: Offer, cause: str, result: str) -> bool:
        """Whether this very message decided it before a retry."""
        with self.store.reading() as connection:
            key = _key(offer.subject["request"], result, cause)
            return connection.execute(select(tables.audit.c.id).where(tables.audit.c.key == key)).first() is not None

    def _note(self, request: Request, approver_id: str, result: str, reason: str) -> None:
        with self.store.begin() as connection:
            self._audit(connection, request, approver_id, result, reason, "")

    def _audit(self, connection, request: Request, approver_id: str, result: str, reason: str | None, cause: str):
        audit.write(
            connection,
            self.clock.now(),
            f"person:{approver_id}",
            "approve_reset",
            f"{request.system}:{request.external_id}",
            result,
            request.person_id,
            reason,
            {"request": request.id},
            key=_key(request.id, result, cause) if cause else None,
        )


def _key(request_id: str, result: str, cause: str) -> str:
    return f"approve_reset:{request_id}:{result}:{cause}"
