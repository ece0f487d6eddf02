"""The sandbox as a process: starting, refusing to start, surviving kill -9, closing connections, and load."""

import os
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from sandbox import chat
from sandbox.sign_in import SignInRefused, lock_out, sign_in
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
HEADERS = {"Authorization": "SSWS token"}
WRONG = [
    ({"OKTA_TOKEN": ""}, "OKTA_TOKEN is not set"),
    ({"OIDC_CLIENT_SECRET": ""}, "OIDC_CLIENT_SECRET is not set"),
    ({"SANDBOX_PORT": "http"}, "SANDBOX_PORT is 'http'"),
    ({"SANDBOX_PORT": "70000"}, "SANDBOX_PORT is '70000'"),
    ({"DOOR_URL": "localhost"}, "DOOR_URL is 'localhost'"),
    ({"SANDBOX_COMPANY": "evil"}, "SANDBOX_COMPANY is 'evil'"),
    ({"SANDBOX_DB": "/dev/null/sandbox.db"}, "Check SANDBOX_DB"),
]


class Process:
    """A sandbox of its own on a free port."""

    def __init__(self, folder: Path, port: int | None = None):
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "OKTA_TOKEN": "token",
            "OIDC_CLIENT_SECRET": "secret",
            "SANDBOX_PORT": str(self.port),
            "SANDBOX_DB": str(folder / "sandbox.db"),
            "SANDBOX_CLOCK": str(folder / "clock-offset"),
            "DOOR_URL": f"http://127.0.0.1:{free_port()}",
        }
        self.process = subprocess.Popen([sys.executable, "-m", "sandbox"], cwd=ROOT, env=self.environment)
        for _ in range(200):
            try:
                if httpx.get(f"{self.url}/health", trust_env=False).json() == {"status": "ok"}:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise AssertionError("the sandbox did not start within 20 seconds")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(timeout=10)


@pytest.fixture
def running(tmp_path):
    process = Process(tmp_path)
    yield process
    process.kill()


def run_wrong(folder: Path, changes: dict) -> subprocess.CompletedProcess:
    environment = {
        "PATH": os.environ["PATH"],
        "OKTA_TOKEN": "token",
        "OIDC_CLIENT_SECRET": "secret",
        "SANDBOX_PORT": str(free_port()),
        "SANDBOX_DB": str(folder / "sandbox.db"),
        **changes,
    }
    command = [sys.executable, "-m", "sandbox"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("changes, said", WRONG)
def test_what_is_wrong_is_said_in_one_sentence(tmp_path, changes, said):
    done = run_wrong(tmp_path, changes)
    assert done.returncode == 2 and said in done.stderr and len(done.stderr.strip().splitlines()) == 1


def test_a_busy_port_is_said_in_one_sentence(tmp_path):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        done = run_wrong(tmp_path, {"SANDBOX_PORT": str(port)})
    assert done.returncode == 2 and f"Port {port} is taken" in done.stderr


def test_what_was_answered_survives_a_kill(tmp_path, running):
    browser = httpx.Client(base_url=running.url, trust_env=False)
    sign_in(browser, "dana")
    httpx.post(f"{running.url}/control/api/lock", json={"login": "marcus"}, trust_env=False)
    keys = httpx.get(f"{running.url}/oauth2/v1/keys", trust_env=False).json()
    running.kill()
    again = Process(tmp_path, running.port)
    try:
        user = httpx.get(f"{again.url}/api/v1/users/marcus", headers=HEADERS, trust_env=False).json()
        assert user["status"] == "LOCKED_OUT"
        assert httpx.get(f"{again.url}/oauth2/v1/keys", trust_env=False).json() == keys
        assert browser.get("/portal").status_code == 200
    finally:
        again.kill()


@pytest.mark.parametrize("how, status_after", [("closed", "LOCKED_OUT"), ("reply_lost", "ACTIVE")])
def test_a_connection_closed_without_an_answer(running, how, status_after):
    with httpx.Client(base_url=running.url, headers=HEADERS, trust_env=False) as client:
        client.post("/control/api/lock", json={"login": "dana"})
        client.post("/control/api/switch", json={"kind": "down", "how": how, "target": "unlock", "times": 1})
        with pytest.raises(httpx.RemoteProtocolError):
            client.post("/api/v1/users/dana/lifecycle/unlock")
        assert client.get("/api/v1/users/dana").json()["status"] == status_after


def test_it_stops_when_told_to(running):
    assert running.stop() in (0, -15)  # uvicorn passes the signal on once it has finished
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{running.url}/health", trust_env=False)


def test_one_account_unlocked_by_many_at_once_is_unlocked_once(running):
    httpx.post(f"{running.url}/control/api/lock", json={"login": "dana"}, trust_env=False)

    def unlock(_):
        return httpx.post(
            f"{running.url}/api/v1/users/dana/lifecycle/unlock", headers=HEADERS, trust_env=False
        ).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(unlock, range(8))) == [200] + [403] * 7


