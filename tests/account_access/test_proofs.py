"""A code of another factor proves a reset: whose, which, how often, for how long; and what becomes of it (M7)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import SecretStr

from account_access import freezes, notices, tickets
from account_access.connectors.base import FactorKind, PermissionRefused, StateRefused, TemporarilyUnavailable
from account_access.proofs import Prover
from account_access.store import tables

CODE = "135790"
APP, KEY, SMS = FactorKind.GOOGLE_AUTHENTICATOR, FactorKind.SECURITY_KEY, FactorKind.SMS
SESSION = "session-of-dana"


@pytest.fixture
def world(world):
    world.settings.mfa.verification = "code"
    return world


def enrolled(world, *kinds: FactorKind) -> list[str]:
    """Factors that were enrolled long before today, whose phones show CODE."""
    ids = [world.fake.enrol(world.account(), kind, kind.value) for kind in kinds]
    world.fake.codes = dict.fromkeys(ids, CODE)
    world.clock.move(days=2)
    return ids


def asked(world, *going: str) -> str:
    """Dana said yes and has the page; the request's id."""
    offer = world.reset_offer(*going, question="proof")
    return world.proofs.ask(offer, "1", world.click("dana", offer), SESSION)


def prover(world, request: str, name: str = "dana", session: str = SESSION) -> Prover:
    return Prover(request, world.person(name).id, session)


def check(world, request: str, factor: str, code: str = CODE, **who) -> str:
    return world.proofs.check(world.system, prover(world, request, **who), factor, SecretStr(code))


def row(world) -> dict:
    return world.rows(tables.requests)[-1]


def freeze(world) -> None:
    with world.store.begin() as connection:
        freezes.report(connection, world.clock.now(), world.person(), "a-message", "A lockout notice.")


def audited(world) -> list[str]:
    return [record["result"] for record in world.rows(tables.audit, act="prove_reset")]


class TestProving:
    def test_m7_right_code_of_another_factor_is_done_by_followups_and_told(self, world):
        key, app = enrolled(world, KEY, APP)
        request = asked(world, key)
        assert (row(world)["state"], row(world)["session_id"]) == ("awaiting", SESSION)
        assert world.resets.due() == [] and world.fake.removed == []
        page = world.proofs.look(world.system, prover(world, request))
        assert (page.outcome, [f.id for f in page.factors], [f.id for f in page.going]) == ("waiting", [app], [key])
        assert check(world, request, app) == "proven"
        assert [stuck.id for stuck in world.resets.due()] == [request]
        assert world.resets.execute(world.system, request) == "mfa_reset" and world.fake.removed == [key]
        assert [n["kind"] for n in world.rows(tables.notices)] == [notices.FOLLOW_UP]
        assert audited(world) == ["proven"]

    def test_m7_single_use(self, world):
        key, app = enrolled(world, KEY, APP)
        request = asked(world, key)
        check(world, request, app)
        world.fake.codes[app] = CODE
        assert check(world, request, app) == "proven" and world.fake.codes == {key: CODE, app: CODE}, "nothing is asked"
        world.resets.execute(world.system, request)
        assert check(world, request, app) == "proven" and len(audited(world)) == 1

    def test_m7_unproven_is_never_done(self, world):
        key, _ = enrolled(world, KEY, APP)
        request = asked(world, key)
        assert world.resets.execute(world.system, request) == "still_trying" and world.fake.removed == []

    def test_m7_policy_decides_again_when_it_is_done(self, world):
        key, app = enrolled(world, KEY, APP)
        request = asked(world, key)
        check(world, request, app)
        world.fake.memberships[world.account()] = frozenset({"Okta Administrators"})
        assert world.resets.execute(world.system, request) == "mfa_human" and world.fake.removed == []

    def test_m7_a_code_is_no_managers_word(self, world):
        key, app = enrolled(world, KEY, APP)
        request = asked(world, key)
        check(world, request, app)
        world.settings.mfa.verification = "manager_approval"
        assert world.resets.execute(world.system, request) == "approval_needed" and world.fake.removed == []

    def test_law_6_no_code_is_kept_anywhere(self, world, caplog):
        caplog.set_level("DEBUG")
        key, app = enrolled(world, KEY, APP)
        request = asked(world, key)
        for code in ("246802", CODE):
            check(world, request, app, code)
        kept = str([world.rows(table) for table in tables.metadata.sorted_tables])
        assert "246802" not in kept + caplog.text and CODE not in kept + caplog.text


