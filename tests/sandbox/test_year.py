"""The invented year is always the same, and `schedulers simulate` takes it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_the_same_year_each_time_with_every_kind_of_notice(tmp_path):
    for name in ("one", "two"):
        assert run("sandbox.year", str(tmp_path / name)).returncode == 0
    for name in ("people.csv", "actions.jsonl"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    files = ("--people", str(tmp_path / "one/people.csv"), "--actions", str(tmp_path / "one/actions.jsonl"))
    played = run("schedulers", "simulate", *files, "--from", "2027-01-01", "--days", "60")
    assert played.returncode == 0
    assert all(kind in played.stdout for kind in ("password reminder", "password expired", "contract ends", "lockout"))


def test_without_a_folder_it_says_how():
    asked = run("sandbox.year")
    assert (asked.returncode, asked.stderr) == (2, "python -m sandbox.year FOLDER\n")
