"""`python -m schedulers simulate`: what would be sent to whom and when in a period, from files; it sends nothing."""

import argparse
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from pathlib import Path

import yaml
from rich.console import Console

from account_access import settings as configuration
from account_access import zones
from account_access.clock import Clock
from account_access.settings import ProcessesSection, Settings, SettingsError
from account_access.simulation import actions_file, calendar_page, cells, people_file, picture
from account_access.simulation.play import Period, Simulation
from account_access.simulation.problems import BadInput, Problems, quoted
from account_access.simulation.records import Sent, Writer
from schedulers import pitfalls, progress

ROOT = Path(__file__).resolve().parent.parent
STANDARD_OUTPUT = "-"
DEFAULT_SETTINGS = "settings.yml"
# Years of which every zone knows what a day is.
EARLIEST, LATEST = date(1970, 1, 1), date(9000, 1, 1)
MOST_DAYS = 36_525
PAGE_WIDTH = 120


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--people", metavar="people.csv", help="the directory; without it, the sandbox organisation")
    parser.add_argument("--actions", metavar="actions.jsonl", help="what people and systems do meanwhile")
    parser.add_argument("--settings", metavar="settings.yml", help="whose rules; default: $SETTINGS, or settings.yml")
    parser.add_argument("--from", dest="first", metavar="2027-01-01", help="first day; default today")
    parser.add_argument("--days", default="365", metavar="365", help="how many days, default 365")
    parser.add_argument("--picture", metavar="year.png", help="also draw its calendar; .svg and .pdf are drawn as well")
    parser.add_argument("--output", metavar="out.jsonl", help="JSON lines; - is stdout. Without it, a page to read")


def simulate(options: argparse.Namespace, clock: Clock) -> int:
    """Runs the command; 0 done, 2 bad input or usage, with every error told and nothing written."""
    try:
        settings, period, people, actions = read_inputs(options, clock)
        say(f"people: {len(people):,}, actions: {len(actions):,}, days: {period.days}, the first {period.first}")
        name = options.actions
        with progress.shown("days", period.days, say) as advance:
            simulation = Simulation(
                settings,
                people,
                period,
                lambda line, text: say(f"{name}:{line}: {text}"),
                lambda day, sent: advance(1, f"{day}, notifications: {sent:,}"),
            )
            sent = simulation.run(actions)
        if options.picture is not None:
            _draw(options.picture, sent, simulation, period, len(people))
        _write(options.output, sent, simulation, period, len(people))
    except BadInput as error:
        print(error, file=sys.stderr)
        return 2
    except BrokenPipeError:
        # Whoever read has read enough; nothing is left to be said there when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    say(f"notifications: {len(sent):,}")
    return 0


def say(text: str) -> None:
    """Progress and warnings; stdout is for what was asked for."""
    print(text, file=sys.stderr)


def read_inputs(options: argparse.Namespace, clock: Clock):
    """Everything the command line names, read and checked. Raises BadInput with every error of all of it."""
    lines: list[str] = []
    settings = _settings(options.settings, clock.now(), lines)
    period = _period(options, settings, clock, lines)
    people, logins, named = {}, None, options.people
    with _told(lines):
        content, named = _people(options.people, period.first)
        problems = Problems(named)
        people, logins = people_file.read(content, problems)
        lines += problems.lines
    actions = []
    if options.actions is not None:
        with _told(lines):
            problems = Problems(options.actions)
            actions = actions_file.read(_bytes(options.actions, "--actions"), logins, named or "the people", problems)
            lines += problems.lines
    if lines:
        raise BadInput(lines)
    return settings, period, people.values(), actions


@contextlib.contextmanager
def _told(lines: list[str]) -> Iterator[None]:
    """Goes on after a file that cannot be read, so that the errors of the others are told too."""
    try:
        yield
    except BadInput as error:
        lines += error.lines


