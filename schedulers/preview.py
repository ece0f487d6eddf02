"""`python -m schedulers preview`, `send --only` and `dead-letters`: what goes out, to whom and why, for admins.

A lockout has no day: of one person it is told whether they would hear of it, of all how many would.

Preview reads the store and sends nothing: the directory's facts as they were read last, what was sent and answered so
far, and the planner's decision for that date. Notices of the days between are not played; that is what simulate is for.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy import func, select, update

from account_access import audit, directory_facts, notices, reminders
from account_access.cadence.audience import Audience, no_notices
from account_access.cadence.directory import folded
from account_access.clock import Clock
from account_access.directory_facts import Known
from account_access.settings import Settings
from account_access.store import Store, tables
from schedulers import audiences, contractor_expiry, password_expiry, pitfalls, progress

PAGE_WIDTH = 140


class BadRequest(Exception):
    """What is wrong with a command line, in one sentence with the remedy."""


@dataclass(frozen=True)
class Line:
    """One decision: `notice` is None where nothing is sent; `at` is when its run begins."""

    system: str
    login: str | None
    notice: str | None
    at: str | None
    about: str
    reason: str


def add_arguments(commands) -> None:
    """Adds the three commands to the command line."""
    preview = commands.add_parser("preview", help="who would be told what on a day, and why; sends nothing")
    preview.add_argument("--on", metavar="2027-01-31", help="the day; default today")
    preview.add_argument("--settings", metavar="other.yml", help="whose rules; default: $SETTINGS, or settings.yml")
    preview.add_argument("--diff", action="store_true", help="only what these rules change, against the present ones")
    preview.add_argument("--person", metavar="LOGIN", help="only this person, also where nothing is sent, and why")
    preview.add_argument("--json", action="store_true", help="JSON lines, for programs")
    send = commands.add_parser("send", help="make today's notices for some people now, whatever the hour")
    send.add_argument("--only", metavar="LOGIN", action="append", required=True, help="to whom; may come several times")
    send.add_argument("--json", action="store_true", help="JSON lines, for programs")
    letters = commands.add_parser("dead-letters", help="notices that could not be delivered in many tries")
    letters.add_argument("--again", metavar="ID", help="put one of them back to be tried again; `all` for every one")
    letters.add_argument("--json", action="store_true", help="JSON lines, for programs")


def preview(
    options: argparse.Namespace, settings: Settings, other: Settings | None, store: Store, clock: Clock, path: str
) -> int:
    """Prints the decisions of a day; with `other`, of those rules, or what they change. Raises BadRequest.

    What in the rules cannot be meant goes to stderr; `path` is the file of the present ones.
    """
    if options.diff and other is None:
        raise BadRequest("--diff: compares with the present rules; name others by --settings")
    day, rules = _day(options.on, settings, clock), other or settings
    wanted = _logins(store, [options.person]) if options.person else None
    for key, wrong in (*pitfalls.found(rules, clock.now()), *audiences.mistakes(store, _systems(store), rules)):
        print(f"{options.settings or path}: {key}: {wrong}", file=sys.stderr)
    if options.diff:
        rows = list(_changes(store, settings, other, day, clock.now(), wanted))
        _print(rows, options.json, f"{day}: {options.settings} against the present rules", "these rules change nothing")
        return 0
    lines = decisions(store, rules, day, clock.now(), wanted)
    _print(map(asdict, lines), options.json, f"{day}", "nobody is told anything on that day")
    if wanted is None:
        _print_audiences(store, rules, options.json)
    return 0


def _changes(store, settings, other, day: date, now: datetime, wanted: set[str] | None) -> Iterator[dict]:
    """What other rules change: the notices of that day, and who is in the audience of each kind on any day."""
    before, after = (
        {(one.system, one.login, one.notice): one.reason for one in decisions(store, rules, day, now, wanted) if one.at}
        for rules in (settings, other)
    )
    gone = sorted(before.keys() - after.keys(), key=str)
    logins = {folded(login) for _, login, _ in gone if login}
    why = {
        (system, one.login): one.reason
        for system in _systems(store)
        for one in _passwords(store, other, system, day, now, logins)
    }
    for system, login, notice in gone:
        reason = why.get((system, login), "") if notice in password_expiry.KINDS else ""
        yield {"change": "-", "system": system, "login": login, "notice": notice, "reason": reason}
    for key in sorted(after.keys() - before.keys(), key=str):
        system, login, notice = key
        yield {"change": "+", "system": system, "login": login, "notice": notice, "reason": after[key]}
    for system in _systems(store):
        with progress.shown(system, _count(store, system)) as advance:
            for sign, login, kind, reason in audiences.changes(store, system, settings, other, advance):
                if wanted is None or folded(login) in wanted:
                    yield {
                        "change": sign,
                        "system": system,
                        "login": login,
                        "notice": f"{kind}_audience",
                        "reason": reason,
                    }


def _print_audiences(store: Store, settings: Settings, as_json: bool) -> None:
    """How many each rule reaches, where it names anybody."""
    rows = []
    for system in _systems(store):
        with progress.shown(system, _count(store, system)) as advance:
            rows += audiences.counted(store, system, settings, advance)
    if rows:
        told = [{**asdict(row), "reasons": dict(row.reasons.most_common(audiences.MOST_REASONS))} for row in rows]
        _print(told, as_json, "whom the rules reach", "")


def decisions(
    store: Store, settings: Settings, day: date, now: datetime, wanted: set[str] | None = None
) -> Iterator[Line]:
    """Every notice of that day's runs; for `wanted` people (keys of logins) also why there is none."""
    for system in _systems(store):
        yield from _passwords(store, settings, system, day, now, wanted)
        yield from _contractors(store, settings, system, day, wanted)
        if wanted is not None:
            yield from _workers(store, settings, system, day, wanted)
            yield from _lockouts(store, settings, system, wanted)


