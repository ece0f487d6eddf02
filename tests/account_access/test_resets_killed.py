"""Any process may die at any instant: the confirmed factors go once, nothing enrolled since goes (law 5)."""

import pytest

from account_access import requests, tickets
from account_access.connectors.base import FactorKind
from account_access.resets import Resets
from account_access.store import tables
from tests.account_access.fake_system import Killed

# The calls of one reset of two factors, with its sessions: look, groups, look, two removals, look, read back, sessions.
CALLS = (
    *("factors", "groups", "factors", "remove_factor", "remove_factor"),
    *("factors", "factors", "end_sessions"),
)


def confirmed(world) -> tuple[str, list[str]]:
    world.settings.mfa.end_sessions = True
    ids = [world.fake.enrol(world.account(), kind, "old") for kind in (FactorKind.SECURITY_KEY, FactorKind.SMS)]
    return world.confirmed_reset(*ids), ids


def recover(world) -> list[str]:
    """What followups do after a restart: whatever is due, until nothing is."""
    outcomes = []
    for _ in range(5):
        world.clock.move(seconds=requests.CLAIM_SECONDS)
        outcomes += [world.resets.execute(world.system, stuck.id) for stuck in world.resets.due()]
    return outcomes


def whole(world, ids):
    """Nothing twice, nothing missing, and the factor that was enrolled in between is there."""
    assert sorted(world.fake.removed) == sorted(ids) and world.account() in world.fake.ended
    assert [factor.name for factor in world.fake.enrolled[world.account()]] == ["new"]
    (row,) = world.rows(tables.requests)
    assert (row["state"], row["outcome"], row["claimed_until"]) == ("done", "mfa_reset", None)
    (ticket,) = world.rows(tables.tickets)
    assert (ticket["state"], ticket["request_id"]) == (tickets.RESOLVED, row["id"])
    assert [event["event"] for event in world.rows(tables.desk_outbox)] == ["open", "resolve"]
    acts = [record["act"] for record in world.rows(tables.audit)]
    for once in ("confirm_reset_mfa", "reset_mfa", "open_ticket", "resolve_ticket"):
        assert acts.count(once) == 1, once
    assert acts.index("confirm_reset_mfa") < acts.index("decide_reset_mfa") < acts.index("reset_mfa")


def enrol_a_new_one(world):
    """What the person does while nobody looks."""
    world.fake.enrol(world.account(), FactorKind.SECURITY_KEY, "new")


def test_calls_are_those_listed(world):
    request, _ = confirmed(world)
    assert world.resets.execute(world.system, request) == "mfa_reset"
    assert tuple(name for name, _ in world.fake.calls) == CALLS


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", range(1, len(CALLS) + 1), ids=[f"{n}-{name}" for n, name in enumerate(CALLS, start=1)])
def test_killed_at_a_call(world, call, after):
    request, ids = confirmed(world)
    world.fake.dies_at_call, world.fake.dies_after_effect = call, after
    with pytest.raises(Killed):
        world.resets.execute(world.system, request)
    enrol_a_new_one(world)
    assert world.resets.execute(world.system, request) == "still_trying", "its claim still stands"
    assert recover(world) == ["mfa_reset"]
    whole(world, ids)


@pytest.mark.parametrize("step", ["_claim", "_decide_and_mark", "_finish"])
@pytest.mark.parametrize("committed", [False, True], ids=["before", "after"])
def test_killed_around_a_transaction(world, step, committed):
    request, ids = confirmed(world)

    def dies(self, *arguments):
        if committed:
            getattr(Resets, step)(self, *arguments)
        raise Killed(step)

    dying = type("Dying", (Resets,), {step: dies})(world.store, world.clock, world.settings)
    with pytest.raises(Killed):
        dying.execute(world.system, request)
    enrol_a_new_one(world)
    recover(world)
    whole(world, ids)


def test_killed_after_the_removal_still_counts_against_the_limit(world):
    world.settings.mfa.max_per_window = 1
    request, _ = confirmed(world)
    world.fake.dies_at_call, world.fake.dies_after_effect = CALLS.index("remove_factor") + 1, True
    with pytest.raises(Killed):
        world.resets.execute(world.system, request)
    with world.store.reading() as connection:
        assert world.resets.used(connection, world.person().id, "okta") == 1
