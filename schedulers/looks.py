"""Looks at the accounts of many notices in one call, right before they are told (N10).

What is told has to be true, and ten thousand reminders of a morning, or a storm of lockouts, are no reason to ask the
identity system as many times. Whose account is not exactly as the notice says is left to the action, which looks again.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from account_access import directory_facts, notices, reminders
from account_access.connectors.base import Account, SystemFailure, TemporarilyUnavailable
from account_access.connectors.http import BadRequest
from account_access.connectors.registry import System
from account_access.directory_facts import Known
from account_access.notices import Notice
from schedulers.service import Service

logger = logging.getLogger(__name__)

PASSWORDS = (reminders.PASSWORD_EXPIRY, reminders.PASSWORD_EXPIRED)
LOOKED_AT = (*PASSWORDS, notices.LOCKOUT)
# A system that does not answer, and does not say for how long, is asked again after so many seconds.
PAUSE_SECONDS = 15.0


@dataclass
class Look:
    """What a look found: ids of notices whose accounts are as they say, and of those whose system was silent.

    `again_in`: when the silent systems may be asked again.
    """

    true: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    again_in: timedelta = timedelta(0)


def look(service: Service, found: Sequence[Notice], next_few: int) -> Look:
    """Looks at the accounts of all these notices, if one of the next few was not looked at a moment ago."""
    result, now = Look(), service.clock.now()
    unseen = [notice for notice in found if notice.kind in LOOKED_AT and not notice.is_seen_true(now)]
    if not {notice.id for notice in unseen} & {notice.id for notice in found[:next_few]}:
        return result
    for system in service.systems.values():
        theirs = [notice for notice in unseen if notice.facts.get("system") == system.key]
        if theirs and system.connector is not None:
            _look(service, system, theirs, result)
    return result


def _look(service: Service, system: System, theirs: list[Notice], result: Look) -> None:
    ids = {notice.facts["external_id"] for notice in theirs}
    try:
        accounts = system.submit(system.connector.many_accounts, ids).result()
    except BadRequest as error:
        logger.warning("%s: many accounts at once could not be read, so each is read alone: %s", system.name, error)
        return
    except TemporarilyUnavailable as error:
        logger.warning("%s: %d notices wait, for it does not answer: %s", system.name, len(theirs), error)
        result.silent |= {notice.id for notice in theirs}
        result.again_in = max(result.again_in, timedelta(seconds=error.retry_after or PAUSE_SECONDS))
        return
    except SystemFailure as error:
        logger.warning("%s: many accounts at once could not be read, so each is read alone: %s", system.name, error)
        return
    with service.store.reading() as connection:
        known = directory_facts.by_ids(connection, system.key, ids)
    result.true |= {notice.id for notice in _true(theirs, accounts, known)}


def _true(theirs: Iterable[Notice], accounts: dict[str, Account], known: dict[str, Known]) -> Iterable[Notice]:
    for notice in theirs:
        external_id = notice.facts["external_id"]
        account = accounts.get(external_id)
        if account is None:
            continue
        if notice.kind == notices.LOCKOUT:
            if account.locked_at and account.locked_at.isoformat() == notice.facts.get("locked_at"):
                yield notice
        elif external_id in known and directory_facts.is_as_told(known[external_id], account):
            yield notice
