"""A whole installation with real processes, started by the launcher on free ports with a home of its own."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import yaml

from account_access.clock import OffsetClock
from ops.console import tail
from ops.supervision import Supervisor, write_environment
from tests.ports import free_port_block

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("sandbox", "sandbox-retail", "rasa", "actions", "door", "schedulers")
START_SECONDS = 120


def eventually(ask: Callable, seconds: float = 20, why: str = ""):
    """What `ask` returns once it is true; fails after so many seconds, saying what it was at last."""
    deadline = time.monotonic() + seconds
    while True:
        answer = ask()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{why or 'it did not happen'} within {seconds} s; at last: {answer!r}")
        time.sleep(0.05)


class Installation:
    """Account Access and its sandbox, running from `root`. `changes` are merged into settings.yml, a section each."""

    names = NAMES

    def __init__(self, home: Path, changes: dict | None = None, environment: dict | None = None, root: Path = ROOT):
        self.home = home
        self.root = root
        self.first_port = free_port_block(5)
        self.door_url = f"http://127.0.0.1:{self.first_port}"
        self.rasa_url = f"http://127.0.0.1:{self.first_port + 1}"
        self.actions_url = f"http://127.0.0.1:{self.first_port + 2}"
        self.sandbox_url = f"http://127.0.0.1:{self.first_port + 3}"
        self.retail_url = f"http://127.0.0.1:{self.first_port + 4}"
        home.mkdir(parents=True, exist_ok=True)
        self.settings_path = home / "settings-given.yml"
        self.settings_path.write_text(yaml.safe_dump(_merged(changes or {})))
        self.output = home / "console.txt"
        self.environment = {**os.environ, **(environment or {})}
        self.control = Control(self.sandbox_url)
        self.retail = Control(self.retail_url)

    def start(self) -> "Installation":
        command = [sys.executable, "-m", "ops", "run", "--settings", str(self.settings_path), "--home", str(self.home)]
        with open(self.output, "a") as output:
            self.popen = subprocess.Popen(
                [*command, "--ports-from", str(self.first_port)],
                cwd=self.root,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        ready = self.home / "run" / "ready.json"
        try:
            eventually(lambda: ready.exists() or self.popen.poll() is not None, START_SECONDS, "it did not start")
        except AssertionError:
            self.popen.terminate()
            raise
        assert self.popen.poll() is None, self.output.read_text()
        self.supervisor = Supervisor(Path(json.loads(ready.read_text())["socket"]))
        return self

    def stop(self) -> None:
        """Ends it as Ctrl-C does, and checks that nothing is left: no process of it, no port taken."""
        pids = [self.pid(name) for name in self.names]
        self.popen.send_signal(signal.SIGINT)
        assert self.popen.wait(20) == 0, self.output.read_text()
        assert not [pid for pid in pids if pid and Path(f"/proc/{pid}").exists()], "a process was left behind"
        for port in range(self.first_port, self.first_port + len(self.names) - 1):
            socket.create_server(("127.0.0.1", port)).close()

    def pid(self, name: str) -> int:
        """The process's pid; 0 while it does not run."""
        return self.supervisor.states()[name].pid

    def kill(self, name: str) -> int:
        """Kills a process as by `kill -9`; returns its pid, 0 if it was down at that moment."""
        pid = self.pid(name)
        if pid:
            os.kill(pid, signal.SIGKILL)
        return pid

    def wait_until_healthy(self, *names: str, unlike: int = 0) -> None:
        """Waits until these processes (all if none is named) answer; `unlike` is the pid that was killed."""
        for name in names or self.names:
            eventually(lambda name=name: self.is_healthy(name, unlike), 60, f"{name} did not come back")

    def is_healthy(self, name: str, unlike: int = 0) -> bool:
        pid = self.pid(name)
        if not pid or pid == unlike:
            return False
        if name == "schedulers":
            return True  # a fresh heartbeat may be its predecessor's; that it works is seen in what it does
        url = {
            "sandbox": f"{self.sandbox_url}/health",
            "sandbox-retail": f"{self.retail_url}/health",
            "rasa": f"{self.rasa_url}/",
            "actions": f"{self.actions_url}/health",
            "door": f"{self.door_url}/health",
        }[name]
        try:
            return httpx.get(url, timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def plant(self, name: str, point: str) -> Path:
        """Restarts a process so that it dies once at a fault point; returns the marker that will report the hit."""
        marker = self.home / f"hit-{point}"
        path = self.home / "run" / f"{name}.env.json"
        environment = json.loads(path.read_text())
        write_environment(self.home, name, environment | {"FAULT_POINT": f"{point}:{marker}"})
        killed = self.kill(name)
        self.wait_until_healthy(name, unlike=killed)
        return marker

    def environment_of(self, name: str) -> dict[str, str]:
        """What the kernel says the process was started with."""
        raw = Path(f"/proc/{self.pid(name)}/environ").read_bytes().decode()
        return dict(item.split("=", 1) for item in raw.split("\0") if item)

    def rows(self, query: str, *values) -> list[dict]:
        """Rows of the store, read beside everybody else."""
        connection = sqlite3.connect(f"file:{self.home / 'store.db'}?mode=ro", uri=True, timeout=10)
        try:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query, values)]
        finally:
            connection.close()

    def unlocks_at_okta(self, login: str) -> int:
        """How often an account was really unlocked, as the organisation's own log tells it."""
        return self._unlocks(self.sandbox_url, "OKTA_TOKEN", login)

    def unlocks_at_retail(self, login: str) -> int:
        """The same of the second organisation."""
        return self._unlocks(self.retail_url, "RETAIL_OKTA_TOKEN", login)

    def _unlocks(self, url: str, token_name: str, login: str) -> int:
        token = json.loads((self.home / "run" / "actions.env.json").read_text())[token_name]
        query = {"filter": 'eventType eq "user.account.unlock_by_admin"', "q": login, "limit": 1000}
        headers = {"Authorization": f"SSWS {token}"}
        reply = httpx.get(f"{url}/api/v1/logs", params=query, headers=headers, timeout=10)
        assert reply.status_code == 200, reply.text
        return len([event for event in reply.json() if event["outcome"]["result"] == "SUCCESS"])

    def now(self):
        """The installation's time, aware UTC."""
        return OffsetClock(self.home / "clock-offset").now()

    def log(self, name: str, lines: int = 40) -> str:
        return tail(self.home / "log" / f"{name}.log", lines)


class Control:
    """The sandbox's switches (docs/sandbox.md), and what Okta's API says about its people."""

    def __init__(self, url: str):
        self.url = url

    def post(self, act: str, **body) -> dict:
        reply = httpx.post(f"{self.url}/control/api/{act}", json=body, timeout=10)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def state(self) -> dict:
        return httpx.get(f"{self.url}/control/api/state", timeout=10).json()

    def status(self, login: str) -> str:
        """ACTIVE, LOCKED_OUT … of one person."""
        return next(p["status"] for p in self.state()["people"] if p["login"].split("@")[0] == login.split("@")[0])


def _without_none(section: dict) -> dict:
    return {key: value for key, value in section.items() if value is not None}


def _merged(changes: dict) -> dict:
    """settings.yml with these changes, a section each; what is None is left out."""
    raw = yaml.safe_load((ROOT / "settings.yml").read_text())
    for section, values in changes.items():
        merged = {**raw.get(section, {}), **values} if isinstance(values, dict) else values
        raw[section] = _without_none(merged) if isinstance(merged, dict) else merged
    return raw
