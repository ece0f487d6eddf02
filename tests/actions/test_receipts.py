"""What have you done to my account, why do you write, and not so often, please (X14, N6)."""

import pytest

from account_access import conversation, directory_facts, freezes, notices, receipts, reminders, requests, tickets
from account_access.store import tables
from actions.receipts import PAGE, AskHistory, AskNotifications, ChangeNotifications, TellWhyNotified
from tests.account_access.world import directory_person
from tests.actions.stage import domain


def history(stage, words="what did you do?", intent="ask_history", name="dana"):
    return stage.typed(AskHistory, words, intent, name)


def lines(result) -> list[str]:
    return result.slots["receipts"].splitlines()


def unlocked(world, name="dana", question="unlock"):
    world.lock(name)
    request = world.confirmed(name, question=question)
    assert world.unlocks.execute(world.system, request) == "unlocked"


def delivered(stage, kind="lockout", **facts):
    notice = stage.notice(kind, **facts)
    stage.world.settle(notice.id, notices.DELIVERED)


class TestHistory:
    def test_x14_acts_notices_tickets_and_freezes_latest_first(self, stage):
        world = stage.world
        world.lock()
        delivered(stage)
        world.clock.move(minutes=1)
        unlocked(world, question="lockout")
        world.clock.move(minutes=1)
        with world.store.begin() as connection:
            tickets.open_ticket(connection, world.clock.now(), world.person().id, "help:1", "Help", "x")
        world.clock.move(minutes=1)
        with world.store.begin() as connection:
            freezes.report(connection, world.clock.now(), world.person(), "inbound", "x")
        result = history(stage)
        assert (result.outcome, result.responses) == ("told", ["utter_tell_history"])
        assert lines(result) == [
            "• 9:03 AM PST: stopped self-service because you said it wasn't you (AA-1003)",
            "• 9:02 AM PST: opened AA-1002 for you, which is open",
            "• 9:01 AM PST: unlocked your Okta account, because you said yes to my message (AA-1001)",
            "• 9:00 AM PST: told you that your Okta account was locked",
        ]

    def test_what_was_refused_is_told_too(self, stage):
        stage.world.lock()
        stage.world.settings.unlock.max_per_window = 0
        stage.world.unlocks.execute(stage.world.system, stage.world.confirmed())
        (line,) = lines(history(stage))
        assert "did not unlock your Okta account" in line

    def test_law_1_nobody_elses(self, stage):
        unlocked(stage.world, "eli")
        result = history(stage)
        assert (result.outcome, result.responses) == ("told", ["utter_tell_history_none"])

    def test_x14_page_after_page(self, stage):
        world = stage.world
        world.lock()
        for _ in range(2 * PAGE + 2):
            world.clock.move(hours=1)
            delivered(stage)
        first = history(stage)
        assert first.outcome == "asked" and len(lines(first)) == PAGE
        offer = stage.show(first)
        world.clock.move(hours=1)
        delivered(stage)
        second = stage.clicked(AskHistory, offer)
        assert second.outcome == "asked" and lines(second)[0] < lines(first)[-1], "what came since shifts nothing"
        offer = stage.show(second)
        third = stage.typed(AskHistory, "show more", "show_more")
        assert (third.outcome, len(lines(third))) == ("told", 2) and stage.world.state_of(offer) == "answered"

    def test_law_5_replayed_page_is_the_same(self, stage):
        world = stage.world
        world.lock()
        for _ in range(PAGE + 1):
            world.clock.move(hours=1)
            delivered(stage)
        inbound = world.click("dana", stage.show(history(stage)))
        first, second = (stage.run(AskHistory, stage.message("show_more", inbound)) for _ in range(2))
        assert lines(first) == lines(second) and len(lines(first)) == 1

    def test_x14_what_nobody_worded_is_not_hidden(self, stage, monkeypatch):
        unlocked(stage.world)
        responses = dict(domain()["responses"])
        del responses["utter_receipt_unlock_unlocked"], responses["utter_receipt_unlock_other"]
        monkeypatch.setitem(domain(), "responses", responses)
        (line,) = lines(history(stage))
        assert "no words for" in line

    @pytest.mark.parametrize(
        "name",
        [
            "unlock_unlocked",
            "unlock_relocked",
            "unlock_handed_over",
            "unlock_other",
            "notice_lockout",
            "freeze",
            "mail",
        ],
    )
    def test_every_receipt_has_its_words(self, name):
        assert f"utter_receipt_{name}" in domain()["responses"]

    def test_every_end_of_a_request_leaves_a_receipt(self, world):
        for state in requests.FINAL:
            row = dict(id=state, key=state, act="unlock", person_id=world.person().id, system="okta", external_id="x")
            row |= dict(offer_id="o", cause="c", question="unlock", state=state, called=True, outcome=state)
            row |= dict(confirmed_at=world.clock.now(), finished_at=world.clock.now(), attempts=1, follow_up_owed=False)
            with world.store.begin() as connection:
                connection.execute(tables.requests.insert().values(**row))
        with world.store.reading() as connection:
            assert len(receipts.of(connection, world.person().id, world.clock.now())) == len(requests.FINAL)


