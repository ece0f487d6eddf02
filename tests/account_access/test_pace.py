"""So many in any minute by each surface, over restarts and by several schedulers."""

import random
from datetime import timedelta

import pytest

from account_access import pace
from account_access.store import Store, tables


def taken(world, wanted, limit, **more) -> int:
    return pace.take(world.store, world.clock, pace.MAIL, wanted, limit, **more)


def test_as_many_as_the_minute_allows_and_no_more(world):
    assert [taken(world, 2, 5), taken(world, 2, 5), taken(world, 2, 5), taken(world, 2, 5)] == [2, 2, 1, 0]
    world.clock.move(seconds=59)
    assert (taken(world, 1, 5), pace.left(world.store, world.clock, pace.MAIL, 5)) == (0, 0)
    world.clock.move(seconds=1)
    assert (pace.left(world.store, world.clock, pace.MAIL, 5), taken(world, 9, 5)) == (5, 5)


def test_each_surface_has_its_own(world):
    assert taken(world, 5, 5) == 5
    assert pace.left(world.store, world.clock, pace.WEB, 5) == 5


def test_no_limit_costs_nothing(world):
    assert taken(world, 10_000, None) == 10_000 and pace.left(world.store, world.clock, pace.MAIL, None) is None
    assert world.rows(tables.cursors) == []


def test_law_11_two_schedulers_and_restarts_share_the_minute(world, store_url):
    """Each opens the store anew, as a process that starts does."""
    granted = []
    for _ in range(4):
        store = Store.open(store_url)
        granted.append(pace.take(store, world.clock, pace.MAIL, 2, 5))
        store.close()
    assert granted == [2, 2, 1, 0]


def test_n2_what_is_urgent_goes_out_and_counts(world):
    assert taken(world, 3, 5, urgent=4) == 1
    assert taken(world, 3, 5, urgent=4) == 0
    world.clock.move(seconds=30)
    assert taken(world, 1, 5) == 0
    world.clock.move(seconds=30)
    assert taken(world, 9, 5) == 5


@pytest.mark.parametrize(("back", "granted"), [(5, 0), (3600, 5)])
def test_other_clocks(world, back, granted):
    """Another host's clock may be a little behind; one that was put back far closes no surface."""
    taken(world, 5, 5)
    world.clock.move(seconds=-back)
    assert taken(world, 5, 5) == granted


@pytest.mark.parametrize("seed", range(3))
def test_no_minute_whatsoever_has_more(world, seed):
    chance, limit, went = random.Random(seed), 7, []
    for _ in range(150):
        world.clock.move(seconds=chance.choice([0, 0.5, 3, 11, 59.9]))
        went += [world.clock.now()] * taken(world, chance.randrange(1, 5), limit)
    for at in went:
        assert sum(at <= other < at + timedelta(seconds=60) for other in went) <= limit
    assert len(went) > 40
