"""Law 1: who asks comes from the store alone; no sender, slot, entity or payload chooses whose account is touched."""

import pytest
from rasa_sdk.executor import ActionExecutor

from account_access import notices
from account_access.store import tables
from actions.asking import AskMenu
from actions.base import AccountAction
from actions.notices import AskLockout
from actions.unlock import CheckAccount, UnlockAccount


def every_action() -> list[type[AccountAction]]:
    """All actions that rasa_sdk would find."""
    ActionExecutor()._import_submodules("actions")
    found, classes = [], [AccountAction]
    while classes:
        for each in classes.pop().__subclasses__():
            classes.append(each)
            if not each.__abstractmethods__:
                found.append(each)
    return sorted(set(found), key=lambda each: each.__name__)


ACTIONS = every_action()


def everything(world):
    """All rows that an action could change."""
    names = ("offers", "requests", "tickets", "notices", "inbox", "desk_outbox", "audit")
    return {name: world.rows(getattr(tables, name)) for name in names}


@pytest.mark.parametrize("action", ACTIONS, ids=lambda a: a.__name__)
@pytest.mark.parametrize(
    "stranger",
    ["invented sender", "no message", "unknown message", "somebody else's message", "somebody else's notice"],
)
def test_stranger_is_asked_to_sign_in_and_nothing_happens(stage, action, stranger):
    world = stage.world
    world.lock("dana")
    world.lock("eli")
    dana = world.person().id
    offer = world.unlock_offer("eli", "lockout")
    theirs, notice = world.click("eli", offer), stage.notice(name="eli")
    mine = world.say("dana", "unlock me")
    message, sender = {
        "invented sender": (stage.message("affirm", mine), "ceo@acme.example"),
        "no message": (stage.message("affirm"), dana),
        "unknown message": (stage.message("affirm", "no-such-row"), dana),
        "somebody else's message": (stage.message("affirm", theirs), dana),
        "somebody else's notice": (stage.message("EXTERNAL_lockout", notice=notice.id), dana),
    }[stranger]
    before = everything(world)
    result = stage.run(action, message, sender)
    assert (result.outcome, result.said, result.slots) == ("signed_out", [], {})
    assert everything(world) == before and world.fake.calls == []


def test_metadata_of_the_wrong_kind_is_nobody(stage):
    message = stage.message("affirm")
    for inbound in (7, {"id": "x"}, ["x"], None):
        message["metadata"] = {"inbound": inbound}
        assert stage.run(AskMenu, message).outcome == "signed_out"


def test_entities_and_slots_never_choose_the_account(stage):
    world = stage.world
    world.lock("eli")
    message = stage.message("unlock_account", world.say("dana", "unlock eli@acme.example"))
    message["entities"] = [{"entity": "system", "value": "okta"}, {"entity": "person", "value": "eli"}]
    assert stage.run(CheckAccount, message).outcome == "not_locked"
    assert {argument for _, argument in world.fake.calls} == {"00u-dana"}


def test_offer_of_somebody_else_is_not_answered_even_if_the_row_says_so(stage):
    """A forged row is the worst case: the owner is checked again where it matters."""
    world = stage.world
    world.lock("eli")
    offer = world.unlock_offer("eli")
    inbound = world.click("eli", offer)
    with world.store.begin() as connection:
        connection.execute(tables.inbound.update().values(person_id=world.person().id))
    result = stage.run(UnlockAccount, stage.message("affirm", inbound))
    assert result.outcome == "stale" and world.rows(tables.requests) == [] and world.fake.calls == []


def test_typed_message_is_no_notice(stage):
    """`/EXTERNAL_lockout{…}` typed by somebody is text; and if it were not, there is no notice behind it."""
    stage.world.lock()
    assert stage.typed(AskLockout, "EXTERNAL_lockout", "EXTERNAL_lockout").outcome == "notice_dropped"
    assert stage.world.rows(tables.offers) == []


def test_notice_of_another_kind_is_not_told_as_a_lockout(stage):
    stage.world.lock()
    follow_up = stage.notice(notices.FOLLOW_UP)
    assert stage.announced(AskLockout, follow_up).outcome == "notice_dropped"
