"""Who is told of a lockout unasked: whoever is left out gets no notice, and loses nothing else (N1, N2)."""

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from account_access import directory_facts, notices, people
from account_access.connectors.base import PasswordRules, TemporarilyUnavailable
from account_access.connectors.registry import System
from account_access.settings import LockoutSection, PasswordSection, Settings
from account_access.store import tables
from schedulers import deliveries, directory, lockouts, password_expiry
from tests.account_access.fake_system import FakeSystem
from tests.account_access.world import directory_person

SALES = {"exclude": {"departments": ["sales"]}}
PILOT = {"include": {"groups": ["Pilot"]}}


@pytest.fixture(autouse=True)
def unhindered(monkeypatch):
    monkeypatch.setattr(directory, "_failed_at", {})


@pytest.fixture
def house(service, world, channel):
    """Dana is in Sales, Eli in the group Pilot, Mona in neither; the directory was not read yet."""
    world.fake.directory = [[directory_person("dana", department="Sales"), *map(directory_person, ("eli", "mona"))]]
    world.fake.memberships["00u-eli"] = frozenset({"Pilot"})
    world.service, world.channel = service, channel
    return world


def rule(house, **halves) -> None:
    house.settings.lockout = LockoutSection(**halves)


def look(house, seconds: float = 0) -> None:
    """Time passes, and the schedulers do their work."""
    house.clock.move(seconds=seconds)
    lockouts.poll(house.service)
    deliveries.deliver(house.service)


def told(house) -> list[str]:
    logins = {row["id"]: row["login"].partition("@")[0] for row in house.rows(tables.people)}
    return [logins[row["person_id"]] for row in house.rows(tables.inbox)]


def ended(house, name: str = "dana") -> list[tuple[str, str | None]]:
    """What became of the person's notices, and why."""
    rows = house.rows(tables.notices, person_id=house.person(name).id)
    return [(row["state"], row["reason"]) for row in rows]


class TestRule:
    RULES = [
        ({}, {"dana", "eli", "mona"}),
        (SALES, {"eli", "mona"}),
        (PILOT, {"eli"}),
        ({"include": {"groups": ["Pilot"], "departments": ["Sales"]}}, {"dana", "eli"}),
        ({**PILOT, "exclude": {"logins": ["ELI@acme.example"]}}, set()),
        ({"exclude": {"worker_types": ["Employee"]}}, set()),
    ]

    @pytest.mark.parametrize(("halves", "names"), RULES)
    def test_n2_those_in_the_audience_are_told(self, house, halves, names):
        rule(house, **halves)
        directory.sync(house.service)
        for name in ("dana", "eli", "mona"):
            house.lock(name)
        look(house)
        look(house, 60)
        assert set(told(house)) == names and len(told(house)) == len(names)

    def test_left_out_ends_with_the_reason_and_is_audited(self, house):
        rule(house, **SALES)
        directory.sync(house.service)
        house.lock()
        look(house)
        assert ended(house) == [("dropped", "excluded by department Sales")]
        (row,) = house.rows(tables.audit, act="notice_lockout")
        assert (row["result"], row["reason"]) == ("dropped", "excluded by department Sales")

    def test_n9_left_out_once_is_left_out_of_that_lockout_and_told_of_the_next(self, house):
        rule(house, **SALES)
        directory.sync(house.service)
        house.lock()
        look(house)
        rule(house, repeat_hours=1)
        look(house, 3 * 3600)
        assert told(house) == []
        house.fake.unlock_elsewhere("00u-dana")
        house.clock.move(minutes=1)
        house.lock()
        look(house)
        assert told(house) == ["dana"]

    def test_whoever_asks_is_helped(self, house):
        rule(house, **SALES)
        directory.sync(house.service)
        locked_at = house.lock()
        look(house)
        assert house.unlocks.check(house.system, house.person().id).outcome == "locked"
        assert house.unlocks.execute(house.system, house.confirmed()) == "unlocked" and house.fake.unlocked == [
            "00u-dana"
        ]
        with house.store.reading() as connection:
            since = locked_at - timedelta(minutes=1)
            assert notices.last_lockout(connection, house.person().id, "okta", since) == locked_at, "X9 finds it"

    def test_x11_a_storm_counts_those_who_are_left_out(self, house):
        rule(house, exclude={"logins": [f"{name}@acme.example" for name in ("dana", "eli", "mona")]})
        house.settings.breaker.max_lockouts = 2
        directory.sync(house.service)
        for name in ("dana", "eli", "mona"):
            house.lock(name)
            look(house)
            house.fake.unlock_elsewhere(f"00u-{name}")
        assert told(house) == []
        assert house.rows(tables.breakers)[0]["tripped_at"] is not None

    def test_n6_silence_by_the_limit_is_looked_at_when_it_is_over(self, house):
        directory.sync(house.service)
        house.lock()
        look(house)
        house.fake.unlock_elsewhere("00u-dana")
        house.clock.move(minutes=5)
        house.lock()
        look(house)
        rule(house, **SALES)
        look(house, 60)
        assert ended(house)[1] == ("waiting", "held back by the person's limit of lockout notices")
        look(house, 6 * 3600)
        assert ended(house)[1] == ("dropped", "excluded by department Sales") and told(house) == ["dana"]


