"""Password reminders are looked at again before they are said, and answers are kept under their expiry (E1-E14)."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from account_access import directory_facts, notices, offers, reminders
from account_access.connectors.base import PasswordRules, Status, TemporarilyUnavailable
from account_access.store import tables
from actions.reminders import (
    AskPasswordExpired,
    AskPasswordReminder,
    CheckPasswordExpiry,
    OpenReminderTicket,
    RecordReminderAnswer,
)
from tests.account_access.world import START, directory_person

# Two weeks after the day on which the world begins, a Tuesday; 9:30 in the evening in Los Angeles.
EXPIRES = datetime(2026, 12, 9, 5, 30, tzinfo=timezone.utc)
AGE = timedelta(days=90)


@pytest.fixture
def told(stage):
    """The directory says that Dana's password expires at EXPIRES."""
    password(stage, EXPIRES - AGE)
    stage.world.fake.rules = PasswordRules(5, None, AGE)
    sync(stage)
    return stage


def password(stage, changed: datetime | None) -> None:
    fake = stage.world.fake
    fake.accounts["00u-dana"] = replace(fake.accounts["00u-dana"], password_changed=changed)


def sync(stage) -> None:
    world = stage.world
    rules = world.fake.directory_rules(frozenset())
    for page in world.fake.people():
        directory_facts.merge(world.store, world.clock, "okta", page, rules, ["Service"])


def notice(stage, kind=reminders.PASSWORD_EXPIRY, day="2026-11-24", expires=EXPIRES):
    return stage.notice(kind, expires_at=expires.isoformat(), day=day, any_hour=False)


def seen_true(stage, made):
    """The schedulers looked at the account a moment ago."""
    with stage.world.store.begin() as connection:
        notices.seen_true(connection, stage.world.clock.now(), [made.id])
    return made


def ask(stage, **options):
    return stage.announced(AskPasswordReminder, notice(stage, **options))


def reminded(stage):
    """Dana was reminded; the offer in front of her."""
    made = notice(stage)
    asked = stage.announced(AskPasswordReminder, made)
    offer = stage.show(asked)
    with stage.world.store.begin() as connection:
        connection.execute(tables.inbox.update().where(tables.inbox.c.offer_id == offer.id).values(notice_id=made.id))
    return offer


class TestReminder:
    def test_e1_exact_time_in_the_persons_zone_and_our_link(self, told):
        asked = ask(told)
        assert (asked.outcome, asked.responses) == ("asked", ["utter_ask_password_reminder"])
        assert asked.slots["password_expires"] == "Tue, Dec 8, 2026, 9:30 PM PST"
        (link,) = told.world.rows(tables.links)
        assert asked.slots["reminder_link"] == f"/go/{link['id']}"
        assert (link["expires_at"], link["target"]) == (EXPIRES, "https://acme.example/portal")

    def test_e1_time_is_told_in_the_zone_of_whoever_reads_it(self, told):
        people = told.world.fake.directory
        people[0] = [directory_person("dana", time_zone="Asia/Tokyo"), *people[0][1:]]
        with told.world.store.begin() as connection:
            connection.execute(tables.people.update().values(time_zone="Asia/Tokyo"))
        assert ask(told).slots["password_expires"] == "Wed, Dec 9, 2026, 2:30 PM JST"

    @pytest.mark.parametrize("why", ["mode", "no portal"])
    def test_e11_without_a_tracked_link_there_are_instructions(self, told, why):
        if why == "mode":
            told.world.settings.password.mode = "instructions"
        else:
            told.world.settings.systems["okta"].portal_url = None
        assert ask(told).responses == ["utter_ask_password_reminder_instructions"]
        assert told.world.rows(tables.links) == []

    def test_x12_buttons_are_good_until_the_expiry(self, told):
        offer = told.show(ask(told))
        assert offer.expires_at == EXPIRES and offer.from_notice
        assert [answer.intent for answer in offer.answers] == [
            *("already_updated", "remind_later", "stop_reminding", "open_ticket")
        ]

    def test_e12_password_changed_a_minute_ago_is_not_told(self, told):
        made = notice(told)
        password(told, START)
        assert told.announced(AskPasswordReminder, made).outcome == "notice_dropped"
        assert "changed" in told.world.rows(tables.notices)[0]["reason"]

    def test_n10_account_that_was_seen_a_moment_ago_is_not_asked_again(self, told):
        made = seen_true(told, notice(told))
        told.world.fake.down = True
        assert told.announced(AskPasswordReminder, made).outcome == "asked"

    def test_e12_nor_is_a_reminder_said_that_the_directory_contradicts_since(self, told):
        made = seen_true(told, notice(told))
        password(told, START)
        sync(told)
        assert told.announced(AskPasswordReminder, made).outcome == "notice_dropped"

    def test_e14_disabled_meanwhile_is_not_told(self, told):
        fake = told.world.fake
        fake.accounts["00u-dana"] = replace(fake.accounts["00u-dana"], status=Status.SUSPENDED)
        assert ask(told).outcome == "notice_dropped"
        assert told.world.rows(tables.notices)[0]["reason"] == "disabled"

    def test_e14_locked_is_reminded(self, told):
        told.world.lock()
        assert ask(told).outcome == "asked"

    def test_expired_meanwhile_has_its_own_notice(self, told):
        told.world.clock.instant = EXPIRES
        assert ask(told).outcome == "notice_dropped"

    def test_identity_system_that_is_down_is_asked_again(self, told):
        told.world.fake.down = True
        assert ask(told).outcome == "notice_dropped"
        assert told.world.rows(tables.notices)[0]["state"] == "waiting"

    def test_second_one_of_the_same_day_is_not_said(self, told):
        reminded(told)
        assert ask(told, day="2026-11-23").outcome == "notice_dropped"
        assert told.world.rows(tables.notices)[-1]["reason"] == "reminded of this expiry today already"

    def test_day_that_is_none_of_the_cadence_is_not_told(self, told):
        assert ask(told, day="2026-11-25").outcome == "notice_dropped"


