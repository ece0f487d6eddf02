"""Runs tests of the store, and of all that is built on it, on a PostgreSQL server of their own (law 10).

    python -m tests.real.on_postgresql [what pytest takes]

The server is Debian's, listens on a socket in a folder of its own and is gone afterwards. Tests that are about SQLite
itself are marked so and left out.
"""

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOMS = ("tests/account_access", "tests/schedulers")
# Where the package's own user runs it: initdb refuses root.
OWNER = "postgres"
# Nothing here outlives the run: durability is what this test does not ask.
SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200"}


def main() -> int:
    """pytest's exit code."""
    with private_server() as address:
        os.environ["TEST_POSTGRESQL"] = address
        return pytest.main(["-m", "not sqlite", *ROOMS, *sys.argv[1:]], plugins=[OnlyTheStore()])


class OnlyTheStore:
    """Of the rooms' tests those that use the store: the others would run a second time for nothing."""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keeps what has the store's address among its fixtures."""
        items[:] = [item for item in items if "store_url" in item.fixturenames]


@contextlib.contextmanager
def private_server() -> Iterator[str]:
    """A running server with one database; yields its SQLAlchemy address."""
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, OWNER, OWNER)
        options = " ".join(f"-c {name}={value}" for name, value in SETTINGS.items())
        _run(programs / "initdb", "-D", folder / "data", "-U", OWNER, "-A", "trust", "-E", "UTF8", "--no-sync")
        start = f"-c listen_addresses= -c unix_socket_directories={folder} {options}"
        _run(programs / "pg_ctl", "-D", folder / "data", "-l", folder / "log", "-w", "-o", start, "start")
        try:
            yield f"postgresql+psycopg2://{OWNER}@/{OWNER}?host={folder}"
        finally:
            _run(programs / "pg_ctl", "-D", folder / "data", "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder)


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if not found:
        raise SystemExit("PostgreSQL is not installed; `make test-real` installs it")
    return found[-1]


def _run(program: Path, *arguments: str | Path) -> None:
    command = [str(program), *map(str, arguments)]
    options = {}
    if os.geteuid() == 0:
        owner = pwd.getpwnam(OWNER)
        options = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    subprocess.run(command, check=True, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **options)


if __name__ == "__main__":
    sys.exit(main())