def _passwords(store, settings, system, day, now, wanted) -> Iterator[Line]:
    planner = password_expiry.planner_of(settings)
    run = planner.calendar.at(day, planner.section.send_at)
    when = max(run, now) if planner.calendar.date(now) == day else run
    people = directory_facts.everyone(store, system)
    if wanted is None:
        people = directory_facts.expiring(store, system, planner.horizon(day))
    asked = (known for known in people if wanted is None or known.entry.key in wanted)
    for some in password_expiry.in_parts(asked):
        entries = {known.person_id: known.entry for known in some}
        with store.reading() as connection:
            found = reminders.histories(connection, planner, system, entries)
        for known in some:
            one = password_expiry.decide(planner, known, found[known.person_id], day, when)
            if one.decision.notice or wanted is not None:
                yield _password_line(system, known, one, when, settings)


def _password_line(system: str, known: Known, one, when: datetime, settings: Settings) -> Line:
    calendar = password_expiry.planner_of(settings).calendar
    expires_at = known.entry.password_expires_at
    about = f"expires {expires_at.astimezone(calendar.zone):%Y-%m-%d %H:%M %Z}" if expires_at else "no expiry known"
    at = (one.decision.wait_until or when).astimezone(calendar.zone).isoformat(timespec="minutes")
    notice = one.decision.notice
    return Line(system, known.entry.login, notice, at if notice else None, about, one.decision.reason)


def _contractors(store, settings, system, day, wanted) -> Iterator[Line]:
    planner = contractor_expiry.planner_of(settings)
    run = planner.calendar.at(day, planner.section.send_at).astimezone(planner.calendar.zone)
    with store.reading() as connection:
        concerned = contractor_expiry.concerned(connection, settings, system, [day])
    for message in contractor_expiry.plan(planner, concerned, [day], day):
        if wanted is not None and (message.to is None or message.to.entry.key not in wanted):
            continue
        workers = ", ".join(f"{w.entry.login} until {w.entry.contract_ends_on}" for w in message.workers)
        to = message.to.entry.login if message.to else None
        reason = "their manager" if message.to else "no manager who could be told: the admins"
        yield Line(system, to, "contractor", run.isoformat(timespec="minutes"), workers, reason)


def _workers(store, settings, system, day, wanted) -> Iterator[Line]:
    """Whether somebody's own contract is told of on that day, where they have one."""
    planner = contractor_expiry.planner_of(settings)
    for known in _wanted(store, system, wanted):
        if known.entry.contract_ends_on:
            about = f"their own contract, until {known.entry.contract_ends_on}"
            reason = planner.silent(known.entry, day) or "their manager is told"
            yield Line(system, known.entry.login, None, None, about, reason)


def _lockouts(store, settings, system, wanted) -> Iterator[Line]:
    """Whether somebody would be told if they were locked out."""
    rule = Audience("lockout", settings.lockout)
    people = list(_wanted(store, system, wanted))
    with store.reading() as connection:
        accounts = directory_facts.of_people(connection, {known.person_id for known in people})
    for known in people:
        refused = no_notices(known.entry)
        if refused is None and settings.lockout.max_notifications == 0:
            refused = "lockout.max_notifications is 0"
        refused = refused or audiences.reason_of(rule, system, known, accounts[known.person_id])
        notice = None if refused else notices.LOCKOUT
        yield Line(system, known.entry.login, notice, None, "a lockout, whenever", refused or "told, within the limits")


def _wanted(store, system, wanted: set[str]) -> Iterator[Known]:
    return (known for known in directory_facts.everyone(store, system) if known.entry.key in wanted)


def send(options: argparse.Namespace, settings: Settings, store: Store, clock: Clock) -> int:
    """Makes today's notices for these people alone; the running schedulers deliver them. Raises BadRequest."""
    wanted, now = _logins(store, options.only), clock.now()
    rows = [row for system in _systems(store) for row in _send(settings, store, system, wanted, now)]
    _print(rows, options.json, "sent by hand", "there is nothing to tell these people today; see preview --person")
    return 0