def _settings(path: str | None, now: datetime, lines: list[str]) -> Settings:
    path = path or os.environ.get("SETTINGS")
    if path is None and not Path(DEFAULT_SETTINGS).exists():
        say(f"{DEFAULT_SETTINGS}: not found; playing by the defaults")
        return Settings()
    try:
        settings = configuration.load_planning(path or DEFAULT_SETTINGS)
    except SettingsError as error:
        lines += error.lines
        return Settings()
    for line in pitfalls.lines(path or DEFAULT_SETTINGS, settings, now):
        say(line)
    return settings


def _period(options: argparse.Namespace, settings: Settings, clock: Clock, lines: list[str]) -> Period:
    first, days = clock.now().astimezone(zones.find(settings.time_zone)).date(), 365
    try:
        first = cells.day(options.first) if options.first is not None else first
        if not EARLIEST <= first <= LATEST:
            raise ValueError(f"{quoted(options.first)} is too far away; write a date from {EARLIEST} to {LATEST}")
    except ValueError as error:
        lines.append(f"--from: {error}")
        first = EARLIEST
    if options.days.isascii() and options.days.isdigit() and 1 <= int(options.days[:9]) <= MOST_DAYS:
        days = int(options.days)
    else:
        lines.append(f"--days: {quoted(options.days)} is not a number of days from 1 to {MOST_DAYS}; write e.g. 365")
    if options.picture is not None and days > picture.MOST_DAYS:
        lines.append(f"--picture: {days} days are too many for one picture; write --days {picture.MOST_DAYS} or fewer")
    return Period(first, days)


def _people(path: str | None, first: date) -> tuple[bytes, str]:
    """The people's file and what it is called."""
    if path is not None:
        return _bytes(path, "--people"), path
    for name in ProcessesSection.__fields__:
        description = ROOT / name / "process.yml"
        if description.exists():
            processes = yaml.safe_load(description.read_text(encoding="utf-8")).values()
            command = next(process["directory"] for process in processes if "directory" in process)
            return _organisation(name, command, first)
    raise BadInput(["--people: not given, and there is no organisation to try things out on here; name a CSV file"])


def _organisation(name: str, command: list[str], first: date) -> tuple[bytes, str]:
    """The people of an organisation that is there for trials, as its process.yml says, founded on that date."""
    call = [sys.executable, *(part.format(day=first) for part in command)]
    done = subprocess.run(call, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, check=False)  # noqa: S603 - ours
    if done.returncode:
        why = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise BadInput([f"--people: {name} could not list its people ({why}); mend it or name a CSV file"])
    return done.stdout, name


def _bytes(path: str, option: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise BadInput([f"{path}: not found; check {option}"])
    except OSError as error:
        raise BadInput([f"{path}: cannot be read ({error.strerror}); check {option} and its permissions"])


def _write(path: str | None, sent: list[Sent], simulation: Simulation, period: Period, people: int) -> None:
    writer = Writer(simulation.calendar, simulation.contractors)
    if path is None:
        console = Console(width=None if sys.stdout.isatty() else PAGE_WIDTH, highlight=False)
        with console.capture() as page:
            calendar_page.show(console, sent, period, people, writer)
        _write_lines(sys.stdout.buffer, (line.rstrip() for line in page.get().splitlines()))
        sys.stdout.buffer.flush()
    elif path == STANDARD_OUTPUT:
        _write_lines(sys.stdout.buffer, writer.lines(sent))
        sys.stdout.buffer.flush()
    else:
        try:
            with open(path, "wb") as file:
                _write_lines(file, writer.lines(sent))
        except OSError as error:
            raise BadInput([f"{path}: cannot be written ({error.strerror}); check --output"])


def _draw(path: str, sent: list[Sent], simulation: Simulation, period: Period, people: int) -> None:
    try:
        picture.draw(Path(path), sent, period, people, Writer(simulation.calendar, simulation.contractors))
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        raise BadInput([f"{path}: cannot be drawn ({why}); name a file that ends in .png, .svg or .pdf"])
    except ImportError as error:
        raise BadInput([f"{path}: cannot be drawn ({error}); install matplotlib or leave --picture out"])


def _write_lines(file, lines: Iterable[str]) -> None:
    for line in lines:
        file.write(line.encode() + b"\n")
