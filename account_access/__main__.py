"""`python -m account_access audit | tickets | report | breaker | check`: for admins and security, from the store."""

import argparse
import getpass
import json
import os
import sys
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from account_access import breaker, freezes, people, sessions, settings, tickets, verification
from account_access import clock as clocks
from account_access.settings import SettingsError
from account_access.store import Store, tables
from account_access.store.engine import StoreOutdated

DEFAULT_STORE = "sqlite:///var/store.db"


class NobodyThere(Exception):
    """The person, ticket or breaker named on the command line is not in the store."""


def main(arguments: list[str] | None = None) -> int:
    """Prints the records asked for; 0 done, 2 bad usage or settings."""
    command = _parser().parse_args(arguments)
    try:
        environment = {"STORE_URL": DEFAULT_STORE, **os.environ}
        loaded = settings.load(os.environ.get("SETTINGS", "settings.yml"), "channel", environment)
        store, clock = Store.open(loaded.store.url), clocks.from_settings(loaded.clock)
        rows = list(command.read(store, clock, command))
    except (SettingsError, StoreOutdated, NobodyThere) as error:
        print(error, file=sys.stderr)
        return 2
    except SQLAlchemyError as error:
        print(f"the store cannot be read: {getattr(error, 'orig', error)}; check store.url", file=sys.stderr)
        return 2
    _print(rows, command.json, command.command)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m account_access", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, read, text in (
        ("audit", audit_trail, "who did what to whose account, why, and how it ended; oldest first"),
        ("tickets", desk_tickets, "tickets as the local desk has them, with their history"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("--person", metavar="LOGIN", help="only what concerns this person")
        command.add_argument("--days", type=float, default=30, help="how far back (default 30)")
        command.add_argument("--json", action="store_true", help="JSON lines, for programs")
        command.set_defaults(read=read)
        if name == "tickets":
            _add_close(command)
    report = commands.add_parser(
        "report", help="how often each skill was asked for, and resolved: by claim and by fact"
    )
    report.add_argument("--days", type=float, default=30, help="how far back (default 30)")
    report.add_argument("--json", action="store_true", help="JSON lines, for programs")
    report.set_defaults(read=skills)
    check = commands.add_parser("check", help="what does not work as the settings mean it, and what to do about it")
    check.add_argument("--days", type=float, default=7, help="how far back (default 7)")
    check.add_argument("--json", action="store_true", help="JSON lines, for programs")
    check.set_defaults(read=problems)
    guard = commands.add_parser(
        "breaker", help="whether self-service is stopped for everybody; `rearm` allows it again"
    )
    guard.add_argument("--json", action="store_true", help="JSON lines, for programs")
    guard.set_defaults(read=breakers)
    rearm = guard.add_subparsers(dest="act").add_parser("rearm", help="allow self-service on this system again")
    rearm.add_argument("system", metavar="SYSTEM", help="the system's name in settings.yml")
    rearm.add_argument("--by", default=getpass.getuser(), help="who does it, for the audit trail (default: you)")
    rearm.set_defaults(read=rearm_breaker)
    return parser


def _add_close(command: argparse.ArgumentParser) -> None:
    close = command.add_subparsers(dest="act").add_parser(
        "close", help="resolve a ticket; security's allows self-service again"
    )
    close.add_argument("number", metavar="NUMBER", help="e.g. 1001 or AA-1001")
    close.add_argument("--by", default=getpass.getuser(), help="who does it, for the audit trail (default: you)")
    close.set_defaults(read=close_ticket)


def close_ticket(store: Store, clock, command) -> Iterable[dict[str, Any]]:
    """Resolves the ticket, at the desk too; a freeze that it holds is lifted with it (X10)."""
    number = command.number.rpartition("-")[2]
    with store.begin() as connection:
        ticket = tickets.numbered(connection, int(number)) if number.isdigit() else None
        if ticket is None:
            raise NobodyThere(f"tickets close: there is no ticket {command.number!r}; `tickets` lists them")
        now, actor = clock.now(), f"admin:{command.by}"
        tickets.change_state(
            connection, now, ticket, tickets.RESOLVED, f"Closed by {command.by}.", now.isoformat(), actor
        )
        lifted = freezes.lift(connection, now, ticket, actor)
        yield {
            "ticket": ticket.number,
            "summary": ticket.summary,
            "state": tickets.RESOLVED,
            "self-service": "allowed again" if lifted else "as it was",
        }


def skills(store: Store, clock, command) -> Iterable[dict[str, Any]]:
    """What came of each skill: `claimed` is what people say, `verified` what the systems show (X8)."""
    with store.reading() as connection:
        for count in verification.report(connection, clock.now() - timedelta(days=command.days)):
            yield {name.replace("_", " "): value for name, value in vars(count).items()}


def problems(store: Store, clock, command) -> Iterable[dict[str, Any]]:
    """What cannot work as the settings mean it (M7): sign-ins that nobody can date."""
    with store.reading() as connection:
        opened, undated = sessions.undated_since(connection, clock.now() - timedelta(days=command.days))
    if undated:
        yield {
            "problem": f"door.sign_in: the provider sent no auth_time in {undated} of {opened} sign-ins",
            "effect": "no sign-in is known to be fresh: where mfa.verification is fresh_session, a human resets MFA",
            "remedy": "let the provider send auth_time, which OpenID Connect requires here; or set mfa.verification",
        }


def breakers(store: Store, clock, command) -> Iterable[dict[str, Any]]:
    """How each system's breaker stands; one that was quiet long enough begins again at the next look (X11)."""
    with store.reading() as connection:
        for state in breaker.states(connection):
            yield {
                "system": state.system,
                "self-service": "stopped" if state.tripped_at else "allowed",
                "since": _utc(state.tripped_at) if state.tripped_at else "",
                "reason": state.reason or "",
            }


def rearm_breaker(store: Store, clock, command) -> Iterable[dict[str, Any]]:
    """Allows self-service on a system again (X11)."""
    with store.begin() as connection:
        if not breaker.rearm(connection, clock.now(), command.system, f"admin:{command.by}"):
            raise NobodyThere(f"breaker rearm: self-service on {command.system!r} is not stopped; see `breaker`")
    yield {"system": command.system, "self-service": "allowed"}


def audit_trail(store: Store, clock, command) -> Iterable[dict[str, Any]]:
    """The audit records of the period; people by login instead of id."""
    table = tables.audit
    query = select(table).where(table.c.at >= clock.now() - timedelta(days=command.days)).order_by(table.c.id)
    wanted = _ids(store, command.person)
    logins = _logins(store)
    with store.reading() as connection:
        for row in connection.execute(query).mappings():
            if wanted is None or row["person_id"] in wanted:
                actor = row["actor"].removeprefix("person:")
                yield {
                    "at": _utc(row["at"]),
                    "actor": logins.get(actor, row["actor"]),
                    "act": row["act"],
                    "person": logins.get(row["person_id"], row["person_id"]),
                    "object": row["object"],
                    "result": row["result"],
                    "reason": row["reason"],
                }


def desk_tickets(store: Store, clock, command) -> Iterable[dict[str, Any]]:
    """Every entry of the local desk's tickets in the period."""
    entries, desk = tables.desk_entries, tables.desk_tickets
    query = (
        select(entries.c.at, desk.c.reference, desk.c.requester, desk.c.state, entries.c.event, entries.c.text)
        .join(desk, desk.c.reference == entries.c.reference)
        .where(entries.c.at >= clock.now() - timedelta(days=command.days))
        .order_by(desk.c.reference, entries.c.at)
    )
    with store.reading() as connection:
        for row in connection.execute(query):
            if command.person is None or row.requester.lower() == command.person.lower():
                yield {**row._mapping, "at": _utc(row.at)}


def _ids(store: Store, login: str | None) -> set[str] | None:
    if login is None:
        return None
    found = {person.id for person in people.by_login(store, login)}
    if not found:
        raise NobodyThere(f"--person: nobody has the login {login!r}; write it whole, e.g. dana@acme.example")
    return found


def _logins(store: Store) -> dict[str, str]:
    with store.reading() as connection:
        return dict(connection.execute(select(tables.people.c.id, tables.people.c.login)).all())


def _utc(instant) -> str:
    return instant.isoformat(timespec="seconds").replace("+00:00", "Z")


def _print(rows: list[dict[str, Any]], as_json: bool, title: str) -> None:
    if as_json:
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
        return
    if not rows:
        nothing = {"breaker": "no breaker", "check": "nothing found"}
        print(nothing.get(title, f"no {title} in this period"))
        return
    table = Table(title=title)
    for column in rows[0]:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*[Text(_harmless("" if value is None else str(value))) for value in row.values()])
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def _harmless(text: str) -> str:
    """What people wrote, for a terminal: no codes that move the cursor or rename the window."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


if __name__ == "__main__":
    sys.exit(main())
