"""Delivers notices: claims them, hands their ids to Rasa's channel, and believes only what the channel says is written.

Claims and ends of many notices are one transaction, looks at many accounts one call (schedulers/looks.py): a morning's
ten thousand reminders are as many turns, and little more.
"""

import logging
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import requests

from account_access import faults, notices, pace, reminders, zones
from account_access.cadence.calendar import Calendar
from account_access.notices import Notice
from account_access.settings import Settings
from schedulers import daily, looks
from schedulers.service import Service

logger = logging.getLogger(__name__)

CLAIM_SECONDS = 45
CONNECT_SECONDS, READ_SECONDS = 2, 30
BACKOFF_SECONDS = (1, 2, 4, 8, 15, 30)
# Reminders may wait: with an identity system that is away for half a day they are still no dead letters.
PATIENT_BACKOFF_SECONDS = (*BACKOFF_SECONDS, 60, 120, 300, 900)
# So many notices are claimed together for each that is under way; a lockout waits behind no more of them.
CLAIMED_EACH = 2


def deliver(service: Service) -> int:
    """Delivers every due notice once, so many at a time; returns how many reached their inbox."""
    feed = _Feed(service)
    if not feed.fill():
        return 0
    lanes = service.settings.schedulers.concurrency
    with ThreadPoolExecutor(lanes) as pool:
        running = [pool.submit(feed.work) for _ in range(lanes)]
    feed.note_ends()
    return sum(lane.result() for lane in running)


class _Feed:
    """The due notices of one round, handed to the threads that deliver them; each is tried once."""

    def __init__(self, service: Service):
        self.service = service
        self.limit = service.settings.schedulers.per_minute[pace.WEB]
        self.guard = threading.Lock()
        self.claimed: deque[Notice] = deque()
        self.ends: deque[tuple[Notice, dict]] = deque()
        self.tried: set[str] = set()

    def work(self) -> int:
        """Delivers one after another until nothing is due; returns how many reached their inbox."""
        written = 0
        while (notice := self._next()) is not None:
            answer = _answer(self.service, notice)
            self.ends.append((notice, answer))
            written += bool(answer.get("written"))
        return written

    def _next(self) -> Notice | None:
        with self.guard:
            if not self.claimed:
                self.fill()
            return self.claimed.popleft() if self.claimed else None

    def fill(self) -> bool:
        """Notes what ended and claims the next few; False where nothing more is due."""
        self.note_ends()
        while not self.claimed:
            due = notices.due(self.service.store, self.service.clock)
            found = self._within_pace([notice for notice in due if notice.id not in self.tried])
            if not found:
                return False
            ready = self._not_held(found)
            if ready:
                self._claim(ready)
                faults.point("notice_claimed")
        return True

    def _within_pace(self, found: list[Notice]) -> list[Notice]:
        """Those that may go out in this minute: reminders stay due meanwhile, and a lockout waits for no limit (N2)."""
        left = pace.left(self.service.store, self.service.clock, pace.WEB, self.limit)
        if left is None or not found:
            return found
        urgent, others = _apart(found)
        return urgent + others[:left]

    def _taken(self, ready: list[Notice]) -> list[Notice]:
        """Those that are within the limit for sure, whoever else delivers."""
        urgent, others = _apart(ready)
        granted = pace.take(
            self.service.store, self.service.clock, pace.WEB, len(others), self.limit, urgent=len(urgent)
        )
        return urgent + others[:granted]

    def _not_held(self, found: list[Notice]) -> list[Notice]:
        """Those that are for this hour; the others are put off."""
        now = self.service.clock.now()
        held: dict[datetime, list[str]] = {}
        for notice in found:
            until = held_until(self.service.settings, notice, now)
            if until:
                held.setdefault(until, []).append(notice.id)
        if not held:
            return found
        with self.service.store.repeatable() as connection:
            for until, ids in held.items():
                notices.hold(connection, ids, until, "held back until the next morning")
                self.tried.update(ids)
        return [notice for notice in found if notice.id not in self.tried]

    def _claim(self, found: list[Notice]) -> None:
        few = CLAIMED_EACH * self.service.settings.schedulers.concurrency
        look = looks.look(self.service, found, few)
        wanted = [notice for notice in found if notice.id not in look.silent][:few]
        ready = self._taken(wanted)
        now = self.service.clock.now()
        with self.service.store.repeatable() as connection:
            notices.seen_true(connection, now, look.true)
            notices.hold(connection, look.silent, now + look.again_in, "its system did not answer")
            limits = self.service.settings.lockout
            self.claimed.extend(notices.claim(connection, now, ready, CLAIM_SECONDS, limits))
        # Also those that others have, or that have to wait: their turn comes in another round.
        self.tried |= {notice.id for notice in wanted} | look.silent

    def note_ends(self) -> None:
        """Writes down how deliveries ended; a kill before that costs nothing, for the inbox row is the proof."""
        ended = [self.ends.popleft() for _ in range(len(self.ends))]
        if not ended:
            return
        now = self.service.clock.now()
        with self.service.store.repeatable() as connection:
            written = [notice.id for notice, answer in ended if answer.get("written")]
            notices.settle(connection, now, written, notices.DELIVERED)
            for notice, answer in ended:
                if not answer.get("written") and answer.get("state") not in (notices.DROPPED, notices.DEAD):
                    notices.retry(connection, now, notice, _pause(notice))


def _apart(found: list[Notice]) -> tuple[list[Notice], list[Notice]]:
    """Lockouts, and the others."""
    return [one for one in found if one.kind == notices.LOCKOUT], [one for one in found if one.kind != notices.LOCKOUT]


def _answer(service: Service, notice: Notice) -> dict:
    try:
        return _inject(service, notice)
    except (requests.RequestException, ValueError) as error:
        logger.warning("Notice %s was not delivered yet: %s", notice.id, error)
        return {}


def _pause(notice: Notice) -> float:
    pauses = PATIENT_BACKOFF_SECONDS if notice.kind in reminders.PLANNED else BACKOFF_SECONDS
    return pauses[min(notice.attempts, len(pauses) - 1)]


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
