"""Many notices at once are looked at in few calls, and nobody is told what is not true for that (N8, N10, E12)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from account_access import directory_facts, notices, reminders
from account_access.connectors.base import PasswordRules, PermissionRefused, Status, TemporarilyUnavailable
from account_access.connectors.http import BadRequest
from account_access.store import tables
from schedulers import deliveries, directory, looks

AGE = timedelta(days=90)


@pytest.fixture
def house(service, world, channel):
    """The directory was read: everybody's password expires in 90 days."""
    world.fake.rules = PasswordRules(5, None, AGE)
    directory.sync(service)
    world.fake.calls.clear()
    world.service, world.channel = service, channel
    return world


def remind(world, name: str = "dana", kind: str = reminders.PASSWORD_EXPIRY) -> str:
    account = world.fake.accounts[world.account(name)]
    expires_at = (account.password_changed + AGE).isoformat()
    facts = {"system": "okta", "external_id": world.account(name), "expires_at": expires_at, "any_hour": True}
    return make(world, name, kind, facts)


def tell_lockout(world, name: str = "dana") -> str:
    locked_at = world.lock(name).isoformat()
    facts = {"system": "okta", "external_id": world.account(name), "locked_at": locked_at}
    return make(world, name, notices.LOCKOUT, facts)


def make(world, name, kind, facts) -> str:
    with world.store.begin() as connection:
        return notices.create(connection, world.clock.now(), f"{kind}:{name}", kind, world.person(name).id, facts)


def seen(world, notice: str) -> bool:
    with world.store.reading() as connection:
        return notices.find(connection, notice).is_seen_true(world.clock.now())


def test_n10_many_reminders_and_lockouts_are_one_call(house):
    made = [remind(house, name) for name in ("dana", "eli")] + [tell_lockout(house, "mona")]
    assert deliveries.deliver(house.service) == 3
    assert [name for name, _ in house.fake.calls] == ["many_accounts"]
    assert all(seen(house, notice) for notice in made)


CHANGES = {
    "a new password": dict(password_changed="later"),
    "deactivated": dict(status=Status.DEACTIVATED),
    "suspended": dict(status=Status.SUSPENDED),
    "expired, by the system's word": dict(status=Status.PASSWORD_EXPIRED),
}


@pytest.mark.parametrize("change", CHANGES)
def test_e12_account_that_changed_is_left_to_the_action(house, change):
    notice = remind(house)
    house.clock.move(minutes=1)
    values = {name: house.clock.now() if value == "later" else value for name, value in CHANGES[change].items()}
    account = house.fake.accounts["00u-dana"]
    house.fake.accounts["00u-dana"] = replace(account, **values)
    deliveries.deliver(house.service)
    assert house.channel.heard == [notice] and not seen(house, notice)


def test_e12_account_that_is_gone_is_left_to_the_action(house):
    notice = remind(house)
    del house.fake.accounts["00u-dana"]
    deliveries.deliver(house.service)
    assert house.channel.heard == [notice] and not seen(house, notice)


def test_e9_expired_account_is_as_told_once_the_directory_told_it(house):
    house.clock.move(days=91)
    account = house.fake.accounts["00u-dana"]
    house.fake.accounts["00u-dana"] = replace(account, status=Status.PASSWORD_EXPIRED, status_since=house.clock.now())
    directory.sync(house.service)
    notice = remind(house, kind=reminders.PASSWORD_EXPIRED)
    deliveries.deliver(house.service)
    assert seen(house, notice)


@pytest.mark.parametrize("what", ["unlocked", "locked anew"])
def test_n8_of_another_lockout_nobody_is_told_without_a_look(house, what):
    notice = tell_lockout(house)
    house.fake.unlock_elsewhere("00u-dana")
    house.clock.move(seconds=1)
    if what == "locked anew":
        house.lock()
    deliveries.deliver(house.service)
    assert not seen(house, notice)


def test_x6_while_the_system_is_silent_its_notices_wait_and_that_is_no_try(house):
    notice = remind(house)
    house.fake.down = True
    for _ in range(60):
        assert deliveries.deliver(house.service) == 0
        house.clock.move(seconds=looks.PAUSE_SECONDS)
    assert house.channel.heard == [] and house.fake.count("many_accounts") == 60
    assert house.rows(tables.notices, id=notice)[0]["attempts"] == 0
    house.fake.down = False
    assert deliveries.deliver(house.service) == 1


def test_n10_who_wants_to_be_left_alone_is(house):
    remind(house)
    house.fake.failing["many_accounts"] = TemporarilyUnavailable("429", 120)
    deliveries.deliver(house.service)
    house.clock.move(seconds=119)
    deliveries.deliver(house.service)
    assert house.fake.count("many_accounts") == 1


@pytest.mark.parametrize("error", [BadRequest("400"), PermissionRefused("403")])
def test_system_that_cannot_read_many_at_once_is_asked_by_the_action(house, error):
    notice = remind(house)
    house.fake.failing["many_accounts"] = error
    assert deliveries.deliver(house.service) == 1 and not seen(house, notice)


def test_looks_are_not_repeated_within_a_minute(house):
    house.channel.answer = lambda _: (500, {})
    remind(house)
    for seconds in (0, 1, 2):
        house.clock.move(seconds=seconds)
        deliveries.deliver(house.service)
    assert len(house.channel.heard) == 3 and house.fake.count("many_accounts") == 1


def test_notices_that_need_no_look_are_not_looked_at(house):
    make(house, "dana", notices.FOLLOW_UP, {"request": "r"})
    make(house, "dana", reminders.CONTRACTOR_EXPIRY, {"system": "okta", "any_hour": True})
    assert deliveries.deliver(house.service) == 2 and house.fake.calls == []


def test_facts_that_say_disabled_are_never_as_told(house):
    house.fake.directory[0][0] = replace(house.fake.directory[0][0], active=False)
    directory.sync(house.service)
    with house.store.reading() as connection:
        known = directory_facts.find(connection, "okta", "00u-dana")
    assert not directory_facts.is_as_told(known, house.fake.accounts["00u-dana"])
