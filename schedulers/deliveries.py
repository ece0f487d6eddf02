"""Delivers notices: claims each, hands its id to Rasa's channel, and believes only what the channel says is written."""

import logging
from concurrent.futures import ThreadPoolExecutor

import requests

from account_access import faults, notices
from account_access.notices import Notice
from schedulers.service import Service

logger = logging.getLogger(__name__)

CLAIM_SECONDS = 45
CONNECT_SECONDS, READ_SECONDS = 2, 30
BACKOFF_SECONDS = (1, 2, 4, 8, 15, 30)


def deliver(service: Service) -> int:
    """Delivers every due notice once, so many at a time; returns how many reached their inbox."""
    waiting = notices.due(service.store, service.clock)
    if not waiting:
        return 0
    with ThreadPoolExecutor(service.settings.schedulers.concurrency) as pool:
        return sum(pool.map(lambda notice: _deliver(service, notice), waiting))


def _deliver(service: Service, notice: Notice) -> bool:
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
        notices.retry(service.store, service.clock, notice, BACKOFF_SECONDS[min(notice.attempts, 5)])
    return False


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
