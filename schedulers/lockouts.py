"""Looks for lockouts: new events by a cursor, and all accounts locked now, so that none is missed (N1, N9).

A lockout becomes a notice under a key of person, system and the instant it began, so that seeing it twice, by both
ways or after a restart, tells it once.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import select

from account_access import breaker, notices, offers, people
from account_access.connectors.base import Account, SystemFailure
from account_access.connectors.registry import System
from account_access.store import cursors, tables
from account_access.unlocks import QUESTIONS
from schedulers.service import Service

logger = logging.getLogger(__name__)

AT_ONCE = 200
Item = TypeVar("Item")


def poll(service: Service) -> int:
    """Polls every system once; returns how many notices were made. A system that fails is looked at next time."""
    return sum(poll_one(service, system) for system in service.systems.values())


def poll_one(service: Service, system: System) -> int:
    """As `poll`, of one system: a slow one keeps no other waiting (law 4)."""
    if not system.can("lockouts"):
        return 0
    made = 0
    try:
        locked = _locked_now(service, system)
        made += sum(_note(service, system, some) for some in _in_parts(locked.values()))
        _watch_for_masses(service, system, locked)
        _settle_offers(service, system, locked)
    except SystemFailure as error:
        logger.warning("%s: lockouts could not be read: %s", system.name, error)
    return made


def _locked_now(service: Service, system: System) -> dict[str, Account]:
    """Every account that is locked: those of the search, and those of new events that the search does not show yet."""
    locked = {account.external_id: account for account in system.connector.locked_accounts() if account.locked}
    try:
        named = _from_events(service, system)
    except SystemFailure as error:
        # The search alone misses nothing that stands; events only come sooner.
        logger.warning("%s: the log of lockouts could not be read: %s", system.name, error)
        return locked
    unknown = [external_id for external_id in named if external_id not in locked]
    try:
        read = system.connector.many_accounts(unknown) if unknown else {}
    except SystemFailure as error:
        # What stands of them, the next search shows; the others are told meanwhile.
        logger.warning("%s: accounts of new events could not be read: %s", system.name, error)
        return locked
    return locked | {external_id: account for external_id, account in read.items() if account.locked}


def _from_events(service: Service, system: System) -> tuple[str, ...]:
    """External ids of lockout events since the last poll; the cursor moves only when the page was read whole."""
    name, now = f"lockouts:{system.key}", service.clock.now()
    with service.store.reading() as connection:
        row = connection.execute(
            select(tables.cursors.c.value, tables.cursors.c.moved_at).where(tables.cursors.c.name == name)
        ).first()
    limits = service.settings.lockout
    since = _since(now, row.moved_at if row else None, limits.overlap_seconds, limits.look_back_hours)
    page = system.connector.lockouts_since(row.value if row else None, since)
    with service.store.begin() as connection:
        cursors.move(connection, name, page.cursor, now)
    return page.external_ids


def _since(now: datetime, moved_at: datetime | None, overlap_seconds: float, look_back_hours: float) -> datetime:
    """Where to start without a cursor: a little before the last poll, but not further back than the maximum."""
    earliest = now - timedelta(hours=look_back_hours)
    return max(earliest, moved_at - timedelta(seconds=overlap_seconds)) if moved_at else earliest


def _note(service: Service, system: System, some: Sequence[Account]) -> int:
    """Makes the notices of locked accounts, those that are known or nobody's of ours left out; returns how many."""
    now = service.clock.now()
    with service.store.begin() as connection:
        owners = people.active_owners(connection, system.key, [account.external_id for account in some])
        keys = {
            notices.lockout_key(owners[account.external_id], system.key, account.locked_at): account
            for account in some
            if account.external_id in owners
        }
        new = [
            notices.New(key, notices.LOCKOUT, owners[account.external_id], _facts(system, account))
            for key, account in keys.items()
        ]
        made = notices.create_all(connection, now, new)
        repeated = [
            key
            for key in keys
            if key not in made and notices.repeat_lockout(connection, now, key, service.settings.lockout)
        ]
    return len(made) + len(repeated)


def _facts(system: System, account: Account) -> dict[str, Any]:
    return {
        "system": system.key,
        "external_id": account.external_id,
        "locked_at": account.locked_at.isoformat() if account.locked_at else None,
    }


def _in_parts(items: Iterable[Item]) -> Iterator[list[Item]]:
    """So many of a storm are one transaction, so that the door never waits long."""
    following = iter(items)
    while part := list(islice(following, AT_ONCE)):
        yield part


def _watch_for_masses(service: Service, system: System, locked: dict[str, Account]) -> None:
    """Too many at once stop self-service on this system; a quiet while allows it again (X11)."""
    with service.store.begin() as connection:
        breaker.observe(connection, service.clock.now(), system.key, locked.values(), service.settings.breaker)


def _settle_offers(service: Service, system: System, locked: dict[str, Account]) -> None:
    """Open questions about a lock that is over are closed, so that nobody is shown a button for nothing (N8)."""
    table = tables.offers
    query = select(table.c.person_id, table.c.subject).where(
        table.c.state == offers.OPEN, table.c.question.in_(QUESTIONS)
    )
    with service.store.reading() as connection:
        standing = [row for row in connection.execute(query) if row.subject.get("system") == system.key]
    doubtful = {row.subject["external_id"] for row in standing} - locked.keys()
    # The search lags behind, so it is asked again, for all of them at once; who is gone is not locked.
    read = system.connector.many_accounts(doubtful) if doubtful else {}
    over = {external_id for external_id in doubtful if external_id not in read or not read[external_id].locked}
    people_of_those = {row.person_id for row in standing if row.subject["external_id"] in over}
    for some in _in_parts(people_of_those):
        with service.store.begin() as connection:
            for person_id in some:
                offers.overtake(connection, service.clock.now(), person_id, system.key, QUESTIONS)