class TestNotYetKnown:
    """Nothing is lost, and nobody is told who should not be."""

    @pytest.mark.parametrize(("halves", "names"), [(SALES, ["mona"]), (PILOT, []), ({}, ["dana", "mona"])])
    def test_n1_before_the_directory_was_read_a_lockout_waits_and_then_is_told_or_not(self, house, halves, names):
        rule(house, **halves)
        for name in ("dana", "mona"):
            house.lock(name)
        look(house)
        look(house, 600)
        assert sorted(told(house)) == ([] if halves else names)
        directory.sync(house.service)
        look(house, 20)
        assert sorted(told(house)) == names
        assert {state for state, _ in ended(house) + ended(house, "mona")} <= {"delivered", "dropped"}

    def test_a_login_alone_is_known_at_once(self, house):
        rule(house, exclude={"logins": ["dana@acme.example"]})
        for name in ("dana", "mona"):
            house.lock(name)
        look(house)
        assert told(house) == ["mona"] and ended(house) == [("dropped", "excluded by login")]

    def test_person_without_facts_waits_for_one_reading_and_no_longer(self, house):
        """The directory tells of people and not of their facts: nothing of them will ever be known."""
        rule(house, **SALES)
        directory.sync(house.service)
        with house.store.begin() as connection:
            connection.execute(tables.directory_facts.delete())
        house.lock("mona")
        look(house)
        assert ended(house, "mona")[0][0] == "waiting"
        house.fake.capabilities -= {"directory"}
        house.clock.move(seconds=60)
        directory.sync(house.service)
        look(house)
        assert told(house) == ["mona"]

    def test_a_reading_that_began_before_the_lockout_says_nothing_of_somebody_it_did_not_name(self, house):
        rule(house, **SALES)
        directory.sync(house.service)
        house.clock.move(seconds=60)
        people.merge(house.store, house.clock, "okta", [directory_person("zoe", department="Sales")])
        house.fake.add("00u-zoe", "zoe@acme.example")
        house.lock("zoe")
        look(house)
        assert ended(house, "zoe")[0][0] == "waiting"
        house.fake.directory[0].append(directory_person("zoe", department="Sales"))
        house.clock.move(seconds=60)
        directory.sync(house.service)
        look(house, 20)
        assert ended(house, "zoe") == [("dropped", "excluded by department Sales")] and told(house) == []

    def test_a_group_that_the_last_reading_did_not_ask_for_is_not_known(self, house):
        """Settings that name another group hold from the next reading on."""
        rule(house, include={"groups": ["Beta"]})
        directory.sync(house.service)
        rule(house, **PILOT)
        house.lock("eli")
        look(house)
        assert told(house) == []
        directory.sync(house.service)
        look(house, 20)
        assert told(house) == ["eli"]

    def test_what_a_failing_directory_never_told_waits_and_is_told_when_it_does(self, house):
        rule(house, **PILOT)
        house.fake.failing["directory_rules"] = TemporarilyUnavailable("down")
        house.lock("eli")
        for _ in range(5):
            directory.sync(house.service)
            look(house, 600)
        assert told(house) == [] and ended(house, "eli")[0][0] == "waiting"
        del house.fake.failing["directory_rules"]
        directory.sync(house.service)
        look(house, 20)
        assert told(house) == ["eli"]

    def test_of_another_system_the_person_is_known_by_what_the_first_one_tells(self, house):
        rule(house, **SALES)
        directory.sync(house.service)
        other = FakeSystem(house.clock, "vpn", capabilities=frozenset({"lockouts", "unlock"}))
        for name in ("dana", "mona"):
            other.add(f"v-{name}", name)
            with house.store.begin() as connection:
                account = dict(system="vpn", external_id=f"v-{name}", person_id=house.person(name).id, login=name)
                connection.execute(tables.accounts.insert().values(**account))
            other.lock(f"v-{name}")
        with ThreadPoolExecutor(1) as pool:
            house.service.systems["vpn"] = System("vpn", house.settings.systems["okta"], other, pool)
            look(house)
        assert told(house) == ["mona"]


