"""The daily runs: who is told on which day, once, whatever was missed, killed or answered (E1-E15, C1-C13)."""

import threading
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

import pytest

from account_access import notices, reminders
from account_access.cadence import passwords
from account_access.connectors.base import PasswordRules
from account_access.store import tables
from schedulers import contractor_expiry, deliveries, directory, password_expiry

AGE = timedelta(days=90)
UTC = timezone.utc
# The world begins on a Tuesday, November 24, at 9:00 in Los Angeles; runs are at 10:00, contractors' at 11:00.
TEN = datetime(2026, 11, 24, 18, tzinfo=UTC)
DAYS_BEFORE = (14, 7, 4, 2, 1)


@pytest.fixture(autouse=True)
def unhindered(monkeypatch):
    monkeypatch.setattr(directory, "_failed_at", {})


@pytest.fixture
def house(service, world, channel):
    """Yesterday's runs were made; passwords last 90 days."""
    world.fake.rules = PasswordRules(5, None, AGE)
    with world.store.begin() as connection:
        for name in ("run:password_expiry:okta", "run:contractor_expiry:okta"):
            connection.execute(
                tables.cursors.insert().values(name=name, value="2026-11-23", moved_at=world.clock.now())
            )
    world.service, world.channel = service, channel
    return world


def expire(world, when: datetime | None, name: str = "dana") -> None:
    """The person's password expires then; nobody else's does."""
    for other in ("dana", "eli", "mona"):
        account = world.fake.accounts[f"00u-{other}"]
        changed = when - AGE if when and other == name else world.clock.now()
        world.fake.accounts[f"00u-{other}"] = replace(account, password_changed=changed)


