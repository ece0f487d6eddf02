"""What will run, on which ports, with which variables: decided and checked before anything starts."""

import re
import secrets
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from account_access import settings as settings_file
from account_access.clock import SystemClock
from ops import companions, moved
from ops.companions import Companion
from ops.console import CannotContinue
from schedulers import pitfalls

ROOT = Path(__file__).resolve().parent.parent
# Shared between our own processes alone, so made anew at each start; a set variable wins.
INTERNAL_SECRETS = ("DOOR_SECRET", "SCHEDULER_SECRET", "ACTION_SECRET", "JWT_SECRET", "COOKIE_SECRET", "LINK_SECRET")
# Of the caller's environment, what every process may see: where things are, how to speak, how to reach the network.
PASSED_ON = re.compile(
    r"PATH|HOME|USER|LOGNAME|LANG|LANGUAGE|LC_.+|TZ|TMPDIR|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE"
    r"|(HTTPS?|NO|ALL)_PROXY|(https?|no|all)_proxy|OPENBLAS_.+|OMP_NUM_THREADS|TF_.+|FAULT_POINT|LOG_LEVEL"
    r"|FORWARDED_ALLOW_IPS"  # of which proxy the door believes who is behind it
)
VARIABLE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")


@dataclass(frozen=True)
class Process:
    """One process to start: its command, exactly its environment, and how to tell that it works."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    health_url: str | None = None
    health_command: tuple[str, ...] = ()
    listens_on: tuple[str, int] | None = None
    remedy: str = ""  # how to move it to another port
    first: bool = True  # the others start when all of these answer


@dataclass(frozen=True)
class Plan:
    """Everything that one start needs."""

    processes: tuple[Process, ...]
    door: settings_file.DoorSection
    store_url: str
    people: tuple[tuple[str, str], ...]  # where people who can sign in are listed (JSON), and the page about them
    pages: tuple[tuple[str, str], ...]  # other companions, and their pages
    variables: Mapping[str, str] = field(repr=False)
    warnings: tuple[str, ...] = ()


def make(path: Path, home: Path, given: Mapping[str, str], ports_from: int | None, model: Path) -> Plan:
    """Checks the settings, moves ports and files if asked to, and hands each process its own variables (law 3).

    `ports_from` N puts the door on N, Rasa on N+1, actions on N+2 and companions on the ports after. Raises
    CannotContinue with every problem of the settings, one a line.
    """
    try:
        raw = settings_file.read(path)
        beside = companions.wanted(raw)
        moves = _moves(raw, beside, ports_from) if ports_from else {}
        settings_path = path
        if moves or home != ROOT / "var":
            settings_path = home / "run" / "settings.yml"
            moved.write(raw, moves, home, settings_path)
        variables = _variables(home, given, beside, ports_from) | {"SETTINGS": str(settings_path)}
        checked = settings_file.check(settings_path, variables)
        warnings = pitfalls.lines(path, settings_file.load_planning(settings_path, variables), SystemClock().now())
        door = settings_file.load(settings_path, "door", variables).door
    except settings_file.SettingsError as error:
        raise CannotContinue("\n".join(line.replace(f"{home}/run/settings.yml", str(path)) for line in error.lines))
    own = _Environments(settings_file.read(settings_path), variables)
    started = [
        _companion(c, own, door, checked.clock.offset_file or home / "clock-offset", home, moves) for c in beside
    ]
    started += [_actions(own), _rasa(own, model), _door(own, door), _schedulers(own)]
    at = {c.name: f"http://{moves.get(c.listen, c.listen)}" for c in beside}
    people = tuple((at[c.name] + c.people, at[c.name] + c.page) for c in beside if c.people)
    pages = tuple((c.name, at[c.name] + c.page) for c in beside if not c.people)
    return Plan(tuple(started), door, checked.store.url, people, pages, variables, tuple(warnings))


def check_ports(plan: Plan) -> None:
    """Raises CannotContinue for the first port that somebody else holds."""
    for process in plan.processes:
        if process.listens_on is None:
            continue
        host, port = process.listens_on
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                raise CannotContinue(
                    f"Port {port} on {host} is needed by {process.name} and cannot be had ({error.strerror}): stop "
                    f"what uses it, or {process.remedy}, or move all ports with: make run ARGS='--ports-from 18000'"
                )


# What our channel and the stores of endpoints.yml read from the environment (channels/).
RASA_VARIABLES = ("DOOR_SECRET", "SCHEDULER_SECRET", "ACTION_SECRET", "ACTIONS_WEBHOOK", "TRACKERS_DB")

# One sentence is too little to share: the threads of the linear algebra only wait for each other, and burn a third of
# Rasa's time doing so (34 ms of processor a turn, 20 with one thread). A set variable wins.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class _Environments:
    """Each process's own variables: what its sections of the settings name, and nobody else's secrets."""

    def __init__(self, raw: Mapping, variables: Mapping[str, str]):
        self.raw = raw
        self.variables = variables
        self.base = {name: value for name, value in variables.items() if PASSED_ON.fullmatch(name)}
        self.base |= {"PYTHONUNBUFFERED": "1", "SQLALCHEMY_SILENCE_UBER_WARNING": "1"}

    def of(self, process: str, *more: str) -> dict[str, str]:
        wanted = settings_file.ALWAYS + settings_file.SECTIONS[process]
        named = VARIABLE.findall(yaml.safe_dump({key: self.raw[key] for key in wanted if key in self.raw}))
        return self.base | self.pick("SETTINGS", *named, *more)

    def pick(self, *names: str) -> dict[str, str]:
        return {name: self.variables[name] for name in names}


def _companion(companion: Companion, own: _Environments, door, clock: Path, home: Path, moves) -> Process:
    host, port = _host_port(moves.get(companion.listen, companion.listen))
    values = {"port": port, "home": home, "clock": clock, "door": door.url}
    environment = {name: text.format(**values) for name, text in companion.environment.items()}
    return Process(
        companion.name,
        (sys.executable, *companion.command),
        own.base | environment | {name: own.variables[given] for name, given in companion.secrets.items()},
        health_url=f"http://{host}:{port}{companion.health}",
        listens_on=(host, port),
        remedy=f"change it in {companion.folder}/process.yml and settings.yml",
    )


def _actions(own: _Environments) -> Process:
    port = int(own.variables["ACTIONS_PORT"])
    return Process(
        "actions",
        (sys.executable, "-m", "actions"),
        own.of("actions", "ACTION_SECRET", "LINK_SECRET", "ACTIONS_PORT"),
        health_url=f"http://127.0.0.1:{port}/health",
        listens_on=("127.0.0.1", port),
        remedy="set ACTIONS_PORT and ACTIONS_WEBHOOK in the environment",
    )


def _rasa(own: _Environments, model: Path) -> Process:
    port = urlsplit(own.variables["RASA_URL"]).port or 5005
    command = [sys.executable, "-m", "ops.rasa_server", "--enable-api", "-i", "127.0.0.1", "-p", str(port)]
    command += ["--model", str(model), "--endpoints", "endpoints.yml", "--credentials", "credentials.yml"]
    return Process(
        "rasa",
        tuple(command),
        ONE_THREAD | own.of("channel", "JWT_SECRET", *RASA_VARIABLES) | {"RASA_TELEMETRY_ENABLED": "false"},
        health_url=f"http://127.0.0.1:{port}/",
        listens_on=("127.0.0.1", port),
        remedy="set RASA_URL in the environment",
    )


def _door(own: _Environments, door: settings_file.DoorSection) -> Process:
    return Process(
        "door",
        (sys.executable, "-m", "door"),
        own.of("door"),
        health_url=f"http://{door.listen}/health",
        listens_on=_host_port(door.listen),
        remedy="change door.listen and door.url in settings.yml",
        first=False,
    )


def _schedulers(own: _Environments) -> Process:
    module = (sys.executable, "-m", "schedulers")
    return Process(
        "schedulers", (*module, "run"), own.of("schedulers"), health_command=(*module, "status"), first=False
    )


def _variables(home: Path, given: Mapping[str, str], beside: list[Companion], ports_from: int | None) -> dict[str, str]:
    """The caller's environment, with what is missing made up: secrets, and where things are."""
    places = {
        "STORE_URL": f"sqlite:///{home / 'store.db'}",
        "TRACKERS_DB": str(home / "trackers.db"),
        "RASA_URL": "http://127.0.0.1:5005",
        "ACTIONS_WEBHOOK": "http://127.0.0.1:5055/webhook",
        "ACTIONS_URL": "http://127.0.0.1:5055",
        "ACTIONS_PORT": "5055",
    }
    names = [*INTERNAL_SECRETS, *(name for companion in beside for name in companion.secrets.values())]
    made = {name: secrets.token_urlsafe(32) for name in names}
    variables = places | made | {name: value for name, value in given.items() if value}
    if ports_from:
        variables["RASA_URL"] = f"http://127.0.0.1:{ports_from + 1}"
        variables["ACTIONS_WEBHOOK"] = f"http://127.0.0.1:{ports_from + 2}/webhook"
        variables["ACTIONS_URL"] = f"http://127.0.0.1:{ports_from + 2}"
        variables["ACTIONS_PORT"] = str(ports_from + 2)
    return variables


def _moves(raw: Mapping, beside: list[Companion], first: int) -> dict[str, str]:
    """HOST:PORT as written in the settings → HOST:PORT where it shall be."""
    moves = {c.listen: f"{_host_port(c.listen)[0]}:{first + 3 + i}" for i, c in enumerate(beside)}
    listen = str((raw.get("door") or {}).get("listen", "127.0.0.1:8000"))
    return moves | {listen: f"{listen.rpartition(':')[0]}:{first}"}


def _host_port(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)
