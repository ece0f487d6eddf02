"""Articles in chat: shown by title and link, sent as messages, and what then (I1, I2, M5, M6, P4)."""

from typing import Any

from account_access.articles import MFA, RELOCKED, UNLOCK, Article
from actions.asking import AskAction
from actions.base import AccountAction, Turn
from actions.meaning import article_for, topic_of
from actions.mfa import factors_in
from actions.unlock import close_answered


class AskArticle(AskAction):
    """Here is the article: shall I show it? Never starts anything by itself (M6)."""

    question = "article"

    def response(self, turn: Turn) -> str:
        if topic_of(turn) == RELOCKED:
            return "utter_ask_article_relocked"
        by_people = self.runtime.settings.mfa.verification == "human" or turn.system.settings.mfa != "automated"
        automated = topic_of(turn) == MFA and turn.system.can("factors") and not by_people
        return "utter_ask_article_automated" if automated else "utter_ask_article"

    async def act(self, turn: Turn) -> str:
        if topic_of(turn) == MFA and turn.system.can("factors"):
            look = await factors_in(self, turn, turn.system)
            if look.outcome == "no_factor":
                # M8: no steps for an old device where there is none.
                await self.runtime.in_store(close_answered, self, turn)
                return look.outcome
        return await super().act(turn)

    async def subject(self, turn: Turn) -> dict[str, Any] | None:
        article = await article_for(self, turn, topic_of(turn))
        if article is None:
            return None
        tell_article(turn, article)
        return {"article": article.name, "topic": topic_of(turn)}

    def without_subject(self, turn: Turn) -> str:
        return "relocked" if topic_of(turn) == RELOCKED else "no_article"


class SendArticle(AccountAction):
    """Sends an article's steps: those of the offer that this turn answers, else of what the turn is about."""

    def name(self) -> str:
        return "action_send_article"

    async def act(self, turn: Turn) -> str:
        topic = topic_of(turn)
        offered = turn.answered.offer.subject.get("article") if turn.answered else None
        article = self.runtime.articles.get(offered) if offered else await article_for(self, turn, topic)
        await self.runtime.in_store(close_answered, self, turn)
        if article is None:
            turn.slots["named_system"] = turn.system.name
            return "instructions" if topic == UNLOCK else "no_article"
        tell_article(turn, article)
        for text in article.messages():
            turn.say("utter_article", article_text=text)
        return "unlock_article_sent" if UNLOCK in article.topics else "article_sent"


def tell_article(turn: Turn, article: Article) -> None:
    """Gives responses the article's title and address."""
    turn.slots["article_title"] = article.title
    turn.slots["article_url"] = article.address


class AskAfterArticle(AskAction):
    """That was the article: did it help?"""

    question = "after_article"


class AskAfterInstructions(AskAction):
    """The same after instructions to unlock, with the remedies of N5; no ticket, as nothing was done (I2)."""

    question = "after_instructions"
