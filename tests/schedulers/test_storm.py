"""Twenty thousand people are locked out within a minute (N10, X11): admins hear of one thing, nobody is told twice, and
the identity system is never asked more often than it allows. The clock is simulated; so are the limits."""

import itertools
import logging
import math
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from account_access import conversation, people
from account_access.connectors import okta
from account_access.connectors.base import Status
from account_access.store import tables
from schedulers import deliveries, lockouts
from tests.account_access.fake_system import FakeSystem
from tests.account_access.world import directory_person

STORM = 20_000
# So many of them are played; what grows with the storm is counted as for all of it.
PLAYED = 5_000
# What Okta allows in a minute by default, by endpoint: https://developer.okta.com/docs/reference/rl-global-mgmt/
A_MINUTE = {"users": 600, "logs": 120}
LOG_PAGE = 1000
# As quick as a busy machine delivers.
A_NOTICE = timedelta(milliseconds=8)
# lockout.poll_seconds by default.
POLL = timedelta(seconds=30)


@dataclass
class Metered(FakeSystem):
    """The system with a meter: when each request that its connector would have to make came in, by method."""

    meter: dict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))

    def _called(self, method: str, argument: str, work):
        result = super()._called(method, argument, work)
        requests = {
            "locked_accounts": lambda: pages(len(result), okta.PAGE),
            "many_accounts": lambda: pages(int(argument), okta.IDS_AT_ONCE),
            "lockouts_since": lambda: pages(len(result.external_ids), LOG_PAGE),
        }.get(method, lambda: 1)()
        self.meter[method] += [self.clock.now()] * requests
        return result

    def most_in_a_minute(self, method: str) -> int:
        """Of all spans of 60 seconds the fullest."""
        times = sorted(self.meter[method])
        return max((n + 1 - bisect_left(times, at - timedelta(seconds=60)) for n, at in enumerate(times)), default=0)


def pages(items: int, page: int) -> int:
    return max(1, math.ceil(items / page))


@pytest.fixture
def storm(service, world, monkeypatch):
    """Everybody is active, and the system is metered; what is told becomes an inbox row."""
    fake = Metered(world.clock)
    for begin in range(0, PLAYED, 200):
        names = [f"p{n:05d}" for n in range(begin, min(begin + 200, PLAYED))]
        for name in names:
            fake.add(f"00u-{name}", f"{name}@acme.example")
        people.merge(world.store, world.clock, "okta", [directory_person(name) for name in names])
    service.systems["okta"] = replace(world.system, connector=fake)
    world.service, world.fake, told = service, fake, itertools.count(1)

    def inject(_service, notice):
        def write(connection):
            conversation.say(
                connection, world.clock.now(), notice.person_id, notice.id, 0, "locked", notice_id=notice.id
            )

        world.store.together.submit(write).result()
        world.clock.instant += A_NOTICE
        if not next(told) % (POLL // A_NOTICE):
            # The next look at the system falls due while notices go out.
            lockouts.poll(service)
        return {"written": True}

    monkeypatch.setattr(deliveries, "_inject", inject)
    return world


def lock_everybody(world) -> None:
    """One after another within a minute; the poll comes each half of it."""
    for n, external_id in enumerate(list(world.fake.accounts)):
        if n == PLAYED // 2:
            lockouts.poll(world.service)
        world.clock.instant += timedelta(seconds=60) / PLAYED
        world.fake.lock(external_id)
    lockouts.poll(world.service)


def show_questions(world, many: int) -> None:
    """The first of them have the question in front of them."""
    now = world.clock.now()
    rows = [
        {
            "id": row["id"],
            "person_id": row["person_id"],
            "question": "lockout",
            "subject": {"act": "unlock", "system": "okta", "external_id": row["facts"]["external_id"]},
            "answers": [],
            "cause": row["id"],
            "from_notice": True,
            "created_at": now,
            "expires_at": now + timedelta(hours=24),
            "state": "open",
            "changed_seq": 0,
        }
        for row in world.rows(tables.notices)[:many]
    ]
    with world.store.begin() as connection:
        connection.execute(tables.offers.insert(), rows)


def count(world, query) -> int:
    with world.store.reading() as connection:
        return connection.execute(query).scalar_one()


def test_n10_storm_is_one_thing_for_admins_and_within_the_systems_limits(storm, caplog):
    caplog.set_level(logging.CRITICAL)
    lock_everybody(storm)
    assert count(storm, select(func.count()).select_from(tables.notices)) == PLAYED
    while deliveries.deliver(storm.service):
        pass
    inbox = tables.inbox.c
    assert count(storm, select(func.count(inbox.person_id.distinct()))) == PLAYED
    assert count(storm, select(func.count()).select_from(tables.inbox)) == PLAYED

    assert [row["summary"] for row in storm.rows(tables.tickets)] == ["SECURITY: self-service on okta is stopped"]
    assert [row["event"] for row in storm.rows(tables.desk_outbox)] == ["open"]
    assert len(caplog.records) == 1

    most = {method: storm.fake.most_in_a_minute(method) for method in storm.fake.meter}
    assert set(most) == {"locked_accounts", "lockouts_since", "many_accounts"}, "nobody is looked at alone"
    # Polls grow with the storm, looks at those who are being told with the pace of deliveries alone.
    polls = most["locked_accounts"] * STORM / PLAYED
    assert 0 < polls + most["many_accounts"] <= A_MINUTE["users"], most
    assert 0 < most["lockouts_since"] * STORM / PLAYED <= A_MINUTE["logs"], most

    # An admin unlocks everybody at once, and no button stays that means nothing.
    storm.fake.meter.clear()
    show_questions(storm, PLAYED // 5)
    for external_id, account in storm.fake.accounts.items():
        storm.fake.accounts[external_id] = replace(account, status=Status.ACTIVE)
    lockouts.poll(storm.service)
    assert {row["state"] for row in storm.rows(tables.offers)} == {"overtaken"}
    assert set(storm.fake.meter) == {"locked_accounts", "lockouts_since", "many_accounts"}
    assert polls + len(storm.fake.meter["many_accounts"]) * 5 * STORM / PLAYED <= A_MINUTE["users"]
