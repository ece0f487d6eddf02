"""Each process holds its own secrets and no others, as the kernel tells it; none of them listens to the network."""

import re
from pathlib import Path

import pytest

HOLDERS = {
    "door": {"DOOR_SECRET", "COOKIE_SECRET", "OIDC_CLIENT_SECRET", "LINK_SECRET"},
    "actions": {"ACTION_SECRET", "LINK_SECRET", "OKTA_TOKEN", "RETAIL_OKTA_TOKEN"},
    "rasa": {"DOOR_SECRET", "SCHEDULER_SECRET", "ACTION_SECRET", "JWT_SECRET"},
    "schedulers": {"SCHEDULER_SECRET", "OKTA_TOKEN", "RETAIL_OKTA_TOKEN"},
    "sandbox": {"OIDC_CLIENT_SECRET", "OKTA_TOKEN"},
    "sandbox-retail": {"OIDC_CLIENT_SECRET", "OKTA_TOKEN"},
}
SECRETS = set().union(*HOLDERS.values())


@pytest.mark.parametrize("name", HOLDERS)
def test_only_its_own_secrets(stack, name):
    assert SECRETS & set(stack.environment_of(name)) == HOLDERS[name]


def test_the_supervisor_holds_none(stack):
    pid = int((stack.home / "run" / "supervisord.pid").read_text())
    assert not [name for name in SECRETS if f"{name}=".encode() in Path(f"/proc/{pid}/environ").read_bytes()]


def test_no_secret_stands_on_a_command_line_or_in_a_log(stack, person):
    person.say("hello")
    values = {stack.environment_of(name)[secret] for name, secrets in HOLDERS.items() for secret in secrets}
    lines = [Path(f"/proc/{stack.pid(name)}/cmdline").read_text() for name in HOLDERS]
    logs = [path.read_text(errors="replace") for path in (stack.home / "log").iterdir()]
    assert not [value for value in values if any(value in text for text in [*lines, *logs])]


def test_everything_listens_on_loopback_alone(stack):
    ports = {stack.first_port + offset for offset in range(5)}
    addresses = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        local, state = line.split()[1], line.split()[3]
        host, port = local.split(":")
        if state == "0A" and int(port, 16) in ports:
            addresses.add(host)
    assert addresses == {"0100007F"}


def test_files_are_for_their_owner_alone(stack):
    for path in [*stack.home.glob("*.db"), *(stack.home / "log").iterdir()]:
        assert re.fullmatch("0?600", oct(path.stat().st_mode & 0o777)[2:]), path
