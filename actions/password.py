"""Forgotten passwords: whose system it is, the way to a new one, and the link that leads there (P1-P6).

The organisation's sign-in system is meant unless another is named. A name chooses what is told, never whose account
it is about.
"""

import asyncio
from typing import Any

from account_access import freezes, links, offers, policy
from account_access.articles import PASSWORD
from account_access.connectors.registry import System
from actions.asking import AskAction
from actions.base import AccountAction, Turn, turn_to
from actions.meaning import WHICH_SYSTEM, article_for, meant
from actions.unlock import close_answered


class CheckPassword(AccountAction):
    """Which system's password, and the way to a new one.

    recoverable and locked (a link), instructions (an article), no_article, several_systems, and where links are
    minted: password_human, no_account, down; frozen.
    """

    def name(self) -> str:
        return "action_check_password"

    async def act(self, turn: Turn) -> str:
        wanted = meant(self, turn)
        await self.runtime.in_store(close_answered, self, turn)
        if len(wanted) > 1:
            return "several_systems"
        turn.slots["named_system"] = wanted[0].name
        system = wanted[0].system
        if system is not None:
            turn_to(turn, system)
        looked = await self._look(turn, system) if system is not None else "instructions"
        if looked == "instructions" and await article_for(self, turn, PASSWORD) is None:
            # P6; in the organisation's own sign-in system somebody can always help.
            return "password_human" if system is self.main_system else "no_article"
        return looked

    async def _look(self, turn: Turn, system: System) -> str:
        passwords = self.runtime.passwords
        try:
            return await self.runtime.on_system(system, passwords.look, system, turn.person.id)
        except asyncio.TimeoutError:
            return passwords.unanswered(system)


class AskPassword(AskAction):
    """Shall I take you to where a new password is made?"""

    question = "password"

    def response(self, turn: Turn) -> str:
        return "utter_ask_password_locked" if turn.outcome == "locked" else "utter_ask_password"

    async def subject(self, turn: Turn) -> dict[str, Any]:
        system = meant(self, turn)[0].system or self.main_system
        turn_to(turn, system)
        return {"system": system.key}


class AskWhichSystem(AskAction):
    """Which of the named systems is it? Its buttons are their names."""

    question = WHICH_SYSTEM

    def choice(self, turn: Turn, response: str) -> list[tuple[str, str]]:
        intent = super().choice(turn, response)[0][1]
        return [(named.name, intent) for named in meant(self, turn)]

    async def subject(self, turn: Turn) -> dict[str, Any]:
        named = meant(self, turn)
        return {"systems": {str(number): one.name for number, one in enumerate(named, start=1)}}


class SendResetLink(AccountAction):
    """Gives the link of the offer that this turn answers, and of no other (P2, X12)."""

    def name(self) -> str:
        return "action_send_reset_link"

    async def act(self, turn: Turn) -> str:
        found = turn.answered
        if found is None or (found.offer.question, found.answer.intent) != (AskPassword.question, "recover_access"):
            return "stale"
        return await self.runtime.in_store(self._give, turn)

    def _give(self, turn: Turn) -> str:
        found = turn.answered
        with self.runtime.store.begin() as connection:
            offers.close(connection, self.now, found.offer.id, offers.ANSWERED, found.answer.id, turn.cause)
            if offers.find(connection, found.offer.id).answered_by != turn.cause:
                return "stale"
            if freezes.standing(connection, turn.person.id) is not None:
                return policy.FROZEN
            link = self.runtime.passwords.link(connection, turn.cause, turn.person.id, turn.system)
        turn.slots["link_path"] = link.path
        return "minted_link_made" if link.way == links.MINTED else "link_made"
