"""Resolved by fact (X8): looked at again after 2, 5 and 10 minutes; a relapse opens the ticket and is told (U7, U8)."""

import pytest

from account_access import audit, notices, requests, verification
from account_access.connectors.base import FactorKind, SignInEvent, SignInOutcome, TemporarilyUnavailable
from account_access.store import tables
from account_access.verification import Verification
from tests.account_access.fake_system import Killed

OUTLOOK = "Microsoft Office/16.0 (Outlook)"


@pytest.fixture
def looking(world):
    """Dana was unlocked; one round of looking, as the schedulers do it."""
    world.lock()
    world.clock.move(minutes=1)
    assert world.unlocks.execute(world.system, world.confirmed()) == "unlocked"
    unlocked_at = world.clock.now()

    def look(at_minute=None):
        if at_minute is not None:
            world.clock.instant = unlocked_at
            world.clock.move(minutes=at_minute)
        checks = Verification(world.store, world.clock)
        checks.plan()
        return [checks.run(world.system, check, request) for check, request in checks.due()]

    return look


def results(world) -> list[str]:
    return [row["result"] for row in sorted(world.rows(tables.checks), key=lambda row: row["after_minutes"])]


def ticket(world) -> dict:
    (row,) = world.rows(tables.tickets)
    return row


class TestWhen:
    @pytest.mark.parametrize(("minute", "looks"), [(1.9, 0), (2, 1), (4.9, 1), (5, 2), (10, 3), (300, 3)])
    def test_x8_after_2_5_and_10_minutes(self, looking, minute, looks):
        assert looking(minute) == ["verified"] * looks

    def test_x8_each_once(self, looking, world):
        assert [looking(minute) for minute in (2, 3, 5, 10, 60)] == [["verified"], [], ["verified"], ["verified"], []]
        assert results(world) == ["verified"] * 3 and ticket(world)["state"] == "resolved"

    def test_planned_once_whoever_plans(self, looking, world):
        looking(2)
        assert Verification(world.store, world.clock).plan() == 0 and len(world.rows(tables.checks)) == 3

    @pytest.mark.parametrize("outcome", ["already_unlocked", "failed", "limited"])
    def test_what_changed_nothing_is_not_looked_at(self, world, outcome):
        world.lock()
        request = world.confirmed()
        if outcome == "already_unlocked":
            world.fake.unlock_elsewhere("00u-dana")
        elif outcome == "failed":
            world.fake.lying = True
        else:
            world.settings.unlock.max_per_window = 0
        assert world.unlocks.execute(world.system, request) == outcome
        assert Verification(world.store, world.clock).plan() == 0

    def test_what_ended_long_ago_is_not_about_now(self, looking, world):
        assert looking(60 * 24) == [] and world.rows(tables.checks) == []


class TestRelapse:
    def test_x8_ticket_opens_again_and_the_person_is_told(self, looking, world):
        looking(2)
        since = world.lock()
        assert looking(5) == ["relapsed"]
        assert ticket(world)["state"] == "open" and results(world) == ["verified", "relapsed", "void"]
        (notice,) = world.rows(tables.notices)
        assert (notice["kind"], notice["person_id"]) == (notices.RELAPSE, world.person().id)
        assert notice["facts"]["locked_at"] == since.isoformat() and notice["facts"]["system"] == "okta"
        assert looking(10) == []

    def test_u8_device_that_the_log_names_is_told(self, looking, world):
        world.clock.move(minutes=1)
        for _ in range(5):
            event = SignInEvent(world.clock.now(), SignInOutcome.FAILED, client=OUTLOOK, unattended=True)
            world.fake.history.setdefault("00u-dana", []).append(event)
        world.clock.move(seconds=1)
        world.lock()
        looking(2)
        assert world.rows(tables.notices)[0]["facts"]["device"] == OUTLOOK
        reopened = [e["text"] for e in world.rows(tables.desk_outbox) if e["event"] == "reopen"]
        assert len(reopened) == 1 and OUTLOOK in reopened[0]

    @pytest.mark.parametrize("why", ["a browser", "the log fails", "no log at all"])
    def test_u8_nobody_is_accused_without_the_log(self, looking, world, why):
        world.clock.move(minutes=1)
        event = SignInEvent(world.clock.now(), SignInOutcome.FAILED, client="Chrome", unattended=why != "a browser")
        world.fake.history["00u-dana"] = [event]
        if why == "the log fails":
            world.fake.failing["sign_in_history"] = TemporarilyUnavailable("log")
        elif why == "no log at all":
            world.fake.capabilities = world.fake.capabilities - {"history"}
        world.clock.move(seconds=1)
        world.lock()
        assert looking(2) == ["relapsed"] and world.rows(tables.notices)[0]["facts"]["device"] is None

    def test_relapse_that_is_over_again_counts_and_is_not_told(self, looking, world):
        """Its own lockout notice tells of it; here it is only counted."""
        world.clock.move(minutes=1)
        since = world.lock()
        facts = {"system": "okta", "external_id": "00u-dana", "locked_at": since.isoformat()}
        with world.store.begin() as connection:
            notices.create(connection, world.clock.now(), "l", notices.LOCKOUT, world.person().id, facts)
        world.fake.unlock_elsewhere("00u-dana")
        assert looking(2) == ["relapsed"]
        assert [row["kind"] for row in world.rows(tables.notices)] == ["lockout"]

    def test_a_lockout_before_the_act_is_no_relapse(self, looking, world):
        facts = {"system": "okta", "external_id": "00u-dana", "locked_at": "2026-11-24T17:00:00+00:00"}
        with world.store.begin() as connection:
            notices.create(connection, world.clock.now(), "l", notices.LOCKOUT, world.person().id, facts)
        assert looking(2) == ["verified"]


