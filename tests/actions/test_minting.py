"""The door's one call: a one-time link for a link that its owner has just clicked, for no other (P5, laws 3, 7)."""

import asyncio
import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from account_access import links
from actions import minting


@pytest.fixture
def minted(stage):
    """A stage whose system mints."""
    settings = stage.world.system.settings.copy(update={"password_reset": "minted"})
    stage.runtime.systems["okta"] = replace(stage.world.system, settings=settings)
    return stage


def link(stage, clicked=True, name="dana"):
    world = stage.world
    with world.store.begin() as connection:
        made = stage.runtime.passwords.link(connection, "cause", world.person(name).id, stage.runtime.systems["okta"])
        return links.click(connection, world.clock.now(), made) if clicked else made


def ask(stage, asked):
    return asyncio.run(minting.mint(stage.runtime, asked))


def asked_for(stage, made, person="dana"):
    return ask(stage, {"link": made.id, "person": stage.world.person(person).id})


def calls(stage):
    return stage.world.fake.count("mint_reset_link")


def test_p5_owners_press_gets_the_link(minted):
    answer = asked_for(minted, link(minted))
    assert answer["outcome"] == "minted" and answer["target"].startswith("https://acme.example/reset_password/")


def test_law7_nothing_without_the_owners_click(minted):
    assert asked_for(minted, link(minted, clicked=False)) == {"outcome": "no_account"} and calls(minted) == 0


def test_law1_nothing_for_somebody_else(minted):
    assert asked_for(minted, link(minted), "eli") == {"outcome": "no_account"} and calls(minted) == 0


def test_p5_nothing_after_five_minutes(minted):
    made = link(minted)
    minted.world.clock.move(minutes=5)
    assert asked_for(minted, made) == {"outcome": "no_account"} and calls(minted) == 0


def test_law7_portals_link_mints_nothing(stage):
    assert asked_for(stage, link(stage)) == {"outcome": "no_account"} and calls(stage) == 0


@pytest.mark.parametrize("asked", [None, [], {}, {"link": 1}, {"link": "x", "person": "y"}])
def test_nonsense_mints_nothing(minted, asked):
    link(minted)
    assert ask(minted, asked) == {"outcome": "no_account"} and calls(minted) == 0


def test_p5_refusal_has_no_link(minted):
    minted.world.fake.memberships["00u-dana"] = frozenset({"Okta Administrators"})
    assert asked_for(minted, link(minted)) == {"outcome": "password_human"}


def test_system_taken_away_meanwhile(minted):
    made = link(minted)
    del minted.runtime.systems["okta"]
    assert asked_for(minted, made) == {"outcome": "instructions"}


def test_law4_slow_system_is_told_as_trouble(minted):
    minted.world.settings.conversation.turn_deadline_seconds = 1.05
    minted.world.fake.held = threading.Event()
    assert asked_for(minted, link(minted)) == {"outcome": "down"}
    minted.world.fake.held.set()


def test_lifetime_of_the_link_is_the_settings(minted):
    assert link(minted, clicked=False).good_for_seconds == timedelta(minutes=5).total_seconds()
