"""Password reminders and notices of expired passwords: planned once a day, notices under unique keys (E1-E15).

What a run decides about a person is the planner's decision on the directory's facts and on what they were sent and
answered. The action looks again before anything is said.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.engine import Connection

from account_access import directory_facts, faults, notices, reminders, zones
from account_access.cadence.calendar import Calendar
from account_access.cadence.passwords import EXPIRED, REMINDER, Decision, PasswordHistory, PasswordPlanner
from account_access.connectors.registry import System
from account_access.directory_facts import Known
from account_access.settings import Settings
from account_access.store import cursors, tables
from schedulers import daily, directory
from schedulers.daily import Due
from schedulers.service import Service

logger = logging.getLogger(__name__)

# So many people's notices are one transaction, so that the door never waits long for a run.
AT_ONCE = 200
KINDS = {REMINDER: reminders.PASSWORD_EXPIRY, EXPIRED: reminders.PASSWORD_EXPIRED}
NEVER_SENT = PasswordHistory()
# Where expiries are told at once, a directory that was read late is looked at so far back.
LOOK_BACK = timedelta(days=1)


@dataclass(frozen=True)
class Planned:
    """What a run does about one person; `day`: the date whose run it is, which may have been missed."""

    known: Known
    day: date
    decision: Decision
    last: bool

    @property
    def kind(self) -> str:
        """The kind of the notice."""
        return KINDS[self.decision.notice]


def planner_of(settings: Settings) -> PasswordPlanner:
    """The rules of these settings."""
    return PasswordPlanner(settings.password, Calendar(zones.find(settings.time_zone)))


def run(service: Service) -> int:
    """Makes the notices of every run that is due, once whatever else is running; returns how many were made."""
    made = 0
    for system in service.systems.values():
        if system.can("directory"):
            made += _run(service, system)
    return made


def tell_at_once(service: Service) -> int:
    """Where the settings want it, tells of expiries the second they pass (E9); returns how many notices were made."""
    if service.settings.password.expired_notice != "immediately":
        return 0
    return sum(_tell_at_once(service, system) for system in service.systems.values() if system.can("directory"))


def run_name(system_key: str) -> str:
    """Under which name the runs of this system are noted."""
    return f"password_expiry:{system_key}"


def _run(service: Service, system: System) -> int:
    planner, now = planner_of(service.settings), service.clock.now()
    run = daily.due(service.store, now, planner.calendar, run_name(system.key), planner.section.send_at)
    if run is None or not directory.ensure_fresh(service, system):
        return 0
    if run.first:
        _take_as_told(service, planner, system)
    missed = {} if run.last_only else _fold_in(service, system, run)
    made = 0
    for some in in_parts(_candidates(service, planner, system, run, missed, now)):
        with service.store.begin() as connection:
            found = plan(connection, planner, system.key, some, now)
            wanted = [one for one in found if one.last or not run.last_only]
            made += create(connection, now, system.key, wanted, run.today)
        faults.point("reminders_made")
    with service.store.begin() as connection:
        daily.finish(connection, now, run_name(system.key), run)
    if made:
        logger.info("%s: %d password notices for %s", system.name, made, run.today)
    return made


def _candidates(
    service: Service, planner: PasswordPlanner, system: System, run: Due, missed: Mapping[str, date], now: datetime
) -> Iterator[tuple[Known, Sequence[date]]]:
    """Whom the run could tell something if nothing was sent or answered before, and the days to look at."""
    for known in directory_facts.expiring(service.store, system.key, planner.horizon(run.today)):
        days = run.days if known.person_id not in missed else (*run.days, missed[known.person_id])
        if any(planner.decide(known.entry, NEVER_SENT, day, now).notice for day in days):
            yield known, days


def plan(
    connection: Connection,
    planner: PasswordPlanner,
    system: str,
    people: Sequence[tuple[Known, Sequence[date]]],
    now: datetime,
) -> list[Planned]:
    """What runs of these days, taking place `now` (UTC), do about these people: at most one notice each."""
    known_histories = reminders.histories(
        connection, planner, system, {known.person_id: known.entry for known, _ in people}
    )
    found = []
    for known, days in people:
        for day in days:
            one = decide(planner, known, known_histories[known.person_id], day, now)
            if one.decision.notice:
                found.append(one)
                break
    return found


def decide(planner: PasswordPlanner, known: Known, history: PasswordHistory, day: date, now: datetime) -> Planned:
    """The planner's decision about one person, a reminder that has to wait for its 24 hours (E11) among those sent."""
    decision = planner.decide(known.entry, history, day, now)
    if decision.wait_until:
        decision = Decision(REMINDER, decision.reason, decision.days_before, decision.wait_until)
    last = decision.notice == REMINDER and day == planner.last_day(
        planner.calendar.date(known.entry.password_expires_at)
    )
    return Planned(known, day, decision, last)


