"""`python -m ops run`: checks, trains, migrates, starts everything, says where to open it, and ends all of it."""

import ctypes
import errno
import fcntl
import json
import os
import shutil
import signal
import subprocess
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from account_access.store import migrate
from account_access.store.engine import url_without_password
from ops import plan as planning
from ops import supervision
from ops.console import CannotContinue, say, step, tail
from ops.health import direct, healthy
from ops.train import fingerprints, train

ROOT = planning.ROOT
PR_SET_CHILD_SUBREAPER = 36
MEGABYTES_NEEDED = 300
READY_SECONDS = 180
LOOP_DEATHS, LOOP_SECONDS = 3, 60
END_SECONDS = 8
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ended(BaseException):
    """Somebody asked for the end: Ctrl-C, a closed terminal, or kill."""


def run(settings: Path, home: Path, ports_from: int | None) -> int:
    """Starts everything and stays until it is told to end. Raises CannotContinue for whatever stands in the way."""
    _heed_signals()
    os.umask(0o077)
    begun = time.monotonic()
    try:
        with _only_one(home):
            _, name = fingerprints()
            plan = planning.make(settings, home, os.environ, ports_from, ROOT / "models" / f"{name}.tar.gz")
            planning.check_ports(plan)
            for line in plan.warnings:
                say(line)
            train()
            _migrate(plan.store_url)
            return Installation(plan, home, begun).live()
    except Ended:
        say("Ended.")
        return 0
    except OSError as error:
        raise CannotContinue(explain(error, home))


def _migrate(url: str) -> None:
    try:
        with step("Bringing the store up to date"):
            copy = migrate(url)
            if copy:
                say(f"  a copy of the store as it was: {copy}")
    except SQLAlchemyError as error:
        why = str(getattr(error, "orig", error)).strip().splitlines()[0]
        raise CannotContinue(
            f"The store at {url_without_password(url)} cannot be used ({why}): see that it can be reached and is ours, "
            "or let STORE_URL name another."
        )


def _heed_signals() -> None:
    for number in ENDING_SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup wants to outlive the terminal
            signal.signal(number, _ended)


def _ended(_number, _frame):
    _deafen()
    raise Ended


def _deafen() -> None:
    """The end is not to be interrupted: a second Ctrl-C would leave things behind."""
    for number in ENDING_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def _only_one(home: Path) -> Iterator[None]:
    """Makes the folders and keeps a second start out; the kernel lets go of the lock when this process ends."""
    for folder in (home, home / "run", home / "log"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    free = shutil.disk_usage(home).free / 1e6
    if free < MEGABYTES_NEEDED:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(home))
    (home / "run").chmod(0o700)
    with open(home / "run" / "lock", "a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise CannotContinue(
                f"Account Access already runs here ({lock.read().strip() or 'starting'}): use that one, end it with "
                "Ctrl-C where it runs, or start a second with: make run ARGS='--home DIR --ports-from 18000'"
            )
        lock.truncate(0)
        lock.write(f"pid {os.getpid()}")
        lock.flush()
        yield


def explain(error: OSError, home: Path) -> str:
    """One sentence for a disk that is full or cannot be written, and for anything else the system refused."""
    where = error.filename or home
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is full ({where}): free at least {MEGABYTES_NEEDED} MB, or start with --home DIR elsewhere."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return (
            f"{where} cannot be written: give this user the right to write there, or start with --home DIR elsewhere."
        )
    if error.errno in (errno.ENOENT, errno.EEXIST, errno.ENOTDIR):
        return f"{where} cannot be made a folder ({error.strerror}): start with --home DIR elsewhere."
    return f"{where}: {error.strerror or error}; mend that and start again."


