"""What waits for later: requests stuck half way, and what the desk still has to hear (law 5, U7, X6)."""

import threading
import time

import pytest
from sqlalchemy import update

from account_access import notices, outages, requests, tickets
from account_access.connectors.registry import System
from account_access.store import claims, tables
from schedulers import __main__ as command
from schedulers import directory, followups
from tests.account_access.fake_system import FakeSystem, Killed
from tests.account_access.smtp_stand_in import serving
from tests.account_access.world import directory_person


class TestRequests:
    def test_request_whose_turn_died_is_finished(self, service, world):
        world.lock()
        world.confirmed()
        assert followups.finish_requests(service) == 0, "its turn may still be at it"
        world.clock.move(seconds=requests.GRACE_SECONDS)
        assert followups.finish_requests(service) == 1
        assert world.fake.unlocked == ["00u-dana"]
        assert followups.finish_requests(service) == 0

    def test_x6_system_that_comes_back(self, service, world):
        world.lock()
        request = world.confirmed()
        world.fake.down = True
        world.unlocks.execute(world.system, request)
        world.unlocks.promise(request)
        world.clock.move(seconds=5)
        followups.finish_requests(service)
        assert world.rows(tables.notices) == []
        world.fake.down = False
        world.clock.move(seconds=10)
        followups.finish_requests(service)
        assert [row["kind"] for row in world.rows(tables.notices)] == [notices.FOLLOW_UP]

    def killed_while_executing(self, world) -> str:
        """A request whose runner is killed at its first call; its claim stands."""
        world.lock()
        request = world.confirmed()
        world.fake.dies_at_call = len(world.fake.calls) + 1
        with pytest.raises(Killed):
            world.unlocks.execute(world.system, request)
        world.fake.dies_at_call = None
        (row,) = world.rows(tables.requests)
        assert (row["state"], row["claimed_until"] > world.clock.now()) == ("executing", True)
        return request

    def test_law_5_stuck_in_executing_is_taken_up_when_its_claim_is_over_and_not_before(self, service, world):
        self.killed_while_executing(world)
        world.clock.move(seconds=requests.CLAIM_SECONDS - 1)
        assert followups.finish_requests(service) == 0, "whoever claimed it may still be at it"
        assert world.rows(tables.requests)[0]["state"] == "executing"
        world.clock.move(seconds=1)
        assert followups.finish_requests(service) == 1
        assert world.fake.unlocked == ["00u-dana"]
        assert world.rows(tables.requests)[0]["state"] == "done"

    def test_law_5_schedulers_that_start_release_what_the_dead_left_executing(self, service, world, monkeypatch):
        """Nobody waits two minutes for the claim of a process that is gone."""
        request = self.killed_while_executing(world)
        host, pid, started = claims.holder().rsplit(":", 2)
        with world.store.begin() as connection:
            gone = f"{host}:{pid}:{int(started) - 1}"
            connection.execute(update(tables.requests).values(claimed_by=gone))
        monkeypatch.setattr(command, "run", lambda service, jobs: None)
        world.clock.move(seconds=requests.GRACE_SECONDS)
        assert followups.finish_requests(service) == 0
        command.watch(service)
        assert followups.finish_requests(service) == 1
        assert world.unlocks.find(request).state == "done"

    def test_system_that_the_settings_no_longer_have_is_reported(self, service, world, caplog):
        world.lock()
        request = world.confirmed()
        world.clock.move(minutes=1)
        service.systems.clear()
        followups.finish_requests(service)
        assert request in caplog.text and "no longer have" in caplog.text

    def test_law_4_slow_system_holds_up_no_other(self, service, world):
        """Both are started before either is waited for."""
        world.lock()
        world.confirmed()
        other = FakeSystem(world.clock, "vpn")
        other.add("v-eli", "eli")
        world.give("eli", "vpn", "v-eli")
        since = other.lock("v-eli")
        service.systems["vpn"] = System("vpn", world.settings.systems["okta"], other, world.system.pool)
        subject = {"act": "unlock", "system": "vpn", "external_id": "v-eli", "locked_at": since.isoformat()}
        world.unlocks.confirm(world.offer("eli", "unlock", subject=subject), "1", "inbound-of-eli")
        world.clock.move(minutes=1)
        world.fake.held = threading.Event()
        running = threading.Thread(target=followups.finish_requests, args=[service])
        running.start()
        deadline = time.monotonic() + 5
        while not other.unlocked and time.monotonic() < deadline:
            time.sleep(0.01)
        early = list(other.unlocked), list(world.fake.unlocked)
        world.fake.held.set()
        running.join(10)
        assert early == (["v-eli"], [])
        assert world.fake.unlocked == ["00u-dana"]


class BrokenDesk:
    """A desk that fails so many times, and takes it before or without saying so."""

    def __init__(self, desk, failures, takes=False):
        self.desk, self.failures, self.takes = desk, failures, takes

    def take(self, event):
        if self.failures:
            self.failures -= 1
            if self.takes:
                self.desk.take(event)
            raise RuntimeError("503")
        return self.desk.take(event)


