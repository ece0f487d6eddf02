"""The owner hears by mail of each act (M7): against a server that speaks SMTP, never twice, whatever happens."""

import pytest
from sqlalchemy import update

from account_access import audit, mail, people, words
from account_access.connectors.base import FactorKind, TemporarilyUnavailable
from account_access.mail import Mails
from account_access.store import claims, tables
from account_access.verification import LASTING
from tests.account_access.smtp_stand_in import serving
from tests.account_access.world import directory_person

BOTH = ["dana@acme.example", "dana@home.example"]


@pytest.fixture
def server(world):
    with serving() as running:
        world.settings.mail.server = running.address
        world.settings.mail.security = "none"
        world.settings.mail.sender = "account-access@acme.example"
        yield running


@pytest.fixture
def unlocked(world):
    """Dana was unlocked; the directory has a second address of hers."""
    people.merge(world.store, world.clock, "okta", [directory_person("dana", second_email=BOTH[1])])
    world.lock()
    assert world.unlocks.execute(world.system, world.confirmed()) == "unlocked"


def round_of(world) -> int:
    """What the schedulers do every few seconds."""
    mails = Mails(world.store, world.clock, world.settings)
    mails.settle_the_dead()
    mails.plan()
    return sum(mails.send(each) for each in mails.due())


def states(world) -> list[str]:
    return [row["state"] for row in world.rows(tables.mails)]


class TestSending:
    def test_m7_owner_hears_at_every_address_of_theirs(self, world, server, unlocked):
        assert round_of(world) == 2
        assert [message["To"] for message in server.mails] == BOTH
        text = server.mails[0].get_payload(decode=True).decode()
        for fact in ("Dana", "Okta", "AA-1001", "Tue, Nov 24, 2026, 9:00 AM PST"):
            assert fact in text + server.mails[0]["Subject"]
        assert server.mails[0]["From"] == "account-access@acme.example" and server.mails[0]["Auto-Submitted"]
        assert states(world) == ["sent", "sent"]

    def test_once(self, world, server, unlocked):
        round_of(world)
        assert round_of(world) == 0 and len(server.mails) == 2

    def test_what_changed_nothing_is_not_told(self, world, server):
        world.lock()
        request = world.confirmed()
        world.fake.unlock_elsewhere("00u-dana")
        world.unlocks.execute(world.system, request)
        assert round_of(world) == 0

    def test_m7_a_reset_done_by_half_is_told(self, world, server):
        request = world.confirmed_reset("a-factor")
        with world.store.begin() as connection:
            ended = dict(state="done", outcome="mfa_handed_over", finished_at=world.clock.now())
            connection.execute(update(tables.requests).where(tables.requests.c.id == request).values(**ended))
        assert round_of(world) == 1 and "was reset" in server.mails[0]["Subject"]

    @pytest.mark.parametrize("silent", ["half way", "from the beginning"])
    def test_x10_a_system_silent_until_the_give_up_is_told_if_it_was_asked(self, world, server, monkeypatch, silent):
        """Its first call removed a factor, and it never said another word; or it was never asked to do anything."""
        first, second = (world.fake.enrol(world.account(), kind) for kind in (FactorKind.SECURITY_KEY, FactorKind.SMS))
        remove = world.fake.remove_factor

        def falls_silent(account, factor):
            remove(account, factor)
            world.fake.down = True

        monkeypatch.setattr(world.fake, "remove_factor", falls_silent)
        world.fake.down = silent == "from the beginning"
        request = world.confirmed_reset(first, second)
        while world.resets.execute(world.system, request) == "still_trying":
            assert round_of(world) == 0, "told before it was over"
            world.clock.move(minutes=10)
        assert world.resets.find(request).outcome == "mfa_handed_over"
        asked = silent == "half way"
        assert round_of(world) == int(asked) and len(world.fake.removed) == int(asked)
        if asked:
            (told,) = server.mails
            text = told.get_payload(decode=True).decode()
            assert "may have been reset" in told["Subject"] and "AA-1001" in text and "this wasn't me" in text

    def test_x10_an_unlock_that_may_have_been_done_is_told_as_such(self, world, server, monkeypatch):
        def falls_silent(account):
            world.fake.down = True
            raise TemporarilyUnavailable("no answer")

        monkeypatch.setattr(world.fake, "unlock", falls_silent)
        world.lock()
        request = world.confirmed()
        while world.unlocks.execute(world.system, request) == "still_trying":
            world.clock.move(minutes=10)
        assert round_of(world) == 1 and "may have been unlocked" in server.mails[0]["Subject"]

    def test_off_without_a_server(self, world, unlocked):
        assert round_of(world) == 0 and world.rows(tables.mails) == []

    def test_x7_is_audited(self, world, server, unlocked):
        round_of(world)
        assert [r["result"] for r in audit.about(world.store, world.person().id) if r["act"] == "mail"] == ["sent"] * 2

    @pytest.mark.parametrize("act", [f"{act}{ending}" for act in LASTING for ending in ("", "_unsure")])
    def test_each_act_has_its_words_with_a_subject(self, act):
        facts = dict.fromkeys(("person_name", "system_name", "at", "ticket_reference"), "x")
        subject, _, text = words.fill(words.responses(), f"utter_mail_{act}", facts).partition("\n")
        assert subject and text.strip()


