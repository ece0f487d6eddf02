"""What is due later: requests stuck half way, and what the desk still has to hear (law 5)."""

import logging

from account_access import faults, tickets
from schedulers.service import Service

logger = logging.getLogger(__name__)

DESK_CLAIM_SECONDS = 30
DESK_BACKOFF_SECONDS = (2, 5, 15, 60, 300)


def finish_requests(service: Service) -> int:
    """Takes up requests whose turn died or whose system was away; returns how many were run."""
    stuck = service.unlocks.due()
    running = []
    for request in stuck:
        system = service.systems.get(request.system)
        if system is None or system.connector is None:
            logger.error(
                "Request %s names the system %s, which the settings no longer have", request.id, request.system
            )
            continue
        running.append(system.submit(service.unlocks.execute, system, request.id))
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