class TestAnswers:
    @pytest.mark.parametrize("title", ["1", "2", "3"])
    def test_e3_e4_e5_answers_are_kept_under_the_expiry_and_the_buttons_stay(self, told, title):
        offer = reminded(told)
        answered = told.clicked(RecordReminderAnswer, offer, title)
        assert answered.outcome == "recorded" and told.world.state_of(offer) == offers.OPEN
        (row,) = told.world.rows(tables.reminder_answers)
        assert row["expires_at"] == EXPIRES
        assert row["answer"] == ("already_updated", "remind_later", "do_not_remind")[int(title) - 1]

    def test_typed_title_is_the_same(self, told):
        reminded(told)
        assert told.typed(RecordReminderAnswer, "already updated", "already_updated").outcome == "recorded"

    def test_x3_same_button_twice_does_nothing_more_but_another_takes_effect(self, told):
        offer = reminded(told)
        outcomes = []
        for answer in ("2", "2", "1"):
            outcomes.append(told.clicked(RecordReminderAnswer, offer, answer).outcome)
            with told.world.store.begin() as connection:
                connection.execute(tables.inbound.update().values(state="answered"))
        assert outcomes == ["recorded", "repeated", "recorded"]
        assert len(told.world.rows(tables.reminder_answers)) == 2

    def test_law_5_replayed_turn_writes_one_answer_and_says_the_same(self, told):
        inbound = told.world.click("dana", reminded(told), "1")
        message = told.message("already_updated", inbound)
        assert [told.run(RecordReminderAnswer, message).outcome for _ in range(2)] == ["recorded", "recorded"]
        assert len(told.world.rows(tables.reminder_answers)) == 1

    def test_e13_button_about_an_older_password_does_nothing(self, told):
        offer = reminded(told)
        inbound = told.world.click("dana", offer, "1")
        password(told, START)
        with told.world.store.begin() as connection:
            connection.execute(tables.directory_facts.update().values(password_expires_at=START + AGE))
        answered = told.run(RecordReminderAnswer, told.message("already_updated", inbound))
        assert answered.outcome == "stale" and told.world.rows(tables.reminder_answers) == []

    def test_e13_new_password_greys_the_buttons_out(self, told):
        offer = reminded(told)
        told.world.clock.move(hours=1)
        password(told, told.world.clock.now())
        sync(told)
        assert told.world.state_of(offer) == offers.OVERTAKEN
        (row,) = told.world.rows(tables.reminder_answers)
        assert (row["answer"], row["expires_at"]) == ("password_changed", EXPIRES)

    def test_expiry_moved_by_the_directory_is_no_new_password(self, told):
        told.world.fake.rules = PasswordRules(5, None, AGE + timedelta(days=1))
        sync(told)
        assert told.world.rows(tables.reminder_answers) == []

    def test_x12_nothing_answered_is_nothing_recorded(self, told):
        assert told.typed(RecordReminderAnswer, "already updated", "already_updated").outcome == "stale"

    def test_somebody_elses_offer_is_not_answered(self, told):
        reminded(told)
        assert told.typed(RecordReminderAnswer, "already updated", "already_updated", "eli").outcome == "stale"


