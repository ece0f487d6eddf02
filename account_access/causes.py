"""Why somebody cannot get in, other than a lockout, as far as the directory shows it by itself (G4)."""

from datetime import datetime

from account_access.connectors.base import Account, Status, SystemFailure
from account_access.connectors.registry import System

CLOSED, RECOVERY, EXPIRED, NO_FACTOR = "closed", "recovery", "expired", "no_factor"
BY_STATUS = {
    Status.DEACTIVATED: CLOSED,
    Status.SUSPENDED: CLOSED,
    Status.RECOVERY: RECOVERY,
    Status.PASSWORD_EXPIRED: EXPIRED,
}


def of(system: System, external_id: str, now: datetime) -> str | None:
    """The cause that the system shows now, the one that stands in front of the others first; None if it shows none.

    closed (deactivated or suspended: only a human helps), recovery (a new password was begun and not made), expired
    (the password), no_factor. What the system does not tell is no cause.
    """
    try:
        account = system.connector.account(external_id)
        if account.status in BY_STATUS:
            return BY_STATUS[account.status]
        if _expired(system, account, now):
            return EXPIRED
        if system.can("factors") and not any(factor.usable for factor in system.connector.factors(external_id)):
            return NO_FACTOR
    except SystemFailure:
        return None
    return None


def _expired(system: System, account: Account, now: datetime) -> bool:
    """Some systems change the status only at the next sign-in."""
    rules = system.connector.password_rules(account) if system.can("password_rules") else None
    expires_at = rules.expires_at(account) if rules else None
    return expires_at is not None and expires_at <= now
