"""Forgotten passwords in chat: whose password, the way to a new one, the link (P1-P6, X12)."""

from dataclasses import replace

import pytest

from account_access import freezes
from account_access.articles import Article, Articles
from account_access.connectors.registry import System
from account_access.store import tables
from actions.articles import SendArticle
from actions.password import AskPassword, AskWhichSystem, CheckPassword, SendResetLink


def article(name, topic="reset_password", systems=(), factors=(), groups=(), url=None, body="1. Do this.\n"):
    sets = [frozenset(x) for x in ((topic,), systems, factors, groups)]
    return Article(name, f"About {name}", *sets, url, body)


@pytest.fixture
def desk(stage):
    """A stage whose organisation has a VPN of its own, and an article about it."""
    okta = stage.world.system
    vpn = okta.settings.copy(update={"name": "VPN", "aliases": ["GlobalProtect"], "portal_url": None})
    stage.runtime.systems["vpn"] = System("vpn", vpn, None, okta.pool)
    stage.runtime.articles = Articles([article("general"), article("vpn", systems=("vpn",))])
    return stage


def freeze(stage):
    with stage.world.store.begin() as connection:
        freezes.report(connection, stage.world.clock.now(), stage.world.person(), "earlier", "x")


def minted(stage):
    settings = stage.world.system.settings.copy(update={"password_reset": "minted"})
    stage.runtime.systems["okta"] = replace(stage.world.system, settings=settings)


def named(stage, words, *systems, intent="reset_password", action=CheckPassword):
    """A typed message in which understanding saw these systems."""
    message = stage.message(intent, stage.world.say("dana", words))
    message["entities"] = [{"entity": "system", "value": system} for system in systems]
    return stage.run(action, message)


class TestCheck:
    @pytest.mark.parametrize("words", ["I forgot my password", "need to reset password", "new okta password please"])
    def test_p1_sign_in_systems_by_default(self, desk, words):
        result = named(desk, words)
        assert (result.outcome, result.slots["system_name"]) == ("recoverable", "Okta")

    def test_g4_locked_as_well(self, desk):
        desk.world.lock()
        assert named(desk, "forgot my password").outcome == "locked"

    @pytest.mark.parametrize("words", ["my VPN password", "forgot the globalprotect password"])
    def test_p4_named_system_by_its_instructions(self, desk, words):
        result = named(desk, words)
        assert (result.outcome, result.slots["named_system"]) == ("instructions", "VPN")

    def test_p6_named_system_without_instructions(self, desk):
        result = named(desk, "forgot my workday password", "workday")
        assert (result.outcome, result.slots["named_system"]) == ("no_article", "workday")

    def test_p4_article_alone_makes_a_system_known(self, desk):
        desk.runtime.articles = Articles([article("payroll", systems=("payroll",))])
        assert named(desk, "forgot my Payroll password").outcome == "instructions"

    def test_p4_several_systems(self, desk):
        assert named(desk, "vpn and okta passwords", "vpn", "Okta").outcome == "several_systems"
        assert named(desk, "sso aka okta", "Okta", "Okta").outcome == "recoverable"

    def test_i1_own_system_by_instructions(self, desk):
        settings = desk.world.system.settings.copy(update={"password_reset": "instructions"})
        desk.runtime.systems["okta"] = replace(desk.world.system, settings=settings)
        assert named(desk, "forgot my password").outcome == "instructions"
        desk.runtime.articles = Articles()
        assert named(desk, "forgot my password").outcome == "password_human"

    def test_law1_name_never_chooses_whose_account(self, desk):
        named(desk, "forgot eli@acme.example's okta password", "Okta")
        assert {account for _, account in desk.world.fake.calls} == {"00u-dana"}

    def test_x6_slow_system_does_not_hold_up_a_portals_link(self, desk):
        desk.world.settings.conversation.turn_deadline_seconds = 1.05
        import threading

        desk.world.fake.held = threading.Event()
        assert named(desk, "forgot my password").outcome == "recoverable"
        minted(desk)
        assert named(desk, "forgot my password").outcome == "down"
        desk.world.fake.held.set()

    def test_x10_frozen_account_gets_no_link_and_other_systems_keep_their_steps(self, desk):
        freeze(desk)
        assert named(desk, "forgot my password").outcome == "frozen"
        assert named(desk, "forgot my vpn password", "vpn").outcome == "instructions"

    def test_menu_entry_is_answered_by_it(self, desk):
        menu = desk.world.offer(answers=(("Forgot Password", "reset_password"),))
        assert desk.clicked(CheckPassword, menu).outcome == "recoverable"
        assert desk.world.state_of(menu) == "answered"

    def test_p4_system_named_while_a_menu_is_open(self, desk):
        desk.world.offer(answers=(("Forgot Password", "reset_password"),))
        assert named(desk, "forgot my vpn password", "vpn").outcome == "instructions"


