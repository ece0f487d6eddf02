"""`python -m door`: one sentence for what is wrong, a health check when it is right, a quick end when told."""

import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest

from account_access import sessions
from tests.door.house import clock, empty_store, store
from tests.door.listening import Listener
from tests.door.serving import until
from tests.ports import free_port

__all__ = ["clock", "empty_store", "store"]

SETTINGS = """
store: {{url: "{store_url}"}}
door:
  listen: 127.0.0.1:{port}
  url: http://127.0.0.1:{port}
  rasa_url: http://127.0.0.1:1
  secret: ${{DOOR_SECRET}}
  cookie_secret: ${{COOKIE_SECRET}}
  sign_in: {{issuer: "http://127.0.0.1:2", client_id: account-access, client_secret: "${{OIDC_CLIENT_SECRET}}"}}
"""
SECRETS = {"DOOR_SECRET": "d", "COOKIE_SECRET": "c", "OIDC_CLIENT_SECRET": "o"}


def start(tmp_path, store_url: str, port: int, **environment) -> subprocess.Popen:
    path = tmp_path / "settings.yml"
    path.write_text(SETTINGS.format(store_url=store_url, port=port))
    values = {**os.environ, **SECRETS, "SETTINGS": str(path), **environment}
    values = {name: value for name, value in values.items() if value is not None}
    return subprocess.Popen([sys.executable, "-m", "door"], env=values, stderr=subprocess.PIPE, text=True)


def sentence_of(process: subprocess.Popen) -> str:
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "Traceback" not in errors
    return errors.strip()


def test_a_missing_secret_is_named(tmp_path, store):
    process = start(tmp_path, str(store.engine.url), free_port(), DOOR_SECRET=None)
    assert "door.secret: ${DOOR_SECRET} is not set" in sentence_of(process)


def test_a_missing_file_is_named(tmp_path, store):
    process = start(tmp_path, str(store.engine.url), free_port(), SETTINGS=str(tmp_path / "nowhere.yml"))
    assert sentence_of(process) == f"door: {tmp_path}/nowhere.yml: not found; create it or point SETTINGS at yours"


def test_a_busy_port_is_one_sentence(tmp_path, store):
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        said = sentence_of(start(tmp_path, str(store.engine.url), port))
    assert said == f"door: port {port} on 127.0.0.1 is in use; stop what listens there or change door.listen"


@pytest.mark.parametrize("url", ["sqlite:////nonexistent/folder/store.db", "sqlite:///{tmp_path}/empty.db"])
def test_a_store_that_is_not_there_or_not_migrated_is_one_sentence(tmp_path, url):
    said = sentence_of(start(tmp_path, url.format(tmp_path=tmp_path), free_port()))
    assert said.startswith("door: ") and len(said.splitlines()) == 1


def test_it_starts_answers_and_ends_at_once_with_streams_open(tmp_path, store, clock):
    port = free_port()
    process = start(tmp_path, str(store.engine.url), port)
    try:
        url = f"http://127.0.0.1:{port}"
        answer = until(lambda: health(url), 15)
        assert answer.json() == {"status": "ok"} and "server" not in answer.headers
        client = httpx.Client(base_url=url, cookies={"account_access_session": session(store, clock)})
        tab = Listener(client)
        tab.wait_for(lambda t: t.events)
        asked = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=10)
        assert time.monotonic() - asked < 3
        assert "Traceback" not in errors
    finally:
        process.kill()
        process.wait()


def health(url: str):
    try:
        return httpx.get(f"{url}/health")
    except httpx.TransportError:
        return None


def session(store, clock) -> str:
    from datetime import timedelta

    from account_access import people

    person = people.by_login(store, "dana@acme.example")[0]
    now = clock.now()
    return sessions.create(store, clock, person.id, "http://127.0.0.1:2", "s", None, now, now + timedelta(hours=1))
