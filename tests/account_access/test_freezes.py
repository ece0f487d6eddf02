""" "This wasn't me" (X10): frozen by its owner's word, lifted by security's ticket alone."""

import pytest

from account_access import audit, freezes, tickets
from account_access.connectors.base import FactorKind
from account_access.store import tables


def report(world, name="dana", cause="inbound-1"):
    with world.store.begin() as connection:
        return freezes.report(connection, world.clock.now(), world.person(name), cause, "A lockout notice.")


def standing(world, name="dana"):
    with world.store.reading() as connection:
        return freezes.standing(connection, world.person(name).id)


def close_ticket(world, actor="admin:sec"):
    with world.store.begin() as connection:
        ticket = tickets.numbered(connection, 1001)
        return freezes.lift(connection, world.clock.now(), ticket, actor)


class TestReporting:
    def test_x10_freezes_and_calls_security(self, world):
        freeze, fresh = report(world)
        (ticket,), (event,) = world.rows(tables.tickets), world.rows(tables.desk_outbox)
        assert fresh and standing(world) == freeze and freeze.ticket_id == ticket["id"]
        assert ticket["security"] and ticket["summary"].startswith("SECURITY") and ticket["state"] == "open"
        assert "dana@acme.example" in event["text"] and "A lockout notice." in event["text"]
        assert [(r["act"], r["result"]) for r in audit.about(world.store, world.person().id)] == [
            ("open_ticket", "done"),
            ("freeze", "frozen"),
        ]

    def test_nobody_else_is_frozen(self, world):
        report(world)
        assert standing(world, "eli") is None

    def test_law_5_replayed_report_is_one(self, world):
        assert [report(world)[1] for _ in range(2)] == [True, True]
        assert len(world.rows(tables.freezes)) == len(world.rows(tables.desk_outbox)) == 1

    def test_second_report_is_a_note_for_security(self, world):
        report(world)
        assert report(world, cause="inbound-2")[1] is False
        assert [event["event"] for event in world.rows(tables.desk_outbox)] == ["open", "note"]
        assert len(world.rows(tables.freezes)) == 1

    def test_x12_questions_that_lead_to_an_act_are_closed_and_others_stay(self, world):
        world.lock()
        lockout, asked = world.unlock_offer(question="lockout"), world.unlock_offer()
        menu = world.offer(question="menu", from_notice=True)
        world.lock("eli")
        theirs = world.unlock_offer("eli", question="lockout")
        report(world)
        states = [world.state_of(offer) for offer in (lockout, asked, menu, theirs)]
        assert states == ["overtaken", "overtaken", "open", "open"]


class TestHolding:
    @pytest.mark.parametrize("when", ["before the question", "after the yes"])
    def test_x10_unlock_is_refused_with_the_reason(self, world, when):
        world.lock()
        if when == "before the question":
            report(world)
            assert world.unlocks.check(world.system, world.person().id).outcome == "frozen"
            return
        request = world.confirmed()
        report(world)
        assert world.unlocks.execute(world.system, request) == "frozen"
        assert world.fake.unlocked == [] and world.rows(tables.requests)[0]["state"] == "refused"
        assert "1001" in world.rows(tables.requests)[0]["reason"]

    def test_law_6_protected_and_frozen_is_frozen(self, world):
        """The reason that security has to lift comes first."""
        world.lock()
        world.fake.memberships["00u-dana"] = frozenset({"Okta Administrators"})
        report(world)
        assert world.unlocks.check(world.system, world.person().id).outcome == "frozen"


class TestLifting:
    def test_x10_closing_securitys_ticket_lifts_it(self, world):
        world.lock()
        report(world)
        assert close_ticket(world) == 1
        assert standing(world) is None
        assert world.unlocks.check(world.system, world.person().id).outcome == "locked"
        record = audit.about(world.store, world.person().id)[-1]
        assert (record["act"], record["result"], record["actor"]) == ("freeze", "lifted", "admin:sec")

    def test_it_lifts_once(self, world):
        report(world)
        assert [close_ticket(world), close_ticket(world)] == [1, 0]

    def test_another_ticket_lifts_nothing(self, world):
        with world.store.begin() as connection:
            tickets.open_ticket(connection, world.clock.now(), world.person().id, "help:1", "Help", "x")
        report(world)
        assert close_ticket(world) == 0 and standing(world)

    def test_reported_anew_is_frozen_anew(self, world):
        report(world)
        close_ticket(world)
        assert report(world, cause="inbound-2")[1] and standing(world)
        assert len(world.rows(tables.tickets)) == 2

    @pytest.mark.parametrize("minutes", [0, 5])
    def test_x10_what_was_asked_for_before_it_is_never_done(self, world, minutes):
        world.lock()
        before = world.confirmed()
        world.clock.move(minutes=minutes)
        report(world)
        close_ticket(world)
        assert world.unlocks.execute(world.system, before) == "frozen" and world.fake.count("unlock") == 0
        world.clock.move(minutes=1)
        assert world.unlocks.execute(world.system, world.confirmed()) == "unlocked"


def test_x10_stops_every_act(world):
    factor = world.fake.enrol("00u-dana", FactorKind.SMS, "old phone")
    request = world.confirmed_reset(factor)
    report(world)
    assert world.resets.execute(world.system, request) == "frozen" and world.fake.removed == []
