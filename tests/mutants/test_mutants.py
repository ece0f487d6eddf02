"""Each guard of mutants.py is taken away in a copy of the source, and its tests have to fail there."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.mutants.mutants import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]
ROOMS = ("account_access", "actions", "channels", "door", "schedulers")
FILES = ("domain.yml", "pyproject.toml", "settings.yml", "tests/ports.py")
AT_ONCE = max(2, os.cpu_count() or 2)
FAILED = 1  # pytest's exit code for tests that failed, as against tests that could not run


@dataclass(frozen=True)
class Ended:
    """How the tests of a mutant ended."""

    code: int
    report: str


def copy_with(mutant: Mutant, to: Path) -> None:
    """Rooms and their tests, with the bytecode that is still good for them, and the mutant in one file."""
    for room in ROOMS:
        shutil.copytree(ROOT / room, to / room)
    for room in {Path(mutant.tests[0]).parts[1], "account_access"}:
        shutil.copytree(ROOT / "tests" / room, to / "tests" / room)
    for name in FILES:
        shutil.copy2(ROOT / name, to / name)
    path = to / mutant.file
    path.write_text(path.read_text(encoding="utf-8").replace(mutant.old, mutant.new), encoding="utf-8")


@pytest.fixture(scope="module")
def ended(tmp_path_factory) -> dict[str, Ended]:
    """All of them by guard, run by one process that has imported the libraries."""
    folder = tmp_path_factory.mktemp("mutants")
    there = [mutant for mutant in MUTANTS if occurrences(mutant) == 1]
    jobs = []
    for number, mutant in enumerate(there):
        copy_with(mutant, folder / str(number))
        report = str(folder / f"{number}.txt")
        jobs.append({"folder": str(folder / str(number)), "arguments": list(mutant.tests), "report": report})
    runner = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("runner.py"))],
        input=json.dumps({"at_once": AT_ONCE, "jobs": jobs}),
        env={**os.environ, "SQLALCHEMY_SILENCE_UBER_WARNING": "1"},
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    codes = json.loads(runner.stdout)
    reports = [Path(job["report"]).read_text(encoding="utf-8") for job in jobs]
    shutil.rmtree(folder)
    return {mutant.guard: Ended(*pair) for mutant, pair in zip(there, zip(codes, reports, strict=True), strict=True)}


def occurrences(mutant: Mutant) -> int:
    return (ROOT / mutant.file).read_text(encoding="utf-8").count(mutant.old)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.guard)
def test_loss_is_noticed(ended, mutant):
    assert occurrences(mutant) == 1, f"{mutant.file} no longer has this guard as mutants.py knows it"
    found = ended[mutant.guard]
    assert found.code == FAILED, f"nobody noticed: {' '.join(mutant.tests)}\n{found.report[-3000:]}"


def test_every_guard_is_named_once():
    assert len({mutant.guard for mutant in MUTANTS}) == len(MUTANTS)
