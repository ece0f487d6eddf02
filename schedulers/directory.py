"""Reads the directory into the store, page by page: who is who (N7), and the facts that reminders need (C3)."""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from account_access import directory_facts, directory_readings, joins, people
from account_access.cadence.audience import audiences
from account_access.cadence.directory import folded
from account_access.connectors.base import DirectoryPerson, DirectoryRules, SystemFailure
from account_access.connectors.registry import System
from account_access.directory_readings import Reading
from account_access.settings import Settings
from account_access.spelling import nearest
from schedulers import progress
from schedulers.service import Service

logger = logging.getLogger(__name__)

# A plan is made from facts at most so old; else the directory is read first.
FRESH = timedelta(minutes=30)
# A directory that fails is not asked again by every job that would like it.
PAUSE_SECONDS = 30

# Of each system: one reading at a time, and none while it is decided whose its accounts are.
_reading: dict[str, threading.RLock] = defaultdict(threading.RLock)
_failed_at: dict[str, float] = {}


def sync(service: Service) -> int:
    """Adds and updates everyone of every system that can list people; returns how many. A system that fails waits."""
    return sum(sync_one(service, system) for system in service.systems.values())


def sync_one(service: Service, system: System) -> int:
    """As `sync`, of one system: a slow one keeps no other waiting (law 4)."""
    return _read(service, system) if system.can("people") else 0


def ensure_fresh(service: Service, system: System) -> bool:
    """Whether the system's facts are young enough to plan from, after a reading if they were not."""
    if _is_fresh(service, system):
        return True
    if time.monotonic() - _failed_at.get(system.key, -PAUSE_SECONDS) < PAUSE_SECONDS:
        return False
    _read(service, system)
    return _is_fresh(service, system)


def wanted_groups(settings: Settings) -> frozenset[str]:
    """The groups whose members the settings want to know by name."""
    return frozenset().union(*(audience.groups for audience in audiences(settings)))


def _read(service: Service, system: System) -> int:
    with _reading[system.key]:
        count, complete, started, main = 0, False, service.clock.now(), _main(service)
        try:
            rules = _rules(service, system)
            for page in _pages(service, system):
                count += people.merge(service.store, service.clock, system.key, page, main=system.key == main)
                if rules is not None:
                    services = system.settings.service_types
                    directory_facts.merge(service.store, service.clock, system.key, page, rules, services)
            people.deactivate_absent(service.store, system.key, started)
        except SystemFailure as error:
            logger.warning("%s: the directory could not be read to its end: %s", system.name, error)
            _failed_at[system.key] = time.monotonic()
        except people.ImplausibleDirectory as error:
            logger.error("%s: nobody was deactivated: %s; check the token's permissions", system.name, error)
            _failed_at[system.key] = time.monotonic()
        else:
            _note(service, system, started, rules)
            complete = True
    _join(service, system, complete)
    return count


def _pages(service: Service, system: System) -> Iterator[list[DirectoryPerson]]:
    """Everyone, page by page; the first reading of a large directory takes minutes and says how far it is."""
    pages = system.connector.people()
    if _was_read(service, system.key):
        yield from pages
        return
    with progress.shown(f"{system.name}: people read", None, logger.info) as advance:
        for page in pages:
            yield page
            advance(len(page))


def _main(service: Service) -> str:
    """The key of the system with which people sign in: whose directory says who there is."""
    return next(iter(service.systems))


def _join(service: Service, read: System, complete: bool) -> None:
    """Decides anew whose accounts are whose, where this reading may have changed it (U9).

    What a directory that was not read to its `complete` end tells may split accounts, but joins none.
    """
    main = _main(service)
    for key, system in service.systems.items():
        if read.key not in (main, key):
            continue
        wanted = system.settings.joined_by is not None
        # Always in this order, or two would wait for each other.
        with _reading[main], _reading[key]:
            may_join = complete and _was_read(service, main) and _was_read(service, key)
            outcome = joins.decide(service.store, service.clock, main, key, wanted, may_join)
        if outcome.joined or outcome.split:
            counted = f"{outcome.joined} accounts joined, {outcome.split} split"
            logger.info("%s: %s, %d cannot be", system.name, counted, len(outcome.ambiguous))


def _rules(service: Service, system: System) -> DirectoryRules | None:
    if not system.can("directory"):
        return None
    return system.connector.directory_rules(wanted_groups(service.settings))


def _is_fresh(service: Service, system: System) -> bool:
    """Young enough, and read with the groups that the settings name by now."""
    reading = _last_reading(service, system.key)
    if reading is None or not reading.tells_of(wanted_groups(service.settings)):
        return False
    return service.clock.now() - reading.began <= FRESH


def _was_read(service: Service, key: str) -> bool:
    return _last_reading(service, key) is not None


def _last_reading(service: Service, key: str) -> Reading | None:
    with service.store.reading() as connection:
        return directory_readings.last(connection, key)


def _note(service: Service, system: System, started: datetime, rules: DirectoryRules | None) -> None:
    """The directory was read to its end; groups of the settings that no directory has are told of."""
    wanted = wanted_groups(service.settings)
    absent = dict.fromkeys(wanted)
    if rules is not None:
        there = {folded(name) for name in rules.group_names}
        absent = {name: nearest(name, rules.group_names) for name in sorted(wanted) if folded(name) not in there}
    with service.store.begin() as connection:
        directory_readings.note(connection, system.key, started, wanted, absent)
        nowhere = directory_readings.absent_everywhere(connection, service.systems)
    for name in sorted(absent.keys() & nowhere.keys()):
        logger.warning("%s: %s", system.name, directory_readings.no_such_group(name, nowhere[name]))
