"""What the door may ask about a code: of the request's own system, for the person and session of its row (M7)."""

import asyncio
import threading
from datetime import timedelta

import pytest

from account_access.connectors.base import FactorKind
from actions import proving

CODE = "135790"


@pytest.fixture
def page(stage):
    """Dana has asked for the page; what the door says of her, and what she enters."""
    world = stage.world
    world.settings.mfa.verification = "code"
    key, app = (world.fake.enrol(world.account(), kind) for kind in (FactorKind.SECURITY_KEY, FactorKind.SMS))
    world.settings.mfa.code_factors = ["sms"]
    world.fake.codes[app] = CODE
    world.clock.move(days=2)
    offer = world.reset_offer(key, question="proof")
    request = world.proofs.ask(offer, "1", world.click("dana", offer), "session-of-dana")
    prover = {"request": request, "person": world.person().id, "session": "session-of-dana"}
    return {**prover, "factor": app, "code": CODE}


def ask(step, stage, asked):
    return asyncio.run(step(stage.runtime, asked))


def test_m7_look_send_check(stage, page):
    seen = ask(proving.look, stage, page)
    assert seen["outcome"] == "waiting" and seen["factors"] == [
        {"id": page["factor"], "kind": "sms", "name": None, "sent": True}
    ]
    assert [factor["kind"] for factor in seen["going"]] == ["security_key"]
    assert ask(proving.send, stage, page) == {"outcome": "sent"}
    assert ask(proving.check, stage, {**page, "code": "000000"}) == {"outcome": "wrong"}
    assert ask(proving.check, stage, page) == {"outcome": "proven"}
    assert ask(proving.look, stage, page)["outcome"] == "proven"


@pytest.mark.parametrize("change", [{"person": "x"}, {"session": "x"}, {"request": "x"}, {"request": None}])
def test_law1_only_the_one_who_asked(stage, page, change):
    for step in (proving.look, proving.send, proving.check):
        assert ask(step, stage, {**page, **change})["outcome"] == "over"
    assert stage.world.fake.count("code_is_right") == stage.world.fake.count("send_code") == 0


@pytest.mark.parametrize("asked", [None, [], {}, {"request": 1}, "x"])
@pytest.mark.parametrize("step", [proving.look, proving.send, proving.check])
def test_nonsense_proves_nothing(stage, page, step, asked):
    assert ask(step, stage, asked)["outcome"] == "over"


def test_system_taken_away_meanwhile(stage, page):
    del stage.runtime.systems["okta"]
    assert ask(proving.check, stage, page) == {"outcome": "over"}


def test_law4_slow_system_is_told_as_trouble(stage, page, caplog):
    caplog.set_level("DEBUG")
    stage.world.settings.conversation.turn_deadline_seconds = 1.05
    stage.world.fake.held = threading.Event()
    assert ask(proving.check, stage, page) == {"outcome": "down"}
    stage.world.fake.held.set()
    assert CODE not in caplog.text


def test_m7_page_is_over_when_its_time_is(stage, page):
    stage.world.clock.move(**{"seconds": timedelta(minutes=10).total_seconds()})
    assert ask(proving.look, stage, page)["outcome"] == "over"
