"""With sandbox/ deleted and the settings pointed at another server that speaks Okta's API and OpenID, all works.

That server is the sandbox once more, but started by the test alone, from elsewhere; the copy under test has none.
"""

import os
import shutil
import subprocess
import sys

import httpx
import pytest

from tests.e2e.installation import ROOT, Control, Installation, eventually
from tests.e2e.person import Person, titles
from tests.ports import free_port

SECRETS = {"OKTA_TOKEN": "token-of-another-organisation", "OIDC_CLIENT_SECRET": "secret-of-another-organisation"}
LEFT_OUT = ("sandbox/", "tests/", "docs/", "benchmarks/")


@pytest.fixture
def copy(tmp_path):
    """The project as committed, without sandbox/ and without what only describes or tests it; the model comes along."""
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    for name in files.splitlines():
        if not name.startswith(LEFT_OUT):
            (tmp_path / "copy" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tmp_path / "copy" / name)
    shutil.copytree(ROOT / "models", tmp_path / "copy" / "models", dirs_exist_ok=True)
    return tmp_path / "copy"


class Elsewhere(Installation):
    """An installation whose organisation runs by itself, at an address that only the settings know."""

    names = ("rasa", "actions", "door", "schedulers")


@pytest.fixture
def elsewhere(copy, tmp_path):
    url = f"http://127.0.0.1:{free_port()}"
    sign_in = {"issuer": url, "client_id": "account-access", "client_secret": "${OIDC_CLIENT_SECRET}"}
    okta = {"type": "okta", "name": "Okta", "url": url, "token": "${OKTA_TOKEN}", "portal_url": f"{url}/portal"}
    changes = {
        "processes": {"sandbox": False},
        "clock": {"offset_file": None},
        "door": {"sign_in": sign_in},
        "systems": {"okta": okta, "retail": None},
        "lockout": {"poll_seconds": 1},
        "schedulers": {"sync_minutes": 0.05},
    }
    installation = Elsewhere(tmp_path / "home", changes, SECRETS, copy)
    installation.sandbox_url, installation.control = url, Control(url)
    environment = {
        **os.environ,
        **SECRETS,
        "SANDBOX_PORT": url.rpartition(":")[2],
        "SANDBOX_DB": str(tmp_path / "organisation.db"),
        "SANDBOX_CLOCK": str(tmp_path / "no-offset"),
        "DOOR_URL": installation.door_url,
    }
    organisation = subprocess.Popen([sys.executable, "-m", "sandbox"], cwd=ROOT, env=environment)
    try:
        eventually(lambda: answers(f"{url}/health"), why="the organisation did not start")
        installation.start()
        try:
            yield installation
        finally:
            installation.stop()
    finally:
        organisation.terminate()
        organisation.wait(10)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def test_the_loop_without_the_sandbox_folder(elsewhere):
    assert not (elsewhere.root / "sandbox").exists()
    person = Person(elsewhere, "dana").sign_in()
    person.lock()
    assert titles(person.notice()) == ["Yes", "No", "This wasn't me"]
    assert "is unlocked" in person.say("sure")["text"]
    assert not person.is_locked()
    assert [ticket["state"] for ticket in person.tickets()] == ["resolved"]
    person.browser.close()
