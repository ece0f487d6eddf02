"""docs/sandbox.md names everything there is."""

from pathlib import Path

import pytest

from sandbox.control import ACTS, POLICY_NUMBERS
from sandbox.enrolment import CHOICES
from sandbox.okta_gate import RATE_LIMITS
from sandbox.people import COMPANIES
from sandbox.switches import KINDS, TARGETS

TEXT = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text()
NAMES = [
    *ACTS,
    *KINDS,
    *TARGETS,
    *RATE_LIMITS,
    *POLICY_NUMBERS,
    *CHOICES,
    *{option for _, options in KINDS.values() for option in options},
    *("OKTA_TOKEN", "OIDC_CLIENT_SECRET", "SANDBOX_PORT", "SANDBOX_DB", "SANDBOX_CLOCK", "SANDBOX_COMPANY", "DOOR_URL"),
]


@pytest.mark.parametrize("name", sorted(set(NAMES)))
def test_what_can_be_set_is_documented(name):
    assert f"`{name}`" in TEXT


@pytest.mark.parametrize("person", [p for c in COMPANIES.values() for p in c.people], ids=lambda person: person.login)
def test_people_are_documented(person):
    assert f"| {person.name} | {person.password} |" in TEXT
