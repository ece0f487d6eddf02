"""What the directory shows of why somebody cannot get in (G4)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from account_access import causes
from account_access.connectors.base import (
    FactorKind,
    PasswordRules,
    PermissionRefused,
    Status,
    TemporarilyUnavailable,
)

RULES = PasswordRules(None, None, timedelta(days=90))


@pytest.fixture
def world(world):
    world.fake.enrol(world.account(), FactorKind.SMS)
    world.fake.rules = RULES
    return world


def cause(world):
    return causes.of(world.system, world.account(), world.clock.now())


def standing(world, **changes):
    world.fake.accounts[world.account()] = replace(world.fake.accounts[world.account()], **changes)


@pytest.mark.parametrize(
    ("status", "found"),
    [
        (Status.ACTIVE, None),
        (Status.OTHER, None),
        (Status.PENDING, None),
        (Status.PASSWORD_EXPIRED, "expired"),
        (Status.RECOVERY, "recovery"),
        (Status.SUSPENDED, "closed"),
        (Status.DEACTIVATED, "closed"),
    ],
)
def test_g4_status_is_a_cause(world, status, found):
    standing(world, status=status)
    assert cause(world) == found


@pytest.mark.parametrize(("days", "found"), [(89.99, None), (90, "expired"), (400, "expired")])
def test_g4_expired_though_no_sign_in_has_noticed_it_yet(world, days, found):
    standing(world, password_changed=world.clock.now() - timedelta(days=days))
    assert cause(world) == found


@pytest.mark.parametrize("why", ["no rules", "never", "kept elsewhere", "cannot tell"])
def test_g4_password_that_does_not_expire_here_is_no_cause(world, why):
    long_ago = world.clock.now() - timedelta(days=400)
    standing(world, password_changed=long_ago, password_elsewhere=why == "kept elsewhere")
    if why == "no rules":
        world.fake.rules = None
    elif why == "never":
        world.fake.rules = replace(RULES, max_age=None)
    elif why == "cannot tell":
        world.fake.capabilities -= {"password_rules"}
    assert cause(world) is None


@pytest.mark.parametrize("enrolled", ["none", "half"])
def test_g4_no_factor_that_can_be_used(world, enrolled):
    factors = world.fake.enrolled[world.account()]
    world.fake.enrolled[world.account()] = [replace(f, usable=False) for f in factors] if enrolled == "half" else []
    assert cause(world) == "no_factor"
    world.fake.capabilities -= {"factors"}
    assert cause(world) is None


def test_g4_what_stands_in_front_comes_first(world):
    world.fake.enrolled.clear()
    standing(world, status=Status.PASSWORD_EXPIRED)
    assert cause(world) == "expired"
    standing(world, status=Status.DEACTIVATED, password_changed=world.clock.now() - timedelta(days=400))
    assert cause(world) == "closed"


@pytest.mark.parametrize("method", ["account", "password_rules", "factors"])
@pytest.mark.parametrize("error", [TemporarilyUnavailable("down"), PermissionRefused("403")])
def test_g4_silence_is_no_cause(world, method, error):
    world.fake.enrolled.clear()
    world.fake.failing[method] = error
    assert cause(world) is None