def at(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    """An instant by Los Angeles' winter clock."""
    return datetime(2026, month, day, hour, minute, tzinfo=UTC) + timedelta(hours=8)


def live(world, until: datetime, answer=None, step=timedelta(minutes=30)) -> list[str]:
    """Time passes, and the jobs run; returns what was said to whom, as `day hour kind`."""
    while world.clock.now() <= until:
        work(world)
        world.clock.instant += step
    return said(world)


def work(world) -> None:
    password_expiry.run(world.service)
    password_expiry.tell_at_once(world.service)
    contractor_expiry.run(world.service)
    deliveries.deliver(world.service)


def said(world) -> list[str]:
    rows = world.rows(tables.inbox)
    local = [(row["created_at"] - timedelta(hours=8), row["text"]) for row in rows]
    return [f"{when:%m-%d %H:%M} {text.rstrip('!')}" for when, text in local]


class TestReminders:
    def test_e1_e2_days_of_the_cadence_at_ten(self, house):
        expire(house, at(8, 20, month=12))
        told = live(house, at(9, 12, month=12))
        days = [date(2026, 12, 8) - timedelta(days=n) for n in DAYS_BEFORE]
        assert told == [f"{day:%m-%d} 10:00 password_expiry" for day in days] + ["12-09 10:00 password_expired"]

    def test_facts_say_which_expiry_and_which_day(self, house):
        expire(house, at(8, 20, month=12))
        live(house, at(24, 10))
        (notice,) = house.rows(tables.notices)
        assert notice["facts"] == {
            "system": "okta",
            "external_id": "00u-dana",
            "expires_at": at(8, 20, month=12).isoformat(),
            "day": "2026-11-24",
            "any_hour": False,
        }

    ANSWERS = [
        (passwords.ALREADY_UPDATED, 1),
        (passwords.DO_NOT_REMIND, 1),
        (passwords.REMIND_LATER, 2),
        (passwords.OPEN_TICKET, 5),
    ]

    @pytest.mark.parametrize(("answer", "reminders_in_all"), ANSWERS)
    def test_e3_to_e6_what_an_answer_does_to_the_rest(self, house, answer, reminders_in_all):
        expires = at(8, 20, month=12)
        expire(house, expires)
        live(house, at(24, 10))
        notice = house.rows(tables.notices)[0]
        with house.store.begin() as connection:
            reminders.record_for_expiry(
                connection, house.clock.now(), notice["person_id"], "okta", answer, "a-turn", notice["id"], expires
            )
        told = live(house, at(9, 9, month=12))
        assert len(told) == reminders_in_all

    def test_e10_link_that_led_on_ends_them(self, house):
        expires = at(8, 20, month=12)
        expire(house, expires)
        live(house, at(24, 10))
        notice = house.rows(tables.notices)[0]
        facts = {"expires_at": expires.isoformat(), "notice": notice["id"]}
        with house.store.begin() as connection:
            connection.execute(
                tables.links.insert().values(
                    id="a-link", key="k", person_id=notice["person_id"], kind=reminders.LINK, way="portal",
                    system="okta", target="https://acme.example", facts=facts, created_at=house.clock.now(),
                    expires_at=expires, clicked_at=house.clock.now(),
                )
            )  # fmt: skip
        assert len(live(house, at(9, 9, month=12))) == 1

    def test_e12_new_password_ends_them_and_the_next_expiry_starts_afresh(self, house):
        expire(house, at(8, 20, month=12))
        live(house, at(24, 12))
        expire(house, at(26, 20, month=12))
        assert live(house, at(12, 12, month=12)) == ["11-24 10:00 password_expiry", "12-12 10:00 password_expiry"]

    def test_e14_nobody_without_an_expiry_is_told(self, house):
        house.fake.rules = PasswordRules(5, None, None)
        expire(house, at(8, 20, month=12))
        assert live(house, at(9, 12, month=12)) == []

    def test_e11_the_24_hours_are_waited_for(self, house):
        house.settings.password.mode = "instructions"
        expire(house, at(26, 20))
        house.clock.instant = at(24, 10, 20)
        live(house, at(24, 11))
        live(house, at(25, 18), step=timedelta(minutes=10))
        assert said(house) == ["11-24 10:20 password_expiry", "11-25 10:20 password_expiry"]


class TestMissed:
    """E15."""

    def test_on_the_same_day_before_eight_in_the_evening(self, house):
        expire(house, at(8, 20, month=12))
        house.clock.instant = at(24, 19, 59)
        assert live(house, at(24, 20)) == ["11-24 19:59 password_expiry"]

    def test_otherwise_next_morning(self, house):
        expire(house, at(8, 20, month=12))
        house.clock.instant = at(24, 20)
        assert live(house, at(25, 12)) == ["11-25 10:00 password_expiry"]
        assert house.rows(tables.notices)[0]["facts"]["day"] == "2026-11-24"

    def test_last_one_at_any_hour_as_long_as_it_is_true(self, house):
        expire(house, at(25, 7))
        house.clock.instant = at(25, 2)
        assert live(house, at(25, 3)) == ["11-25 02:00 password_expiry"]

    def test_last_one_that_is_no_longer_true_is_the_expired_notice(self, house):
        expire(house, at(25, 7))
        house.clock.instant = at(25, 8)
        assert live(house, at(25, 12)) == ["11-25 10:00 password_expired"]

    def test_days_missed_together_are_one_reminder(self, house):
        expire(house, at(1, 20, month=12))
        house.clock.instant = at(28, 9)
        assert live(house, at(28, 12)) == ["11-28 10:00 password_expiry"]

    def test_channel_that_is_down_all_day(self, house):
        """Made at ten, but nobody could say it: next morning, in one message with what is due then."""
        expire(house, at(8, 20, month=12))
        house.channel.answer = lambda _: (500, {})
        assert live(house, at(24, 23)) == []
        house.channel.answer = house.channel.writes
        assert live(house, at(25, 12), step=timedelta(minutes=15)) == ["11-25 10:00 password_expiry"]
        assert [row["state"] for row in house.rows(tables.notices)] == ["dropped", "delivered"]

    def test_last_one_that_could_not_be_said_is_said_in_the_night(self, house):
        expire(house, at(25, 7))
        house.channel.answer = lambda _: (500, {})
        live(house, at(24, 23))
        house.channel.answer = house.channel.writes
        assert live(house, at(25, 2)) == ["11-24 23:30 password_expiry"]

    def test_directory_that_cannot_be_read_is_waited_for(self, house):
        expire(house, at(8, 20, month=12))
        house.fake.down = True
        assert live(house, at(24, 12)) == []
        house.fake.down = False
        directory._failed_at.clear()
        assert live(house, at(24, 14)) == ["11-24 12:30 password_expiry"]

    def test_e9_what_expired_before_there_were_runs_is_nobodys_news(self, house):
        with house.store.begin() as connection:
            connection.execute(tables.cursors.delete())
        expire(house, at(20, 8))
        assert live(house, at(26, 12)) == []
        (row,) = house.rows(tables.reminder_answers)
        assert row["answer"] == "taken_as_told"


class TestExpired:
    def test_e9_once_at_the_first_run_after_it(self, house):
        expire(house, at(24, 15))
        assert live(house, at(28, 12)) == ["11-25 10:00 password_expired"]

    def test_e9_immediately_by_setting(self, house):
        house.settings.password.expired_notice = "immediately"
        expire(house, at(24, 23))
        assert live(house, at(26, 12)) == ["11-24 23:00 password_expired"]

    def test_e9_stops_do_not_hold_it_back(self, house):
        expires = at(25, 15)
        expire(house, expires)
        live(house, at(24, 10))
        notice = house.rows(tables.notices)[0]
        with house.store.begin() as connection:
            reminders.record_for_expiry(
                connection, house.clock.now(), notice["person_id"], "okta", "do_not_remind", "t", notice["id"], expires
            )
        assert live(house, at(27, 12))[1:] == ["11-26 10:00 password_expired"]


class TestOnce:
    def test_two_schedulers_at_once(self, house):
        expire(house, at(8, 20, month=12))
        house.clock.instant = TEN
        directory.sync(house.service)
        threads = [threading.Thread(target=lambda: password_expiry.run(house.service)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(house.rows(tables.notices)) == 1

    def test_killed_before_the_run_was_noted(self, house, monkeypatch):
        expire(house, at(8, 20, month=12))
        house.clock.instant = TEN

        def killed(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr("schedulers.daily.finish", killed)
        with pytest.raises(KeyboardInterrupt):
            password_expiry.run(house.service)
        monkeypatch.undo()
        assert live(house, at(24, 12)) == ["11-24 10:00 password_expiry"]

    def test_n10_calls_do_not_grow_with_the_people(self, house):
        expire(house, at(8, 20, month=12))
        house.clock.instant = TEN
        password_expiry.run(house.service)
        assert [house.fake.count(name) for name in ("people", "directory_rules", "account")] == [1, 1, 0]

    def test_n2_lockout_goes_before_the_mornings_reminders(self, house):
        for n in range(3):
            with house.store.begin() as connection:
                facts = {"system": "okta", "any_hour": True, "expires_at": at(9, 9).isoformat(), "day": "2026-11-24"}
                notices.create(
                    connection, house.clock.now(), f"r{n}", reminders.PASSWORD_EXPIRY, house.person().id, facts
                )
        house.clock.move(seconds=1)
        with house.store.begin() as connection:
            notices.create(connection, house.clock.now(), "l", notices.LOCKOUT, house.person("eli").id, {})
        assert notices.due(house.store, house.clock)[0].kind == notices.LOCKOUT


def contract(world, ends: date, name: str = "eli", manager: str | None = "dana", **changes) -> None:
    """The contract of `name` ends then."""
    page = world.fake.directory[0]
    values = dict(contract_ends_on=ends, manager_login=manager and f"{manager}@acme.example", **changes)
    page[:] = [replace(p, **values) if p.external_id == f"00u-{name}" else p for p in page]


class TestContractors:
    def test_c1_c2_fixed_days_at_eleven(self, house):
        expire(house, None)
        contract(house, date(2026, 12, 8))
        days = [date(2026, 12, 8) - timedelta(days=n) for n in DAYS_BEFORE]
        assert live(house, at(9, 12, month=12)) == [f"{day:%m-%d} 11:00 contractor_expiry" for day in days]

    def test_c4_one_message_a_manager(self, house):
        contract(house, date(2026, 12, 8))
        contract(house, date(2026, 12, 1), "mona")
        live(house, at(24, 12))
        (notice,) = house.rows(tables.notices, kind="contractor_expiry")
        assert [worker["external_id"] for worker in notice["facts"]["workers"]] == ["00u-mona", "00u-eli"]

    NAMES_OF_MANAGERS = {
        "login": "DANA@acme.example",
        "address": "dana.reed@acme.example",
        "id": "00u-dana",
        "employee number": "4711",
    }

    @pytest.mark.parametrize("name", NAMES_OF_MANAGERS.values(), ids=NAMES_OF_MANAGERS)
    def test_c3_manager_is_known_by_whatever_the_directory_names_them(self, house, name):
        page = house.fake.directory[0]
        page[0] = replace(page[0], email="dana.reed@acme.example", employee_number="4711")
        contract(house, date(2026, 12, 8), manager=None)
        page[1] = replace(page[1], manager_login=name)
        live(house, at(24, 12))
        assert [row["person_id"] for row in house.rows(tables.inbox)] == [house.person().id]

    def test_c13_name_that_may_be_two_peoples_is_nobodys(self, house):
        house.settings.contractor.admins = ["mona@acme.example"]
        page = house.fake.directory[0]
        page[:] = [replace(person, employee_number="4711") for person in page]
        contract(house, date(2026, 12, 8), manager=None)
        page[1] = replace(page[1], manager_login="4711")
        live(house, at(24, 12))
        assert [row["person_id"] for row in house.rows(tables.inbox)] == [house.person("mona").id]

    def test_c11_excluded_before(self, house):
        house.settings.contractor.exclude.worker_types = ["intern"]
        contract(house, date(2026, 12, 8), worker_type="Intern")
        assert live(house, at(24, 12)) == []

    @pytest.mark.parametrize("manager", ["eli", "nobody", None])
    def test_c13_without_a_manager_the_admins_hear_of_it(self, house, caplog, manager):
        contract(house, date(2026, 12, 8), manager=manager)
        live(house, at(24, 11))
        assert said(house) == [] and "contractor.admins" in caplog.text
        assert [row["result"] for row in house.rows(tables.audit, act="contractors_without_manager")] == ["nobody told"]

    def test_c13_admins_of_the_settings(self, house):
        house.settings.contractor.admins = ["Mona@acme.example"]
        contract(house, date(2026, 12, 8), manager=None)
        assert live(house, at(24, 12)) == ["11-24 11:00 contractor_expiry"]
        assert house.rows(tables.inbox)[0]["person_id"] == house.person("mona").id

    def test_e15_missed_day_comes_next_morning_with_that_days_message(self, house):
        contract(house, date(2026, 12, 8))
        contract(house, date(2026, 12, 9), "mona")
        house.channel.answer = lambda _: (500, {})
        live(house, at(24, 23))
        house.channel.answer = house.channel.writes
        told = live(house, at(25, 15))
        assert told == ["11-25 11:00 contractor_expiry"]
        last = house.rows(tables.notices, state="delivered")[0]
        assert [worker["external_id"] for worker in last["facts"]["workers"]] == ["00u-eli", "00u-mona"]

    def test_contract_that_is_over_is_not_told_late(self, house):
        contract(house, date(2026, 11, 25))
        house.clock.instant = at(26, 9)
        assert live(house, at(26, 14)) == []
