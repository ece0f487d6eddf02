"""The planner says what the plain telling of the rules says: random people, clock changes, a year of 500 people."""

import json
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.account_access.simulation.naive import Naive
from tests.account_access.simulation.stage import play
from tests.account_access.simulation.worlds import World


def product(world: World) -> list[dict]:
    return play(world.people, world.actions, world.settings, world.first, world.days)


def reacting(world: World) -> World:
    """The world after its people reacted to what they are sent, twice."""
    for _ in range(2):
        world.react(product(world))
    return world


def both(world: World) -> tuple[list[dict], list[dict]]:
    """What the product and the naive oracle make of it."""
    oracle = Naive(world.people, world.actions, world.settings, date.fromisoformat(world.first), world.days)
    return product(world), oracle.play()


@pytest.mark.parametrize("seed", range(120))
def test_e_c_n6_random_organisation_over_forty_days(seed):
    ours, theirs = both(reacting(World(seed)))
    assert ours == theirs


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(1000, 10**9))
def test_e_c_n6_any_other_organisation(seed):
    ours, theirs = both(reacting(World(seed)))
    assert ours == theirs


@pytest.mark.parametrize("seed", range(2))
def test_e_c_n6_five_hundred_people_over_a_year(seed):
    ours, theirs = both(reacting(World(seed, people=500, days=365, actions=2)))
    assert ours == theirs
    assert len(ours) > 1000


def test_the_random_organisations_meet_every_kind_and_outcome():
    """Otherwise the tests above would agree about nothing."""
    lines = [line for seed in range(40) for line in product(reacting(World(seed)))]
    assert {line["kind"] for line in lines} == {"password_reminder", "password_expired", "contractor", "lockout"}
    assert {line.get("resolved_by") for line in lines} == {
        None, "already_updated", "link_click", "password_changed", "how_to_extend", "how_to_terminate", "understood",
    }  # fmt: skip
    reminders = [line for line in lines if line["kind"] == "password_reminder"]
    assert {2, 3} <= {line["days_before"] for line in reminders}
    assert any(line["login"] is None for line in lines)


def test_same_input_same_bytes():
    world = reacting(World(7))
    assert len({json.dumps(product(world)) for _ in range(2)}) == 1
