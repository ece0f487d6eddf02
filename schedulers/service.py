"""What the jobs share, and the APScheduler that runs them: one process, jobs that never overlap themselves."""

import logging
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone

import requests
from apscheduler.events import EVENT_JOB_ERROR
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy import select, update

from account_access import clock as clocks
from account_access.clock import Clock
from account_access.connectors.registry import System, systems_of
from account_access.desks.local import LocalDesk
from account_access.resets import Resets
from account_access.settings import Settings
from account_access.store import Store, tables
from account_access.unlocks import Unlocks

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 2
HEARTBEAT_NAME = "schedulers"


@dataclass
class Service:
    """Everything a job needs."""

    settings: Settings
    store: Store
    clock: Clock
    systems: dict[str, System]
    unlocks: Unlocks
    resets: Resets
    desk: LocalDesk
    http: requests.Session

    @classmethod
    def of(cls, settings: Settings) -> "Service":
        """Opens the store and builds connectors and desk. Raises StoreOutdated."""
        store, clock = Store.open(settings.store.url), clocks.from_settings(settings.clock)
        http = requests.Session()
        http.trust_env = False
        adapter = requests.adapters.HTTPAdapter(pool_maxsize=settings.schedulers.concurrency)
        http.mount("http://", adapter)
        http.mount("https://", adapter)
        desk = LocalDesk(store, clock, settings.desk.prefix)
        unlocks, resets = Unlocks(store, clock, settings), Resets(store, clock, settings)
        return cls(settings, store, clock, systems_of(settings), unlocks, resets, desk, http)

    def beat(self) -> None:
        """Says that the schedulers are alive."""
        table, now = tables.heartbeats, self.clock.now()
        with self.store.begin() as connection:
            changed = connection.execute(update(table).where(table.c.name == HEARTBEAT_NAME).values(at=now))
            if changed.rowcount == 0:
                connection.execute(table.insert().values(name=HEARTBEAT_NAME, at=now))


def last_beat(store: Store) -> datetime | None:
    """When the schedulers last said that they are alive (UTC), or None."""
    table = tables.heartbeats
    with store.reading() as connection:
        return connection.execute(select(table.c.at).where(table.c.name == HEARTBEAT_NAME)).scalar()


# Functions of the service by name, each with the seconds between its runs.
Jobs = dict[str, tuple[Callable[[Service], object], float]]


def run(service: Service, jobs: Jobs) -> None:
    """Runs each job until SIGTERM or SIGINT; a job that fails runs again next time."""
    scheduler = BackgroundScheduler(
        executors={"default": ThreadPoolExecutor(len(jobs) + 1)},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        timezone="UTC",
    )
    scheduler.add_listener(_report, EVENT_JOB_ERROR)
    for name, (function, seconds) in jobs.items():
        # APScheduler's own time, not the business clock: intervals are real seconds.
        soon = datetime.now(timezone.utc)
        scheduler.add_job(function, IntervalTrigger(seconds=seconds), args=[service], id=name, next_run_time=soon)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    scheduler.start()
    stopped.wait()
    scheduler.shutdown(wait=False)


def _report(event) -> None:
    logger.error("Job %s failed and runs again at its next time: %r", event.job_id, event.exception)
