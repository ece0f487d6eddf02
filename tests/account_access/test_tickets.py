"""Tickets get their number at once, and the desk hears of each event once and in order (U4, U7, law 11)."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from account_access import tickets
from account_access.desks.local import LocalDesk
from account_access.store import tables


def opened(world, key="help:1", name="dana"):
    with world.store.begin() as connection:
        return tickets.open_ticket(connection, world.clock.now(), world.person(name).id, key, "Help", "Facts")


def change(world, ticket, state, key):
    with world.store.begin() as connection:
        return tickets.change_state(connection, world.clock.now(), ticket, state, "why", key)


def note(world, ticket, words, key):
    with world.store.begin() as connection:
        tickets.note(connection, world.clock.now(), ticket, words, key)


def due(world):
    return tickets.due_events(world.store, world.clock)


def send_all(world, desk) -> list[str]:
    """Empties the outbox as followups does; returns what the desk heard."""
    heard = []
    while events := due(world):
        for event in events:
            assert tickets.claim_event(world.store, world.clock, event, 30)
            tickets.event_sent(world.store, world.clock, event, desk.take(event))
            heard.append(event.event)
    return heard


@pytest.fixture
def desk(world):
    return LocalDesk(world.store, world.clock, "AA")


class TestOpening:
    def test_numbers_count_up_and_are_told_with_the_prefix(self, world):
        references = [opened(world, f"help:{n}").reference("AA") for n in range(3)]
        assert references == ["AA-1001", "AA-1002", "AA-1003"]

    def test_retry_finds_its_ticket(self, world):
        assert opened(world).id == opened(world).id
        assert len(world.rows(tables.tickets)) == len(world.rows(tables.desk_outbox)) == 1
        assert len(world.rows(tables.audit, act="open_ticket")) == 1

    def test_many_at_once_never_share_a_number(self, world):
        with ThreadPoolExecutor(4) as pool:
            numbers = [ticket.number for ticket in pool.map(lambda n: opened(world, f"help:{n}"), range(12))]
        assert sorted(numbers) == list(range(1001, 1013))

    def test_latest_is_the_persons_own_and_changed_last(self, world):
        first, _second = opened(world, "a"), opened(world, "b")
        opened(world, "c", "eli")
        world.clock.move(minutes=1)
        change(world, first, tickets.RESOLVED, "k")
        with world.store.reading() as connection:
            since = world.clock.now().replace(hour=0)
            dana = world.person().id
            assert tickets.latest(connection, dana, since).number == 1001
            assert tickets.latest(connection, dana, since, tickets.OPEN).number == 1002
            assert tickets.latest(connection, dana, world.clock.now(), tickets.OPEN) is None


class TestChanging:
    def test_resolved_and_opened_again(self, world):
        ticket = opened(world)
        assert change(world, ticket, tickets.RESOLVED, "unlocked")
        assert change(world, ticket, tickets.RESOLVED, "unlocked"), "the same cause again hears the same"
        assert not change(world, ticket, tickets.RESOLVED, "something else")
        assert change(world, ticket, tickets.OPEN, "inbound-2")
        assert world.rows(tables.tickets)[0]["state"] == "open"
        assert [r["act"] for r in world.rows(tables.audit)] == ["open_ticket", "resolve_ticket", "reopen_ticket"]

    def test_note_is_added_once_for_each_cause(self, world):
        ticket = opened(world)
        for key in ("inbound-2", "inbound-2", "inbound-3"):
            note(world, ticket, "asked again", key)
        assert [e["event"] for e in world.rows(tables.desk_outbox)] == ["open", "note", "note"]


class TestOutbox:
    def test_events_of_a_ticket_arrive_in_order(self, world, desk):
        ticket = opened(world)
        change(world, ticket, tickets.RESOLVED, "a")
        change(world, ticket, tickets.OPEN, "b")
        note(world, ticket, "hm", "c")
        assert [e.event for e in due(world)] == ["open"]
        assert send_all(world, desk) == ["open", "resolve", "reopen", "note"]
        assert due(world) == []

    def test_one_that_is_stuck_holds_up_its_own_ticket_alone(self, world):
        stuck, other = opened(world, "a"), opened(world, "b")
        note(world, stuck, "later", "k")
        (first, _) = due(world)
        tickets.claim_event(world.store, world.clock, first, 30)
        tickets.event_failed(world.store, world.clock, first, 60)
        assert [e.ticket.id for e in due(world)] == [other.id]
        world.clock.move(seconds=60)
        assert [(e.ticket.id, e.attempts) for e in due(world)] == [(stuck.id, 1), (other.id, 0)]

    def test_claim_keeps_a_second_sender_away(self, world):
        opened(world)
        (event,) = due(world)
        assert tickets.claim_event(world.store, world.clock, event, 30)
        assert not tickets.claim_event(world.store, world.clock, event, 30) and due(world) == []
        world.clock.move(seconds=30)
        assert tickets.claim_event(world.store, world.clock, event, 30)

    def test_what_the_desk_has_is_not_sent_again(self, world, desk):
        opened(world)
        (event,) = due(world)
        tickets.event_sent(world.store, world.clock, event, "REMOTE-7")
        assert due(world) == [] and not tickets.claim_event(world.store, world.clock, event, 30)
        assert world.rows(tables.tickets)[0]["remote_reference"] == "REMOTE-7"


class TestLocalDesk:
    def test_keeps_the_ticket_and_its_entries(self, world, desk):
        ticket = opened(world)
        change(world, ticket, tickets.RESOLVED, "a")
        send_all(world, desk)
        (kept,) = world.rows(tables.desk_tickets)
        assert (kept["reference"], kept["requester"], kept["state"]) == ("AA-1001", "dana@acme.example", "resolved")
        assert [e["event"] for e in world.rows(tables.desk_entries)] == ["open", "resolve"]

    def test_event_that_is_repeated_after_a_crash_is_taken_once(self, world, desk):
        opened(world)
        (event,) = due(world)
        assert desk.take(event) == desk.take(event) == "AA-1001"
        assert len(world.rows(tables.desk_entries)) == len(world.rows(tables.desk_tickets)) == 1

    def test_late_repetition_does_not_undo_what_came_after(self, world, desk):
        ticket = opened(world)
        change(world, ticket, tickets.RESOLVED, "a")
        send_all(world, desk)
        change(world, ticket, tickets.OPEN, "b")
        (reopen,) = due(world)
        desk.take(reopen)
        send_all(world, desk)
        assert world.rows(tables.desk_tickets)[0]["state"] == "open"

    def test_note_leaves_the_state(self, world, desk):
        ticket = opened(world)
        change(world, ticket, tickets.RESOLVED, "a")
        note(world, ticket, "hm", "c")
        send_all(world, desk)
        assert world.rows(tables.desk_tickets)[0]["state"] == "resolved"
