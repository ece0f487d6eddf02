"""Okta's official Python SDK, which no one here wrote, drives every endpoint of the sandbox.

The SDK needs pydantic 2, so it lives in a virtual environment of its own under var/okta-sdk-venv, made once from the
hash-pinned tests/real/okta-sdk.lock (docs/sandbox.md says how that is renewed).
"""

import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
LOCK = HERE / "okta-sdk.lock"
TOKEN = "a-token-for-the-sdk"


@pytest.fixture(scope="session")
def sdk_python() -> Path:
    """The interpreter that can import okta; builds its environment if the lock file is another than the last time."""
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    folder = ROOT / "var" / "okta-sdk-venv"
    stamp, python = folder / "made-from", folder / "bin" / "python"
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    install = [str(python), "-m", "pip", "install", "-q", "--no-deps", "--require-hashes", "-r", str(LOCK)]
    subprocess.run(install, check=True)
    stamp.write_text(wanted)
    return python


@pytest.fixture(scope="module")
def organisation(tmp_path_factory):
    """The URL of a real sandbox process on a free port."""
    folder = tmp_path_factory.mktemp("okta")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "OKTA_TOKEN": TOKEN,
        "OIDC_CLIENT_SECRET": "unused",
        "SANDBOX_PORT": str(port),
        "SANDBOX_DB": str(folder / "sandbox.db"),
        "SANDBOX_CLOCK": str(folder / "clock-offset"),
    }
    process = subprocess.Popen([sys.executable, "-m", "sandbox"], cwd=ROOT, env=environment)
    url = f"http://127.0.0.1:{port}"
    for _ in range(200):
        try:
            httpx.get(f"{url}/health", trust_env=False).raise_for_status()
            break
        except httpx.TransportError:
            time.sleep(0.1)
    yield url
    process.kill()
    process.wait()


