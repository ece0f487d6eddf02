"""The planner says what the plain telling of the rules says: random people, clock changes, a year of 500 people."""

import json
from datetime import date

import pytest

from tests.account_access.simulation.naive import Naive
from tests.account_access.simulation.stage import play
from tests.account_access.simulation.worlds import World


def both(world: World) -> tuple[list[dict], list[dict]]:
    """What the product and the naive oracle make of a world whose people react to what they are sent, twice."""
    for _ in range(2):
        world.react(play(world.people, world.actions, world.settings, world.first, world.days))
    product = play(world.people, world.actions, world.settings, world.first, world.days)
    oracle = Naive(world.people, world.actions, world.settings, date.fromisoformat(world.first), world.days)
    return product, oracle.play()


@pytest.mark.parametrize("seed", range(120))
def test_e_c_n6_random_organisation_over_forty_days(seed):
    product, oracle = both(World(seed))
    assert product == oracle


@pytest.mark.parametrize("seed", range(3))
def test_e_c_n6_five_hundred_people_over_a_year(seed):
    product, oracle = both(World(seed, people=500, days=365, actions=2))
    assert product == oracle
    assert len(product) > 1000


def test_the_random_organisations_meet_every_kind_and_outcome():
    """Otherwise the tests above would agree about nothing."""
    lines = [line for seed in range(40) for line in both(World(seed))[0]]
    assert {line["kind"] for line in lines} == {"password_reminder", "password_expired", "contractor", "lockout"}
    assert {line.get("resolved_by") for line in lines} == {
        None, "already_updated", "link_click", "password_changed", "how_to_extend", "how_to_terminate", "understood",
    }  # fmt: skip
    reminders = [line for line in lines if line["kind"] == "password_reminder"]
    assert {2, 3} <= {line["days_before"] for line in reminders}
    assert any(line["login"] is None for line in lines)


def test_same_input_same_bytes():
    world = World(7)
    runs = {json.dumps(play(world.people, world.actions, world.settings, world.first, world.days)) for _ in range(2)}
    assert len(runs) == 1
