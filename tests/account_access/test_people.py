"""Who is who: sign-ins linked once and for all (law 1), the directory read page by page (N7)."""

from datetime import timedelta

import pytest

from account_access import people, sessions
from account_access.people import ImplausibleDirectory, LinkConflict, UnknownPerson
from account_access.store import tables
from tests.account_access.world import directory_person

ISSUER = "https://acme.example"


def link(world, subject="sub-dana", email="dana@acme.example", verified=True, issuer=ISSUER):
    return people.link(world.store, world.clock, issuer, subject, email, verified)


class TestLinking:
    def test_law_1_first_sign_in_links_by_a_verified_address_and_later_ones_by_the_subject(self, world):
        dana = link(world)
        assert dana.login == "dana@acme.example"
        assert link(world, email="changed@acme.example", verified=False) == dana
        assert len(world.rows(tables.identities)) == 1

    def test_address_is_compared_without_case(self, world):
        assert link(world, email="DANA@Acme.Example") == world.person()

    REFUSED = [
        ("not verified", {"verified": False}, UnknownPerson),
        ("no address", {"email": None}, UnknownPerson),
        ("nobody's address", {"email": "nobody@acme.example"}, UnknownPerson),
    ]

    @pytest.mark.parametrize(("why", "sign_in", "error"), REFUSED)
    def test_sign_in_that_names_nobody_is_refused_and_audited(self, world, why, sign_in, error):
        with pytest.raises(error):
            link(world, **sign_in)
        assert world.rows(tables.identities) == []
        assert world.rows(tables.audit, act="link_identity")[0]["result"] == "refused"

    @pytest.mark.parametrize("other", [{"subject": "sub-2"}, {"issuer": "https://elsewhere.example"}])
    def test_second_identity_for_a_linked_person_is_for_an_admin(self, world, other):
        """An address taken over must not open somebody's inbox."""
        link(world)
        with pytest.raises(LinkConflict):
            link(world, **{"subject": "sub-dana", **other})
        assert len(world.rows(tables.identities)) == 1
        assert [r["result"] for r in world.rows(tables.audit, act="link_identity")] == ["linked", "refused"]

    def test_address_that_moved_since_the_directory_was_read_does_not_move_the_person(self, world):
        """Eli has Dana's old address by now, and we have not heard of it: his subject is his account's own id."""
        with pytest.raises(LinkConflict):
            link(world, subject=world.account("eli"), email="dana@acme.example")
        assert world.rows(tables.identities) == []
        assert link(world, subject=world.account("dana"), email="dana@acme.example") == world.person()

    def test_two_people_with_one_address_are_for_an_admin(self, world):
        twin = directory_person("twin", email="dana@acme.example")
        people.merge(world.store, world.clock, "okta", [twin])
        with pytest.raises(LinkConflict):
            link(world)

    @pytest.mark.parametrize("linked_before", [True, False])
    def test_n7_inactive_person_does_not_get_in(self, world, linked_before):
        if linked_before:
            link(world)
        people.merge(world.store, world.clock, "okta", [directory_person("dana", active=False)])
        with pytest.raises(UnknownPerson):
            link(world)

    def test_address_that_moved_to_a_newcomer_links_the_newcomer(self, world):
        """Dana left the address behind; who has it now is somebody else, with an inbox of their own."""
        dana = link(world)
        moved = directory_person("dana", email="old@acme.example", active=False)
        people.merge(world.store, world.clock, "okta", [moved, directory_person("dan", email="dana@acme.example")])
        assert link(world, subject="sub-dan").id not in (dana.id, None)
        with pytest.raises(UnknownPerson):
            link(world)