def create(
    connection: Connection, now: datetime, system: str, some: Iterable[Planned], today: date, any_hour: bool = False
) -> int:
    """Makes the notices of decisions, those that are there already left out; returns how many."""
    return len(notices.create_all(connection, now, [_new(system, one, today, any_hour) for one in some]))


def _new(system: str, one: Planned, today: date, any_hour: bool) -> notices.New:
    known, expires_at = one.known, one.known.entry.password_expires_at.isoformat()
    facts = {
        "system": system,
        "external_id": known.external_id,
        "expires_at": expires_at,
        "day": one.day.isoformat(),
        "any_hour": any_hour or one.last,
    }
    key = f"{one.kind}:{known.person_id}:{system}:{expires_at}:{today.isoformat()}"
    return notices.New(key, one.kind, known.person_id, facts, one.decision.wait_until)


def _fold_in(service: Service, system: System, run: Due) -> dict[str, date]:
    """Earlier days' reminders that nobody could be told: the run looks at those people anew. Day by person id."""
    missed, now = {}, service.clock.now()
    with service.store.begin() as connection:
        for notice in (n for kind in KINDS.values() for n in notices.undelivered(connection, now, kind)):
            day = date.fromisoformat(notice.facts["day"])
            if notice.facts["system"] == system.key and day < run.today:
                missed[notice.person_id] = day
                why = f"not delivered in time; looked at again in the run of {run.today}"
                notices.drop(connection, now, notice.id, why)
    return missed


def _take_as_told(service: Service, planner: PasswordPlanner, system: System) -> None:
    """Whose password expired before there were any runs is not told of it: that would be everybody's old story."""
    now = service.clock.now()
    before = daily.last_run_before(now, planner.calendar, planner.section.send_at)
    old = (
        (known.person_id, known.entry.password_expires_at)
        for known in directory_facts.expiring(service.store, system.key, now)
        if known.entry.password_expires_at <= before
    )
    for some in in_parts(old):
        with service.store.begin() as connection:
            reminders.take_as_told(connection, now, system.key, some)


def in_parts(items: Iterable) -> Iterator[list]:
    """Lists of at most AT_ONCE items."""
    part = []
    for item in items:
        part.append(item)
        if len(part) == AT_ONCE:
            yield part
            part = []
    if part:
        yield part


def _tell_at_once(service: Service, system: System) -> int:
    planner, now = planner_of(service.settings), service.clock.now()
    if daily.done_for(service.store, run_name(system.key)) is None:
        # What expired before the first run counts as told, and that run says so.
        return 0
    name = f"expired:{system.key}"
    with service.store.reading() as connection:
        looked = connection.execute(_cursor(name)).scalar()
        since = looked or now - LOOK_BACK
        table = tables.directory_facts
        query = select(table.c.external_id).where(
            table.c.system == system.key,
            table.c.password_expires_at <= now,
            (table.c.password_expires_at > since) | (table.c.changed_at >= since),
        )
        ids = connection.execute(query).scalars().all()
    made, today = 0, planner.calendar.date(now)
    with service.store.begin() as connection:
        passed = [known for external_id in ids if (known := directory_facts.find(connection, system.key, external_id))]
        for one in plan(connection, planner, system.key, [(known, [today]) for known in passed], now):
            if one.decision.notice == EXPIRED:
                made += create(connection, now, system.key, [one], today, any_hour=True)
        cursors.move(connection, name, "looked", now)
    return made


def _cursor(name: str):
    return select(tables.cursors.c.moved_at).where(tables.cursors.c.name == name)
