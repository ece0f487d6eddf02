"""Articles in chat: title and link first, the steps on request or where nothing is automated (I1, I2, M5, M6)."""

from dataclasses import replace

import pytest

from account_access.articles import Articles
from account_access.connectors.base import FactorKind, TemporarilyUnavailable
from account_access.store import tables
from actions.articles import AskAfterInstructions, AskArticle, SendArticle
from tests.actions.test_mfa import enrol
from tests.actions.test_passwords import article

LONG = "\n".join(f"{number}. {'word ' * 30}" for number in range(1, 10))


@pytest.fixture
def desk(stage):
    stage.runtime.articles = Articles(
        [
            article("phone", "reset_mfa", body=LONG),
            article("key", "reset_mfa", factors=("security key",), url="https://kb.acme.example/key"),
            article("unlock", "unlock"),
        ]
    )
    enrol(stage, (FactorKind.OKTA_VERIFY_PUSH, "Pixel 8"))
    return stage


def asked(stage, words="how do I reset MFA?", factor=None, action=AskArticle):
    message = stage.message("ask_mfa_instructions", stage.world.say("dana", words))
    message["entities"] = [{"entity": "factor", "value": factor}] if factor else []
    return stage.run(action, message)


class TestAsking:
    def test_m6_question_gets_title_link_and_view_answer(self, desk):
        result = asked(desk)
        offer = desk.show(result)
        assert result.outcome == "asked" and offer.answers[0].title == "View answer"
        assert (result.slots["article_title"], result.slots["article_url"]) == ("About phone", "/articles/phone")

    def test_m5_article_of_the_named_factor_at_its_own_address(self, desk):
        slots = asked(desk, factor="security key").slots
        assert slots["article_url"] == "https://kb.acme.example/key"

    def test_m6_question_never_starts_a_reset(self, desk):
        desk.world.fake.enrol("00u-dana", FactorKind.SMS)
        asked(desk)
        assert desk.world.fake.removed == [] and desk.world.rows(tables.requests) == []

    @pytest.mark.parametrize(
        ("capabilities", "verification", "automated"),
        [({"factors"}, "fresh_session", True), ({"unlock"}, "fresh_session", False), ({"factors"}, "human", False)],
    )
    def test_m6_where_automated_the_article_comes_with_the_offer(self, desk, capabilities, verification, automated):
        desk.world.fake.capabilities = frozenset(capabilities)
        desk.world.settings.mfa.verification = verification
        titles = [answer.title for answer in desk.show(asked(desk)).answers]
        assert ("Reset MFA" in titles) == automated

    @pytest.mark.parametrize("there", [True, False])
    def test_u8_locked_again_at_once_brings_the_article_about_it(self, desk, there):
        desk.runtime.articles = Articles([article("loop", "relocked")] if there else [])
        desk.world.lock()
        offer = desk.world.unlock_offer()
        desk.outcome = "relocked"
        result = desk.clicked(AskArticle, offer)
        assert result.outcome == ("asked" if there else "relocked")
        assert result.responses == (["utter_ask_article_relocked"] if there else [])
        if there:
            assert desk.clicked(SendArticle, desk.show(result)).slots["article_title"] == "About loop"

    def test_m6_outcome_of_an_earlier_turn_changes_no_question(self, desk):
        desk.outcome = "relocked"
        assert asked(desk).slots["article_title"] == "About phone"

    def test_m8_no_steps_for_an_old_device_where_there_is_none(self, desk):
        desk.world.fake.enrolled.clear()
        result = asked(desk)
        assert (result.outcome, result.responses) == ("no_factor", [])
        assert result.slots["enrolment_url"]

    def test_without_an_article_it_says_so(self, desk):
        desk.runtime.articles = Articles()
        assert asked(desk).outcome == "no_article"

    def test_article_for_a_group_is_its_members(self, desk):
        desk.runtime.articles = Articles([article("all", "reset_mfa"), article("few", "reset_mfa", groups=("sales",))])
        assert asked(desk).slots["article_title"] == "About all"
        desk.world.fake.memberships["00u-dana"] = frozenset({"Sales"})
        assert asked(desk).slots["article_title"] == "About few"
        desk.world.fake.failing["groups"] = TemporarilyUnavailable("503")
        assert asked(desk).slots["article_title"] == "About all"


class TestSending:
    @pytest.mark.parametrize("how", ["click", "words", "yes"])
    def test_m6_view_answer_sends_the_steps_in_chat_sized_pieces(self, desk, how):
        offer = desk.show(asked(desk))
        words = {"words": ("view answer", "greet"), "yes": ("yes please", "affirm")}
        result = desk.clicked(SendArticle, offer) if how == "click" else desk.typed(SendArticle, *words[how])
        pieces = [keywords["article_text"] for _, keywords in result.said]
        assert result.outcome == "article_sent" and set(result.responses) == {"utter_article"}
        assert len(pieces) > 1 and pieces[0].startswith("About phone\n\n1. word") and "9. word" in pieces[-1]
        assert desk.world.state_of(offer) == "answered"

    def test_m6_article_that_was_offered_is_sent(self, desk):
        offer = desk.show(asked(desk, factor="security key"))
        assert desk.clicked(SendArticle, offer).slots["article_title"] == "About key"

    def test_i1_asking_to_be_unlocked_brings_the_instructions(self, desk):
        result = desk.typed(SendArticle, "unlock me", "unlock_account")
        assert (result.outcome, result.slots["article_title"]) == ("unlock_article_sent", "About unlock")

    def test_i2_yes_to_the_notice_brings_the_instructions_and_no_ticket(self, desk):
        desk.world.lock()
        offer = desk.world.unlock_offer(question="lockout")
        assert desk.clicked(SendArticle, offer).outcome == "unlock_article_sent"
        assert desk.world.rows(tables.tickets) == []

    def test_i1_without_an_article_there_is_the_portal(self, desk):
        desk.runtime.articles = Articles()
        assert desk.typed(SendArticle, "unlock me", "unlock_account").outcome == "instructions"

    def test_article_taken_away_meanwhile(self, desk):
        offer = desk.show(asked(desk))
        desk.runtime.articles = Articles()
        assert desk.clicked(SendArticle, offer).outcome == "no_article"

    def test_i2_remedies_of_n5_follow(self, desk):
        offer = desk.show(desk.typed(AskAfterInstructions, "unlock me", "unlock_account"))
        assert [answer.title for answer in offer.answers] == ["Forgot Password", "Reset MFA", "Re-open issue"]


def test_g5_article_about_another_systems_mfa_is_not_ours(desk):
    desk.runtime.articles = Articles([article("duo", "reset_mfa", systems=("duo admin",))])
    assert asked(desk).outcome == "no_article"
    desk.runtime.systems["okta"] = replace(
        desk.world.system, settings=desk.world.system.settings.copy(update={"aliases": ["Duo Admin"]})
    )
    assert asked(desk).outcome == "asked"
