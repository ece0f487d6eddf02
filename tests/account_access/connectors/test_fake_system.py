"""The identity system that other tests play with keeps the same promises as the real ones."""

from dataclasses import replace
from datetime import timedelta

import pytest

from account_access.clock import ManualClock
from account_access.connectors.base import (
    FactorKind,
    PasswordRules,
    PermissionRefused,
    SignInEvent,
    SignInOutcome,
    Status,
    TemporarilyUnavailable,
)
from tests.account_access.connectors.contract import READS, Contract, Organisation, Trouble
from tests.account_access.fake_system import FakeSystem
from tests.account_access.world import START, directory_person

NAMES = ("dana", "eli", "mona", "zoe")

RULES = PasswordRules(5, None, timedelta(days=90))
UNREADABLE = {
    "slow": TemporarilyUnavailable("no answer"),
    "down": TemporarilyUnavailable("503"),
    "forbidden": PermissionRefused("403"),
}


@pytest.fixture
def organisation():
    fake = FakeSystem(ManualClock(START))
    for name in NAMES:
        fake.add(f"00u-{name}", f"{name}@acme.example", frozenset({"Everyone"}))
    fake.directory = [[directory_person(name)] for name in NAMES]
    fake.rules = RULES
    fake.managers["00u-dana"] = "00u-eli"
    gone = fake.accounts["00u-zoe"]
    fake.accounts["00u-zoe"] = replace(gone, status=Status.DEACTIVATED)

    def fail(external_id: str, times: int) -> None:
        told = SignInEvent(START, SignInOutcome.FAILED, "198.51.100.77", "Oakland", None, "an iPhone (mail app)", True)
        fake.history.setdefault(external_id, []).extend([told] * times)

    def trouble(kind: str) -> None:
        fake.lying, fake.reply_lost, fake.refusing = kind == "lie", kind == "reply_lost", kind == "forbidden"
        fake.unanswered = 1 if kind in ("slow", "down") else 0
        fake.limited_for = 30 if kind == "limited" else None
        failure = UNREADABLE.get(kind)
        fake.failing = dict.fromkeys(READS, failure) if failure else {}
        if kind == "forbidden":
            del fake.failing["password_rules"]
        fake.rules = None if kind == "forbidden" else RULES

    return Organisation(
        fake,
        *(f"00u-{name}" for name in NAMES),
        len(NAMES),
        fake.lock,
        lambda external_id, kind, name: fake.enrol(external_id, kind, told(kind, name)),
        fail,
        lambda external_id: fake.codes.setdefault(fake.enrolled[external_id][0].id, "135790"),
        trouble,
    )


def told(kind: FactorKind, name: str) -> str:
    """How a system tells a factor's name."""
    return f"••• {name[-4:]}" if kind is FactorKind.SMS else name


class TestContract(Contract):
    pass


class TestTrouble(Trouble):
    pass
