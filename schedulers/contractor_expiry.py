"""Contractor notices: once a day, one message a manager with all their workers whose contracts end (C1-C13)."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.engine import Connection

from account_access import audit, directory_facts, faults, notices, reminders, zones
from account_access.cadence.audience import no_worker
from account_access.cadence.calendar import Calendar
from account_access.cadence.contractors import DAYS, ContractorPlanner
from account_access.cadence.directory import DirectoryEntry, folded
from account_access.connectors.registry import System
from account_access.directory_facts import Known
from account_access.settings import Settings
from schedulers import daily, directory
from schedulers.service import Service

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Planned:
    """One message; `to` is None where the admin channel is meant (C13). Workers come soonest end first."""

    to: Known | None
    workers: tuple[Known, ...]
    last: bool


def planner_of(settings: Settings) -> ContractorPlanner:
    """The rules of these settings."""
    return ContractorPlanner(settings.contractor, Calendar(zones.find(settings.time_zone)))


def run_name(system_key: str) -> str:
    """Under which name the runs of this system are noted."""
    return f"contractor_expiry:{system_key}"


def run(service: Service) -> int:
    """Makes the notices of every run that is due, once whatever else is running; returns how many were made."""
    return sum(_run(service, system) for system in service.systems.values() if system.can("directory"))


def _run(service: Service, system: System) -> int:
    planner, now = planner_of(service.settings), service.clock.now()
    run = daily.due(service.store, now, planner.calendar, run_name(system.key), planner.section.send_at)
    if run is None or not directory.ensure_fresh(service, system):
        return 0
    made = 0
    with service.store.begin() as connection:
        missed = set() if run.last_only else _fold_in(connection, now, system, run.today)
        everyone = concerned(connection, service.settings, system.key, run.days, missed)
        for message in plan(planner, everyone, run.days, run.today, missed):
            if message.last or not run.last_only:
                made += create(connection, now, service.settings, system, everyone, message, run.today)
        daily.finish(connection, now, run_name(system.key), run)
    faults.point("contractors_made")
    if made:
        logger.info("%s: %d contractor notices for %s", system.name, made, run.today)
    return made


def concerned(
    connection: Connection, settings: Settings, system: str, days: Sequence[date], missed: Iterable[str] = ()
) -> dict[str, Known]:
    """Whom runs of these days may tell something or tell of: workers, their managers, the admins, by key (C3)."""
    ends = {day + timedelta(days=before) for day in days for before in DAYS}
    return directory_facts.ending(connection, system, ends, list(missed), settings.contractor.admins)


def plan(
    planner: ContractorPlanner,
    everyone: Mapping[str, Known],
    days: Sequence[date],
    today: date,
    missed: Iterable[str] = (),
) -> list[Planned]:
    """What runs of these days send together: one message a recipient, with every worker whose day was among them.

    `everyone`: whom they concern, by `DirectoryEntry.key`. A contract that has ended by `today` is not told any more.
    `missed`: ids of workers whose manager could not be told on their day.
    """
    missed = set(missed)
    entries = {key: known.entry for key, known in everyone.items()}
    told: dict[str, DirectoryEntry] = {}
    for key, known in everyone.items():
        if no_worker(known.entry, planner.audience) or known.entry.contract_ends_on < today:
            continue
        if known.external_id in missed or any(planner.silent(known.entry, day) is None for day in days):
            told[key] = known.entry
    return [
        Planned(
            everyone[message.to.key] if message.to else None,
            tuple(everyone[worker.key] for worker in message.workers),
            any((worker.contract_ends_on - day).days == 1 for worker in message.workers for day in days),
        )
        for message in planner.grouped(told.values(), entries)
    ]


def create(
    connection: Connection,
    now: datetime,
    settings: Settings,
    system: System,
    everyone: Mapping[str, Known],
    message: Planned,
    today: date,
    any_hour: bool = False,
) -> int:
    """Makes the notices of one message: one, or one for each admin; returns how many are new."""
    if message.to is not None:
        return create_one(connection, now, system.key, message.to, message, today, any_hour)
    logins = ", ".join(known.entry.login for known in message.workers)
    admins = [everyone[folded(login)] for login in settings.contractor.admins if folded(login) in everyone]
    if not admins:
        logger.warning("%s: nobody is told of the contracts of %s; name contractor.admins", system.name, logins)
    key = f"unmanaged:{system.key}:{today}"
    told = f"{len(admins)} admins told" if admins else "nobody told"
    audit.write(connection, now, "schedulers", "contractors_without_manager", str(today), told, reason=logins, key=key)
    return sum(create_one(connection, now, system.key, admin, message, today, any_hour) for admin in admins)


def create_one(
    connection: Connection, now: datetime, system: str, to: Known, message: Planned, today: date, any_hour: bool = False
) -> bool:
    """Makes one recipient's notice of a message; False if it is there already."""
    workers = [
        {"external_id": known.external_id, "ends_on": known.entry.contract_ends_on.isoformat()}
        for known in message.workers
    ]
    facts = {
        "system": system,
        "day": today.isoformat(),
        "workers": workers,
        "unmanaged": message.to is None,
        "any_hour": any_hour or message.last,
    }
    about = "unmanaged" if message.to is None else "managed"
    key = f"{reminders.CONTRACTOR_EXPIRY}:{to.person_id}:{system}:{today.isoformat()}:{about}"
    return notices.create(connection, now, key, reminders.CONTRACTOR_EXPIRY, to.person_id, facts) is not None


def _fold_in(connection: Connection, now: datetime, system: System, today: date) -> set[str]:
    """Earlier days' notices that nobody could be told: their workers come with today's message. Their ids."""
    missed = set()
    for notice in notices.undelivered(connection, now, reminders.CONTRACTOR_EXPIRY):
        if notice.facts["system"] == system.key and date.fromisoformat(notice.facts["day"]) < today:
            missed |= {worker["external_id"] for worker in notice.facts["workers"]}
            notices.drop(connection, now, notice.id, f"not delivered in time; comes with the message of {today}")
    return missed