class TestWhyNotified:
    def why(self, stage):
        return stage.typed(TellWhyNotified, "why did I get this?", "ask_why_notified")

    def test_x14_when_and_by_which_rule(self, stage):
        stage.world.lock()
        delivered(stage)
        stage.world.clock.move(minutes=5)
        result = self.why(stage)
        assert (result.outcome, result.responses) == ("told", ["utter_tell_why_notified_lockout"])
        facts = {name: result.slots[name] for name in ("told_at", "locked_since", "message_limit", "message_hours")}
        assert facts == {
            "told_at": "9:00 AM PST",
            "locked_since": "9:00 AM PST",
            "message_limit": "4",
            "message_hours": "24",
        }

    @pytest.mark.parametrize("kind", [notices.FOLLOW_UP, notices.RELAPSE, notices.AVAILABLE])
    def test_x14_each_kind_has_its_reason(self, stage, kind):
        stage.world.lock()
        delivered(stage, kind)
        assert self.why(stage).responses == [f"utter_tell_why_notified_{kind}"]

    @pytest.mark.parametrize("kind", [reminders.PASSWORD_EXPIRY, reminders.PASSWORD_EXPIRED])
    def test_x14_a_passwords_reminder_names_the_expiry_and_the_days(self, stage, kind):
        stage.world.lock()
        delivered(stage, kind, expires_at="2026-12-08T05:30:00+00:00", day="2026-11-24")
        result = self.why(stage)
        assert result.responses == [f"utter_tell_why_notified_{kind}"]
        assert result.slots["password_expires"].startswith("Mon, Dec 7, 2026, 9:30")
        assert result.slots["reminder_days"] == "14, 7, 4, 2, 1"

    def test_x14_a_contractors_reminder_names_who_and_when(self, stage):
        stage.world.lock()
        world, page = stage.world, [directory_person("eli")]
        rules = world.fake.directory_rules(frozenset())
        directory_facts.merge(world.store, world.clock, "okta", page, rules, [])
        workers = [{"external_id": who, "ends_on": "2026-12-08"} for who in ("00u-eli", "00u-gone")]
        delivered(stage, reminders.CONTRACTOR_EXPIRY, workers=workers, day="2026-11-24")
        result = self.why(stage)
        assert result.responses == ["utter_tell_why_notified_contractor_expiry"]
        assert result.slots["workers_listed"] == "• Eli Reed (eli@acme.example): Tue, Dec 8, 2026"
        assert result.slots["reminder_days"] == "14, 7, 4, 2, 1"

    def test_x14_an_approval_names_who_asked(self, stage):
        world = stage.world
        offer = world.reset_offer("x", name="eli", question="approval")
        request = world.approvals.ask(offer, "1", world.click("eli", offer), world.person())
        world.lock()
        delivered(stage, notices.APPROVAL, request=request)
        result = self.why(stage)
        assert (result.responses, result.slots["requester_name"]) == (["utter_tell_why_notified_approval"], "Eli Reed")

    def test_x14_another_kind(self, stage):
        stage.world.lock()
        delivered(stage, "something_new")
        assert self.why(stage).responses == ["utter_tell_why_notified_other"]

    def test_the_last_one_counts_and_an_undelivered_one_does_not(self, stage):
        stage.world.lock()
        delivered(stage, notices.RELAPSE)
        stage.notice()
        assert self.why(stage).responses == ["utter_tell_why_notified_relapse"]

    def test_nothing_was_told(self, stage):
        assert self.why(stage).responses == ["utter_tell_why_notified_none"]


class TestNotifications:
    def say(self, stage, words):
        return stage.typed(ChangeNotifications, words, "change_notifications")

    def test_n6_said_and_undone_in_one_sentence(self, stage):
        result = self.say(stage, "fewer messages, please")
        assert (result.outcome, result.slots["message_limit"], result.slots["message_hours"]) == ("fewer", "2", "24")
        result = self.say(stage, "as usual, please")
        assert (result.outcome, result.slots["message_limit"]) == ("usual", "4")

    def test_n6_asked_where_the_words_do_not_say(self, stage):
        assert self.say(stage, "change my notification settings").outcome == "unclear"
        assert stage.world.rows(tables.preferences) == []

    @pytest.mark.parametrize(("answer", "outcome"), [("1", "fewer"), ("2", "usual")])
    def test_n6_by_the_button(self, stage, answer, outcome):
        offer = stage.show(stage.typed(AskNotifications, "change it", "change_notifications"))
        assert stage.clicked(ChangeNotifications, offer, answer).outcome == outcome
        assert stage.world.state_of(offer) == "answered"

    def test_n6_holds_the_next_notice_back(self, stage):
        world = stage.world
        for _ in range(3):
            self.say(stage, "fewer messages, please")
        world.lock()
        first = stage.notice()
        assert world.claim(first, 30)
        with world.store.begin() as connection:
            conversation.say(connection, world.clock.now(), world.person().id, first.id, 0, "x", notice_id=first.id)
        world.settle(first.id, notices.DELIVERED)
        world.clock.move(hours=30)
        second = stage.notice()
        assert not world.claim(second, 30)
        world.clock.move(hours=138)
        assert world.claim(second, 30)
