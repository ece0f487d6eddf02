"""A morning's plan for many people: `python -m benchmarks.planning [--people 20000 200000]`: seconds and peak memory.

Each size runs in a process of its own, whose memory the operating system tells. People's passwords expire evenly over
90 days, one in twenty is a contractor, and one in a hundred of those is told of.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
import uuid
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace

from sqlalchemy import func, select

from account_access.clock import ManualClock
from account_access.connectors.base import DirectoryPerson, PasswordRules
from account_access.settings import Settings
from account_access.store import Store, migrate, tables
from schedulers import contractor_expiry, directory, password_expiry

# A Tuesday, half past eleven in the morning in Los Angeles: both runs are due.
NOW = datetime(2026, 11, 24, 19, 30, tzinfo=timezone.utc)
AGE = timedelta(days=90)
PAGE = 200


def main() -> int:
    """Runs every size, a few minutes for 200,000."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.planning", description=__doc__)
    parser.add_argument("--people", type=int, nargs="+", default=[20_000, 200_000], help="sizes of the directory")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measured(options.people[0])))
        return 0
    columns = ("people", "first reading, s", "next reading, s", "plan, s", "notices", "peak memory, MB")
    print("  ".join(f"{name:>16}" for name in columns))
    for size in options.people:
        command = [sys.executable, "-m", "benchmarks.planning", "--one", "--people", str(size)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own arguments
        row = json.loads(done.stdout.splitlines()[-1])
        print("  ".join(f"{row[name]:>16,.1f}" if "." in str(row[name]) else f"{row[name]:>16,}" for name in columns))
    return 0


def measured(size: int) -> dict[str, float]:
    """Reads the directory twice, plans the morning; seconds, and megabytes at the most."""
    with tempfile.TemporaryDirectory() as folder:
        address = f"sqlite:///{Path(folder) / 'store.db'}"
        migrate(address)
        store, clock = Store.open(address), ManualClock(NOW)
        service = _service(store, clock, size)
        times = []
        for _ in range(2):
            begun = time.perf_counter()
            assert directory.sync(service) == size
            times.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        password_expiry.run(service)
        contractor_expiry.run(service)
        plan = time.perf_counter() - begun
        with store.reading() as connection:
            notices = connection.execute(select(func.count()).select_from(tables.notices)).scalar_one()
        store.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "people": size,
        "first reading, s": round(times[0], 1),
        "next reading, s": round(times[1], 1),
        "plan, s": round(plan, 1),
        "notices": notices,
        "peak memory, MB": round(peak, 1),
    }


def _service(store: Store, clock: ManualClock, size: int) -> SimpleNamespace:
    """As much of the schedulers' service as planning needs, over a directory that makes its pages as they are read."""
    okta = {"name": "Okta", "url": "http://127.0.0.1:1", "token": uuid.uuid4().hex}
    settings = Settings(systems={"okta": okta})
    system = SimpleNamespace(
        key="okta", name="Okta", settings=settings.systems["okta"], connector=_Directory(size), can=lambda _: True
    )
    return SimpleNamespace(settings=settings, store=store, clock=clock, systems={"okta": system})


class _Directory:
    """People, a page at a time."""

    group_names = frozenset()

    def __init__(self, size: int):
        self.size = size

    def people(self):
        for begin in range(0, self.size, PAGE):
            yield [self._person(n) for n in range(begin, min(begin + PAGE, self.size))]

    def directory_rules(self, _group_names):
        return self

    def groups_of(self, _external_id):
        return frozenset()

    def password_rules(self, _external_id):
        return PasswordRules(10, None, AGE)

    def _person(self, n: int) -> DirectoryPerson:
        contractor = n % 20 == 0
        ends = date(2026, 11, 24) + timedelta(days=n // 20 % 500)
        return DirectoryPerson(
            external_id=f"00u{n:08d}",
            login=f"p{n}@acme.example",
            email=f"p{n}@acme.example",
            name=f"Person {n}",
            given_name="Person",
            time_zone="America/Los_Angeles",
            active=True,
            worker_type="Contractor" if contractor else None,
            manager_login=f"p{n // 20 * 20 + 1}@acme.example",
            contract_ends_on=ends if contractor else None,
            # Spread over the ninety days of the policy, at the hour of now.
            password_changed=NOW - timedelta(days=n % 90, hours=-1),
        )


if __name__ == "__main__":
    sys.exit(main())