class TestBadDays:
    def test_silent_system_is_asked_again(self, looking, world):
        world.fake.down = True
        assert looking(2) == [None]
        world.fake.down = False
        assert looking(3) == ["verified"]

    def test_system_that_stays_silent_leaves_it_unknown(self, looking, world):
        world.fake.down = True
        for minute in range(2, 40):
            looking(minute)
        assert set(results(world)) == {"unknown"}

    def test_two_schedulers_look_once(self, looking, world):
        world.clock.move(minutes=2)
        checks = Verification(world.store, world.clock)
        checks.plan()
        ((check, request),) = checks.due()
        assert checks.run(world.system, check, request) == "verified"
        assert checks.run(world.system, check, request) is None

    @pytest.mark.parametrize("call", [1, 2])
    def test_law_5_killed_in_the_middle_it_is_told_once(self, looking, world, call):
        looking(1)
        world.lock()
        world.fake.dies_at_call = len(world.fake.calls) + call
        with pytest.raises(Killed):
            looking(2)
        world.fake.dies_at_call = None
        world.clock.move(seconds=verification.CLAIM_SECONDS)
        assert looking() == ["relapsed"]
        assert len(world.rows(tables.notices)) == 1
        assert [e["event"] for e in world.rows(tables.desk_outbox)] == ["open", "resolve", "reopen"]

    def test_x7_each_look_is_audited(self, looking, world):
        looking(10)
        records = [r for r in audit.about(world.store, world.person().id) if r["act"] == "verify_unlock"]
        assert [(r["result"], r["detail"]["after_minutes"]) for r in records] == [
            ("verified", 2),
            ("verified", 5),
            ("verified", 10),
        ]


class TestReport:
    def report(self, world, **more):
        with world.store.reading() as connection:
            (count,) = verification.report(connection, world.clock.now().replace(year=2020))
        return count

    @pytest.mark.parametrize(
        ("minute", "relapse", "expected"),
        [
            (1, False, (0, 0, 1)),
            (5, False, (0, 0, 1)),
            (10, False, (1, 0, 0)),
            (10, True, (0, 1, 0)),
        ],
    )
    def test_x8_claimed_and_verified_are_counted_apart(self, looking, world, minute, relapse, expected):
        if relapse:
            looking(2)
            world.lock()
        looking(minute)
        count = self.report(world)
        assert (count.verified, count.relapsed, count.not_yet) == expected
        assert (count.act, count.asked, count.done, count.claimed) == ("unlock", 1, 1, 0)
        with world.store.begin() as connection:
            requests.claim_resolved(connection, world.clock.now(), world.rows(tables.requests)[0]["id"])
        assert self.report(world).claimed == 1

    def test_what_was_asked_for_and_refused_is_asked_and_not_done(self, world):
        world.lock()
        world.settings.unlock.max_per_window = 0
        world.unlocks.execute(world.system, world.confirmed())
        count = self.report(world)
        assert (count.asked, count.done, count.not_yet) == (1, 0, 0)


class TestResets:
    """An MFA reset lasts if none of the factors it was to remove stands again; new ones are no relapse."""

    @pytest.fixture
    def factor(self, world):
        """Dana's old phone, which was removed a moment ago."""
        factor = world.fake.enrol("00u-dana", FactorKind.OKTA_VERIFY_PUSH, "old phone")
        kept = list(world.fake.enrolled["00u-dana"])
        assert world.resets.execute(world.system, world.confirmed_reset(factor)) == "mfa_reset"
        return kept[0]

    def look(self, world):
        world.clock.move(minutes=2)
        checks = Verification(world.store, world.clock)
        checks.plan()
        return [checks.run(world.system, check, request) for check, request in checks.due()]

    def test_x8_gone_is_verified_and_a_new_device_is_no_relapse(self, world, factor):
        world.fake.enrol("00u-dana", FactorKind.SECURITY_KEY, "new key")
        assert self.look(world) == ["verified"]

    def test_x8_the_same_one_again_is_told(self, world, factor):
        world.fake.enrolled["00u-dana"].append(factor)
        assert self.look(world) == ["relapsed"]
        (notice,) = world.rows(tables.notices, kind=notices.RELAPSE)
        assert notice["facts"]["act"] == "reset_mfa" and ticket(world)["state"] == "open"