class TestBadDays:
    @pytest.mark.parametrize("trouble", ["full", "refuses", "away"])
    def test_what_was_surely_not_sent_is_sent_later(self, world, server, unlocked, trouble):
        server.trouble = trouble
        address, world.settings.mail.server = server.address, "127.0.0.1:1" if trouble == "away" else server.address
        assert round_of(world) == 0 and states(world) == ["waiting", "waiting"]
        assert round_of(world) == 0, "not at once"
        server.trouble, world.settings.mail.server = "", address
        world.clock.move(minutes=1)
        assert round_of(world) == 2 and len(server.mails) == 2

    def test_server_that_never_takes_it_ends_with_an_admin(self, world, server, unlocked, caplog):
        server.trouble = "full"
        for _ in range(mail.MAX_ATTEMPTS):
            round_of(world)
            world.clock.move(hours=1)
        assert states(world) == ["dead", "dead"] and "is dead" in caplog.text
        assert round_of(world) == 0

    def test_law_11_what_may_have_been_sent_is_never_sent_again(self, world, server, unlocked, caplog):
        server.trouble = "vanishes"
        assert round_of(world) == 0 and states(world) == ["unsure", "unsure"]
        server.trouble = ""
        world.clock.move(hours=2)
        assert round_of(world) == 0 and len(server.mails) == 2 and "may have been sent" in caplog.text

    def test_law_11_killed_with_one_under_way(self, world, server, unlocked, monkeypatch):
        class Killed(BaseException):
            pass

        def dies(name):
            raise Killed

        monkeypatch.setattr(mail.faults, "point", dies)
        with pytest.raises(Killed):
            round_of(world)
        monkeypatch.undo()
        with world.store.begin() as connection:
            connection.execute(update(tables.mails).values(claimed_by="another-host:1:1"))
        assert len(server.mails) == 1
        assert round_of(world) == 1, "the other address"
        world.clock.move(seconds=mail.CLAIM_SECONDS)
        round_of(world)
        assert sorted(states(world)) == ["sent", "unsure"] and len(server.mails) == 2

    def test_two_schedulers_send_one(self, world, server, unlocked):
        first, second = (Mails(world.store, world.clock, world.settings) for _ in range(2))
        first.plan()
        (one, _other) = first.due()
        assert [first.send(one), second.send(one)] == [True, False] and len(server.mails) == 1

    def test_claims_of_the_dead_are_released(self):
        assert tables.mails in claims.CLAIMED and tables.checks in claims.CLAIMED