class Installation:
    """Everything that one start runs, from the first process to the last."""

    def __init__(self, plan: planning.Plan, home: Path, begun: float):
        self.plan = plan
        self.home = home
        self.begun = begun
        self.popen: subprocess.Popen | None = None
        self.socket: Path | None = None
        self.states: dict[str, supervision.State] = {}
        self.deaths: dict[str, deque] = {process.name: deque(maxlen=LOOP_DEATHS) for process in plan.processes}

    def live(self) -> int:
        # Whatever a process leaves behind becomes a child of ours, so that the end finds it.
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        try:
            self.popen, self.supervisor, self.socket = supervision.launch(self.plan.processes, self.home)
            if not supervision.wait_until_answers(self.popen, self.supervisor):
                raise CannotContinue(f"The supervisor did not start:\n{tail(self.home / 'log' / 'supervisord.err')}")
            self._start()
            self._announce()
            self._watch()
        except Ended:
            say("\nEnding ...")
        finally:
            self._end()
        say("Ended; nothing is left running.")
        return 0

    def _start(self) -> None:
        say("Starting")
        started = {}
        for first in (True, False):
            stage = [process for process in self.plan.processes if process.first == first]
            for process in stage:
                started[process.name] = time.monotonic()
                self.supervisor.start(process.name)
            for process in stage:
                self._wait(process, started[process.name])

    def _wait(self, process: planning.Process, started: float) -> None:
        while not healthy(process):
            self._look()
            waited = time.monotonic() - started
            if len(self.deaths[process.name]) == LOOP_DEATHS or waited > READY_SECONDS:
                why = "keeps ending" if waited <= READY_SECONDS else f"does not answer after {READY_SECONDS} s"
                raise CannotContinue(
                    f"{process.name} {why}; the end of {self._log(process.name)}:\n{self._tail(process.name)}"
                )
            time.sleep(0.1)
        say(f"  {process.name:<12} answers after {time.monotonic() - started:5.1f} s")

    def _watch(self) -> None:
        while self.popen.poll() is None:
            self._look(report=True)
            time.sleep(0.5)
        raise CannotContinue(f"The supervisor ended by itself; see {self.home / 'log' / 'supervisord.log'}.")

    def _look(self, report: bool = False) -> None:
        """Counts restarts; says so when a process is in a crash loop."""
        try:
            states = self.supervisor.states()
        except ConnectionError:
            return  # it is ending; the caller sees that by its process
        for name, state in states.items():
            before, self.states[name] = self.states.get(name), state
            if before and state.is_restart_of(before):
                self.deaths[name].append(time.monotonic())
                if report:
                    self._report(name, self.deaths[name])

    def _report(self, name: str, died: deque) -> None:
        if len(died) == LOOP_DEATHS and died[-1] - died[0] < LOOP_SECONDS:
            say(f"{name} ended {LOOP_DEATHS} times in {LOOP_SECONDS} s and is tried again; the end of its log:")
            say(self._tail(name))
            died.clear()
        else:
            say(f"{name} ended and is started again ({self._log(name)})")

    def _announce(self) -> None:
        state = {"pid": os.getpid(), "door": self.plan.door.url, "socket": str(self.socket)}
        partial = self.home / "run" / "ready.json.new"
        partial.write_text(json.dumps(state))
        os.replace(partial, self.home / "run" / "ready.json")
        say(f"\nReady after {time.monotonic() - self.begun:.0f} s. Open {self.plan.door.url}")
        for listed_at, page in self.plan.people:
            self._introduce(listed_at, page)
        for name, page in self.plan.pages:
            say(f"{name} has more accounts; {page} tells whose.")
        say(f"Logs are in {self._short(self.home / 'log')}. Ctrl-C ends everything.\n")

    def _introduce(self, listed_at: str, page: str) -> None:
        with direct.open(listed_at, timeout=5) as reply:
            people = json.load(reply)["people"]
        say(f"These can sign in; {page} tells their passwords and factors:")
        for person in people:
            say(f"  {person['login']:<30} {person['name']}")

    def _log(self, name: str) -> str:
        return self._short(self.home / "log" / f"{name}.log")

    def _short(self, path: Path) -> str:
        return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)

    def _tail(self, name: str) -> str:
        return tail(self.home / "log" / f"{name}.log")

    def _end(self) -> None:
        """Stops all in order, then by force, and sweeps up what any of them left behind."""
        _deafen()
        (self.home / "run" / "ready.json").unlink(missing_ok=True)
        if self.popen and self.popen.poll() is None:
            self.popen.terminate()
            try:
                self.popen.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
        _sweep()
        for path in (self.home / "run").glob("*.env.json"):
            path.unlink()
        if self.socket and self.socket.parent != self.home / "run":
            shutil.rmtree(self.socket.parent, ignore_errors=True)


def _sweep() -> None:
    """Kills every process below this one, until none is left."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    while pids := [int(pid) for pid in children.read_text().split()]:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
