"""Reads the directory's people into the store, page by page, so that sign-ins and notices know who is who (N7)."""

import logging

from account_access import people
from account_access.connectors.base import SystemFailure
from schedulers.service import Service

logger = logging.getLogger(__name__)


def sync(service: Service) -> int:
    """Adds and updates everyone of every system that can list people; returns how many. A system that fails waits."""
    count = 0
    for system in service.systems.values():
        if not system.can("people"):
            continue
        started = service.clock.now()
        try:
            for page in system.connector.people():
                count += people.merge(service.store, service.clock, system.key, page)
            people.deactivate_absent(service.store, system.key, started)
        except SystemFailure as error:
            logger.warning("%s: the directory could not be read to its end: %s", system.name, error)
        except people.ImplausibleDirectory as error:
            logger.error("%s: nobody was deactivated: %s; check the token's permissions", system.name, error)
    return count
