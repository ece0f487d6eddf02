"""Any process may die at any instant: the account is unlocked once, the ticket is one, the audit is whole (law 5)."""

import pytest

from account_access import requests, tickets
from account_access.store import tables
from account_access.unlocks import Unlocks
from tests.account_access.fake_system import Killed

# The calls of one unlock: look, groups, unlock, read back.
CALLS = ("account", "groups", "unlock", "account")


def recover(world, request) -> list[str]:
    """What followups do after a restart: whatever is due, until nothing is."""
    outcomes = []
    for _ in range(5):
        world.clock.move(seconds=requests.CLAIM_SECONDS)
        outcomes += [world.unlocks.execute(world.system, stuck.id) for stuck in world.unlocks.due()]
    return outcomes


def whole(world, outcome="unlocked"):
    """Nothing twice, nothing missing."""
    assert world.fake.unlocked == [world.account()] and not world.fake.accounts[world.account()].locked
    (row,) = world.rows(tables.requests)
    assert (row["state"], row["outcome"], row["claimed_until"]) == ("done", outcome, None)
    (ticket,) = world.rows(tables.tickets)
    assert (ticket["state"], ticket["request_id"]) == (tickets.RESOLVED, row["id"])
    assert [event["event"] for event in world.rows(tables.desk_outbox)] == ["open", "resolve"]
    acts = [record["act"] for record in world.rows(tables.audit)]
    for once in ("confirm_unlock", "unlock", "open_ticket", "resolve_ticket"):
        assert acts.count(once) == 1, once
    assert acts.index("confirm_unlock") < acts.index("decide_unlock") < acts.index("unlock")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", range(1, len(CALLS) + 1), ids=[f"{n}-{name}" for n, name in enumerate(CALLS, start=1)])
def test_killed_at_a_call(world, call, after):
    world.lock()
    request = world.confirmed()
    world.fake.dies_at_call, world.fake.dies_after_effect = call, after
    with pytest.raises(Killed):
        world.unlocks.execute(world.system, request)
    assert world.unlocks.execute(world.system, request) == "still_trying", "its claim still stands"
    assert recover(world, request) == ["unlocked"]
    whole(world)


def test_killed_after_the_request_was_written(world):
    world.lock()
    request = world.confirmed()
    assert recover(world, request) == ["unlocked"]
    whole(world)


@pytest.mark.parametrize("step", ["_claim", "_decide_and_mark", "_finish"])
@pytest.mark.parametrize("committed", [False, True], ids=["before", "after"])
def test_killed_around_a_transaction(world, step, committed):
    world.lock()
    request = world.confirmed()

    def dies(self, *arguments):
        if committed:
            getattr(Unlocks, step)(self, *arguments)
        raise Killed(step)

    dying = type("Dying", (Unlocks,), {step: dies})(world.store, world.clock, world.settings)
    with pytest.raises(Killed):
        dying.execute(world.system, request)
    recover(world, request)
    whole(world)


def test_killed_while_finishing_leaves_all_of_it_or_nothing(world, monkeypatch):
    """The end of a request, its audit record, its ticket and what the desk will hear are one transaction."""
    world.lock()
    request = world.confirmed()

    def dies(*_):
        raise Killed("change_state")

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(tickets, "change_state", dies)
        world.unlocks.execute(world.system, request)
    assert world.rows(tables.tickets) == world.rows(tables.audit, act="unlock") == world.rows(tables.desk_outbox) == []
    assert recover(world, request) == ["unlocked"]
    whole(world)


def test_locked_anew_while_nobody_was_looking_is_not_unlocked_again(world):
    """Recovery reads first, and acts on the confirmed lockout alone."""
    world.lock()
    request = world.confirmed()
    world.fake.dies_at_call, world.fake.dies_after_effect = 3, True
    with pytest.raises(Killed):
        world.unlocks.execute(world.system, request)
    world.clock.move(minutes=2)
    world.lock()
    assert recover(world, request) == ["relocked"]
    assert world.fake.count("unlock") == 1 and world.fake.accounts[world.account()].locked


def test_killed_after_the_call_still_counts_against_the_limit(world):
    """U10: an unlock whose end nobody saw is not a free one."""
    world.settings.unlock.max_per_window = 1
    world.lock()
    request = world.confirmed()
    world.fake.dies_at_call, world.fake.dies_after_effect = 3, True
    with pytest.raises(Killed):
        world.unlocks.execute(world.system, request)
    world.lock()
    assert world.unlocks.check(world.system, world.person().id).outcome == "limited"
