"""The action server as a process: nobody without the secret is heard, and it starts in no other way (law 3)."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
import yaml

from account_access.store import tables
from actions import runtime
from actions.asking import AskMenu
from tests.actions.stage import domain
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
SECRET = "the-secret-of-rasa-and-actions"
LINK_SECRET = "the-secret-of-door-and-actions"
SETTINGS = {
    "store": {"url": "${STORE_URL}"},
    "systems": {"okta": {"name": "Okta", "url": "http://127.0.0.1:9", "token": "${OKTA_TOKEN}"}},
}


def environment(tmp_path, store_url, **changes) -> dict[str, str]:
    (tmp_path / "settings.yml").write_text(yaml.safe_dump(SETTINGS))
    values = {
        "PATH": os.environ["PATH"],
        "SETTINGS": str(tmp_path / "settings.yml"),
        "STORE_URL": store_url,
        "OKTA_TOKEN": "a-token",
        "ACTION_SECRET": SECRET,
        "LINK_SECRET": LINK_SECRET,
        "ACTIONS_PORT": str(free_port()),
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        **changes,
    }
    return {name: value for name, value in values.items() if value is not None}


class Server:
    """The process and calls to it."""

    def __init__(self, values: dict[str, str], log: Path):
        self.url = f"http://127.0.0.1:{values['ACTIONS_PORT']}"
        self.http = requests.Session()
        self.http.trust_env = False
        with log.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "actions"], cwd=ROOT, env=values, stdout=output, stderr=output
            )
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                self.http.get(f"{self.url}/health", timeout=1)
                return
            except requests.ConnectionError:
                time.sleep(0.05)
        raise AssertionError(f"the action server did not start: {log.read_text()}")

    def call(self, method: str, path: str, secret: str | None, **options) -> requests.Response:
        headers = {} if secret is None else {"X-Action-Secret": secret}
        return self.http.request(method, f"{self.url}{path}", headers=headers, timeout=10, **options)


@pytest.fixture
def server(tmp_path, store_url, world):
    started = Server(environment(tmp_path, store_url), tmp_path / "actions.log")
    yield started
    started.process.terminate()
    started.process.wait(10)


def action_call(world, name: str, inbound: str | None) -> dict:
    message = {"intent": {"name": "unlock_account"}, "entities": [], "metadata": {"inbound": inbound}}
    tracker = {
        "sender_id": world.person().id,
        "slots": {},
        "latest_message": message,
        "events": [],
        "paused": False,
        "followup_action": None,
        "active_loop": {},
        "latest_action_name": None,
    }
    return {"next_action": name, "sender_id": tracker["sender_id"], "tracker": tracker, "domain": domain()}


def test_law_3_only_rasa_is_heard(server, world):
    call = action_call(world, "action_ask_menu", world.say("dana", "help"))
    assert server.call("GET", "/health", None).json() == {"status": "ok"}
    for secret in (None, "", "wrong", SECRET[:-1], SECRET + "x", "secrèt".encode().decode("latin-1")):
        for method, path in (("POST", "/webhook"), ("GET", "/actions"), ("GET", "/"), ("GET", "/health/../actions")):
            answer = server.call(method, path, secret, json=call if method == "POST" else None)
            assert (answer.status_code, answer.json()) == (401, {"error": "unauthorized"}), (secret, method, path)
    assert world.rows(tables.offers) == []
    answer = server.call("POST", "/webhook", SECRET, json=call)
    assert answer.status_code == 200, answer.text
    assert {"event": "slot", "timestamp": None, "name": "outcome", "value": "asked"} in answer.json()["events"]
    assert len(world.rows(tables.offers)) == 1
    names = {entry["name"] for entry in server.call("GET", "/actions", SECRET).json()}
    assert names == set(domain()["actions"])


DOOR_PATHS = ["/links/mint", "/links/mint/", "/proofs/look", "/proofs/send/", "/proofs/check", "/proofs/%63heck/"]


@pytest.mark.parametrize("path", DOOR_PATHS)
def test_law_3_only_the_door_may_ask_for_links_and_codes(server, path):
    for header, secret, status in (
        ("X-Link-Secret", LINK_SECRET, 200),
        ("X-Link-Secret", "wrong", 401),
        ("X-Link-Secret", SECRET, 401),
        ("X-Action-Secret", SECRET, 401),
    ):
        answer = server.http.post(f"{server.url}{path}", json={}, headers={header: secret}, timeout=10)
        assert answer.status_code == status, header
    for other in ("/webhook", "/actions"):
        answer = server.http.get(f"{server.url}{other}", headers={"X-Link-Secret": LINK_SECRET}, timeout=10)
        assert answer.status_code == 401, other


def test_person_named_by_a_stranger_who_knows_the_secret_still_needs_their_message(server, world):
    world.lock()
    answer = server.call(
        "POST", "/webhook", SECRET, json=action_call(world, "action_unlock_account", "no-such-message")
    )
    assert {"event": "slot", "timestamp": None, "name": "outcome", "value": "signed_out"} in answer.json()["events"]


WRONG = [
    ({"ACTION_SECRET": None}, "ACTION_SECRET: not set or shorter than 16 characters"),
    ({"ACTION_SECRET": "short"}, "ACTION_SECRET: not set or shorter than 16 characters"),
    ({"OKTA_TOKEN": None}, "settings.yml: systems.okta.token: ${OKTA_TOKEN} is not set"),
    ({"SETTINGS": "/nowhere/settings.yml"}, "/nowhere/settings.yml: not found"),
    ({"STORE_URL": "sqlite:////nowhere/store.db"}, "/nowhere/store.db: not there"),
]


@pytest.mark.parametrize(("changes", "sentence"), WRONG, ids=[sentence for _, sentence in WRONG])
def test_what_is_wrong_is_one_sentence_and_exit_code_2(tmp_path, store_url, changes, sentence):
    values = environment(tmp_path, store_url, **changes)
    ended = subprocess.run(
        [sys.executable, "-m", "actions"], cwd=ROOT, env=values, capture_output=True, text=True, timeout=30
    )
    assert ended.returncode == 2 and "Traceback" not in ended.stderr
    # Before it may stand what a library says of itself.
    assert sentence in ended.stderr.strip().splitlines()[-1]


def test_no_system_is_said(tmp_path, store_url):
    values = environment(tmp_path, store_url)
    Path(values["SETTINGS"]).write_text(json.dumps({"store": {"url": "${STORE_URL}"}}))
    ended = subprocess.run(
        [sys.executable, "-m", "actions"], cwd=ROOT, env=values, capture_output=True, text=True, timeout=30
    )
    assert ended.returncode == 2 and "systems: no identity system" in ended.stderr


def test_law_3_actions_refuse_to_exist_without_their_server(monkeypatch):
    """`rasa run actions` asks nobody for a secret."""
    monkeypatch.setattr(runtime, "_current", None)
    with pytest.raises(RuntimeError, match="python -m actions"):
        AskMenu()
