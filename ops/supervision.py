"""supervisord, started and asked: it restarts what dies, with growing pauses, and stops whole process groups."""

import http.client
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from supervisor.xmlrpc import SupervisorTransport

from ops.plan import ROOT, Process

GROUP = "account-access"
STOP_SECONDS = 5
LONGEST_SOCKET_PATH = 100  # the kernel takes 107 bytes

HEAD = """[supervisord]
nodaemon=true
identifier={group}
umask=077
logfile={home}/log/supervisord.log
logfile_maxbytes=5MB
logfile_backups=1
pidfile={home}/run/supervisord.pid
childlogdir={home}/log
directory={root}

[unix_http_server]
file={socket}
chmod=0600

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[group:{group}]
programs={names}
"""
# A process that dies before it has run two seconds is started again after 1, 2, 3 … seconds, and never given up.
PROGRAM = """
[program:{name}]
command={command}
autostart=false
autorestart=true
startsecs=2
startretries=1000000
stopsignal=TERM
stopwaitsecs={stop}
stopasgroup=true
killasgroup=true
redirect_stderr=true
stdout_logfile={home}/log/{name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=3
"""


@dataclass(frozen=True)
class State:
    """One process as the supervisor sees it; `pid` is 0 when it does not run, `started` is in Unix seconds."""

    pid: int
    started: int

    def is_restart_of(self, before: "State") -> bool:
        """True if the process was started anew in between; restarts within one second differ by the pid alone."""
        if not before.started:
            return False
        return self.started != before.started or bool(self.pid and before.pid and self.pid != before.pid)


class Supervisor:
    """A running supervisord, reached by its socket (readable by its owner alone)."""

    def __init__(self, socket: Path):
        self._url = f"unix://{socket}"

    def start(self, name: str) -> None:
        self._call("startProcess", f"{GROUP}:{name}", False)

    def states(self) -> dict[str, State]:
        """Every process by name. Raises ConnectionError when the supervisor does not answer."""
        return {info["name"]: State(info["pid"], info["start"]) for info in self._call("getAllProcessInfo")}

    def _call(self, method: str, *arguments):
        # One connection a call: the transport cannot be used again after a failure, and this one is a local socket.
        transport = SupervisorTransport(serverurl=self._url)
        try:
            with xmlrpc.client.ServerProxy("http://localhost", transport=transport) as proxy:
                return getattr(proxy.supervisor, method)(*arguments)
        except (OSError, http.client.HTTPException, xmlrpc.client.ProtocolError) as error:
            raise ConnectionError(f"the supervisor does not answer: {error}")


def launch(processes: Iterable[Process], home: Path) -> tuple[subprocess.Popen, Supervisor, Path]:
    """Starts supervisord with nothing running yet; it and all below it die with this process, however this one dies."""
    socket = _socket_path(home)
    config = home / "run" / "supervisord.conf"
    config.write_text(_config(list(processes), home, socket))
    own = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    write_environment(home, "supervisord", own)
    command = _wrapped(home, "supervisord", signal.SIGTERM, (sys.executable, "-m", "supervisor.supervisord"))
    with open(home / "log" / "supervisord.err", "w") as errors:
        popen = subprocess.Popen(
            [*command, "-c", str(config)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,  # Ctrl-C on the console reaches the launcher alone, which stops things in order
        )
    return popen, Supervisor(socket), socket


def wait_until_answers(popen: subprocess.Popen, supervisor: Supervisor, seconds: float = 20) -> bool:
    """True once the supervisor can be asked; False if it ended or stayed silent."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and popen.poll() is None:
        try:
            supervisor.states()
            return True
        except ConnectionError:
            time.sleep(0.05)
    return False


def write_environment(home: Path, name: str, environment: Mapping[str, str]) -> Path:
    """Keeps one process's environment in a file that only its owner reads."""
    path = home / "run" / f"{name}.env.json"
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as handle:
        json.dump(dict(environment), handle)
    return path


def _wrapped(home: Path, name: str, end: signal.Signals, command: tuple[str, ...]) -> list[str]:
    wrapper = [sys.executable, "-I", "-S", str(ROOT / "ops" / "child.py")]
    return [*wrapper, str(home / "run" / f"{name}.env.json"), str(int(end)), *command]


def _config(processes: list[Process], home: Path, socket: Path) -> str:
    names = ",".join(process.name for process in processes)
    values = {"home": _plain(home), "root": _plain(ROOT), "socket": _plain(socket), "group": GROUP}
    text = HEAD.format(names=names, **values)
    for process in processes:
        write_environment(home, process.name, process.environment)
        command = shlex.join(_wrapped(home, process.name, signal.SIGKILL, process.command))
        text += PROGRAM.format(name=process.name, command=_plain(command), stop=STOP_SECONDS, **values)
    return text


def _plain(value: Path | str) -> str:
    return str(value).replace("%", "%%")


def _socket_path(home: Path) -> Path:
    path = home / "run" / "supervisord.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return path
    return Path(tempfile.mkdtemp(prefix="account-access-")) / "s.sock"
