"""Forgotten passwords: the way to a new one, which is never made here (P1-P6, law 7).

By default the way is a link to the organisation's own page. Where the settings ask for a minted one, only its owner's
press asks the system for it, after policy, and it goes to that browser alone: never into a message, a row or a log.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta

from pydantic import SecretStr
from sqlalchemy.engine import Connection

from account_access import audit, breaker, freezes, links, people, policy
from account_access.clock import Clock
from account_access.connectors.base import (
    AccountNotFound,
    NotSupported,
    PermissionRefused,
    StateRefused,
    Status,
    SystemFailure,
)
from account_access.connectors.registry import System
from account_access.links import Link
from account_access.store import Store

logger = logging.getLogger(__name__)

# Accounts that no reset link helps: a human has to look.
CLOSED = (Status.SUSPENDED, Status.DEACTIVATED)


@dataclass(frozen=True)
class Minted:
    """What came of a press: `minted`, or why there is no link: password_human, instructions, no_account, down."""

    outcome: str
    link: SecretStr | None = None


class Passwords:
    """The way to new passwords in one installation."""

    def __init__(self, store: Store, clock: Clock, settings):
        self.store = store
        self.clock = clock
        self.limits = settings.links
        self.mass_limits = settings.breaker

    def look(self, system: System, person_id: str) -> str:
        """What the person can be offered for this system now.

        recoverable (a link), locked (a link, and the account is locked as well), instructions, frozen, and for a minted
        link also password_human, no_account and down. A portal's link needs no answer from the system.
        """
        if way(system) == policy.INSTRUCTIONS:
            return policy.INSTRUCTIONS
        if self.frozen(person_id):
            return policy.FROZEN
        minted = way(system) == links.MINTED
        external_id = self._account(system, person_id)
        if system.connector is None or external_id is None:
            return "no_account" if minted else "recoverable"
        try:
            account = system.connector.account(external_id)
            decision = self._decide(system, person_id, external_id) if minted else None
        except SystemFailure as error:
            logger.info("Looking at an account before a password reset: %s", error)
            return _hindrance(error) if minted else "recoverable"
        if decision and decision.verdict != policy.ACT:
            return _refusal(decision.verdict)
        if minted and account.status in CLOSED:
            return "password_human"
        if minted and account.password_elsewhere:
            return policy.INSTRUCTIONS
        return "locked" if account.locked else "recoverable"

    def frozen(self, person_id: str) -> bool:
        """Whether the person has said that somebody else was at it, and security has not closed its ticket (X10)."""
        with self.store.reading() as connection:
            return freezes.standing(connection, person_id) is not None

    def unanswered(self, system: System) -> str:
        """As `look`, for a system that did not answer in time."""
        return "down" if way(system) == links.MINTED else "recoverable"

    def link(self, connection: Connection, cause: str, person_id: str, system: System) -> Link:
        """The person's link for this system; a retry of the same cause finds it."""
        now, days = self.clock.now(), timedelta(days=self.limits.days)
        return links.make(
            connection,
            now,
            f"password:{cause}",
            person_id,
            links.PASSWORD,
            system.key,
            page(system),
            now + days,
            way=way(system),
            renewed_for=days,
            good_for=timedelta(minutes=self.limits.minutes),
        )

    def mint(self, system: System, link: Link) -> Minted:
        """Asks the system for the one-time link of this link's owner, after policy; audited before and after.

        Asked again after a lost answer it mints again: the later link is as good as the first.
        """
        external_id = self._account(system, link.person_id)
        if external_id is None or not system.can("reset_link"):
            return Minted("no_account" if external_id is None else policy.INSTRUCTIONS)
        try:
            decision = self._decide(system, link.person_id, external_id)
            self._record(system, link, external_id, decision.verdict, decision.reason)
            if decision.verdict != policy.ACT:
                return Minted(_refusal(decision.verdict))
            minted = Minted("minted", system.connector.mint_reset_link(external_id))
        except SystemFailure as error:
            minted = Minted(_hindrance(error))
            self._record(system, link, external_id, minted.outcome, f"{type(error).__name__}: {error}")
            return minted
        self._record(system, link, external_id, "minted", "the owner pressed the button")
        return minted

    def _account(self, system: System, person_id: str) -> str | None:
        with self.store.reading() as connection:
            return people.accounts_of(connection, person_id).get(system.key)

    def _decide(self, system: System, person_id: str, external_id: str) -> policy.Decision:
        with self.store.reading() as connection:
            freeze = freezes.standing(connection, person_id)
            number = str(freezes.ticket_of(connection, freeze).number) if freeze else None
            paused = breaker.paused_because(connection, self.clock.now(), system.key, self.mass_limits)
        held = policy.hold(number, paused)
        if held:
            return held
        groups = system.connector.groups(external_id)
        return policy.decide_mint(system.can("reset_link"), groups, system.settings.protected_groups)

    def _record(self, system: System, link: Link, external_id: str, result: str, reason: str) -> None:
        with self.store.begin() as connection:
            audit.write(
                connection,
                self.clock.now(),
                f"person:{link.person_id}",
                "mint_reset_link",
                f"{system.key}:{external_id}",
                result,
                link.person_id,
                reason,
                {"link": link.id},
            )


def page(system: System) -> str | None:
    """The organisation's page for a new password, None where the link is minted."""
    settings = system.settings
    return None if settings.password_reset == links.MINTED else settings.password_url or settings.portal_url


def way(system: System) -> str:
    """portal, minted or instructions: what the settings want and the system can."""
    wanted = system.settings.password_reset
    if wanted == links.MINTED:
        return links.MINTED if system.can("reset_link") else policy.INSTRUCTIONS
    return links.PORTAL if wanted == links.PORTAL and page(system) else policy.INSTRUCTIONS


def _refusal(verdict: str) -> str:
    return verdict if verdict == policy.INSTRUCTIONS else "password_human"


def _hindrance(error: SystemFailure) -> str:
    """How a system's failure ends the attempt; the error itself is for logs and the audit trail."""
    if isinstance(error, AccountNotFound):
        return "no_account"
    if isinstance(error, PermissionRefused | StateRefused):
        return "password_human"
    return policy.INSTRUCTIONS if isinstance(error, NotSupported) else "down"
