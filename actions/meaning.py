"""What a turn is about beyond its intent: the system that is meant, and the article that it calls for.

A name in a message chooses what is told, never whose account is touched (law 1).
"""

import asyncio

from account_access import naming, people
from account_access.articles import MFA, PASSWORD, RELOCKED, UNLOCK, Article
from account_access.connectors.base import SystemFailure
from account_access.naming import Named
from actions.base import AccountAction, Turn

WHICH_SYSTEM = "which_system"
# What a message, or the question that it answers, wants instructions for.
TOPIC_BY_INTENT = {
    "unlock_account": UNLOCK,
    "reset_password": PASSWORD,
    "recover_access": PASSWORD,
    "reset_mfa": MFA,
    "ask_mfa_instructions": MFA,
}
TOPIC_BY_QUESTION = {"unlock": UNLOCK, "unlock_several": UNLOCK, "lockout": UNLOCK, WHICH_SYSTEM: PASSWORD}


def topic_of(turn: Turn) -> str:
    """What this turn wants instructions for; a follow-up tells of an unlock."""
    by_question = None
    if turn.answered:
        offer = turn.answered.offer
        by_question = offer.subject.get("topic") or TOPIC_BY_QUESTION.get(offer.question)
    # The outcome of this turn's unlock; without an answered question it could be that of an earlier turn.
    if by_question == UNLOCK and turn.outcome == RELOCKED:
        return RELOCKED
    return by_question or TOPIC_BY_INTENT.get(turn.intent, UNLOCK)


def meant(action: AccountAction, turn: Turn) -> list[Named]:
    """The systems that a password is wanted for: the one chosen, those named, else the one people sign in with."""
    runtime = action.runtime
    found: list[Named] = []
    if turn.answered and turn.answered.offer.question == WHICH_SYSTEM:
        name = turn.answered.offer.subject["systems"][turn.answered.answer.id]
        found = naming.systems_named(name, [name], runtime.systems)
    elif turn.inbound:
        seen = [value for entity, value in turn.named if entity == "system"]
        told_of = runtime.articles.systems_told_of(PASSWORD)
        found = naming.systems_named(turn.inbound.text, seen, runtime.systems, told_of)
    return found or [Named(turn.system.name, turn.system)]


async def article_for(action: AccountAction, turn: Turn, topic: str) -> Article | None:
    """The article on the topic for the system that is meant, and for this person.

    A password's may be any system's that was named; everything else is about the one that people sign in with.
    """
    articles = action.runtime.articles
    about = meant(action, turn)[0] if topic == PASSWORD else Named(turn.system.name, turn.system)
    groups = await _groups(action, turn) if articles.depend_on_groups() else None
    factor = next((value for entity, value in turn.named if entity == "factor"), None)
    return articles.find(topic, about.names(), factor, groups, general=about.system is action.main_system)


async def _groups(action: AccountAction, turn: Turn) -> frozenset[str]:
    """The person's groups in the main system, as far as it tells them now."""
    system = action.main_system
    account = await action.runtime.in_store(_account, action, turn)
    if system.connector is None or account is None:
        return frozenset()
    try:
        return await action.runtime.on_system(system, system.connector.groups, account)
    except (SystemFailure, asyncio.TimeoutError):
        return frozenset()


def _account(action: AccountAction, turn: Turn) -> str | None:
    with action.runtime.store.reading() as connection:
        return people.accounts_of(connection, turn.person.id).get(action.main_system.key)