class TestGroups:
    def test_every_rule_asks_the_directory_for_its_groups(self):
        sections = {
            "password": {"include": {"groups": ["A"]}, "exclude": {"groups": ["B"]}},
            "contractor": {"include": {"groups": ["C"]}, "exclude": {"groups": ["D"]}},
            "lockout": {"include": {"groups": ["E"]}, "exclude": {"groups": ["F", " "]}},
        }
        assert directory.wanted_groups(Settings(**sections)) == set("ABCDEF")

    def test_a_group_that_the_directory_does_not_have_is_warned_of_with_the_nearest_name(self, house, caplog):
        house.fake.memberships["00u-dana"] = frozenset({"Engineering"})
        house.settings.password = PasswordSection(exclude={"groups": ["Enginering", "engineering"]})
        rule(house, include={"groups": ["Xyz"]})
        with caplog.at_level(logging.WARNING):
            directory.sync(house.service)
        assert [record.getMessage() for record in caplog.records] == [
            "Okta: no group is called Enginering; did you mean Engineering?",
            "Okta: no group is called Xyz; correct it in the settings",
        ]

    @pytest.mark.parametrize(("groups", "made", "readings"), [([], 1, 1), (["kiosks"], 0, 2)])
    def test_e14_a_plan_is_not_made_from_a_reading_that_did_not_ask_for_its_groups(self, house, groups, made, readings):
        """The settings that were just changed leave out whose password expires."""
        house.fake.rules = PasswordRules(5, None, timedelta(days=90))
        changed = house.clock.now() - timedelta(days=76)
        house.fake.accounts["00u-dana"] = replace(house.fake.accounts["00u-dana"], password_changed=changed)
        house.fake.memberships["00u-dana"] = frozenset({"Kiosks"})
        house.clock.move(minutes=55)
        directory.sync(house.service)
        house.settings.password = PasswordSection(exclude={"groups": groups})
        house.clock.move(minutes=10)
        assert password_expiry.run(house.service) == made
        assert house.fake.count("people") == readings


def test_facts_of_many_people_by_system(house):
    directory.sync(house.service)
    with house.store.reading() as connection:
        found = directory_facts.of_people(connection, [house.person("dana").id, house.person("eli").id, "nobody"])
    assert {person: sorted(theirs) for person, theirs in found.items()} == {
        house.person("dana").id: ["okta"],
        house.person("eli").id: ["okta"],
    }
    assert found[house.person("dana").id]["okta"].entry.department == "Sales"
