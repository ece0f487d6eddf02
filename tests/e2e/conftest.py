"""One installation for all tests here; each test gets people of its own, and the switches off afterwards."""

import itertools

import pytest

from tests.account_access.smtp_stand_in import MailServer, serving
from tests.e2e.installation import Installation
from tests.e2e.person import Person

# Small intervals, so that tests wait for what happens and not for the next poll; hence also the larger rate limits.
FAST = {"lockout": {"poll_seconds": 1}, "schedulers": {"sync_minutes": 0.05}}
# Omar, and Mei; generated people are in neither.
LEFT_OUT = {"departments": ["sales"], "groups": ["Contingent Workers"]}
# All tests together would look like a password spray.
FAST["breaker"] = {"max_lockouts": 1000, "max_acts": 1000}
PEOPLE = 150


def pytest_addoption(parser):
    parser.addoption("--people", type=int, default=200, help="how many are reminded while processes are killed")
    parser.addoption("--seed", type=int, help="the same kills again; default: others each time")


@pytest.fixture(scope="session")
def stack(tmp_path_factory):
    """The whole thing, running, with generated people in its directory; owners are told by mail."""
    with serving() as mails:
        lockout = {**FAST["lockout"], "exclude": LEFT_OUT}
        changes = {
            **FAST,
            "lockout": lockout,
            "mail": {"server": mails.address, "security": "none", "sender": "aa@acme.example"},
        }
        yield from _running(Installation(tmp_path_factory.mktemp("installation"), changes), mails)


def _running(installation: Installation, mails: MailServer):
    installation.start()
    installation.mails = mails
    try:
        for control in (installation.control, installation.retail):
            control.post("rate-limits", **dict.fromkeys(("users", "user", "update", "logs", "other"), 6000))
        # Most people have one account: who is to have another one says so (test_several_systems.py).
        generated = installation.retail.post("people", count=PEOPLE)["logins"]
        installation.retail.post("employee-number", logins=generated, number=None)
        installation.unused = itertools.chain(installation.control.post("people", count=PEOPLE)["logins"])
        yield installation
    finally:
        installation.stop()


@pytest.fixture(autouse=True)
def good_day(stack):
    """After each test the sandbox behaves again, and all processes are there for the next."""
    yield
    stack.control.post("switch-off")
    stack.retail.post("switch-off")
    stack.wait_until_healthy()


@pytest.fixture
def somebody(stack):
    """Makes a person whom no other test knows, signed in to the chat."""
    signed_in = []

    def make() -> Person:
        signed_in.append(Person(stack, next(stack.unused)).sign_in())
        return signed_in[-1]

    yield make
    for person in signed_in:
        person.browser.close()


@pytest.fixture
def person(somebody) -> Person:
    return somebody()


def pytest_runtest_makereport(item, call):
    """A failed test shows the ends of the logs."""
    stack = item.funcargs.get("stack") if hasattr(item, "funcargs") else None
    if call.when == "call" and call.excinfo and stack:
        for name in ("rasa", "actions", "door", "schedulers", "sandbox", "sandbox-retail"):
            item.add_report_section("call", f"{name}.log", stack.log(name))