class TestWhoseCode:
    @pytest.mark.parametrize(
        "who",
        [
            {"name": "eli"},
            {"name": "eli", "session": "session-of-eli"},
            {"session": "another session of dana"},
            {"session": ""},
        ],
    )
    def test_m7_page_is_of_one_person_in_one_session(self, world, who):
        key, app = enrolled(world, KEY, APP)
        request = asked(world, key)
        assert check(world, request, app, **who) == "over"
        assert world.proofs.look(world.system, prover(world, request, **who)).outcome == "over"
        assert world.fake.count("code_is_right") == 0 and row(world)["code_tries"] == 0

    def test_m7_a_request_that_waits_for_nobody_cannot_be_proven(self, world):
        """One that waits for a manager, one under way, one that is unknown."""
        key, app = enrolled(world, KEY, APP)
        confirmed = world.confirmed_reset(key)
        offer = world.reset_offer(key, question="approval")
        world.approvals.ask(offer, "1", world.click("dana", offer), world.person("mona"))
        for request in (confirmed, row(world)["id"], "nothing", ""):
            assert check(world, request, app, session="") == "over"
            assert check(world, request, app) == "over"
        assert world.fake.count("code_is_right") == 0

    def test_m7_factor_that_goes_never_proves(self, world):
        (app,) = enrolled(world, APP)
        request = asked(world, app)
        assert world.proofs.look(world.system, prover(world, request)).outcome == "none"
        assert check(world, request, app) == "choose"
        assert world.fake.count("code_is_right") == 0

    @pytest.mark.parametrize("what", ["not trusted by the settings", "enrolled today", "half enrolled", "somebody's"])
    def test_m7_factor_that_does_not_count(self, world, what):
        """The settings' kinds; and no factor that whoever sits there may have just enrolled."""
        (key,) = enrolled(world, KEY)
        owner = "eli" if what == "somebody's" else "dana"
        factor = world.fake.enrol(world.account(owner), SMS if what == "not trusted by the settings" else APP)
        world.fake.codes[factor] = CODE
        if what != "enrolled today":
            world.clock.move(days=2)
        if what == "half enrolled":
            pending = [replace(each, usable=each.id != factor) for each in world.fake.enrolled[world.account()]]
            world.fake.enrolled[world.account()] = pending
        request = asked(world, key)
        assert check(world, request, factor) == "choose"
        assert world.resets.verdict(world.system, world.person().id, [key], timedelta(0), True) == "approval_needed"

    def test_m7_sms_where_the_settings_trust_it(self, world):
        world.settings.mfa.code_factors = ["sms"]
        key, sms = enrolled(world, KEY, SMS)
        request = asked(world, key)
        assert world.proofs.send(world.system, prover(world, request), sms) == "sent" and world.fake.sent == [sms]
        assert check(world, request, sms) == "proven"

    def test_m7_nothing_is_sent_to_an_app(self, world):
        key, app = enrolled(world, KEY, APP)
        request = asked(world, key)
        assert world.proofs.send(world.system, prover(world, request), app) == "choose" and world.fake.sent == []

    @pytest.mark.parametrize(
        ("has_session", "codes", "verdict"),
        [(True, True, "code_needed"), (False, True, "approval_needed"), (True, False, "approval_needed")],
    )
    def test_m7_who_cannot_prove_it_may_ask_the_manager(self, world, has_session, codes, verdict):
        key, _ = enrolled(world, KEY, APP)
        if not codes:
            world.fake.capabilities -= {"codes"}
        about = (world.system, world.person().id, [key], timedelta(0), has_session)
        assert world.resets.verdict(*about) == verdict


