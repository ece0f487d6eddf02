"""Delivers notices: claims each, hands its id to Rasa's channel, and believes only what the channel says is written."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import requests

from account_access import faults, notices, reminders, zones
from account_access.cadence.calendar import Calendar
from account_access.notices import Notice
from account_access.settings import Settings
from schedulers import daily
from schedulers.service import Service

logger = logging.getLogger(__name__)

CLAIM_SECONDS = 45
CONNECT_SECONDS, READ_SECONDS = 2, 30
BACKOFF_SECONDS = (1, 2, 4, 8, 15, 30)
# Reminders may wait: with an identity system that is away for half a day they are still no dead letters.
PATIENT_BACKOFF_SECONDS = (*BACKOFF_SECONDS, 60, 120, 300, 900)


def deliver(service: Service) -> int:
    """Delivers every due notice once, so many at a time; returns how many reached their inbox."""
    waiting = notices.due(service.store, service.clock)
    if not waiting:
        return 0
    with ThreadPoolExecutor(service.settings.schedulers.concurrency) as pool:
        return sum(pool.map(lambda notice: _deliver(service, notice), waiting))


def _deliver(service: Service, notice: Notice) -> bool:
    later = held_until(service.settings, notice, service.clock.now())
    if later:
        notices.hold(service.store, notice, later, "held back until the next morning")
        return False
    if not notices.claim(service.store, service.clock, notice, CLAIM_SECONDS, service.settings.lockout):
        return False
    faults.point("notice_claimed")
    try:
        answer = _inject(service, notice)
    except (requests.RequestException, ValueError) as error:
        logger.warning("Notice %s was not delivered yet: %s", notice.id, error)
        answer = {}
    if answer.get("written"):
        notices.settle(service.store, service.clock, notice.id, notices.DELIVERED)
        return True
    if answer.get("state") not in (notices.DROPPED, notices.DEAD):
        pauses = PATIENT_BACKOFF_SECONDS if notice.kind in reminders.PLANNED else BACKOFF_SECONDS
        notices.retry(service.store, service.clock, notice, pauses[min(notice.attempts, len(pauses) - 1)])
    return False


def held_until(settings: Settings, notice: Notice, now: datetime) -> datetime | None:
    """Until when (UTC) a notice of a daily run is not for this hour (E15), None if it may go out.

    Nobody is reminded in the evening of what can wait; a last reminder, or a notice that is sent by hand, cannot.
    """
    if notice.kind not in reminders.PLANNED or notice.facts.get("any_hour"):
        return None
    calendar = Calendar(zones.find(settings.time_zone))
    contractor = notice.kind == reminders.CONTRACTOR_EXPIRY
    send_at = (settings.contractor if contractor else settings.password).send_at
    if daily.is_open(now, calendar, send_at):
        return None
    return daily.next_opening(now, calendar, send_at)


def _inject(service: Service, notice: Notice) -> dict:
    """The channel's answer: `written` is true only when the inbox row exists. Raises for any status but 200."""
    section = service.settings.schedulers
    response = service.http.post(
        f"{section.rasa_url}/webhooks/inbox/notice",
        json={"notice": notice.id},
        headers={"X-Scheduler-Secret": section.secret.get_secret_value()},
        timeout=(CONNECT_SECONDS, READ_SECONDS),
    )
    response.raise_for_status()
    answer = response.json()
    if not isinstance(answer, dict):
        raise ValueError("the channel's answer is no object")
    return answer
