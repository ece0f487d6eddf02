"""The same contract over the sandbox organisation, a process of its own, known here by its address alone."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from account_access.connectors.base import FactorKind
from account_access.connectors.okta import OktaConnector
from account_access.settings import SystemSection
from tests.account_access.connectors.contract import Contract, Organisation, Trouble
from tests.ports import free_port

ROOT = Path(__file__).parents[3]


class Sandbox:
    """The process and its control API."""

    def __init__(self, folder: Path):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.http = requests.Session()
        self.http.trust_env = False
        environment = {
            **os.environ,
            "OKTA_TOKEN": "a-token",
            "OIDC_CLIENT_SECRET": "a-secret",
            "SANDBOX_PORT": str(port),
            "SANDBOX_DB": str(folder / "sandbox.db"),
            "SANDBOX_CLOCK": str(folder / "clock-offset"),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sandbox"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
        )
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if self.http.get(f"{self.url}/health", timeout=1).ok:
                    return
            except requests.ConnectionError:
                time.sleep(0.05)
        raise AssertionError("the sandbox did not start")

    def control(self, act: str, **body) -> dict:
        answer = self.http.post(f"{self.url}/control/api/{act}", json=body, timeout=10)
        assert answer.ok, answer.text
        return answer.json()

    def people(self) -> dict[str, str]:
        """Ids by login."""
        return {person["login"]: person["id"] for person in self._state()}

    def codes(self, external_id: str) -> list[str]:
        """What the phone of this account shows now."""
        factors = next(person["factors"] for person in self._state() if person["id"] == external_id)
        return [factor["code"] for factor in factors if factor["code"]]

    def _state(self) -> list[dict]:
        return self.http.get(f"{self.url}/control/api/state", timeout=10).json()["people"]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    running = Sandbox(tmp_path_factory.mktemp("sandbox"))
    yield running
    running.process.terminate()
    running.process.wait(10)


KINDS = {
    FactorKind.OKTA_VERIFY_PUSH: "okta_verify",
    FactorKind.SMS: "sms",
    FactorKind.SECURITY_KEY: "key",
    FactorKind.GOOGLE_AUTHENTICATOR: "google",
}
TROUBLES = {
    "lie": {"kind": "lie"},
    "slow": {"kind": "slow", "seconds": 0.8},
    "reply_lost": {"kind": "down", "how": "reply_lost"},
    "down": {"kind": "down"},
    "limited": {"kind": "rate_limit", "seconds": 30},
    "forbidden": {"kind": "forbidden"},
}


@pytest.fixture
def organisation(sandbox):
    sandbox.control("reset")
    ids = sandbox.people()
    logins = {external_id: login for login, external_id in ids.items()}
    section = SystemSection(name="Okta", url=sandbox.url, token="a-token", read_timeout=0.5)

    def trouble(kind: str) -> None:
        sandbox.control("switch", **TROUBLES[kind]) if kind else sandbox.control("switch-off")

    return Organisation(
        OktaConnector("okta", section),
        *(ids[f"{name}@acme.example"] for name in ("dana", "marcus", "grace", "walt")),
        len(ids),
        lambda external_id: sandbox.control("lock", login=logins[external_id]),
        lambda external_id, kind, name: sandbox.control(
            "add-factor", login=logins[external_id], kind=KINDS[kind], **({"name": name} if name else {})
        ),
        lambda external_id, times: sandbox.control("failed-attempts", login=logins[external_id], count=times),
        lambda external_id: sandbox.codes(external_id)[0],
        trouble,
    )


class TestContract(Contract):
    pass


class TestTrouble(Trouble):
    pass
