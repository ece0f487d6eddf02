"""What is due later: requests stuck half way, looks at what was done, and what desk and owners still have to hear."""

import logging

from account_access import faults, outages, pace, tickets
from account_access.connectors.base import AccountNotFound, SystemFailure
from account_access.connectors.registry import System
from account_access.mail import Mails
from account_access.outages import Outage
from account_access.verification import Verification
from schedulers.service import Service

logger = logging.getLogger(__name__)

DESK_CLAIM_SECONDS = 30
DESK_BACKOFF_SECONDS = (2, 5, 15, 60, 300)


def finish_requests(service: Service) -> int:
    """Takes up requests whose turn died, whose system was away, or which were approved; returns how many were run.

    Requests whose approval or code did not come in time end here as well (M7, M9).
    """
    service.resets.expire_waiting()
    stuck = [(acts, request) for acts in (service.unlocks, service.resets) for request in acts.due()]
    running = []
    for acts, request in stuck:
        system = service.systems.get(request.system)
        if system is None or system.connector is None:
            logger.error(
                "Request %s names the system %s, which the settings no longer have", request.id, request.system
            )
            continue
        running.append(system.submit(acts.execute, system, request.id))
    # All are under way before one is waited for, so that a slow system holds up no other (law 4).
    for future in running:
        future.result()
    return len(running)


def empty_desk_outbox(service: Service) -> int:
    """Tells the desk what it has not heard yet, in order for each ticket; returns how much it took."""
    taken = 0
    for event in tickets.due_events(service.store, service.clock):
        if not tickets.claim_event(service.store, service.clock, event, DESK_CLAIM_SECONDS):
            continue
        try:
            reference = service.desk.take(event)
        except Exception as error:  # noqa: BLE001 (whatever a desk raises, the event stays and is tried again)
            logger.warning("The desk did not take %s: %s", event.key, error)
            pause = DESK_BACKOFF_SECONDS[min(event.attempts, len(DESK_BACKOFF_SECONDS) - 1)]
            tickets.event_failed(service.store, service.clock, event, pause)
            continue
        faults.point("ticket_sent")
        tickets.event_sent(service.store, service.clock, event, reference)
        taken += 1
    return taken


def verify_acts(service: Service) -> int:
    """Looks again at acts that were done: 2, 5 and 10 minutes later (X8); returns how many looks were made."""
    verification = Verification(service.store, service.clock)
    verification.plan()
    running = []
    for check, request in verification.due():
        system = service.systems.get(request.system)
        if system is None or system.connector is None:
            logger.error("Check %s names the system %s, which the settings no longer have", check.id, request.system)
            continue
        running.append(system.submit(verification.run, system, check, request))
    for future in running:
        future.result()
    return len(running)


def send_mails(service: Service) -> int:
    """Tells owners by mail what was done to their accounts (M7); returns how many mails went out."""
    mails = Mails(service.store, service.clock, service.settings)
    mails.settle_the_dead()
    mails.plan()
    limit, sent = service.settings.schedulers.per_minute[pace.MAIL], 0
    for mail in mails.due():
        if not pace.take(service.store, service.clock, pace.MAIL, 1, limit):
            break  # it stays due
        sent += mails.send(mail)
    return sent


def tell_when_back(service: Service) -> int:
    """Asks systems that did not answer; who met the silence is told once it is over (X6). Returns how many."""
    running = []
    for key, waiting in outages.due(service.store, service.clock.now()).items():
        system = service.systems.get(key)
        if system is not None and system.connector is not None:
            running.append(system.submit(_tell_if_back, service, system, waiting))
    return sum(future.result() for future in running)


def _tell_if_back(service: Service, system: System, waiting: list[Outage]) -> int:
    probe = next((outage.external_id for outage in waiting if outage.external_id), "nobody")
    try:
        system.connector.account(probe)
    except AccountNotFound:
        pass  # an answer, too
    except SystemFailure:
        outages.still_silent(service.store, service.clock.now(), system.key)
        return 0
    return outages.over(service.store, service.clock.now(), waiting)
