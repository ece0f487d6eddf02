"""`python -m schedulers run | status`."""

import argparse
import logging
import os
import sys
from datetime import timedelta

from account_access import settings as configuration
from account_access.settings import SettingsError
from account_access.store import claims
from account_access.store.engine import StoreOutdated
from schedulers import deliveries, directory, followups, lockouts
from schedulers.service import HEARTBEAT_SECONDS, Service, run

FRESH = timedelta(seconds=20)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; 0 done, 1 not healthy, 2 bad settings or usage."""
    parser = argparse.ArgumentParser(prog="python -m schedulers", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="watch the identity systems and deliver notices until stopped")
    commands.add_parser("status", help="say whether the schedulers are alive; exit 1 if not")
    command = parser.parse_args(arguments).command
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    try:
        service = Service.of(configuration.load(os.environ.get("SETTINGS", "settings.yml"), "schedulers"))
    except (SettingsError, StoreOutdated) as error:
        print(error, file=sys.stderr)
        return 2
    return status(service) if command == "status" else watch(service)


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
            "deliveries": (deliveries.deliver, 0.5),
            "requests": (followups.finish_requests, 2),
            "desk": (followups.empty_desk_outbox, 1),
        },
    )
    return 0


def status(service: Service) -> int:
    """Prints when the schedulers were last alive."""
    beat = service.last_beat()
    if beat is None or service.clock.now() - beat > FRESH:
        print(f"schedulers: not alive (last heartbeat: {beat or 'never'}); start them with `python -m schedulers run`")
        return 1
    print(f"schedulers: alive (last heartbeat {beat:%Y-%m-%d %H:%M:%S} UTC)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
