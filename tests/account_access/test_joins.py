"""U9: whose an account of a second system is: exactly one person's of the main directory, or nobody's of ours."""

from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st

from account_access import directory_facts, freezes, joins, links, notices, outages, people, sessions
from account_access.connectors.base import DirectoryPerson, FactorKind
from account_access.joins import Holder, Joinable
from account_access.offers import OPEN, OVERTAKEN
from account_access.passwords import Passwords
from account_access.people import Person
from account_access.proofs import Prover
from account_access.store import tables
from account_access.verification import Verification
from tests.account_access.fake_system import FakeDirectoryRules, FakeSystem
from tests.account_access.world import directory_person

STORE = "store"
MAIN = ("login", "email", "second_email", "name", "given_name", "time_zone", "active")


def account(name: str, number: str | None = "1042", **changes) -> DirectoryPerson:
    """An account of the store's directory, whose logins and addresses are its own."""
    names = dict(login=f"{name}@store.example", email=f"{name}@store.example", external_id=f"s-{name}")
    return directory_person(name, **{**names, "employee_number": number, **changes})


def reads(world, system: str, *listed: DirectoryPerson, main: bool = False) -> None:
    """A whole reading of one directory, as the schedulers make it."""
    world.clock.move(minutes=15)
    started = world.clock.now()
    rules = FakeDirectoryRules(world.fake, frozenset())
    people.merge(world.store, world.clock, system, listed, main=main)
    directory_facts.merge(world.store, world.clock, system, listed, rules, [])
    people.deactivate_absent(world.store, system, started)


def main_reads(world, **numbers: str | None) -> joins.Outcome:
    """The main directory tells these people's numbers, and decides."""
    listed = [directory_person(name, employee_number=numbers.get(name)) for name in ("dana", "eli", "mona")]
    reads(world, "okta", *listed, main=True)
    return decide(world)


def store_reads(world, *listed: DirectoryPerson) -> joins.Outcome:
    reads(world, STORE, *listed)
    return decide(world)


def decide(world, **options) -> joins.Outcome:
    return joins.decide(world.store, world.clock, "okta", STORE, **{"wanted": True, **options})


def accounts_of(world, name: str = "dana") -> dict[str, str]:
    with world.store.reading() as connection:
        return people.accounts_of(connection, world.person(name).id)


def own_person(world, name: str) -> Person:
    (found,) = people.by_login(world.store, f"{name}@store.example")
    return found


def audited(world, act: str) -> list[tuple[str, str]]:
    return [(row["object"], row["person_id"]) for row in world.rows(tables.audit, act=act)]


@pytest.fixture
def joined(world):
    """Dana's account in the store is hers."""
    main_reads(world, dana="1042", eli="7")
    assert store_reads(world, account("d.reed")).joined == 1
    return world


BOTH = {"okta": "00u-dana", STORE: "s-d.reed"}
DANA = Holder("dana", True)


class TestDeciding:
    def of(self, *numbers: str | None, **changes) -> list[Joinable]:
        return [Joinable(f"s-{n}", f"l-{n}", True, number, f"own-{n}", **changes) for n, number in enumerate(numbers)]

    TABLE = [
        ("the same number", {"1": [DANA]}, ["1"], {"s-0": "dana"}, ()),
        ("another number", {"1": [DANA]}, ["2"], {}, ()),
        ("a part of it", {"10": [DANA]}, ["1"], {}, ()),
        ("no number", {"1": [DANA]}, [None], {}, ()),
        ("an empty number", {"": [DANA]}, [""], {}, ()),
        ("two who have it here", {"1": [DANA, Holder("eli", True)]}, ["1"], {}, ("l-0",)),
        ("one of two is gone", {"1": [DANA, Holder("eli", False)]}, ["1"], {}, ("l-0",)),
        ("gone", {"1": [Holder("dana", False)]}, ["1"], {}, ()),
        ("two who have it there", {"1": [DANA]}, ["1", "1"], {}, ("l-0", "l-1")),
        ("each its own", {"1": [DANA], "2": [Holder("eli", True)]}, ["2", "1"], {"s-0": "eli", "s-1": "dana"}, ()),
    ]

    @pytest.mark.parametrize(("why", "holders", "numbers", "owners", "ambiguous"), TABLE, ids=[t[0] for t in TABLE])
    def test_u9_exactly_one_here_and_exactly_one_there(self, why, holders, numbers, owners, ambiguous):
        decided = joins.owners(holders, self.of(*numbers))
        assert (decided.owners, decided.ambiguous) == (owners, ambiguous)

    def test_u9_account_that_is_gone_there_is_nobodys_and_in_nobodys_way(self):
        old, new = self.of("1", "1")
        assert joins.owners({"1": [DANA]}, [replace(old, active=False), new]).owners == {"s-1": "dana"}
        assert joins.owners({"1": [DANA]}, [replace(old, active=False)]).owners == {}

    @pytest.mark.parametrize(
        ("number", "person", "mine"), [("1", "eli", False), ("1", "dana", True), ("2", "eli", True)]
    )
    def test_u9_number_by_which_it_was_joined_to_somebody_means_that_person(self, number, person, mine):
        accounts = self.of("1", joined_number=number, joined_person_id=person)
        decided = joins.owners({"1": [DANA]}, accounts)
        assert (decided.owners == {"s-0": "dana"}, decided.ambiguous == ("l-0",)) == (mine, not mine)


