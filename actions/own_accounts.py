"""Which of a person's own accounts a turn is about, where they have accounts in several identity systems (U9).

A system that a message names chooses among its writer's own accounts, and never whose account it is (law 1). Who has
one account is asked nothing more, and no system is called twice.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from account_access import naming, outages, people, words
from account_access.connectors.registry import System
from account_access.resets import FactorLook
from account_access.unlocks import Look
from actions.base import AccountAction, Turn
from actions.runtime import Seen

# What a look shows, what a person can do something about first. Several that are locked are several to choose from.
FOREMOST = ("locked", "frozen", "human", "limited", "instructions", "paused", "not_locked", "down", "no_account")
LOCKED, SEVERAL_LOCKED, NONE_LOCKED = "locked", "several_locked", "none_locked"
RESETTABLE = ("several_factors", "one_factor")
WITH_FACTORS = (
    *(*RESETTABLE, "under_way", "frozen", "mfa_human", "mfa_limited", "mfa_instructions", "paused"),
    *("no_factor", "down", "no_account"),
)
# What is said of the other systems as well, by `utter_also_<outcome>`; of one that was named, whatever it shows.
TOLD_AS_WELL = ("human", "limited", "instructions", "paused")
# A system that was named and shows one of these is not what keeps its owner out: the others are looked at, too.
NOTHING_THERE = ("not_locked", "no_account")


@dataclass(frozen=True)
class Own:
    """The systems that a turn is about, and the others in which the person has an account."""

    meant: Sequence[System]
    others: Sequence[System] = ()


async def own_systems(action: AccountAction, turn: Turn, capability: str) -> Own:
    """The systems of the person's accounts that have this capability; only those named, where any is.

    Where the question that this turn answers, or its notice, is about one system, it is that one.
    """
    able = [system for system in action.runtime.systems.values() if system.can(capability)]
    if turn.about_one_system or len(able) < 2:
        return Own([turn.system])
    accounts = await action.runtime.in_store(_accounts, action, turn)
    own = [system for system in able if system.key in accounts]
    named = [system for system in _named(action, turn) if system in able]
    meant = [system for system in own if system in named] or named[:1] or own or [turn.system]
    return Own(meant, [system for system in own if system not in meant])


def _accounts(action: AccountAction, turn: Turn) -> dict[str, str]:
    with action.runtime.store.reading() as connection:
        return people.accounts_of(connection, turn.person.id)


def _named(action: AccountAction, turn: Turn) -> list[System]:
    """The systems that the person's own words name; a button's title names none."""
    if turn.inbound is None or turn.inbound.kind == "click":
        return []
    seen = [value for entity, value in turn.named if entity == "system"]
    found = naming.systems_named(turn.inbound.text, seen, action.runtime.systems)
    return [named.system for named in found if named.system is not None]


async def seen_factors(
    action: AccountAction, turn: Turn, looking: Callable[[System], Awaitable[FactorLook]]
) -> list[Seen]:
    """A look at the factors of each account that this turn is about, at the same time, in the order of WITH_FACTORS."""
    own = await own_systems(action, turn, "factors")
    return sorted(await _look(own.meant, looking), key=lambda one: WITH_FACTORS.index(one.look.outcome))


async def seen_locked(action: AccountAction, turn: Turn, looking: Callable[[System], Awaitable[Look]]) -> list[Seen]:
    """A look at each account that this turn is about, at the same time, in the order of FOREMOST."""
    own = await own_systems(action, turn, "unlock")
    seen = await _look(own.meant, looking, bool(own.others))
    if own.others and all(one.look.outcome in NOTHING_THERE for one in seen):
        seen += await _look(own.others, looking)
    return sorted(seen, key=lambda one: FOREMOST.index(one.look.outcome))


async def _look(
    systems: Sequence[System], looking: Callable[[System], Awaitable[Look | FactorLook]], named: bool = False
) -> list[Seen]:
    looks = await asyncio.gather(*map(looking, systems))
    return [Seen(system, look, named) for system, look in zip(systems, looks, strict=True)]


def outcome_of(seen: Sequence[Seen]) -> str:
    """What rules read of all the looks: the foremost one's, or how many are locked."""
    first = seen[0].look.outcome if seen else None
    alike = sum(one.look.outcome == first for one in seen)
    return {LOCKED: SEVERAL_LOCKED, "not_locked": NONE_LOCKED}.get(first, first) if alike > 1 else first


def tell_the_others(action: AccountAction, turn: Turn, seen: Sequence[Seen]) -> None:
    """Says what is known of the systems beside the foremost one."""
    for other in seen[1:]:
        outcome = other.look.outcome
        if outcome in TOLD_AS_WELL or (other.named and outcome in NOTHING_THERE and outcome != seen[0].look.outcome):
            turn.say(f"utter_also_{outcome}", also_system=other.system.name)
    tell_the_silent(action, turn, seen[1:])


def tell_the_silent(action: AccountAction, turn: Turn, seen: Sequence[Seen]) -> None:
    """Says which of these systems do not answer; whoever met one hears when it is back (X6)."""
    for silent in [one.system for one in seen if one.look.outcome == "down"]:
        turn.say("utter_also_down", also_system=silent.name)
        with action.runtime.store.repeatable() as connection:
            outages.meet(connection, action.now, turn.person.id, silent.key, f"{turn.cause}:{silent.key}")


def lockouts_listed(action: AccountAction, turn: Turn, seen: Sequence[Seen]) -> str:
    """A line for each locked account, in the words of the domain."""
    lines = []
    for one in seen:
        if one.look.outcome == LOCKED:
            facts = {"system_name": one.system.name, "locked_since": action.spoken(turn, one.look.locked_at)}
            lines.append(words.fill(turn.domain["responses"], "utter_lockout_line", facts) or one.system.name)
    return "\n".join(lines)