def _send(settings: Settings, store: Store, system: str, wanted: set[str], now: datetime) -> list[dict]:
    passwords, contractors = password_expiry.planner_of(settings), contractor_expiry.planner_of(settings)
    today = passwords.calendar.date(now)
    people = [(known, [today]) for known in directory_facts.everyone(store, system) if known.entry.key in wanted]
    rows = []
    with store.begin() as connection:
        concerned = contractor_expiry.concerned(connection, settings, system, [today])
        for one in password_expiry.plan(connection, passwords, system, people, now):
            new = password_expiry.create(connection, now, system, [one], today, any_hour=True)
            rows.append({"login": one.known.entry.login, "notice": one.kind, "made": "now" if new else "before"})
        for message in contractor_expiry.plan(contractors, concerned, [today], today):
            if message.to is not None and message.to.entry.key in wanted:
                new = contractor_expiry.create_one(connection, now, system, message.to, message, today, any_hour=True)
                made = "now" if new else "before"
                rows.append({"login": message.to.entry.login, "notice": reminders.CONTRACTOR_EXPIRY, "made": made})
    return rows


def dead_letters(options: argparse.Namespace, store: Store, clock: Clock) -> int:
    """Prints the dead notices, or puts one or all of them back. Raises BadRequest."""
    if options.again:
        return _again(options.again, store, clock)
    table, people = tables.notices, tables.people
    query = (
        select(table.c.id, table.c.kind, people.c.login, table.c.created_at, table.c.attempts, table.c.reason)
        .join(people, people.c.id == table.c.person_id)
        .where(table.c.state == notices.DEAD)
        .order_by(table.c.created_at)
    )
    with store.reading() as connection:
        rows = [
            {**row._mapping, "created_at": f"{row.created_at:%Y-%m-%dT%H:%M:%SZ}"} for row in connection.execute(query)
        ]
    _print(rows, options.json, "dead letters", "no dead letters")
    return 0


def _again(notice_id: str, store: Store, clock: Clock) -> int:
    table, now = tables.notices, clock.now()
    chosen = table.c.state == notices.DEAD
    if notice_id != "all":
        chosen = chosen & (table.c.id == notice_id)
    with store.begin() as connection:
        found = connection.execute(select(table.c.id, table.c.key, table.c.person_id).where(chosen)).all()
        if not found and notice_id != "all":
            raise BadRequest(f"--again: no dead letter has the id {notice_id!r}; `dead-letters` lists them")
        for row in found:
            connection.execute(
                update(table)
                .where(table.c.id == row.id)
                .values(state=notices.WAITING, attempts=0, due_at=now, reason="put back by an admin")
            )
            audit.write(connection, now, "admin", "notice_again", row.key, "done", row.person_id)
    print(f"put back to be tried again: {len(found)}")
    return 0


def latest_runs(store: Store) -> dict[str, str]:
    """The date of the latest daily run of each kind and system."""
    table = tables.cursors
    query = select(table.c.name, table.c.value).where(table.c.name.startswith("run:")).order_by(table.c.name)
    with store.reading() as connection:
        return {row.name.removeprefix("run:"): row.value for row in connection.execute(query)}


def counts(store: Store) -> dict[str, int]:
    """How many notices there are in each state."""
    table = tables.notices
    with store.reading() as connection:
        return dict(connection.execute(select(table.c.state, func.count()).group_by(table.c.state)).all())


def _count(store: Store, system: str) -> int:
    table = tables.directory_facts
    with store.reading() as connection:
        return connection.execute(select(func.count()).where(table.c.system == system)).scalar_one()


def _systems(store: Store) -> list[str]:
    """The systems whose directory was read."""
    with store.reading() as connection:
        return sorted(connection.execute(select(tables.directory_facts.c.system).distinct()).scalars())


def _day(text: str | None, settings: Settings, clock: Clock) -> date:
    if text is None:
        return password_expiry.planner_of(settings).calendar.date(clock.now())
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadRequest(f"--on: {text!r} is not a date; write YYYY-MM-DD")


def _logins(store: Store, given: Iterable[str]) -> set[str]:
    """The keys of these logins. Raises BadRequest for one that the directory does not have."""
    wanted = {folded(login) for login in given}
    with store.reading() as connection:
        logins = connection.execute(select(tables.accounts.c.login)).scalars()
        known = {key for login in logins if (key := folded(login)) in wanted}
    for login in given:
        if folded(login) not in known:
            raise BadRequest(f"nobody has the login {login!r}; write it whole, e.g. dana@acme.example")
    return wanted


def _print(rows: Iterable[Mapping], as_json: bool, title: str, nothing: str) -> None:
    rows = list(rows)
    if as_json:
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
        return
    if not rows:
        print(nothing)
        return
    table = Table(title=title)
    for column in rows[0]:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*[Text(_shown(key, value)) for key, value in row.items()])
    Console(width=None if sys.stdout.isatty() else PAGE_WIDTH).print(table)


def _shown(key: str, value) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {count:,}" for name, count in value.items())
    return "the admins" if value is None and key == "login" else str("" if value is None else value)