class TestJoining:
    def test_u9_account_with_somebodys_number_is_theirs(self, joined):
        assert accounts_of(joined) == BOTH
        assert audited(joined, "join_account") == [("store:s-d.reed", joined.person().id)]
        with joined.store.reading() as connection:
            assert people.owner_of(connection, STORE, "s-d.reed") == joined.person().id
            assert (
                directory_facts.of_person(connection, STORE, joined.person().id).entry.login == "d.reed@store.example"
            )

    def test_u9_joined_once_stays_joined_and_is_not_written_again(self, joined):
        assert (store_reads(joined, account("d.reed")), main_reads(joined, dana="1042")) == (
            joins.Outcome(0, 0, 1, ()),
            joins.Outcome(0, 0, 1, ()),
        )
        assert len(audited(joined, "join_account")) == 1

    def test_u9_main_directory_that_comes_later_joins_what_was_read_before(self, world):
        """It was down at the first start: whom the store's directory made of the account is not left behind."""
        store_reads(world, account("d.reed"))
        early = own_person(world, "d.reed")
        with world.store.begin() as connection:
            facts = {"system": STORE, "external_id": "s-d.reed", "locked_at": None}
            notice = notices.create(connection, world.clock.now(), "early", notices.LOCKOUT, early.id, facts)
        assert early.active and accounts_of(world) == {"okta": "00u-dana"}
        main_reads(world, dana="1042")
        assert accounts_of(world) == BOTH
        assert not own_person(world, "d.reed").active
        assert world.rows(tables.notices, id=notice)[0]["state"] == notices.DROPPED
        with pytest.raises(people.UnknownPerson):
            people.link(world.store, world.clock, "https://acme.example", "x", "d.reed@store.example", True)

    def test_u9_directory_that_was_not_read_to_its_end_joins_nobody_but_splits(self, world):
        main_reads(world, dana="1042", eli="7")
        reads(world, STORE, account("d.reed"))
        assert decide(world, may_join=False).joined == 0 and accounts_of(world) == {"okta": "00u-dana"}
        assert decide(world).joined == 1
        reads(world, STORE, account("d.reed", "7"))
        outcome = decide(world, may_join=False)
        assert (outcome.split, outcome.joined, outcome.standing) == (1, 0, 0)
        assert accounts_of(world) == {"okta": "00u-dana"} and accounts_of(world, "eli") == {"okta": "00u-eli"}

    def test_u9_setting_that_was_taken_out_splits_everybody(self, joined):
        assert decide(joined, wanted=False).split == 1
        assert accounts_of(joined) == {"okta": "00u-dana"} and own_person(joined, "d.reed").active

    def test_u9_many_are_joined_in_several_transactions(self, world, monkeypatch):
        monkeypatch.setattr(joins, "AT_ONCE", 2)
        names = [f"p{n}" for n in range(5)]
        listed = [directory_person(name, employee_number=name) for name in ("dana", "eli", "mona", *names)]
        reads(world, "okta", *listed, main=True)
        assert store_reads(world, *[account(name, name) for name in names]).joined == 5

    def test_u9_state_tells_how_many_and_who_is_ambiguous(self, joined):
        store_reads(joined, account("d.reed"), account("one", "7"), account("two", "7"))
        assert joins.state(joined.store) == {
            STORE: {"joined": 1, "ambiguous": ["one@store.example", "two@store.example"]}
        }


