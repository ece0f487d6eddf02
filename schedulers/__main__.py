"""`python -m schedulers run | status | preview | send | dead-letters | simulate`."""

import argparse
import json
import logging
import os
import sys
from datetime import timedelta
from functools import partial

from account_access import clock as clocks
from account_access import joins
from account_access import settings as configuration
from account_access.__main__ import DEFAULT_STORE
from account_access.clock import Clock, SystemClock
from account_access.settings import SettingsError
from account_access.store import Store, claims
from account_access.store.engine import StoreOutdated
from schedulers import (
    contractor_expiry,
    deliveries,
    directory,
    followups,
    lockouts,
    password_expiry,
    pitfalls,
    preview,
    simulate,
)
from schedulers.preview import BadRequest
from schedulers.service import HEARTBEAT_SECONDS, Jobs, Service, last_beat, run

logger = logging.getLogger(__name__)

FRESH = timedelta(seconds=20)
# How often it is looked whether a daily run is due.
RUN_SECONDS = 5
# So many logins are named in a line.
SHOWN = 10


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; 0 done, 1 not healthy, 2 bad settings or usage."""
    options = parser().parse_args(arguments)
    if options.command == "simulate":
        return simulate.simulate(options, SystemClock())
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for library in ("apscheduler", "alembic"):
        logging.getLogger(library).setLevel(logging.WARNING)
    path = os.environ.get("SETTINGS", "settings.yml")
    try:
        if options.command != "run":
            return by_hand(options, path)
        service = Service.of(configuration.load(path, "schedulers"))
    except (SettingsError, StoreOutdated, BadRequest) as error:
        print(error, file=sys.stderr)
        return 2
    for line in pitfalls.lines(path, service.settings, service.clock.now()):
        logger.warning(line)
    return watch(service)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    program = argparse.ArgumentParser(prog="python -m schedulers", description=__doc__)
    commands = program.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="watch the identity systems and deliver notices until stopped")
    alive = commands.add_parser("status", help="say whether the schedulers are alive; exit 1 if not")
    alive.add_argument("--json", action="store_true", help="a JSON object, for programs")
    preview.add_arguments(commands)
    simulate.add_arguments(
        commands.add_parser("simulate", help="list what would be sent in a period, from files; sends nothing")
    )
    return program


def by_hand(options: argparse.Namespace, path: str) -> int:
    """What an admin asks outside `make run`: the store is all that it needs, and no secret."""
    loaded = configuration.load(path, "channel", {"STORE_URL": DEFAULT_STORE, **os.environ})
    store, clock = Store.open(loaded.store.url), clocks.from_settings(loaded.clock)
    if options.command == "status":
        return status(store, clock, options.json)
    if options.command == "dead-letters":
        return preview.dead_letters(options, store, clock)
    planning = configuration.load_planning(path)
    if options.command == "send":
        return preview.send(options, planning, store, clock)
    other = configuration.load_planning(options.settings) if options.settings else None
    return preview.preview(options, planning, other, store, clock, path)


def watch(service: Service) -> int:
    """Runs every job until stopped."""
    claims.release_of_the_dead(service.store)
    run(service, jobs(service))
    return 0


def jobs(service: Service) -> Jobs:
    """Every job by its name, and the seconds between its runs; what asks a system by the clock is a job a system."""
    section = service.settings
    found: Jobs = {
        "heartbeat": (Service.beat, HEARTBEAT_SECONDS),
        "password expiry": (password_expiry.run, RUN_SECONDS),
        "password expired": (password_expiry.tell_at_once, RUN_SECONDS),
        "contractor expiry": (contractor_expiry.run, RUN_SECONDS),
        "deliveries": (deliveries.deliver, 0.5),
        "requests": (followups.finish_requests, 2),
        "desk": (followups.empty_desk_outbox, 1),
        "verification": (followups.verify_acts, 5),
        "mails": (followups.send_mails, 5),
        "outages": (followups.tell_when_back, 5),
    }
    for key, system in service.systems.items():
        found[f"directory {key}"] = partial(directory.sync_one, system=system), section.schedulers.sync_minutes * 60
        found[f"lockouts {key}"] = partial(lockouts.poll_one, system=system), section.lockout.poll_seconds
    return found


def status(store: Store, clock: Clock, as_json: bool = False) -> int:
    """Prints when the schedulers were last alive, their latest daily runs, and how many notices wait or are dead."""
    beat = last_beat(store)
    alive = beat is not None and clock.now() - beat <= FRESH
    runs, states, joined = preview.latest_runs(store), preview.counts(store), joins.state(store)
    if as_json:
        told = {"alive": alive, "heartbeat": beat and beat.isoformat(), "runs": runs, "notices": states}
        print(json.dumps({**told, "joins": joined}))
        return 0 if alive else 1
    if alive:
        print(f"schedulers: alive (last heartbeat {beat:%Y-%m-%d %H:%M:%S} UTC)")
    else:
        never = beat or "never"
        print(f"schedulers: not alive (last heartbeat: {never}); start them with `python -m schedulers run`")
    for name, day in runs.items():
        print(f"latest run of {name}: {day}")
    for key, accounts in joined.items():
        print(f"{key}: {accounts['joined']} accounts joined to their people")
        if accounts["ambiguous"]:
            print(f"{key}: not joined, for their employee number is not one person's alone: {_some(accounts)}")
    if states.get("dead"):
        print(f"dead letters: {states['dead']}; see `python -m schedulers dead-letters`")
    return 0 if alive else 1


def _some(accounts: dict) -> str:
    """The first of the ambiguous logins, and how many more there are; `--json` has all."""
    logins = accounts["ambiguous"]
    more = f" and {len(logins) - SHOWN} more" if len(logins) > SHOWN else ""
    return ", ".join(logins[:SHOWN]) + more


if __name__ == "__main__":
    sys.exit(main())
