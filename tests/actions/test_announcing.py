"""Notices are looked at again before anything is said (N2, N8), and promises are kept (law 4)."""

import pytest

from account_access import notices
from account_access.connectors.registry import System
from account_access.store import tables
from actions.notices import AnnounceFollowUp, AskLockout
from actions.unlock import AskAfterUnlock, AskUnlock, CheckAccount, UnlockAccount
from tests.account_access.fake_system import FakeSystem

ADMINS = frozenset({"Okta Administrators"})


def state(stage) -> tuple[str, str | None]:
    row = stage.world.rows(tables.notices)[0]
    return row["state"], row["reason"]


class TestLockout:
    def test_n2_tells_since_when_and_asks(self, stage):
        since = stage.world.lock()
        notice = stage.notice()
        stage.world.clock.move(minutes=1)
        asked = stage.announced(AskLockout, notice)
        assert (asked.outcome, asked.responses) == ("asked", ["utter_ask_lockout"])
        assert asked.said[0][1]["notice"] == notice.id and asked.slots["locked_since"] == "9:00 AM PST"
        offer = stage.show(asked)
        assert [answer.title for answer in offer.answers] == ["Yes", "No", "This wasn't me"] and offer.from_notice
        assert offer.subject["locked_at"] == since.isoformat()

    @pytest.mark.parametrize("situation", ["protected", "limited", "instructions"])
    def test_stands_also_where_the_yes_will_lead_elsewhere(self, stage, situation):
        """I2: the instructions come only after the yes."""
        stage.world.lock()
        if situation == "protected":
            stage.world.fake.memberships["00u-dana"] = ADMINS
        elif situation == "limited":
            stage.world.settings.unlock.max_per_window = 0
        else:
            stage.world.settings.systems["okta"].unlock = "instructions"
        assert stage.announced(AskLockout, stage.notice()).outcome == "asked"

    def test_n8_over_by_now_is_not_told(self, stage):
        stage.world.lock()
        notice = stage.notice()
        stage.world.fake.unlock_elsewhere("00u-dana")
        assert stage.announced(AskLockout, notice).outcome == "notice_dropped"
        assert state(stage) == ("dropped", "not locked any more when it was about to be told")

    def test_n9_locked_anew_has_its_own_notice(self, stage):
        stage.world.lock()
        notice = stage.notice()
        stage.world.clock.move(hours=1)
        stage.world.lock()
        assert stage.announced(AskLockout, notice).outcome == "notice_dropped"
        assert state(stage)[0] == "dropped" and "anew" in state(stage)[1]

    def test_who_asked_first_is_not_told_again(self, stage):
        stage.world.lock()
        message = stage.message("unlock_account", stage.world.say("dana", "unlock me"))
        stage.run(CheckAccount, message)
        stage.show(stage.run(AskUnlock, message))
        assert stage.announced(AskLockout, stage.notice()).outcome == "notice_dropped"
        assert "asked first" in state(stage)[1]

    @pytest.mark.parametrize("trouble", ["down", "gone"])
    def test_what_is_not_known_to_be_true_is_not_said_but_tried_again(self, stage, trouble):
        stage.world.lock()
        notice = stage.notice()
        stage.world.fake.down = trouble == "down"
        if trouble == "gone":
            del stage.world.fake.accounts["00u-dana"]
        assert stage.announced(AskLockout, notice).outcome == "notice_dropped"
        assert state(stage) == ("waiting", None)

    def test_lockout_of_another_system_is_looked_for_there_and_named(self, stage):
        world = stage.world
        section = world.settings.systems["okta"].copy(update={"name": "VPN"})
        stage.runtime.systems["vpn"] = System("vpn", section, FakeSystem(world.clock, "vpn"), world.system.pool)
        elsewhere = stage.runtime.systems["vpn"].connector
        elsewhere.add("v-dana", "dana")
        world.give("dana", "vpn", "v-dana")
        since = elsewhere.lock("v-dana")
        notice = stage.notice(system="vpn", external_id="v-dana", locked_at=since.isoformat())
        asked = stage.announced(AskLockout, notice)
        assert asked.slots["system_name"] == "VPN"
        assert stage.clicked(UnlockAccount, stage.show(asked)).outcome == "unlocked"
        assert elsewhere.unlocked == ["v-dana"] and world.fake.calls == []

    def test_replayed_notice_asks_the_same_question(self, stage):
        stage.world.lock()
        notice = stage.notice()
        assert stage.announced(AskLockout, notice).said == stage.announced(AskLockout, notice).said
        assert len(stage.world.rows(tables.offers)) == 1


class TestFollowUp:
    def promised(self, stage, before_it_ends=lambda world: None):
        """An unlock that was promised to be told about, and has ended."""
        world = stage.world
        world.lock()
        request = world.confirmed()
        world.fake.down = True
        world.unlocks.execute(world.system, request)
        world.unlocks.promise(request)
        world.fake.down = False
        before_it_ends(world)
        world.clock.move(minutes=1)
        world.unlocks.execute(world.system, request)
        with world.store.reading() as connection:
            return notices.find(connection, world.rows(tables.notices)[0]["id"])

    def relocked(world):
        world.fake.relocking = True

    def lying(world):
        world.fake.lying = True

    def elsewhere(world):
        world.fake.unlock_elsewhere("00u-dana")

    def protected(world):
        world.fake.memberships["00u-dana"] = ADMINS

    @pytest.mark.parametrize(
        ("meanwhile", "outcome", "reference"),
        [
            (lambda world: None, "unlocked", "AA-1001"),
            (relocked, "relocked", "AA-1001"),
            (lying, "failed", None),
            (elsewhere, "already_unlocked", None),
            (protected, "human", None),
        ],
    )
    def test_tells_how_it_ended(self, stage, meanwhile, outcome, reference):
        result = stage.announced(AnnounceFollowUp, self.promised(stage, meanwhile))
        assert (result.outcome, result.slots.get("ticket_reference")) == (outcome, reference)

    def test_asks_how_it_went(self, stage):
        notice = self.promised(stage)
        stage.announced(AnnounceFollowUp, notice)
        result = stage.announced(AskAfterUnlock, notice)
        assert result.outcome == "asked" and result.said[0][1]["notice"] == notice.id

    def test_lockout_that_was_another_by_then_is_told_by_its_own_notice(self, stage):
        def anew(world):
            world.clock.move(minutes=1)
            world.lock()

        notice = self.promised(stage, anew)
        assert stage.announced(AnnounceFollowUp, notice).outcome == "notice_dropped"
        assert state(stage) == ("dropped", "ended as stale, which is not told later")

    def test_lockout_is_no_follow_up(self, stage):
        stage.world.lock()
        assert stage.announced(AnnounceFollowUp, stage.notice()).outcome == "notice_dropped"
