"""The launcher over stand-ins: what it starts answers, what dies comes back, and at the end nothing is left."""

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import namedtuple
from pathlib import Path

import pytest

from ops import launch
from ops.console import tail
from tests.ports import free_port_block

ROOT = Path(__file__).resolve().parents[2]


def free_ports(count: int) -> list[int]:
    first = free_port_block(count)
    return list(range(first, first + count))


def eventually(ask, seconds: float = 20):
    """What `ask` returns once it is true; fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := ask():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {ask}")


def answer(port: int):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2) as reply:
            return json.load(reply)
    except OSError:
        return None


def alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


class Launched:
    """The launcher running over stand-ins, and what it said so far."""

    def __init__(self, home: Path, *stand_ins: str):
        self.home = home
        self.output = home.parent / f"output-{time.monotonic_ns()}.txt"
        with open(self.output, "w") as output:
            self.popen = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("launch_stand_ins.py")), str(home), *stand_ins],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        return self.output.read_text()

    def ready(self) -> "Launched":
        eventually(lambda: "Ready" in self.said or self.popen.poll() is not None)
        assert "Ready" in self.said, self.said
        return self

    def supervisor_pid(self) -> int:
        return int((self.home / "run" / "supervisord.pid").read_text())

    def end(self) -> None:
        self.popen.terminate()
        self.popen.wait(15)


@pytest.fixture
def launched(tmp_path):
    running = []

    def start(*stand_ins: str, home: Path = tmp_path / "home") -> Launched:
        running.append(Launched(home, *stand_ins))
        return running[-1]

    yield start
    for one in running:
        one.end()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name)
def test_a_signal_ends_everything_within_ten_seconds(launched, number):
    first, second = free_ports(2)
    it = launched(f"first={first}:stubborn", f"second={second}:obedient:later").ready()
    pids = [it.supervisor_pid(), answer(first)["pid"], answer(first)["child"], answer(second)["pid"]]
    begun = time.monotonic()
    it.popen.send_signal(number)
    assert it.popen.wait(15) == 0
    assert time.monotonic() - begun < 10
    assert [pid for pid in pids if alive(pid)] == []
    assert not answer(first) and not answer(second)
    assert "nothing is left running" in it.said
    assert list((it.home / "run").glob("*.env.json")) == []


def test_a_second_ctrl_c_does_not_cut_the_ending_short(launched):
    (port,) = free_ports(1)
    it = launched(f"one={port}:stubborn").ready()
    pids = [answer(port)["pid"], answer(port)["child"]]
    it.popen.send_signal(signal.SIGINT)
    eventually(lambda: "Ending" in it.said)
    it.popen.send_signal(signal.SIGINT)
    assert it.popen.wait(15) == 0
    assert not any(alive(pid) for pid in pids)


def test_kill_9_of_the_launcher_leaves_nothing_behind(launched):
    first, second = free_ports(2)
    it = launched(f"first={first}:obedient", f"second={second}:obedient").ready()
    pids = [it.supervisor_pid(), answer(first)["pid"], answer(second)["pid"]]
    it.popen.kill()
    eventually(lambda: not any(alive(pid) for pid in pids))


def test_kill_9_of_the_supervisor_leaves_nothing_behind_and_says_so(launched):
    (port,) = free_ports(1)
    it = launched(f"one={port}:stubborn").ready()
    pids = [answer(port)["pid"], answer(port)["child"]]
    os.kill(it.supervisor_pid(), signal.SIGKILL)
    assert it.popen.wait(15) == 1
    assert not any(alive(pid) for pid in pids)
    assert "The supervisor ended by itself" in it.said


def test_what_is_killed_comes_back_and_the_console_says_so(launched):
    (port,) = free_ports(1)
    launched_one = launched(f"one={port}:obedient").ready()
    before = answer(port)["pid"]
    os.kill(before, signal.SIGKILL)
    after = eventually(lambda: answer(port))["pid"]
    assert after != before
    eventually(lambda: "one ended and is started again" in launched_one.said)


def test_a_crash_loop_at_the_start_ends_with_the_last_log_lines(launched):
    first, second = free_ports(2)
    it = launched(f"first={first}:obedient", f"second={second}:dying")
    assert it.popen.wait(30) == 1
    assert "second keeps ending" in it.said
    assert "the settings of this stand-in are impossible" in it.said
    assert not answer(first)


def test_a_crash_loop_later_is_reported_and_tried_again(launched):
    (port,) = free_ports(1)
    it = launched(f"one={port}:obedient").ready()
    for _ in range(3):
        pid = eventually(lambda: answer(port))["pid"]
        seen = it.said.count("one ended")
        os.kill(pid, signal.SIGKILL)
        eventually(lambda seen=seen: it.said.count("one ended") > seen)
    assert "one ended 3 times in 60 s and is tried again" in it.said
    assert eventually(lambda: answer(port))


def test_each_process_sees_its_own_environment_and_nothing_else(launched, monkeypatch):
    monkeypatch.setenv("SOMEBODYS_SECRET", "geheim")
    first, second = free_ports(2)
    it = launched(f"first={first}:obedient", f"second={second}:obedient").ready()
    added_by_python = {"LC_CTYPE"}
    added_by_supervisor = set()
    for name, port in (("first", first), ("second", second)):
        environment = answer(port)["environment"]
        assert environment["ONLY_MINE"] == f"of {name} 100%"
        assert set(environment) - added_by_python - added_by_supervisor == {"PATH", "ONLY_MINE"}
    assert b"SOMEBODYS_SECRET" not in Path(f"/proc/{it.supervisor_pid()}/environ").read_bytes()


def test_files_are_for_their_owner_alone(launched):
    (port,) = free_ports(1)
    it = launched(f"one={port}:obedient").ready()
    run = it.home / "run"
    assert run.stat().st_mode & 0o777 == 0o700
    assert (run / "one.env.json").stat().st_mode & 0o777 == 0o600


def test_a_second_start_says_in_one_sentence_that_it_runs_already(launched):
    first, second = free_ports(2)
    it = launched(f"one={first}:obedient").ready()
    other = launched(f"one={second}:obedient", home=it.home)
    assert other.popen.wait(15) == 1
    assert f"already runs here (pid {it.popen.pid})" in other.said
    assert len(other.said.strip().splitlines()) == 1
    assert answer(first)


def test_a_busy_port_is_named_with_who_needs_it_and_what_to_do(launched):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        it = launched(f"one={port}:obedient")
        assert it.popen.wait(15) == 1
    assert it.said.startswith(f"Port {port} on 127.0.0.1 is needed by one and cannot be had")
    assert "change the test" in it.said and "--ports-from" in it.said
    assert len(it.said.strip().splitlines()) == 1


def test_a_long_path_and_blanks_in_it_do_no_harm(launched, tmp_path):
    (port,) = free_ports(1)
    home = tmp_path / ("a folder with blanks " + "x" * 120)
    launched(f"one={port}:obedient", home=home).ready()
    assert answer(port)


def test_the_tail_of_a_log_is_its_last_lines(tmp_path):
    log = tmp_path / "a.log"
    log.write_text("".join(f"line {n}\n" for n in range(50)))
    assert tail(log, 2) == "    line 48\n    line 49"
    assert tail(tmp_path / "none.log") == ""


@pytest.mark.parametrize(
    ("number", "told"),
    [(errno.ENOSPC, "The disk is full"), (errno.EROFS, "cannot be written"), (errno.ENOTDIR, "Not a directory")],
)
def test_a_disk_that_refuses_is_one_sentence_with_a_remedy(tmp_path, number, told):
    sentence = launch.explain(OSError(number, os.strerror(number), str(tmp_path)), tmp_path)
    assert told in sentence and str(tmp_path) in sentence and "start" in sentence and "\n" not in sentence


def test_too_little_space_is_told_before_anything_starts(tmp_path, monkeypatch):
    monkeypatch.setattr(launch.shutil, "disk_usage", lambda _: namedtuple("usage", "free")(1_000_000))
    with pytest.raises(OSError, match="No space left") as full, launch._only_one(tmp_path / "home"):
        raise AssertionError("it went on")
    assert "The disk is full" in launch.explain(full.value, tmp_path)


def test_a_store_that_is_no_database_is_one_sentence(tmp_path):
    (tmp_path / "store.db").write_text("this is no database, whatever its name says\n" * 100)
    with pytest.raises(launch.CannotContinue, match=r"cannot be used .*STORE_URL"):
        launch._migrate(f"sqlite:///{tmp_path}/store.db")


@pytest.mark.parametrize("port", ["0", "-1", "70000", "many"])
def test_ports_that_are_none_are_refused(port):
    result = subprocess.run(
        [sys.executable, "-m", "ops", "run", "--ports-from", port], cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 2
    assert "is not a port" in result.stderr or "expected one argument" in result.stderr
