"""`python -m schedulers`: alive or not, one sentence for what is wrong, and jobs that go on after a failure."""

import os
import signal
import threading
import time
from datetime import timedelta

import pytest

from account_access.clock import SystemClock
from schedulers import __main__ as command
from schedulers import service as running
from schedulers.service import Service, last_beat

SETTINGS = """\
store: {url: "${STORE_URL}"}
systems: {okta: {name: Okta, url: "http://127.0.0.1:9", token: "${OKTA_TOKEN}"}}
schedulers: {secret: "${SCHEDULER_SECRET}"}
"""


@pytest.fixture
def installed(tmp_path, monkeypatch, store_url):
    (tmp_path / "settings.yml").write_text(SETTINGS)
    for name, value in {
        "SETTINGS": str(tmp_path / "settings.yml"),
        "STORE_URL": store_url,
        "OKTA_TOKEN": "a-token",
        "SCHEDULER_SECRET": "a-secret",
    }.items():
        monkeypatch.setenv(name, value)


def test_status_tells_whether_they_are_alive(installed, world, service, capsys):
    assert command.main(["status"]) == 1
    assert "not alive (last heartbeat: never)" in capsys.readouterr().out
    world.clock.instant = SystemClock().now()
    service.beat()
    assert command.main(["status"]) == 0 and "alive (last heartbeat" in capsys.readouterr().out
    world.clock.instant = SystemClock().now() - timedelta(minutes=1)
    service.beat()
    assert command.main(["status"]) == 1 and "python -m schedulers run" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("SCHEDULER_SECRET", "schedulers.secret: ${SCHEDULER_SECRET} is not set"), ("OKTA_TOKEN", "systems.okta.token")],
)
def test_what_is_wrong_is_said_and_exit_code_2(installed, monkeypatch, capsys, name, sentence):
    monkeypatch.delenv(name)
    assert command.main(["run"]) == 2
    assert sentence in capsys.readouterr().err


def test_status_needs_none_of_the_secrets(installed, monkeypatch, capsys):
    for name in ("OKTA_TOKEN", "SCHEDULER_SECRET"):
        monkeypatch.delenv(name)
    assert command.main(["status"]) == 1 and "not alive" in capsys.readouterr().out


def test_store_that_is_not_there(installed, monkeypatch, capsys):
    monkeypatch.setenv("STORE_URL", "sqlite:////nowhere/store.db")
    assert command.main(["status"]) == 2 and "/nowhere/store.db" in capsys.readouterr().err


def test_e7_schedulers_warn_at_start_of_settings_that_swallow_reminders(installed, monkeypatch, tmp_path, caplog):
    monkeypatch.setattr(command, "watch", lambda service: 0)
    assert command.main(["run"]) == 0 and "send_at" not in caplog.text
    (tmp_path / "settings.yml").write_text(SETTINGS + "password: {send_at: '19:59'}\n")
    assert command.main(["run"]) == 0
    assert f"{tmp_path / 'settings.yml'}: password.send_at: 19:59 leaves 1 minute" in caplog.text


def test_heartbeat_is_one_row_that_moves(service, world):
    assert last_beat(service.store) is None
    for _ in range(2):
        world.clock.move(seconds=2)
        service.beat()
        assert last_beat(service.store) == world.clock.now()


def test_jobs_run_until_stopped_and_a_failing_one_runs_again(service, caplog):
    """SIGTERM ends it; a job never overlaps itself."""
    runs, overlapping, busy = [], [], threading.Lock()

    def fails(_service: Service) -> None:
        if not busy.acquire(blocking=False):
            overlapping.append(True)
            return
        runs.append(time.monotonic())
        time.sleep(0.08)
        busy.release()
        if len(runs) == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        raise RuntimeError("on purpose")

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        running.run(service, {"failing": (fails, 0.05)})
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert len(runs) >= 3 and not overlapping and "on purpose" in caplog.text