class TestSplitting:
    REASONS = {
        "another number there": lambda w: store_reads(w, account("d.reed", "9")),
        "no number there": lambda w: store_reads(w, account("d.reed", None)),
        "another number here": lambda w: main_reads(w, dana="9"),
        "somebody else has it here too": lambda w: main_reads(w, dana="1042", eli="1042"),
        "another account has it there too": lambda w: store_reads(w, account("d.reed"), account("twin")),
        "suspended there": lambda w: store_reads(w, account("d.reed", active=False)),
        "deleted there": lambda w: store_reads(w),
        "gone here": lambda w: TestAttacks().newcomer(w, directory_person("dana", active=False)),
    }

    @pytest.mark.parametrize("why", REASONS)
    def test_u9_account_is_split_off_when_it_is_not_surely_theirs(self, joined, why):
        dana = joined.person().id
        self.REASONS[why](joined)
        assert accounts_of(joined) == {"okta": "00u-dana"}
        assert audited(joined, "split_account") == [("store:s-d.reed", dana)]
        with joined.store.reading() as connection:
            assert people.owner_of(connection, STORE, "s-d.reed") == own_person(joined, "d.reed").id
        assert own_person(joined, "d.reed").active == (why not in ("suspended there", "deleted there"))

    def test_u9_account_that_is_somebody_elses_by_a_new_number_moves(self, joined):
        outcome = store_reads(joined, account("d.reed", "7"))
        assert (outcome.split, outcome.joined) == (1, 1)
        assert accounts_of(joined) == {"okta": "00u-dana"} and accounts_of(joined, "eli")[STORE] == "s-d.reed"

    def test_u9_account_that_comes_back_is_joined_again(self, joined):
        store_reads(joined, account("d.reed", None))
        store_reads(joined, account("d.reed"))
        assert accounts_of(joined) == BOTH

    def lost(self, world) -> None:
        store_reads(world, account("d.reed", None))

    def test_x12_old_button_does_nothing(self, joined):
        """U9: a question about an account that is not theirs any more is closed, alone or among several."""
        alone = joined.offer(subject={"act": "unlock", "system": STORE, "external_id": "s-d.reed"}, from_notice=True)
        among = joined.offer(question="all", subject={"of": [{"system": "okta"}, {"system": STORE}]}, from_notice=True)
        other = joined.offer(question="other", subject={"act": "unlock", "system": "okta"}, from_notice=True)
        self.lost(joined)
        assert [joined.state_of(offer) for offer in (alone, among, other)] == [OVERTAKEN, OVERTAKEN, OPEN]
        assert joined.unlocks.confirm(alone, "1", "of-alone") is None

    def test_u9_notice_about_it_is_not_told_any_more(self, joined):
        dana = joined.person().id
        with joined.store.begin() as connection:
            made = [
                notices.create(connection, joined.clock.now(), f"{kind}:{system}", kind, dana, {"system": system})
                for kind, system in (("lockout", STORE), ("lockout", "okta"), (notices.FOLLOW_UP, STORE))
            ]
        self.lost(joined)
        states = [joined.rows(tables.notices, id=notice)[0]["state"] for notice in made]
        assert states == [notices.DROPPED, notices.WAITING, notices.WAITING]

    def test_u9_reset_that_waits_for_a_word_or_a_code_is_void(self, joined):
        subject = {"act": "reset_mfa", "system": STORE, "external_id": "s-d.reed", "factor_ids": ["f"]}
        offer = joined.offer(question="reset_mfa", subject=subject)
        request = joined.proofs.ask(offer, "1", joined.click("dana", offer), "session-of-dana")
        self.lost(joined)
        found = joined.resets.find(request)
        assert (found.state, found.outcome, found.due_at) == ("void", "stale", None)

    def test_u9_no_code_is_sent_or_tried_for_an_account_that_was_split_off_in_that_moment(self, joined):
        """The question was made just after the split had closed all others."""
        subject = {"act": "reset_mfa", "system": STORE, "external_id": "s-d.reed", "factor_ids": ["f"]}
        self.lost(joined)
        offer = joined.offer(question="reset_mfa", subject=subject)
        request = joined.proofs.ask(offer, "1", joined.click("dana", offer), "session-of-dana")
        elsewhere = FakeSystem(joined.clock, STORE)
        prover = Prover(request, joined.person().id, "session-of-dana")
        system = replace(joined.system, key=STORE, connector=elsewhere)
        assert joined.proofs.look(system, prover).outcome == "over"
        assert joined.proofs.send(system, prover, "f") == "over" and elsewhere.calls == []

    def test_u9_wait_for_the_silent_system_and_looks_afterwards_end(self, joined):
        dana = joined.person().id
        request = self.confirmed(joined)
        values = dict(state="done", outcome="unlocked", finished_at=joined.clock.now())
        with joined.store.begin() as connection:
            outages.meet(connection, joined.clock.now(), dana, STORE, "cause")
            connection.execute(tables.requests.update().where(tables.requests.c.id == request).values(**values))
        assert Verification(joined.store, joined.clock).plan() == 1
        self.lost(joined)
        joined.clock.move(minutes=15)
        assert outages.due(joined.store, joined.clock.now()) == {}
        assert Verification(joined.store, joined.clock).due() == []

    def confirmed(self, world) -> str:
        subject = {"act": "unlock", "system": STORE, "external_id": "s-d.reed", "locked_at": None}
        return world.unlocks.confirm(world.offer("dana", "unlock", subject=subject), "1", "of-the-store")

    @pytest.mark.parametrize("act", ["unlock", "reset_mfa"])
    def test_u9_confirmed_act_looks_whose_the_account_is_before_it_calls(self, joined, act):
        world = joined
        elsewhere = FakeSystem(world.clock, STORE)
        elsewhere.add("s-d.reed", "d.reed@store.example")
        elsewhere.lock("s-d.reed")
        elsewhere.enrol("s-d.reed", FactorKind.SMS)
        system = replace(world.system, key=STORE, connector=elsewhere)
        if act == "unlock":
            acts, request = world.unlocks, self.confirmed(world)
        else:
            subject = {"act": act, "system": STORE, "external_id": "s-d.reed", "factor_ids": ["sms-0"]}
            offer = world.offer("dana", act, subject=subject)
            acts, request = world.resets, world.resets.confirm(offer, "1", world.click("dana", offer))
        self.lost(world)
        assert acts.execute(system, request) == "stale"
        assert acts.find(request).state == "refused"
        assert elsewhere.unlocked == elsewhere.removed == []
        assert not acts.find(request).called


