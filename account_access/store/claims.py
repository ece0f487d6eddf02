"""Claims on rows that wait for something: who holds one, and what to do when the holder was killed.

A claim ends by itself after its time. So that nobody waits for that after a `kill -9`, each claim names its holder,
and a process that starts releases the claims of processes of this machine that are gone.
"""

import os
import socket
from functools import lru_cache
from pathlib import Path

from sqlalchemy import select, update

from account_access.store import tables
from account_access.store.engine import Store

CLAIMED = (tables.inbound, tables.notices, tables.requests, tables.desk_outbox, tables.checks, tables.mails)


def holder() -> str:
    """This process, told apart from a later one with its pid: `host:pid:start`, start in clock ticks since boot."""
    return _holder(os.getpid())


@lru_cache(maxsize=4)
def _holder(pid: int) -> str:
    return f"{socket.gethostname()}:{pid}:{_started(pid)}"


def release_of_the_dead(store: Store) -> int:
    """Releases every claim whose holder ran on this machine and is gone; returns how many."""
    released = 0
    with store.begin() as connection:
        for table in CLAIMED:
            held = table.c.claimed_until.is_not(None) & table.c.claimed_by.is_not(None)
            holders = connection.execute(select(table.c.claimed_by).where(held).distinct()).scalars().all()
            gone = [name for name in holders if _gone(name)]
            if gone:
                statement = update(table).where(held, table.c.claimed_by.in_(gone)).values(claimed_until=None)
                released += connection.execute(statement).rowcount
    return released


def _gone(name: str) -> bool:
    """True only where it is certain: this host, and no such process, or a younger one with its pid."""
    host, pid, started = name.rsplit(":", 2)
    if host != socket.gethostname() or not Path("/proc/self/stat").exists():
        return False
    return not pid.isdigit() or _started(int(pid)) != started


def _started(pid: int) -> str:
    """When the process started, empty if there is none; field 22 of /proc/PID/stat, after the name in brackets."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    state, *fields = stat.rpartition(")")[2].split()
    return "" if state == "Z" else fields[18]