class TestWhichSystem:
    def test_p4_every_named_one_is_a_button(self, desk):
        result = named(desk, "vpn and okta passwords", "vpn", "Okta", action=AskWhichSystem)
        offer = desk.show(result)
        assert [(answer.title, answer.intent) for answer in offer.answers] == [
            ("VPN", "reset_password"),
            ("Okta", "reset_password"),
        ]

    @pytest.mark.parametrize(("answer", "outcome"), [("1", "instructions"), ("2", "recoverable")])
    @pytest.mark.parametrize("how", ["click", "title"])
    def test_p4_chosen_one_is_meant(self, desk, answer, outcome, how):
        offer = desk.show(named(desk, "vpn and okta passwords", "vpn", "Okta", action=AskWhichSystem))
        if how == "click":
            result = desk.clicked(CheckPassword, offer, answer)
        else:
            result = desk.typed(CheckPassword, offer.answer(answer).title.lower(), "greet")
        assert result.outcome == outcome


class TestAsk:
    def test_p2_offers_recover_access(self, desk):
        desk.outcome = "recoverable"
        result = named(desk, "forgot my password", action=AskPassword)
        offer = desk.show(result)
        assert result.responses == ["utter_ask_password"] and offer.subject == {"system": "okta"}
        assert [answer.title for answer in offer.answers] == ["Recover access", "Get help", "Cancel"]

    def test_g4_locked_offers_the_unlock_as_well(self, desk):
        desk.outcome = "locked"
        offer = desk.show(named(desk, "forgot my password", action=AskPassword))
        assert [answer.title for answer in offer.answers][-1] == "Unlock Account"


class TestLink:
    def offered(self, stage):
        return stage.show(named(stage, "forgot my password", action=AskPassword))

    @pytest.mark.parametrize("how", ["click", "title", "yes", "number"])
    def test_p2_recover_access_by_click_and_by_words(self, desk, how):
        offer = self.offered(desk)
        words = {"title": ("recover access", "unlock_account"), "yes": ("sure", "affirm"), "number": ("1", "greet")}
        result = desk.clicked(SendResetLink, offer) if how == "click" else desk.typed(SendResetLink, *words[how])
        (link,) = desk.world.rows(tables.links)
        assert (result.outcome, result.slots["link_path"]) == ("link_made", f"/go/{link['id']}")
        assert (link["person_id"], link["system"]) == (desk.world.person().id, "okta")
        assert desk.world.state_of(offer) == "answered"

    def test_p5_minted_one_is_said_to_be(self, desk):
        minted(desk)
        offer = self.offered(desk)
        assert desk.clicked(SendResetLink, offer).outcome == "minted_link_made"
        assert desk.world.fake.count("mint_reset_link") == 0

    def test_x10_frozen_since_the_question(self, desk):
        offer = self.offered(desk)
        freeze(desk)
        assert desk.clicked(SendResetLink, offer).outcome == "frozen"
        assert desk.world.rows(tables.links) == []

    def test_replayed_turn_gives_the_same_link(self, desk):
        offer = self.offered(desk)
        inbound = desk.world.click("dana", offer)
        first, again = (desk.run(SendResetLink, desk.message("recover_access", inbound)) for _ in range(2))
        assert first.slots == again.slots and len(desk.world.rows(tables.links)) == 1

    def test_x12_no_link_without_its_offer(self, desk):
        assert desk.typed(SendResetLink, "recover access", "recover_access").outcome == "stale"
        offer = self.offered(desk)
        assert desk.clicked(SendResetLink, offer, "2").outcome == "stale"
        assert desk.world.rows(tables.links) == []

    def test_x3_nobody_elses(self, desk):
        offer = self.offered(desk)
        inbound = desk.world.click("dana", offer)
        eli = desk.world.person("eli").id
        assert desk.run(SendResetLink, desk.message("recover_access", inbound), eli).outcome == "signed_out"


class TestInstructions:
    def test_p4_steps_of_the_named_system_are_sent(self, desk):
        result = named(desk, "forgot my vpn password", "vpn", action=SendArticle)
        assert result.outcome == "article_sent" and result.slots["article_title"] == "About vpn"
        assert [keywords["article_text"] for _, keywords in result.said] == ["About vpn\n\n1. Do this."]
