"""`make lint`, `make test` and `make test-real`: steps in order, the fast ones first, each with its duration.

The first failure ends the run. A step that runs tests must have run some, and skipped tests count as failures.
"""

import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ops import machine
from ops.console import CannotContinue, say, table
from ops.train import train

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "results"
PROCESSES = ("tests/ops", "tests/e2e")
REAL = ("tests/real", "tests/browser")


@dataclass(frozen=True)
class Step:
    """One check: a function that returns how many tests passed (None if it is no test) or raises CannotContinue."""

    name: str
    work: Callable[[], int | None]


def run(command: str, only: str | None) -> int:
    """Runs the steps of `lint`, `test` or `test-real`; 0 only if all of them passed."""
    steps = [step for step in STEPS[command] if not only or only in step.name]
    if not steps:
        raise CannotContinue(f"No step is called {only!r}; there are: {', '.join(s.name for s in STEPS[command])}.")
    done: list[tuple[str, float, str]] = []
    failure, passed = None, 0
    for step in steps:
        say(f"\n=== {step.name}")
        begun = time.monotonic()
        try:
            count = step.work()
        except CannotContinue as problem:
            failure = problem
        outcome = "failed" if failure else "passed" if count is None else f"{count} tests passed"
        done.append((step.name, time.monotonic() - begun, outcome))
        if failure:
            break
        passed += count or 0
    say(f"\nmake {command}\n{table([*done, ('all', sum(seconds for _, seconds, _ in done), '')])}")
    if failure:
        raise CannotContinue(str(failure))
    if passed:
        say(f"{passed} passed, 0 failed")
    return 0


def program(*command: str) -> Callable[[], None]:
    """A step that is one program of the environment, or one Python module after `-m`."""

    def work() -> None:
        _call(command)

    return work


def tests(*arguments: str) -> Callable[[], int]:
    """A step that runs tests with pytest and counts those that passed."""

    def work() -> int:
        report = RESULTS / f"{arguments[0].replace('/', '-')}.xml"
        report.parent.mkdir(exist_ok=True)
        report.unlink(missing_ok=True)
        _call(("-m", "pytest", *arguments, f"--junitxml={report}"))
        return _count(report)

    return work


def _count(report: Path) -> int:
    suite = ElementTree.parse(report).getroot().find("testsuite")  # noqa: S314 - pytest wrote it a moment ago
    total, skipped = int(suite.get("tests")), int(suite.get("skipped"))
    if skipped:
        raise CannotContinue(f"{skipped} of {total} tests were skipped; every test runs or is removed.")
    if not total:
        raise CannotContinue("No test was run.")
    return total


def _call(command: tuple[str, ...]) -> None:
    environment = {**os.environ, "SQLALCHEMY_SILENCE_UBER_WARNING": "1", "RASA_TELEMETRY_ENABLED": "false"}
    full = (
        [sys.executable, *command]
        if command[0] == "-m"
        else [str(Path(sys.executable).parent / command[0]), *command[1:]]
    )
    if code := subprocess.call(full, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL):
        raise CannotContinue(f"`{' '.join(command)}` ended with {code}; the reason stands above.")


def _ignoring(*folders: str) -> tuple[str, ...]:
    return tuple(f"--ignore={folder}" for folder in folders)


def _model() -> None:
    train()


LINT = (
    Step("style", program("ruff", "check")),
    Step("format", program("ruff", "format", "--check")),
    Step("imports", program("lint-imports")),
)
STEPS = {
    "lint": LINT,
    "test": (
        *LINT,
        Step("unit and property", tests("tests", *_ignoring(*PROCESSES, *REAL, "tests/stories"))),
        Step("rasa data", program("-m", "rasa", "data", "validate")),
        Step("rasa data, our own rules", program("-m", "nlu.check_data")),
        Step("model", _model),
        Step("stories", tests("tests/stories")),
        Step("launcher", tests("tests/ops")),
        Step("end to end", tests("tests/e2e")),
    ),
    "test-real": (
        Step("what the machine needs", machine.prepare),
        Step("real servers", tests("tests/real")),
        Step("browser", tests("tests/browser")),
    ),
}