class TestAttacks:
    """docs/security.md: what a second directory, or somebody who can write to one of both, can do."""

    def test_u9_address_and_login_of_somebodys_join_nobody_and_change_nobody(self, world):
        main_reads(world, dana="1042")
        before = world.rows(tables.people, id=world.person().id)[0]
        dana = directory_person("dana", external_id="s-evil", given_name="Not Dana", second_email="evil@store.example")
        store_reads(world, dana)
        assert world.rows(tables.people, id=before["id"])[0] == before
        assert (
            people.link(world.store, world.clock, "https://acme.example", "sub", "dana@acme.example", True).id
            == (before["id"])
        )

    @pytest.mark.parametrize("number", [None, "7"], ids=["nobody's", "joined to Eli"])
    def test_u9_account_with_the_id_of_somebodys_stands_in_nobodys_way(self, joined, number):
        """A second directory calls its account as the provider calls Dana; she signs in for the first time."""
        store_reads(joined, account("d.reed"), account("evil", number, external_id="00u-dana"))
        assert accounts_of(joined, "eli").get(STORE) == (number and "00u-dana")
        found = people.link(joined.store, joined.clock, "https://acme.example", "00u-dana", "dana@acme.example", True)
        assert found == joined.person()

    def test_u9_second_directory_cannot_let_anybody_in(self, world):
        store_reads(world, account("evil", None))
        with pytest.raises(people.UnknownPerson):
            people.link(world.store, world.clock, "https://acme.example", "x", "evil@store.example", True)

    @pytest.mark.parametrize("told", [{"active": False}, {"email": None, "login": "gone@store.example"}, None])
    def test_u9_second_directory_cannot_shut_anybody_out(self, joined, told):
        now = joined.clock.now()
        ends = now + timedelta(hours=8)
        token = sessions.create(joined.store, joined.clock, joined.person().id, "i", "s", "sid", now, ends)
        before = joined.rows(tables.people, id=joined.person().id)[0]
        store_reads(joined, *([account("d.reed", **told)] if told else []))
        assert sessions.find(joined.store, joined.clock, token)
        assert joined.rows(tables.people, id=before["id"])[0] == before

    def test_u9_second_directory_gives_away_its_own_accounts_alone(self, joined):
        """Dana's number on an account of its own: that one, or nobody's; never one of another system."""
        store_reads(joined, account("d.reed", None), account("evil"))
        assert accounts_of(joined) == {"okta": "00u-dana", STORE: "s-evil"}
        assert accounts_of(joined, "eli") == {"okta": "00u-eli"}
        store_reads(joined, account("d.reed"), account("evil"))
        assert accounts_of(joined) == {"okta": "00u-dana"}

    def test_u9_who_writes_somebodys_number_into_their_own_profile_gets_nothing(self, joined):
        """Eli can edit his number, which he should not: Dana's account is nobody's then, and not his."""
        assert main_reads(joined, dana="1042", eli="1042").ambiguous == ("d.reed@store.example",)
        assert accounts_of(joined) == {"okta": "00u-dana"} and accounts_of(joined, "eli") == {"okta": "00u-eli"}

    def newcomer(self, world, *leaver: DirectoryPerson) -> joins.Outcome:
        eli = directory_person("eli", employee_number="1042")
        reads(world, "okta", *leaver, eli, directory_person("mona"), main=True)
        return decide(world)

    LEAVERS = {
        "still listed with it": {"active": False, "employee_number": "1042"},
        "it was taken off": {"active": False},
        "has another now": {"employee_number": "2001"},
        "deleted": None,
    }

    @pytest.mark.parametrize("how_gone", LEAVERS)
    def test_u9_number_given_to_a_newcomer_does_not_give_them_the_old_account(self, joined, how_gone):
        leaver = self.LEAVERS[how_gone]
        outcome = self.newcomer(joined, *([directory_person("dana", **leaver)] if leaver else []))
        assert outcome.ambiguous == ("d.reed@store.example",)
        assert accounts_of(joined, "eli") == {"okta": "00u-eli"}

    def test_u9_number_that_was_taken_off_there_and_written_anew_means_who_has_it_now(self, joined):
        self.newcomer(joined)
        store_reads(joined, account("d.reed", None))
        store_reads(joined, account("d.reed"))
        assert accounts_of(joined, "eli")[STORE] == "s-d.reed"

    def test_x10_report_stops_every_act_on_both_accounts(self, joined):
        message = joined.say("dana", "this wasn't me")
        dana = joined.person().id
        with joined.store.begin() as connection:
            freezes.report(connection, joined.clock.now(), joined.person(), message, "lockout")
            for system in ("okta", STORE):
                assert joined.unlocks.held(connection, dana, system).verdict == "frozen"

    def test_p5_link_leads_to_no_account_that_was_split_off(self, joined):
        """A link that was made while the account was Dana's mints nothing any more."""
        passwords, dana = Passwords(joined.store, joined.clock, joined.settings), joined.person().id
        elsewhere = FakeSystem(joined.clock, STORE)
        elsewhere.add("s-d.reed", "d.reed@store.example")
        system = replace(joined.system, key=STORE, connector=elsewhere)
        with joined.store.begin() as connection:
            until = joined.clock.now() + timedelta(days=3)
            link = links.make(
                connection, joined.clock.now(), "k", dana, links.PASSWORD, STORE, None, until, way=links.MINTED
            )
        assert passwords.mint(system, link).outcome == "minted"
        store_reads(joined, account("d.reed", None))
        assert passwords.mint(system, link).outcome == "no_account"
        assert len([call for call in elsewhere.calls if call[0] == "mint_reset_link"]) == 1


