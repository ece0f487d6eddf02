"""`make lint`, `make test` and `make test-real`: steps in order, the fast ones first, each with its duration.

Steps stand in phases; a phase has lanes, which run side by side, since the machine has two cores and much of a test is
waiting. The first failure ends the run. A step that runs tests must have run some, and skipped tests count as failures.
"""

import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ops import machine
from ops.console import CannotContinue, say, table

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "results"
REMINDERS_KILLED = "tests/e2e/test_reminders_killed.py"
KILLS = ("tests/e2e/test_kills.py", REMINDERS_KILLED)
TWO_WEEKS = "tests/browser/test_two_weeks.py"
EXAM = "tests/nlu_components/test_exam.py"
# Two turns from each beginning take half a minute; four (`python -m tests.model`) take many.
MODEL_DEPTH = "2"


@dataclass(frozen=True)
class Step:
    """One check: a program of the environment, or a module after `-m`; `counts` if it is a run of tests."""

    name: str
    command: tuple[str, ...]
    counts: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a step went; `problem` is empty if it passed."""

    name: str
    seconds: float
    tests: int = 0
    problem: str = ""

    @property
    def row(self) -> tuple[str, float, str]:
        return self.name, self.seconds, "failed" if self.problem else f"{self.tests} tests" if self.tests else "passed"


def run(command: str, only: str | None) -> int:
    """Runs the steps of `lint`, `test` or `test-real`; 0 only if all of them passed."""
    begun = time.monotonic()
    if command == "test-real" and not only:
        machine.prepare()
    phases = [[[step for step in lane if not only or only in step.name] for lane in lanes] for lanes in PHASES[command]]
    outcomes: list[Outcome] = []
    failed: list[str] = []
    for lanes in phases:
        with ThreadPoolExecutor(len(lanes)) as pool:
            outcomes += [outcome for lane in pool.map(_lane, lanes, [failed] * len(lanes)) for outcome in lane]
    if not outcomes:
        raise CannotContinue(f"No step has {only!r} in its name.")
    rows = [outcome.row for outcome in outcomes] + [("all, by the clock", time.monotonic() - begun, "")]
    say(f"\nmake {command}\n{table(rows)}")
    problems = [f"{outcome.name}: {outcome.problem}" for outcome in outcomes if outcome.problem]
    if problems:
        raise CannotContinue("\n".join(problems))
    if tests := sum(outcome.tests for outcome in outcomes):
        say(f"{tests} passed, 0 failed")
    return 0


def _lane(steps: list[Step], failed: list[str]) -> list[Outcome]:
    """Runs steps one after another until one fails, here, in the lane beside or in an earlier phase."""
    outcomes = []
    for step in steps:
        if failed:
            break
        outcomes.append(_step(step))
        if outcomes[-1].problem:
            failed.append(step.name)
    return outcomes


def _step(step: Step) -> Outcome:
    say(f"--- {step.name} ...")
    RESULTS.mkdir(exist_ok=True)
    stem = step.name.replace(" ", "-").replace(",", "")
    log, report = RESULTS / f"{stem}.log", RESULTS / f"{stem}.xml"
    report.unlink(missing_ok=True)
    begun = time.monotonic()
    tests, problem = 0, ""
    command = (*step.command, f"--junitxml={report}") if step.counts else step.command
    code = _call(command, log)
    if code:
        problem = (
            f"`{' '.join(step.command)}` ended with {code}; what it said stands above and in {log.relative_to(ROOT)}"
        )
    elif step.counts:
        tests, problem = _count(report)
    outcome = Outcome(step.name, time.monotonic() - begun, tests, problem)
    end = log.read_text(errors="replace") if problem else ""
    say(f"{end}--- {step.name}: {outcome.row[2]} after {outcome.seconds:.1f} s")
    return outcome


def _count(report: Path) -> tuple[int, str]:
    """How many tests a run reports, and what is wrong with that."""
    suite = ElementTree.parse(report).getroot().find("testsuite")  # noqa: S314 - pytest wrote it a moment ago
    total, skipped = int(suite.get("tests")), int(suite.get("skipped"))
    if skipped:
        return total, f"{skipped} of {total} tests were skipped; every test runs or is removed"
    return total, "" if total else "no test was run"


def _call(command: tuple[str, ...], log: Path) -> int:
    environment = {**os.environ, "SQLALCHEMY_SILENCE_UBER_WARNING": "1", "RASA_TELEMETRY_ENABLED": "false"}
    program = [sys.executable] if command[0] == "-m" else []
    rest = command if program else (str(Path(sys.executable).parent / command[0]), *command[1:])
    with open(log, "w") as output:
        return subprocess.call(
            [*program, *rest], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )


def _tests(name: str, *arguments: str) -> Step:
    return Step(name, ("-m", "pytest", *arguments), counts=True)


def _without(*paths: str) -> tuple[str, ...]:
    return tuple(f"--ignore={path}" for path in paths)


LINT = [
    Step("style", ("ruff", "check")),
    Step("format", ("ruff", "format", "--check")),
    Step("imports", ("lint-imports",)),
]
ELSEWHERE = (
    "tests/ops",
    "tests/e2e",
    "tests/real",
    "tests/browser",
    "tests/stories",
    "tests/model",
    "tests/mutants",
    "tests/standalone",
    EXAM,
)
PHASES: dict[str, list[list[list[Step]]]] = {
    "lint": [[LINT]],
    "test": [
        [LINT],
        [
            [_tests("unit and property", "tests", *_without(*ELSEWHERE))],
            [
                Step("rasa data", ("-m", "rasa", "data", "validate")),
                Step("rasa data, our own rules", ("-m", "nlu.check_data")),
                Step("model", ("-m", "ops", "train")),
                _tests("stories", "tests/stories", "-o", "timeout=900"),
                Step("ways to an act", ("-m", "tests.model", "--depth", MODEL_DEPTH)),
                _tests("ways to an act, defects", "tests/model"),
                _tests("launcher", "tests/ops"),
                _tests("exam", EXAM),
                _tests("mutants", "tests/mutants"),
            ],
        ],
        [
            [_tests("end to end", "tests/e2e", *_without(*KILLS))],
            [_tests("end to end, kills", *KILLS), _tests("without the sandbox", "tests/standalone")],
        ],
    ],
    "test-real": [
        [
            [_tests("real servers", "tests/real"), _tests("browser", "tests/browser", *_without(TWO_WEEKS))],
            [
                _tests("browser, two weeks", TWO_WEEKS),
                Step("store on PostgreSQL", ("-m", "tests.real.on_postgresql"), counts=True),
            ],
        ],
        [[_tests("a thousand reminders, kills", REMINDERS_KILLED, "--people", "1000")]],
    ],
}
