"""Long work says how far it is: a bar on a terminal, now and then a line elsewhere, and never a word on stdout."""

import contextlib
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from schedulers import directory, progress
from tests.account_access.world import directory_person

ROOT = Path(__file__).parents[2]
PEOPLE = "login,password_expires_at\n" + "".join(f"p{n},2027-06-10T17:00:00-08:00\n" for n in range(500))


@pytest.fixture
def hurried(monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0)


def test_lines_where_there_is_no_terminal(hurried, capsys):
    with progress.shown("people", 1200) as advance:
        advance(1000)
        advance(200, "nearly there")
    told = capsys.readouterr()
    assert told.err.splitlines() == ["people: 1,000 of 1,200", "people: 1,200 of 1,200, nearly there"] and not told.out


def test_short_work_says_nothing(capsys):
    with progress.shown("people", 2) as advance:
        advance(2)
    assert capsys.readouterr() == ("", "")


def test_first_reading_of_a_directory_tells_and_no_later_one(hurried, world, service, caplog):
    world.fake.directory = [[directory_person("dana"), directory_person("eli")], [directory_person("mona")]]
    with caplog.at_level("INFO"):
        directory.sync(service)
        directory.sync(service)
    told = [record.getMessage() for record in caplog.records if "people read" in record.getMessage()]
    assert told == ["Okta: people read: 2", "Okta: people read: 3"]


def on_a_terminal(tmp_path, *arguments: str) -> tuple[bytes, str]:
    """A command's stdout, and what its stderr, a terminal, was shown."""
    here, there = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "100"}
    with open(tmp_path / "stdout", "wb") as stdout:
        process = subprocess.Popen(
            [sys.executable, "-m", "schedulers", *arguments], cwd=tmp_path, env=environment,
            stdout=stdout, stderr=there, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    os.close(there)
    shown = b""
    # Linux's way of saying that nobody has the other end any more.
    with contextlib.suppress(OSError):
        while part := os.read(here, 65536):
            shown += part
    assert process.wait(20) == 0
    os.close(here)
    return (tmp_path / "stdout").read_bytes(), shown.decode(errors="replace")


def test_a_bar_on_a_terminal_and_the_same_bytes_on_stdout(tmp_path):
    (tmp_path / "people.csv").write_text(PEOPLE)
    arguments = ("simulate", "--people", "people.csv", "--from", "2027-01-01", "--days", "200", "--output", "-")
    out, shown = on_a_terminal(tmp_path, *arguments)
    assert "━" in shown and "200/200" in shown and "2027-07-19" in shown
    assert out.count(b"\n") == 500 * 6 and b"\x1b" not in out and out.startswith(b'{"sent_at"')
