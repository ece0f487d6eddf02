"""`python -m schedulers run | status | simulate`."""

import argparse
import logging
import os
import sys
from datetime import timedelta

from account_access import clock as clocks
from account_access import settings as configuration
from account_access.__main__ import DEFAULT_STORE
from account_access.clock import Clock, SystemClock
from account_access.settings import SettingsError
from account_access.store import Store, claims
from account_access.store.engine import StoreOutdated
from schedulers import contractor_expiry, deliveries, directory, followups, lockouts, password_expiry, simulate
from schedulers.service import HEARTBEAT_SECONDS, Service, last_beat, run

FRESH = timedelta(seconds=20)
# How often it is looked whether a daily run is due.
RUN_SECONDS = 5


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; 0 done, 1 not healthy, 2 bad settings or usage."""
    options = parser().parse_args(arguments)
    if options.command == "simulate":
        return simulate.simulate(options, SystemClock())
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    path = os.environ.get("SETTINGS", "settings.yml")
    try:
        if options.command == "status":
            # Asked by hand, outside `make run`: the store is all it needs.
            loaded = configuration.load(path, "channel", {"STORE_URL": DEFAULT_STORE, **os.environ})
            return status(Store.open(loaded.store.url), clocks.from_settings(loaded.clock))
        service = Service.of(configuration.load(path, "schedulers"))
    except (SettingsError, StoreOutdated) as error:
        print(error, file=sys.stderr)
        return 2
    return watch(service)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    program = argparse.ArgumentParser(prog="python -m schedulers", description=__doc__)
    commands = program.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="watch the identity systems and deliver notices until stopped")
    commands.add_parser("status", help="say whether the schedulers are alive; exit 1 if not")
    simulate.add_arguments(
        commands.add_parser("simulate", help="list what would be sent in a period, from files; sends nothing")
    )
    return program


def watch(service: Service) -> int:
    """Runs every job until stopped."""
    claims.release_of_the_dead(service.store)
    section = service.settings
    run(
        service,
        {
            "heartbeat": (Service.beat, HEARTBEAT_SECONDS),
            "directory": (directory.sync, section.schedulers.sync_minutes * 60),
            "lockouts": (lockouts.poll, section.lockout.poll_seconds),
            "password expiry": (password_expiry.run, RUN_SECONDS),
            "password expired": (password_expiry.tell_at_once, RUN_SECONDS),
            "contractor expiry": (contractor_expiry.run, RUN_SECONDS),
            "deliveries": (deliveries.deliver, 0.5),
            "requests": (followups.finish_requests, 2),
            "desk": (followups.empty_desk_outbox, 1),
            "verification": (followups.verify_acts, 5),
            "mails": (followups.send_mails, 5),
            "outages": (followups.tell_when_back, 5),
        },
    )
    return 0


def status(store: Store, clock: Clock) -> int:
    """Prints when the schedulers were last alive."""
    beat = last_beat(store)
    if beat is None or clock.now() - beat > FRESH:
        print(f"schedulers: not alive (last heartbeat: {beat or 'never'}); start them with `python -m schedulers run`")
        return 1
    print(f"schedulers: alive (last heartbeat {beat:%Y-%m-%d %H:%M:%S} UTC)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