NUMBERS = st.sampled_from([None, None, "1", "2", "3"])
LISTED = st.dictionaries(st.sampled_from("abc"), st.tuples(NUMBERS, st.booleans()), min_size=0, max_size=3)
READINGS = st.lists(st.tuples(st.sampled_from(["main", "other"]), LISTED, st.booleans()), min_size=1, max_size=8)
ROUNDS = count()


class TestAnySequence:
    """Whatever two directories tell, in whatever order, whole or cut short."""

    @given(READINGS)
    @how(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_u9_nobody_owns_what_is_not_surely_theirs(self, world, readings):
        number = next(ROUNDS)
        keys = {"main": f"main-{number}", "other": f"other-{number}"}
        told = {"main": {}, "other": {}}
        meant: dict[str, tuple[str | None, str]] = {}
        for which, listed, whole in readings:
            whole = self.read(world, keys, which, listed, whole)
            told[which] = listed if whole else {**told[which], **listed}
            owned = self.check(world, keys, told)
            numbers = {name: number for name, (number, _) in told["other"].items()}
            meant = {name: before for name, before in meant.items() if numbers.get(name) == before[0]}
            for name, owner in owned.items():
                # As long as an account has the number by which it was somebody's, it is nobody else's.
                assert meant.setdefault(name, (numbers[name], owner)) == (numbers[name], owner)

    def read(self, world, keys, which, listed, whole) -> bool:
        """Whether the reading counts as a whole one."""
        world.clock.move(minutes=15)
        started = world.clock.now()
        entries = [
            directory_person(name, external_id=name, given_name=which, employee_number=n, active=active)
            for name, (n, active) in listed.items()
        ]
        people.merge(world.store, world.clock, keys[which], entries, main=which == "main")
        rules = FakeDirectoryRules(world.fake, frozenset())
        directory_facts.merge(world.store, world.clock, keys[which], entries, rules, [])
        if whole:
            try:
                people.deactivate_absent(world.store, keys[which], started)
            except people.ImplausibleDirectory:
                whole = False
        joins.decide(world.store, world.clock, keys["main"], keys["other"], True, may_join=whole)
        return whole

    def check(self, world, keys, told) -> dict[str, str]:
        """Names of those who own an account of the other system, by that account's."""
        mains = {row["external_id"]: row for row in world.rows(tables.accounts, system=keys["main"])}
        others = world.rows(tables.accounts, system=keys["other"])
        names = {row["person_id"]: name for name, row in mains.items()}
        assert all(row["own_person_id"] is None for row in mains.values())
        owned = {row["external_id"]: names[row["person_id"]] for row in others if row["person_id"] in names}
        assert len(set(owned.values())) == len(owned)
        assert len({row["person_id"] for row in others}) == len(others)
        for row in others:
            own = world.rows(tables.people, id=row["own_person_id"] or row["person_id"])[0]
            assert not own["main"] and own["id"] not in names
            assert (row["external_id"] in owned) == (row["own_person_id"] is not None)
            assert own["active"] == (row["active"] and row["external_id"] not in owned)
            facts = world.rows(tables.directory_facts, system=keys["other"], external_id=row["external_id"])
            assert [fact["person_id"] for fact in facts] == [row["person_id"]]
        for row in mains.values():
            person = world.rows(tables.people, id=row["person_id"])[0]
            assert person["main"] and person["given_name"] == "main"
        for theirs, mine in owned.items():
            wanted, there = told["other"][theirs]
            assert there and wanted
            assert [n for n, (has, active) in told["other"].items() if has == wanted and active] == [theirs]
            assert [n for n, (has, _) in told["main"].items() if has == wanted] == [mine]
            assert told["main"][mine][1]
        return owned


def test_u9_number_is_not_seen_in_facts_of_who_is_gone(world):
    main_reads(world, dana="1042")
    reads(world, "okta", directory_person("eli"), directory_person("mona"), main=True)
    assert [row["employee_number"] for row in world.rows(tables.directory_facts, person_id=world.person().id)] == [None]


def test_u9_lost_numbers_are_told_in_the_directorys_own_words(joined):
    """Managers and exclusions are looked up by what the account's directory says, not by the person's other names."""
    with joined.store.reading() as connection:
        known = directory_facts.find(connection, STORE, "s-d.reed")
    assert (known.entry.email, known.person_id) == ("d.reed@store.example", joined.person().id)