class TestTries:
    def test_m7_tries_are_limited_over_all_pages_of_the_day(self, world):
        key, app = enrolled(world, KEY, APP)
        first = asked(world, key)
        assert [check(world, first, app, "000000") for _ in range(2)] == ["wrong"] * 2
        second = asked(world, key)
        assert check(world, second, app, "000000") == "wrong"
        assert check(world, second, app, "000000") == "too_many"
        assert check(world, second, app) == "over", "a right one comes too late"
        assert (row(world)["state"], row(world)["outcome"]) == ("refused", "code_failed")
        assert world.resets.verdict(world.system, world.person().id, [key], timedelta(0), True) == "code_failed"
        assert world.fake.count("code_is_right") == 4
        assert audited(world) == ["wrong"] * 4 + ["refused"]
        world.clock.move(hours=24, seconds=1)
        assert world.resets.verdict(world.system, world.person().id, [key], timedelta(0), True) == "code_needed"

    def test_m7_right_codes_do_not_count(self, world):
        key, app = enrolled(world, KEY, APP)
        check(world, asked(world, key), app)
        assert row(world)["code_tries"] == 0

    def test_law_5_a_try_is_counted_before_the_system_is_asked(self, world):
        key, app = enrolled(world, KEY, APP)
        request = asked(world, key)
        world.fake.failing["code_is_right"] = TemporarilyUnavailable("down")
        assert [check(world, request, app) for _ in range(4)] == ["down"] * 4
        assert row(world)["code_tries"] == 4 and check(world, request, app) == "too_many"

    def test_m7_each_code_sent_counts(self, world):
        world.settings.mfa.code_factors = ["sms"]
        key, sms = enrolled(world, KEY, SMS)
        request = asked(world, key)
        who = prover(world, request)
        assert [world.proofs.send(world.system, who, sms) for _ in range(5)] == ["sent"] * 4 + ["too_many"]
        assert len(world.fake.sent) == 4

    @pytest.mark.parametrize(
        ("error", "outcome"),
        [
            (TemporarilyUnavailable("429", 30), "wait"),
            (TemporarilyUnavailable("503"), "down"),
            (PermissionRefused("403"), "down"),
        ],
    )
    def test_sending_in_trouble(self, world, error, outcome):
        world.settings.mfa.code_factors = ["sms"]
        key, sms = enrolled(world, KEY, SMS)
        request = asked(world, key)
        world.fake.failing["send_code"] = error
        assert world.proofs.send(world.system, prover(world, request), sms) == outcome

    def test_m7_a_system_that_believes_no_code_any_more_ends_it(self, world):
        key, app = enrolled(world, KEY, APP)
        request = asked(world, key)
        world.fake.failing["code_is_right"] = StateRefused("User Locked")
        assert check(world, request, app) == "too_many" and row(world)["outcome"] == "code_failed"

    @pytest.mark.parametrize("method", ["factors", "code_is_right"])
    def test_system_down(self, world, method):
        key, app = enrolled(world, KEY, APP)
        request = asked(world, key)
        world.fake.failing[method] = TemporarilyUnavailable("down")
        assert check(world, request, app) == "down" and row(world)["state"] == "awaiting"
        assert (world.proofs.look(world.system, prover(world, request)).outcome == "down") == (method == "factors")


class TestTime:
    def test_m7_ten_minutes(self, world):
        key, app = enrolled(world, KEY, APP)
        request = asked(world, key)
        world.clock.move(minutes=9, seconds=59)
        assert world.resets.expire_waiting() == 0
        assert world.proofs.look(world.system, prover(world, request)).outcome == "waiting"
        world.clock.move(seconds=1)
        assert check(world, request, app) == "over" and world.fake.count("code_is_right") == 0
        assert [world.resets.expire_waiting() for _ in range(2)] == [1, 0]
        assert (row(world)["state"], row(world)["outcome"]) == ("refused", "code_expired")
        assert [n["kind"] for n in world.rows(tables.notices)] == [notices.FOLLOW_UP]

    def test_who_lost_the_page_begins_anew_and_the_old_one_is_void(self, world):
        key, app = enrolled(world, KEY, APP)
        first = asked(world, key)
        assert world.resets.check(world.system, world.person().id).outcome == "several_factors"
        second = asked(world, key)
        assert check(world, first, app) == "over"
        assert world.resets.find(first).outcome == "code_replaced" and world.rows(tables.notices) == []
        (record,) = world.rows(tables.audit, act="reset_mfa")
        assert (record["result"], record["detail"]) == ("code_replaced", {"request": first})
        assert check(world, second, app) == "proven"

    def test_retry_of_the_same_message_finds_it(self, world):
        key, _ = enrolled(world, KEY, APP)
        offer = world.reset_offer(key, question="proof")
        cause = world.click("dana", offer)
        assert world.proofs.ask(offer, "1", cause, SESSION) == world.proofs.ask(offer, "1", cause, SESSION)
        assert world.proofs.ask(offer, "1", "another message", SESSION) is None
        assert len(world.rows(tables.requests)) == 1


class TestHeld:
    def test_x10_frozen_meanwhile(self, world):
        key, app = enrolled(world, KEY, APP)
        request = asked(world, key)
        freeze(world)
        assert check(world, request, app) == "held" and world.fake.count("code_is_right") == 0
        assert world.proofs.look(world.system, prover(world, request)).outcome == "held"

    def test_x10_page_from_before_a_freeze_stays_held_when_it_is_lifted(self, world):
        key, app = enrolled(world, KEY, APP)
        request = asked(world, key)
        freeze(world)
        with world.store.begin() as connection:
            (ticket,) = world.rows(tables.tickets)
            freezes.lift(connection, world.clock.now(), tickets.find(connection, ticket["id"]), "admin:sec")
        assert check(world, request, app) == "held" and world.fake.count("code_is_right") == 0

    def test_x10_frozen_after_the_code(self, world):
        key, app = enrolled(world, KEY, APP)
        request = asked(world, key)
        check(world, request, app)
        freeze(world)
        assert world.resets.execute(world.system, request) == "frozen" and world.fake.removed == []