class Sdk:
    """The SDK in its own process: each call is a line there and a line back."""

    def __init__(self, python: Path, url: str):
        command = [str(python), str(HERE / "okta_sdk_driver.py"), url, TOKEN]
        environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=HERE
        )

    def __call__(self, method: str, *args, **kwargs) -> dict:
        self.process.stdin.write(json.dumps({"method": method, "args": args, "kwargs": kwargs}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(timeout=10)


@pytest.fixture(scope="module")
def driver(sdk_python, organisation):
    sdk = Sdk(sdk_python, organisation)
    yield sdk
    sdk.close()


@pytest.fixture
def sdk(driver, organisation):
    """The SDK before an organisation as on its first day."""
    control(organisation, "reset")
    return driver


def control(url: str, act: str, **body) -> dict:
    answer = httpx.post(f"{url}/control/api/{act}", json=body, trust_env=False)
    answer.raise_for_status()
    return answer.json()


def status_of(sdk, login: str) -> str:
    return sdk("get_user", login)["data"]["status"]


def following(answer: dict) -> str | None:
    """The cursor of the next link: the SDK keeps the last Link header only, so next must come last."""
    target = re.search(r'<([^>]+)>; rel="next"', answer["link"])
    return parse_qs(urlsplit(target.group(1)).query)["after"][0] if target else None


def test_get_and_search(sdk, organisation):
    user = sdk("get_user", "dana@acme.example")["data"]
    assert (user["model"], user["status"], user["profile"]["firstName"]) == ("User", "ACTIVE", "Dana")
    assert user["credentials"]["provider"] == {"name": "OKTA", "type": "OKTA"}
    control(organisation, "lock", login="dana")
    (found,) = sdk("list_users", search='status eq "LOCKED_OUT"')["data"]
    assert found["id"] == user["id"] and found["statusChanged"] > user["statusChanged"]
    (found,) = sdk("list_users", filter='profile.login eq "dana@acme.example"')["data"]
    assert found["id"] == user["id"]
    assert [each["profile"]["firstName"] for each in sdk("list_users", q="Dan")["data"]] == ["Dana"]


def test_pagination(sdk):
    whole = [user["id"] for user in sdk("list_users")["data"]]
    seen, answer = [], sdk("list_users", limit=4)
    while True:
        seen += [user["id"] for user in answer["data"]]
        after = following(answer)
        if after is None:
            break
        answer = sdk("list_users", limit=4, after=after)
    assert seen == whole and len(seen) == 14


def test_unlock(sdk, organisation):
    control(organisation, "lock", login="dana")
    done = sdk("unlock_user", "dana@acme.example")
    assert (done["error"], done["status"], done["data"]["model"]) == (None, 200, "Success")
    assert status_of(sdk, "dana@acme.example") == "ACTIVE"
    refused = sdk("unlock_user", "dana@acme.example")
    assert (refused["status"], refused["error"]["code"]) == (403, "E0000032")


def models_of(sdk, login: str) -> list[str]:
    return [factor["model"] for factor in sdk("list_factors", login)["data"]]


FACTOR_MODELS = {
    "dana": ["UserFactorPush", "UserFactorTokenSoftwareTOTP", "UserFactorSMS", "UserFactorWebAuthn"],
    "aiko": ["UserFactorPush", "UserFactorTokenSoftwareTOTP", "UserFactorSignedNonce"],
    "lena": ["UserFactorSMS", "UserFactorCall"],
    "omar": ["UserFactorPush", "UserFactorTokenSoftwareTOTP", "UserFactorSMS", "UserFactorEmail"],
    "grace": [],
}


@pytest.mark.parametrize("login", FACTOR_MODELS)
def test_factors_are_of_the_sdk_s_models(sdk, login):
    assert models_of(sdk, f"{login}@acme.example") == FACTOR_MODELS[login]


def test_factors(sdk):
    factors = sdk("list_factors", "dana@acme.example")["data"]
    sms = factors[2]
    assert sms["profile"]["phoneNumber"] == "+14155550142"
    assert sdk("get_factor", "dana@acme.example", sms["id"])["data"]["id"] == sms["id"]
    assert sdk("unenroll_factor", "dana@acme.example", sms["id"], True)["status"] == 204
    assert len(sdk("list_factors", "dana@acme.example")["data"]) == 3
    assert sdk("unenroll_factor", "dana@acme.example", factors[0]["id"])["status"] == 204
    assert models_of(sdk, "dana@acme.example") == ["UserFactorWebAuthn"], "Okta Verify goes as a whole"
    assert sdk("reset_factors", "dana@acme.example")["error"] is None
    assert sdk("list_factors", "dana@acme.example")["data"] == []


def test_verify_asks_for_a_code_to_be_sent(sdk):
    """This SDK's model of the call has no passCode, so only the first half can be driven with it."""
    person = "tomas@acme.example"
    app, sms = sdk("list_factors", person)["data"]
    answer = sdk("verify_factor", person, sms["id"], body={})
    assert (answer["status"], answer["data"]["factorResult"]) == (200, "CHALLENGE")
    refused = sdk("verify_factor", person, app["id"], body={})
    assert (refused["status"], refused["error"]["code"]) == (400, "E0000001")


def test_a_factor_that_waits_for_its_proof(sdk, organisation):
    """The organisation's pages enrol, the SDK reads what state it is in."""
    with httpx.Client(base_url=organisation, trust_env=False, follow_redirects=True) as browser:
        browser.post("/signin", data={"username": "grace", "password": "Maple-Harvest-76", "goal": "/portal"})
        browser.post("/enrol", data={"kind": "okta_verify", "name": "Grace's phone"})
    (factor,) = sdk("list_factors", "grace@acme.example")["data"]
    assert (factor["status"], factor["profile"]["name"]) == ("PENDING_ACTIVATION", "Grace's phone")


def test_password_policies(sdk, organisation):
    control(organisation, "password-policy", auto_unlock_minutes=30)
    first, default = sdk("list_policies", "PASSWORD")["data"]
    assert (first["model"], first["priority"], default["priority"]) == ("PasswordPolicy", 1, 2)
    settings = default["settings"]["password"]
    assert (settings["age"]["maxAgeDays"], settings["lockout"]["autoUnlockMinutes"]) == (90, 30)
    assert settings["lockout"]["maxAttempts"] == 5
    everyone = sdk("list_user_groups", "dana@acme.example")["data"][0]["id"]
    assert default["conditions"]["people"]["groups"]["include"] == [everyone]
    assert sdk("get_policy", default["id"])["data"]["name"] == "Default Policy"


def test_expire_password(sdk):
    user = sdk("expire_password", "dana@acme.example")["data"]
    assert (user["model"], user["status"]) == ("User", "PASSWORD_EXPIRED")
    assert status_of(sdk, "dana@acme.example") == "PASSWORD_EXPIRED"


def test_history_of_one_person(sdk, organisation):
    control(organisation, "failed-attempts", login="dana", count=6)
    control(organisation, "failed-attempts", login="omar", count=1)
    dana = sdk("get_user", "dana@acme.example")["data"]["id"]
    kinds = 'eventType eq "user.session.start" or eventType eq "user.account.lock"'
    asked = f'({kinds}) and (actor.id eq "{dana}" or target.id eq "{dana}")'
    events = sdk("list_log_events", filter=asked, sort_order="DESCENDING", since="2020-01-01T00:00:00.000Z")["data"]
    assert [event["eventType"] for event in reversed(events)] == [
        *["user.session.start"] * 5,
        "user.account.lock",
        "user.session.start",
    ]
    assert events[0]["outcome"]["reason"] == "LOCKED_OUT"
    client = events[0]["client"]
    assert client["geographicalContext"]["city"] == "Oakland" and "ActiveSync" in client["userAgent"]["rawUserAgent"]


def test_a_lie_is_seen_by_reading_back(sdk, organisation):
    control(organisation, "switch", kind="lie")
    factor = sdk("list_factors", "dana@acme.example")["data"][0]["id"]
    assert sdk("unenroll_factor", "dana@acme.example", factor)["status"] == 204
    assert sdk("reset_password", "dana@acme.example", False)["error"] is None
    assert sdk("revoke_user_sessions", "dana@acme.example", oauth_tokens=True)["status"] == 204
    assert len(sdk("list_factors", "dana@acme.example")["data"]) == 4
    assert status_of(sdk, "dana@acme.example") == "ACTIVE"


def test_groups(sdk):
    groups = sdk("list_user_groups", "ruth@acme.example")["data"]
    assert {group["profile"]["actual_instance"]["name"] for group in groups} == {"Everyone", "Okta Administrators"}


def test_reset_password(sdk, organisation):
    done = sdk("reset_password", "dana@acme.example", False)["data"]
    assert done["resetPasswordUrl"].startswith(f"{organisation}/reset_password/")
    assert status_of(sdk, "dana@acme.example") == "RECOVERY"
    assert httpx.get(done["resetPasswordUrl"], trust_env=False).status_code == 200


def test_sessions_and_deactivation(sdk):
    assert sdk("revoke_user_sessions", "dana@acme.example", oauth_tokens=True)["status"] == 204
    assert sdk("deactivate_user", "omar@acme.example")["error"] is None
    assert status_of(sdk, "omar@acme.example") == "DEPROVISIONED"
    assert sdk("suspend_user", "lena@acme.example")["error"] is None
    assert status_of(sdk, "lena@acme.example") == "SUSPENDED"


def test_system_log(sdk, organisation):
    locks = 'eventType eq "user.account.lock" or (eventType eq "user.session.start" and outcome.reason eq "LOCKED_OUT")'
    empty = sdk("list_log_events", filter=locks, sort_order="ASCENDING")
    assert empty["data"] == []
    control(organisation, "lock", login="dana")
    events = sdk("list_log_events", filter=locks, sort_order="ASCENDING", after=following(empty))
    (lock,) = events["data"]
    assert (lock["model"], lock["severity"]) == ("LogEvent", "DEBUG")
    assert lock["outcome"] == {"result": "FAILURE", "reason": "LOCKED_OUT"}
    assert lock["actor"]["alternateId"] == "dana@acme.example" and lock["target"][0]["type"] == "User"
    assert lock["client"]["ipAddress"] == "198.51.100.77"
    assert following(events)
    bounded = {"since": "2020-01-01T00:00:00.000Z", "until": "2100-01-01T00:00:00.000Z"}
    first = sdk("list_log_events", **bounded, limit=4)
    second = sdk("list_log_events", **bounded, limit=4, after=following(first))
    assert (len(first["data"]), len(second["data"]), following(second)) == (4, 2, None)
    sdk("unlock_user", "dana@acme.example")
    (unlock,) = sdk("list_log_events", filter='eventType eq "user.account.unlock_by_admin"')["data"]
    assert unlock["target"][0]["alternateId"] == "dana@acme.example"


@pytest.mark.parametrize(
    "method, args, kwargs, status, code",
    [
        ("get_user", ["nobody@acme.example"], {}, 404, "E0000007"),
        ("list_users", [], {"search": 'status ne "ACTIVE"'}, 400, "E0000031"),
        ("list_log_events", [], {"filter": "nonsense"}, 400, "E0000031"),
        ("unenroll_factor", ["dana@acme.example", "nothing"], {}, 404, "E0000007"),
        ("get_factor", ["dana@acme.example", "nothing"], {}, 404, "E0000007"),
        ("list_factors", ["nobody@acme.example"], {}, 404, "E0000007"),
        ("reset_password", ["walt@acme.example", False], {}, 403, "E0000038"),
        ("reset_password", ["nadia@acme.example", False], {}, 403, "E0000038"),
        ("reset_factors", ["walt@acme.example"], {}, 403, "E0000038"),
        ("unlock_user", ["nadia@acme.example"], {}, 403, "E0000032"),
        ("get_policy", ["nothing"], {}, 404, "E0000007"),
    ],
)
def test_errors_are_understood(sdk, method, args, kwargs, status, code):
    answer = sdk(method, *args, **kwargs)
    assert (answer["status"], answer["error"]["type"], answer["error"]["code"]) == (status, "OktaAPIError", code)


@pytest.mark.parametrize(
    "switch, outcome",
    [
        ({"kind": "error"}, "E0000009"),
        ({"kind": "forbidden"}, "E0000006"),
        ({"kind": "down", "times": None}, "E0000010"),
        ({"kind": "malformed"}, "JSONDecodeError"),
        ({"kind": "down", "how": "closed", "times": None}, "AttributeError"),
    ],
)
def test_bad_days_reach_the_sdk(sdk, organisation, switch, outcome):
    control(organisation, "switch", **{"times": 1, "target": "user", **switch})
    answer = sdk("get_user", "dana@acme.example")
    assert (answer.get("raised") or answer["error"]["code"]) == outcome
    control(organisation, "switch-off")
    assert status_of(sdk, "dana@acme.example") == "ACTIVE"


def test_the_sdk_waits_as_the_rate_limit_headers_say(sdk, organisation):
    control(organisation, "switch", kind="rate_limit", seconds=1, times=1, target="user")
    started = time.monotonic()
    assert status_of(sdk, "dana@acme.example") == "ACTIVE"
    assert 0.9 < time.monotonic() - started < 5
