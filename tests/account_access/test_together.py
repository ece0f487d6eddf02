"""Writes of many are one transaction, and each is still its own: written when it says so, undone alone."""

import threading

import pytest

from account_access.store import tables
from account_access.store.together import AT_ONCE, Together


def insert(world, name):
    def write(connection):
        values = {"name": name, "value": "v", "moved_at": world.clock.now()}
        connection.execute(tables.cursors.insert().values(**values))
        return name

    return write


class Counting:
    """The store's transactions, counted, and the first of them held up until `go`."""

    def __init__(self, store):
        self.store, self.begun, self.go = store, 0, threading.Event()

    def begin(self):
        self.begun += 1
        self.go.wait(10)
        return self.store.begin()


@pytest.fixture
def counting(world):
    return Counting(world.store)


@pytest.fixture
def together(counting):
    made = Together(counting.begin)
    yield made
    counting.go.set()
    made.close()


def names(world):
    return [row["name"] for row in world.rows(tables.cursors)]


def test_what_waits_together_is_one_transaction(world, counting, together):
    futures = [together.submit(insert(world, f"n{n}")) for n in range(9)]
    assert not futures[0].done()
    counting.go.set()
    assert [future.result(10) for future in futures] == [f"n{n}" for n in range(9)]
    assert counting.begun <= 2 and len(names(world)) == 9


def test_no_transaction_grows_without_end(world, counting, together):
    futures = [together.submit(insert(world, f"n{n}")) for n in range(3 * AT_ONCE)]
    counting.go.set()
    assert len({future.result(10) for future in futures}) == 3 * AT_ONCE and counting.begun >= 3


def test_result_comes_when_it_is_written(world, counting, together):
    counting.go.set()
    together.submit(insert(world, "one")).result(10)
    assert names(world) == ["one"]


def test_who_fails_fails_alone(world, counting, together):
    def fails(connection):
        insert(world, "half")(connection)
        raise KeyError("mine")

    futures = [together.submit(write) for write in (insert(world, "a"), insert(world, "b"), fails, insert(world, "c"))]
    counting.go.set()
    assert [futures[n].result(10) for n in (0, 1, 3)] == ["a", "b", "c"]
    with pytest.raises(KeyError, match="mine"):
        futures[2].result(10)
    assert names(world) == ["a", "b", "c"]


def test_who_goes_away_stops_nobody_else(world, counting, together):
    """A killed Rasa's calls are cancelled, while others wait for the same thread."""
    futures = [together.submit(insert(world, f"n{n}")) for n in range(4)]
    assert futures[2].cancel()
    futures[0].cancel()
    counting.go.set()
    assert [futures[n].result(10) for n in (1, 3)] == ["n1", "n3"]
    assert together.submit(insert(world, "later")).result(10) == "later"
    assert "n2" not in names(world)


def test_what_came_before_the_end_is_written(world, counting, together):
    futures = [together.submit(insert(world, f"n{n}")) for n in range(3)]
    together.close()
    counting.go.set()
    assert [future.result(10) for future in futures] == ["n0", "n1", "n2"]
    assert together.submit(insert(world, "later")).result(10) == "later"
