"""Fault points: a process dies where a test says, once, and only where a test says so."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from account_access import faults

ROOT = Path(__file__).parents[2]
REACHES = "from account_access import faults; faults.point('call_sent'); print('went on')"


def run(setting: str | None) -> subprocess.CompletedProcess:
    environment = {**os.environ, **({"FAULT_POINT": setting} if setting else {})}
    return subprocess.run([sys.executable, "-c", REACHES], cwd=ROOT, env=environment, capture_output=True, text=True)


def test_dies_once_and_leaves_its_mark(tmp_path):
    marker = tmp_path / "marker"
    killed = run(f"call_sent:{marker}")
    assert killed.returncode == -signal.SIGKILL and marker.read_text().strip().isdigit()
    assert run(f"call_sent:{marker}").stdout == "went on\n"


@pytest.mark.parametrize("setting", [None, "reply_lost"])
def test_goes_on_elsewhere(tmp_path, setting):
    assert run(setting and f"{setting}:{tmp_path / 'marker'}").stdout == "went on\n"
    assert not (tmp_path / "marker").exists()


def test_every_point_in_the_code_is_listed_and_every_listed_one_is_in_the_code():
    rooms = ("account_access", "actions", "channels", "door", "schedulers")
    text = "".join(path.read_text() for room in rooms for path in (ROOT / room).rglob("*.py"))
    assert {name for name in faults.POINTS if f'faults.point("{name}")' in text} == set(faults.POINTS)
    assert text.count('faults.point("') == len(faults.POINTS)