class TestTicket:
    def test_e6_one_ticket_for_each_expiry(self, told):
        offer = reminded(told)
        first = told.clicked(OpenReminderTicket, offer, "4")
        assert (first.outcome, first.slots["ticket_reference"]) == ("ticket_opened", "AA-1001")
        again = told.typed(OpenReminderTicket, "open a ticket", "open_ticket")
        assert (again.outcome, again.slots["ticket_reference"]) == ("ticket_known", "AA-1001")
        assert len(told.world.rows(tables.tickets)) == 1

    def test_law_5_replayed_turn_says_the_same(self, told):
        message = told.message("open_ticket", told.world.click("dana", reminded(told), "4"))
        assert [told.run(OpenReminderTicket, message).outcome for _ in range(2)] == ["ticket_opened", "ticket_opened"]

    def test_e9_expired_is_told_with_a_ticket_to_open(self, told):
        told.world.clock.instant = EXPIRES + timedelta(hours=12)
        made = notice(told, reminders.PASSWORD_EXPIRED, day="2026-12-09")
        asked = told.announced(AskPasswordExpired, made)
        assert asked.responses == ["utter_ask_password_expired"]
        offer = told.show(asked)
        assert told.clicked(OpenReminderTicket, offer, "1").outcome == "ticket_opened"

    def test_e9_new_password_before_the_notice_is_not_told(self, told):
        told.world.clock.instant = EXPIRES + timedelta(hours=12)
        made = notice(told, reminders.PASSWORD_EXPIRED, day="2026-12-09")
        password(told, EXPIRES + timedelta(hours=11))
        assert told.announced(AskPasswordExpired, made).outcome == "notice_dropped"


class TestQuestion:
    def test_days_and_date(self, told):
        asked = told.typed(CheckPasswordExpiry, "when does my password expire", "ask_password_expiry")
        assert asked.outcome == "expiry_told" and asked.slots["days_left"] == "14"
        assert asked.slots["password_expires"].startswith("Tue, Dec 8, 2026")

    @pytest.mark.parametrize(
        ("hours", "outcome"), [(-1, "expiry_near"), (0, "expiry_passed"), (-24 * 2, "expiry_told")]
    )
    def test_near_and_past(self, told, hours, outcome):
        told.world.clock.instant = EXPIRES + timedelta(hours=hours)
        assert told.typed(CheckPasswordExpiry, "when?", "ask_password_expiry").outcome == outcome

    @pytest.mark.parametrize(
        ("rules", "outcome"), [(PasswordRules(5, None, None), "expiry_never"), (None, "expiry_unknown")]
    )
    def test_never_and_unknown(self, told, rules, outcome):
        told.world.fake.rules = rules
        sync(told)
        assert told.typed(CheckPasswordExpiry, "when?", "ask_password_expiry").outcome == outcome

    def test_password_changed_since_the_directory_was_read(self, told):
        password(told, START)
        asked = told.typed(CheckPasswordExpiry, "when?", "ask_password_expiry")
        assert asked.slots["days_left"] == "90"

    def test_x6_down(self, told):
        told.world.fake.failing = {"account": TemporarilyUnavailable("503")}
        assert told.typed(CheckPasswordExpiry, "when?", "ask_password_expiry").outcome == "down"

    def test_before_the_directory_was_read(self, stage):
        assert stage.typed(CheckPasswordExpiry, "when?", "ask_password_expiry").outcome == "expiry_unknown"