def test_slowness_of_one_request_does_not_hold_up_another(running):
    with httpx.Client(base_url=running.url, headers=HEADERS, trust_env=False) as client, ThreadPoolExecutor(1) as pool:
        client.post("/control/api/switch", json={"kind": "slow", "seconds": 1.5, "times": 1, "target": "user"})
        slow = pool.submit(client.get, "/api/v1/users/dana")
        time.sleep(0.2)
        assert client.get("/api/v1/users/marcus").elapsed.total_seconds() < 1
        assert slow.result().elapsed.total_seconds() >= 1.5


class Door(BaseHTTPRequestHandler):
    """The least of a chat: leads to the organisation's sign-in, opens a session for whoever comes back with a code."""

    organisation = ""
    logouts: list = []

    def do_GET(self):
        if self.path.startswith("/signin/callback"):
            self.answer(302, Location="/", **{"Set-Cookie": "account_access_session=for-this-person; Path=/"})
        elif self.path.startswith("/signin"):
            asked = {
                "response_type": "code",
                "client_id": "account-access",
                "redirect_uri": f"http://{self.headers['Host']}/signin/callback",
                "scope": "openid",
                "state": "s",
                "code_challenge": "c" * 43,
                "code_challenge_method": "S256",
            }
            self.answer(302, Location=f"{self.organisation}/oauth2/v1/authorize?{urlencode(asked)}")
        else:
            self.answer(200)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.logouts.append((self.path, parse_qs(body)["logout_token"][0]))
        self.answer(200)

    def answer(self, status, **headers):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": "0"}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_):
        """Quiet."""


@pytest.fixture
def door(running):
    Door.organisation, Door.logouts = running.url, []
    url = running.environment["DOOR_URL"]
    server = ThreadingHTTPServer(("127.0.0.1", urlsplit(url).port), Door)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield url
    server.shutdown()
    server.server_close()


def test_the_terminal_client_gets_a_session_of_the_chat(running, door):
    assert chat.session_of("dana", door) == "for-this-person"
    assert chat.session_of("dana", door, factor="SMS") == "for-this-person"
    lock_out(httpx.Client(base_url=running.url, trust_env=False), "dana")
    with pytest.raises(SignInRefused, match="locked"):
        chat.session_of("dana", door)


def test_without_a_chat_the_terminal_client_says_what_to_do(capsys):
    assert chat.main(["dana", "--door", f"http://127.0.0.1:{free_port()}"]) == 2
    assert "make run" in capsys.readouterr().err


def test_the_chat_is_told_of_a_sign_out_within_a_second(running, door):
    with httpx.Client(base_url=running.url, trust_env=False) as browser:
        sign_in(browser, "dana", start=f"{door}/signin")
        browser.post("/signout")
    for _ in range(40):
        if Door.logouts:
            break
        time.sleep(0.05)
    ((path, token),) = Door.logouts
    assert path == "/signin/backchannel-logout" and token.count(".") == 2