class TestDirectory:
    def test_person_keeps_the_id_when_login_name_and_address_change(self, world):
        before = world.person()
        changed = directory_person("dana", login="d.reed@acme.example", email="d@acme.example", given_name="Dee")
        people.merge(world.store, world.clock, "okta", [changed])
        (after,) = people.by_login(world.store, "D.REED@acme.example")
        assert (after.id, after.given_name) == (before.id, "Dee")
        assert [r["login"] for r in world.rows(tables.accounts, person_id=before.id)] == ["d.reed@acme.example"]

    def test_account_belongs_to_its_system_and_external_id(self, world):
        with world.store.reading() as connection:
            assert people.owner_of(connection, "okta", "00u-dana") == world.person().id
            assert people.owner_of(connection, "vpn", "00u-dana") is None
            assert people.accounts_of(connection, world.person().id) == {"okta": "00u-dana"}

    def many(self, world, count):
        names = [f"p{n}" for n in range(count)]
        people.merge(world.store, world.clock, "okta", [directory_person(name) for name in names])
        return names

    def test_people_whom_a_whole_pass_did_not_name_are_gone(self, world):
        names = self.many(world, 7)
        world.clock.move(minutes=15)
        started = world.clock.now()
        staying = [directory_person(name) for name in ["eli", "mona", *names]]
        people.merge(world.store, world.clock, "okta", staying)
        assert people.deactivate_absent(world.store, "okta", started) == 1
        assert [world.person(name).active for name in ("dana", "eli")] == [False, True]
        people.merge(world.store, world.clock, "okta", [directory_person("dana")])
        assert world.person().active

    def test_list_that_lost_too_many_is_not_believed(self, world):
        self.many(world, 7)
        world.clock.move(minutes=15)
        with pytest.raises(ImplausibleDirectory, match="10 of 10"):
            people.deactivate_absent(world.store, "okta", world.clock.now())
        assert world.person().active

    def test_people_of_another_system_stay(self, world):
        people.merge(world.store, world.clock, "vpn", [directory_person("zoe", external_id="v-1")])
        world.clock.move(minutes=15)
        started = world.clock.now()
        people.merge(world.store, world.clock, "okta", [directory_person(n) for n in ("dana", "eli", "mona")])
        assert people.deactivate_absent(world.store, "okta", started) == 0
        assert world.person("zoe").active


class TestSessions:
    """N7: our session ends by time, sign-out, the provider or the directory, whichever comes first."""

    def sign_in(self, world, name="dana", sid="sid-1", hours=1):
        now = world.clock.now()
        return sessions.create(
            world.store,
            world.clock,
            world.person(name).id,
            ISSUER,
            f"sub-{name}",
            sid,
            now,
            now + timedelta(hours=hours),
        )

    def test_token_opens_its_session_and_is_not_kept(self, world):
        token = self.sign_in(world)
        found = sessions.find(world.store, world.clock, token)
        assert found.person_id == world.person().id and found.csrf
        assert token not in str(world.rows(tables.sessions))

    @pytest.mark.parametrize("token", ["", "invented"])
    def test_unknown_token_opens_nothing(self, world, token):
        self.sign_in(world)
        assert sessions.find(world.store, world.clock, token) is None

    ENDS = {
        "time": lambda world, session: world.clock.move(hours=1),
        "sign-out": lambda world, session: sessions.revoke(world.store, world.clock, session.id, "signed out"),
        "sid at the provider": lambda world, session: sessions.revoke_at_provider(
            world.store, world.clock, ISSUER, sid="sid-1"
        ),
        "subject at the provider": lambda world, session: sessions.revoke_at_provider(
            world.store, world.clock, ISSUER, subject="sub-dana"
        ),
        "directory": lambda world, session: people.merge(
            world.store, world.clock, "okta", [directory_person("dana", active=False)]
        ),
    }

    @pytest.mark.parametrize("end", ENDS)
    def test_session_ends_by(self, world, end):
        token = self.sign_in(world)
        session = sessions.find(world.store, world.clock, token)
        self.ENDS[end](world, session)
        assert sessions.find(world.store, world.clock, token) is None
        assert sessions.live(world.store, world.clock, [session.id]) == {}

    def test_sid_ends_one_session_and_a_subject_all_of_that_issuer(self, world):
        one, two = self.sign_in(world, sid="sid-1"), self.sign_in(world, sid="sid-2")
        assert sessions.revoke_at_provider(world.store, world.clock, ISSUER, sid="sid-1", subject="sub-dana") == 1
        assert sessions.find(world.store, world.clock, one) is None
        assert sessions.find(world.store, world.clock, two) is not None
        assert sessions.revoke_at_provider(world.store, world.clock, "https://other.example", subject="sub-dana") == 0
        assert sessions.revoke_at_provider(world.store, world.clock, ISSUER, subject="sub-dana") == 1

    def test_logout_that_names_nobody_ends_nobody(self, world):
        with pytest.raises(ValueError, match="sid or a subject"):
            sessions.revoke_at_provider(world.store, world.clock, ISSUER)

    def test_ending_twice_is_recorded_once(self, world):
        session = sessions.find(world.store, world.clock, self.sign_in(world))
        for _ in range(2):
            sessions.revoke(world.store, world.clock, session.id, "signed out")
        assert len(world.rows(tables.audit, act="sign_out")) == 1