class TestDesk:
    def opened(self, world):
        with world.store.begin() as connection:
            now = world.clock.now()
            ticket = tickets.open_ticket(connection, now, world.person().id, "help:1", "Help", "Facts")
            tickets.change_state(connection, now, ticket, tickets.RESOLVED, "done", "k")

    def heard(self, world):
        return [entry["event"] for entry in world.rows(tables.desk_entries)]

    def drained(self, service, world):
        for _ in range(10):
            followups.empty_desk_outbox(service)
            world.clock.move(seconds=300)
        return self.heard(world)

    def test_desk_hears_in_order(self, service, world):
        self.opened(world)
        assert [followups.empty_desk_outbox(service) for _ in range(3)] == [1, 1, 0]
        assert self.heard(world) == ["open", "resolve"]
        assert world.rows(tables.tickets)[0]["remote_reference"] == "AA-1001"

    @pytest.mark.parametrize("takes", [False, True], ids=["refuses", "takes it and does not say so"])
    def test_desk_that_fails_hears_it_later_and_once(self, service, world, takes):
        self.opened(world)
        service.desk = BrokenDesk(service.desk, 3, takes)
        assert followups.empty_desk_outbox(service) == 0
        assert followups.empty_desk_outbox(service) == 0, "after a pause"
        assert self.drained(service, world) == ["open", "resolve"]
        assert world.rows(tables.desk_tickets)[0]["state"] == "resolved"


class TestDirectory:
    def test_n7_everyone_is_read(self, service, world):
        world.fake.directory = [[directory_person("zoe")], [directory_person("dana", given_name="Dee")]]
        assert directory.sync(service) == 2
        assert (world.person("zoe").active, world.person().given_name) == (True, "Dee")

    def test_who_is_gone_is_no_longer_active(self, service, world):
        world.clock.move(minutes=15)
        world.fake.directory = [[directory_person(name) for name in ("dana", "eli")]]
        directory.sync(service)
        assert [world.person(name).active for name in ("dana", "mona")] == [True, False]

    def test_list_that_is_cut_deactivates_nobody(self, service, world, caplog):
        world.clock.move(minutes=15)
        world.fake.directory = [[]]
        directory.sync(service)
        assert world.person().active and "nobody was deactivated" in caplog.text

    def test_system_that_fails_half_way_deactivates_nobody(self, service, world):
        world.clock.move(minutes=15)
        world.fake.down = True
        assert directory.sync(service) == 0 and world.person().active


class TestOutages:
    """X6: who met a silent system is told once it is back."""

    def met(self, world, name="dana"):
        with world.store.begin() as connection:
            return outages.meet(connection, world.clock.now(), world.person(name).id, "okta", f"inbound-of-{name}")

    def told(self, world):
        return [row["facts"]["system"] for row in world.rows(tables.notices, kind=notices.AVAILABLE)]

    def test_x6_told_once_when_it_is_back(self, service, world):
        assert self.met(world)
        world.fake.down = True
        for _ in range(3):
            world.clock.move(seconds=20)
            assert followups.tell_when_back(service) == 0
        world.fake.down = False
        world.clock.move(seconds=20)
        assert [followups.tell_when_back(service) for _ in range(2)] == [1, 0]
        assert self.told(world) == ["okta"]

    def test_everybody_by_one_question(self, service, world):
        for name in ("dana", "eli", "mona"):
            self.met(world, name)
        world.clock.move(seconds=20)
        assert followups.tell_when_back(service) == 3 and world.fake.count("account") == 1

    def test_not_asked_again_too_soon(self, service, world):
        self.met(world)
        assert followups.tell_when_back(service) == 0 and world.fake.calls == []

    def test_who_waits_already_waits_once(self, service, world):
        assert [self.met(world), self.met(world)] == [True, False]

    def test_account_that_is_gone_is_an_answer(self, service, world):
        self.met(world)
        del world.fake.accounts["00u-dana"]
        world.clock.move(seconds=20)
        assert followups.tell_when_back(service) == 1

    def test_after_a_day_nobody_waits_any_more(self, service, world):
        self.met(world)
        world.clock.move(hours=25)
        assert followups.tell_when_back(service) == 0 and world.rows(tables.outages)[0]["over_at"]


class TestLookingAgain:
    """X8, in the schedulers' rounds; what each look does is tested with the domain."""

    def test_x8_act_is_looked_at(self, service, world):
        world.lock()
        world.unlocks.execute(world.system, world.confirmed())
        assert followups.verify_acts(service) == 0
        world.clock.move(minutes=2)
        assert [followups.verify_acts(service) for _ in range(2)] == [1, 0]

    def test_system_that_the_settings_no_longer_have_is_reported(self, service, world, caplog):
        world.lock()
        world.unlocks.execute(world.system, world.confirmed())
        world.clock.move(minutes=2)
        service.systems.clear()
        assert followups.verify_acts(service) == 0 and "no longer have" in caplog.text

    def test_m7_mails_go_out(self, service, world):
        world.lock()
        world.unlocks.execute(world.system, world.confirmed())
        with serving() as server:
            section = world.settings.mail
            section.server, section.security, section.sender = server.address, "none", "aa@acme.example"
            assert [followups.send_mails(service) for _ in range(2)] == [1, 0]
            assert len(server.mails) == 1

    def test_more_mails_than_the_minute_allows_wait(self, service, world):
        """Exchange Online takes 30 a minute; what waits is no try."""
        world.settings.schedulers.per_minute = {"web": None, "mail": 1}
        for name in ("dana", "eli"):
            world.lock(name)
            world.unlocks.execute(world.system, world.confirmed(name))
        with serving() as server:
            section = world.settings.mail
            section.server, section.security, section.sender = server.address, "none", "aa@acme.example"
            assert [followups.send_mails(service) for _ in range(2)] == [1, 0]
            assert sorted(row["attempts"] for row in world.rows(tables.mails)) == [0, 1]
            world.clock.move(minutes=1)
            assert followups.send_mails(service) == 1 and len(server.mails) == 2
