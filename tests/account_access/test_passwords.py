"""Forgotten passwords: which way there is, whose link it is, and a minted one only after policy (P1-P6, law 7)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from account_access import freezes, links
from account_access.connectors.base import (
    AccountNotFound,
    OutcomeUnknown,
    PermissionRefused,
    StateRefused,
    Status,
    TemporarilyUnavailable,
)
from account_access.connectors.registry import System
from account_access.naming import systems_named
from account_access.passwords import Passwords, page, way
from account_access.store import tables

PROTECTED = frozenset({"Okta Administrators"})


def system(world, **changes):
    return replace(world.system, settings=world.system.settings.copy(update=changes))


def passwords(world):
    return Passwords(world.store, world.clock, world.settings)


def link(world, of, cause="cause-1"):
    with world.store.begin() as connection:
        return passwords(world).link(connection, cause, world.person().id, of)


class TestWay:
    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({}, ("portal", "https://acme.example/portal")),
            ({"password_url": "https://acme.example/forgot"}, ("portal", "https://acme.example/forgot")),
            ({"portal_url": None}, ("instructions", None)),
            ({"password_reset": "instructions"}, ("instructions", "https://acme.example/portal")),
            ({"password_reset": "minted"}, ("minted", None)),
        ],
    )
    def test_p2_p5_settings_decide(self, world, changes, expected):
        assert (way(system(world, **changes)), page(system(world, **changes))) == expected

    def test_g5_no_minting_where_the_system_cannot(self, world):
        world.fake.capabilities = frozenset()
        assert way(system(world, password_reset="minted")) == "instructions"


class TestLook:
    def test_p1_portal_can_be_offered(self, world):
        assert passwords(world).look(world.system, world.person().id) == "recoverable"

    def test_g4_locked_as_well_is_said(self, world):
        world.lock()
        assert passwords(world).look(world.system, world.person().id) == "locked"

    def test_x6_portals_link_needs_no_answer_from_the_system(self, world):
        world.fake.down = True
        assert passwords(world).look(world.system, world.person().id) == "recoverable"

    @pytest.mark.parametrize(
        ("trouble", "outcome"),
        [
            (TemporarilyUnavailable("503"), "down"),
            (PermissionRefused("403"), "password_human"),
            (AccountNotFound("404"), "no_account"),
        ],
    )
    def test_p5_minted_is_not_offered_where_it_would_fail(self, world, trouble, outcome):
        world.fake.failing["account"] = trouble
        assert passwords(world).look(system(world, password_reset="minted"), world.person().id) == outcome

    @pytest.mark.parametrize(
        ("change", "outcome"),
        [
            ({"status": Status.SUSPENDED}, "password_human"),
            ({"status": Status.DEACTIVATED}, "password_human"),
            ({"password_elsewhere": True}, "instructions"),
            ({"status": Status.RECOVERY}, "recoverable"),
        ],
    )
    def test_p5_minted_is_offered_as_the_account_stands(self, world, change, outcome):
        world.fake.accounts["00u-dana"] = replace(world.fake.accounts["00u-dana"], **change)
        assert passwords(world).look(system(world, password_reset="minted"), world.person().id) == outcome

    def test_p5_protected_people_go_to_a_human(self, world):
        world.fake.memberships["00u-dana"] = PROTECTED
        assert passwords(world).look(system(world, password_reset="minted"), world.person().id) == "password_human"
        assert passwords(world).look(world.system, world.person().id) == "recoverable"

    def test_i1_without_connector_or_page_there_are_instructions(self, world):
        vpn = replace(system(world, portal_url=None), connector=None)
        assert passwords(world).look(vpn, world.person().id) == "instructions"


class TestLink:
    def test_p5_lives_three_days_and_five_minutes(self, world):
        made = link(world, world.system)
        assert made.expires_at - world.clock.now() == timedelta(days=3)
        assert (made.good_for_seconds, made.renewed_for_seconds) == (300, 3 * 24 * 3600)
        assert (made.person_id, made.target) == (world.person().id, "https://acme.example/portal")
        assert link(world, world.system) == made

    def test_p5_lifetimes_are_settings(self, world):
        world.settings.links.days, world.settings.links.minutes = 1, 10
        made = link(world, world.system)
        assert (made.expires_at - world.clock.now(), made.good_for_seconds) == (timedelta(days=1), 600)

    def test_p5_minted_one_has_no_target(self, world):
        made = link(world, system(world, password_reset="minted"))
        assert (made.way, made.target) == (links.MINTED, None)


class TestMint:
    def minted(self, world):
        of = system(world, password_reset="minted")
        return passwords(world).mint(of, link(world, of))

    def results(self, world):
        return [row["result"] for row in world.rows(tables.audit, act="mint_reset_link")]

    def test_p5_owners_press_mints_and_is_audited_before_and_after(self, world):
        minted = self.minted(world)
        assert minted.outcome == "minted" and minted.link.get_secret_value().startswith("https://")
        assert world.fake.accounts["00u-dana"].status is Status.RECOVERY
        assert self.results(world) == ["act", "minted"]

    def test_p5_one_time_link_is_kept_nowhere(self, world):
        secret = self.minted(world).link.get_secret_value()
        assert all(secret not in str(world.rows(table)) for table in tables.metadata.sorted_tables)

    def test_p5_policy_first(self, world):
        world.fake.memberships["00u-dana"] = PROTECTED
        assert self.minted(world).outcome == "password_human"
        assert world.fake.count("mint_reset_link") == 0 and self.results(world) == ["human"]

    def test_x10_frozen_account_is_led_nowhere(self, world):
        assert passwords(world).look(world.system, world.person().id) == "recoverable"
        with world.store.begin() as connection:
            freezes.report(connection, world.clock.now(), world.person(), "a-message", "okta")
        assert passwords(world).look(world.system, world.person().id) == "frozen"
        assert passwords(world).look(world.system, world.person("eli").id) == "recoverable"

    def test_x10_frozen_account_gets_no_link(self, world):
        with world.store.begin() as connection:
            freezes.report(connection, world.clock.now(), world.person(), "a-message", "okta")
        assert self.minted(world).outcome == "password_human" and world.fake.count("mint_reset_link") == 0

    @pytest.mark.parametrize(
        ("trouble", "outcome"),
        [
            (OutcomeUnknown("no answer"), "down"),
            (TemporarilyUnavailable("503"), "down"),
            (StateRefused("403"), "password_human"),
            (PermissionRefused("403"), "password_human"),
        ],
    )
    def test_p5_trouble_is_told_and_audited(self, world, trouble, outcome):
        world.fake.failing["mint_reset_link"] = trouble
        minted = self.minted(world)
        assert (minted.outcome, minted.link) == (outcome, None) and self.results(world) == ["act", outcome]

    def test_p5_pressed_again_after_a_lost_answer(self, world):
        world.fake.reply_lost = True
        assert self.minted(world).outcome == "down"
        world.fake.reply_lost = False
        assert self.minted(world).outcome == "minted"


class TestNaming:
    @pytest.fixture
    def systems(self, world):
        okta = system(world, aliases=["SSO", "Outlook"])
        vpn = System("vpn", okta.settings.copy(update={"name": "VPN", "aliases": ["Global Protect"]}), None, okta.pool)
        retail = okta.settings.copy(update={"name": "Store Okta", "aliases": ["store"]})
        store = System("store", retail, None, okta.pool)
        return {"okta": okta, "vpn": vpn, "store": store}

    @pytest.mark.parametrize(
        ("text", "found", "named"),
        [
            ("forgot my password", [], []),
            ("forgot my outlook password", ["outlook"], ["Okta"]),
            ("SSO and Okta, same thing", ["Okta"], ["Okta"]),
            ("new global protect password", [], ["VPN"]),
            ("my vpns are fine", [], []),
            ("password for the Payroll thing", [], ["Payroll"]),
            ("jira password", ["jira"], ["jira"]),
            ("vpn and okta passwords", ["vpn", "Okta"], ["VPN", "Okta"]),
            ("my o365 password", ["Microsoft 365"], ["Microsoft 365"]),
            ("my store okta password", ["okta"], ["Store Okta"]),
            ("okta or the store okta", ["okta"], ["Okta", "Store Okta"]),
            ("the store password", [], ["Store Okta"]),
        ],
    )
    def test_p4_systems_by_name_alias_and_article(self, systems, text, found, named):
        assert [one.name for one in systems_named(text, found, systems, ["payroll"])] == named
