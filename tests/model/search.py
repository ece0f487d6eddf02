"""Every state that can be reached in so many turns, level by level, each looked at once.

A turn is something that the world does, or nothing, and then one message. The work of a level is shared out among
processes, which are forked: they have the trained policies already.
"""

import multiprocessing
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from account_access.connectors.base import FactorKind
from tests.model import moves
from tests.model.house import MANAGED, OTHER, OWNER, SECOND_ACCOUNT, House, Snapshot, empty_store
from tests.model.talk import Rules, Talk


@dataclass(frozen=True)
class Step:
    """What happened in one turn: in the world, what was said, and what came of it."""

    world: str
    message: str
    talk: Talk


@dataclass(frozen=True)
class State:
    """A state and the first way to it that was found; `snapshot` is None where nothing follows any more."""

    situation: str
    steps: tuple[Step, ...]
    key: tuple
    snapshot: Snapshot | None
    broken: tuple[str, ...] = ()
    changed: int = 0


@dataclass
class Found:
    """What a search has found. `visited` are new states, `turns` those played, by depth from 0 on."""

    visited: list[int] = field(default_factory=list)
    turns: list[int] = field(default_factory=list)
    changes: int = 0
    broken: State | None = None


def _unlock_asked(house: House) -> None:
    house.world.lock(OWNER)
    house.world.unlock_offer(OWNER)


def _told_of_lockout(house: House) -> None:
    house.world.lock(OWNER)
    house.schedulers()


def _somebody_unlocked(house: House) -> None:
    _unlocks(house, OTHER)
    house.world.lock(OTHER)
    house.world.unlock_offer(OTHER)
    house.world.lock(OWNER)


def _unlocks(house: House, name: str) -> None:
    house.world.lock(name)
    house.clicks(house.world.unlock_offer(name).id, "1", name)
    house.talk = ()


def _frozen(house: House) -> None:
    house.world.lock(OWNER)
    house.freeze()


def _second_factor(house: House) -> None:
    house.system.enrol(house.world.account(OWNER), FactorKind.GOOGLE_AUTHENTICATOR)


def _no_factor(house: House) -> None:
    house.system.enrolled.clear()


def _reset_asked(house: House) -> None:
    (factor,) = house.system.enrolled[house.world.account(OWNER)]
    house.world.reset_offer(factor.id)


def _asked_to_approve(house: House) -> None:
    """The other, whose manager the owner is, has asked for a reset, and the owner has been asked for their word."""
    account = house.world.account(OTHER)
    house.system.memberships[account] = frozenset({MANAGED})
    house.system.managers[account] = house.world.account(OWNER)
    (factor,) = house.system.enrolled[account]
    offer = house.world.reset_offer(factor.id, name=OTHER, question="approval")
    house.clicks(offer.id, "1", OTHER)
    house.talk = ()
    house.schedulers()


def _locked_in_both(house: House) -> None:
    house.join_second()
    house.world.lock(OWNER)
    house.second.lock(SECOND_ACCOUNT)


def _asked_which_to_unlock(house: House) -> None:
    _locked_in_both(house)
    house.world.unlock_which({key: fake.accounts[house.accounts()[key]] for key, fake in house.fakes.items()})


def _told_of_both(house: House) -> None:
    _locked_in_both(house)
    house.schedulers()


def _factors_in_both(house: House) -> None:
    house.join_second()
    house.second.enrol(SECOND_ACCOUNT, FactorKind.SMS)


# Where the conversation begins. In each, somebody else is locked out as well and has been asked.
SITUATIONS: dict[str, Callable[[House], object]] = {
    "not locked": lambda house: None,
    "locked": lambda house: house.world.lock(OWNER),
    "asked whether to unlock": _unlock_asked,
    "told of a lockout": _told_of_lockout,
    "locked, one act left before the breaker": _somebody_unlocked,
    "locked and frozen": _frozen,
    "asked whether to reset MFA": _reset_asked,
    "two factors": _second_factor,
    "no factor": _no_factor,
    "asked to approve somebody's reset": _asked_to_approve,
    "locked in two systems": _locked_in_both,
    "asked which of two to unlock": _asked_which_to_unlock,
    "told of two lockouts": _told_of_both,
    "factors in two systems": _factors_in_both,
}


class Explorer:
    """Plays turns from given states in a house of its own."""

    def __init__(self, rules: Rules, empty: Path) -> None:
        self.house = House(rules, empty)
        self._nobody = self.house.save()

    def begin(self, situation: str) -> State:
        """The state where a situation begins."""
        self.house.load(self._nobody)
        self.house.world.lock(OTHER)
        self.house.world.unlock_offer(OTHER)
        SITUATIONS[situation](self.house)
        return self._state(situation, (), True)

    def later(self, state: State) -> list[State]:
        """The state now and after each pause; their last step waits for its message."""
        found = []
        for name, passes in moves.TIMES.items():
            self.house.load(state.snapshot)
            passes(self.house)
            found.append(self._state(state.situation, (*state.steps, Step(name, "", ())), True))
        return found

    def turns(self, state: State, keep: bool) -> tuple[int, list[State]]:
        """How many turns were played, and the states they lead to, each once.

        What the world does besides is seen by whoever asks the system alone: it is tried with messages that do, one of
        those that end alike.
        """
        self.house.load(state.snapshot)
        found: dict[tuple, State] = {}
        asking: dict[tuple, moves.Message] = {}
        played = 0
        for message in moves.messages(self.house):
            reached = self._turn(state, "", message, keep)
            played += 1
            if reached.broken:
                return played, [reached]
            found.setdefault((reached.key, reached.changed), reached)
            if any(fake.calls for fake in self.house.fakes.values()) or isinstance(message, moves.Schedulers):
                asking.setdefault((reached.key, reached.changed), message)
        self.house.load(state.snapshot)
        for world in moves.worlds(self.house):
            for message in asking.values():
                reached = self._turn(state, world, message, keep)
                played += 1
                if reached.broken:
                    return played, [reached]
                found.setdefault((reached.key, reached.changed), reached)
        return played, list(found.values())

    def _turn(self, state: State, world: str, message: moves.Message, keep: bool) -> State:
        house = self.house
        house.load(state.snapshot)
        if world:
            moves.WORLD[world](house)
        changed = house.changes()
        talk = self._play(message)
        house.trouble()
        pause = state.steps[-1].world
        step = Step(", ".join(filter(None, (pause, world))), message.label, talk)
        return self._state(state.situation, (*state.steps[:-1], step), keep, changed)

    def _play(self, message: moves.Message) -> Talk:
        house = self.house
        if isinstance(message, moves.Typed):
            house.types(message)
        elif isinstance(message, moves.Click):
            house.clicks(message.offer_id, message.answer_id)
        elif isinstance(message, moves.Again):
            house.repeats()
        else:
            house.schedulers()
        return house.said_last

    def _state(self, situation: str, steps: tuple[Step, ...], keep: bool, changed: int = 0) -> State:
        house = self.house
        snapshot = house.save() if keep else None
        happened = house.changes() - changed
        return State(situation, steps, house.key(), snapshot, tuple(house.laws.broken), happened)


class Worker:
    """One process's explorer, made at its first work: what fails there fails the search."""

    equipment: tuple[Rules, Path] | None = None
    explorer: Explorer | None = None

    @classmethod
    def equip(cls, rules: Rules, empty: Path) -> None:
        cls.equipment, cls.explorer = (rules, empty), None

    @classmethod
    def at_work(cls) -> Explorer:
        if cls.explorer is None:
            cls.explorer = Explorer(*cls.equipment)
        return cls.explorer


def _later(state: State) -> list[State]:
    return Worker.at_work().later(state)


def _turns(job: tuple[State, bool]) -> tuple[int, list[State]]:
    return Worker.at_work().turns(*job)


def _begin(situation: str) -> State:
    return Worker.at_work().begin(situation)


def explore(
    rules: Rules,
    depth: int,
    situations: Iterable[str] = tuple(SITUATIONS),
    processes: int = 1,
    visit: Callable[[int, State], None] = lambda depth, state: None,
) -> Found:
    """Looks at every state within `depth` turns of the situations; ends at the first that breaks a law."""
    with tempfile.TemporaryDirectory() as folder:
        empty = empty_store(Path(folder))
        if processes == 1:
            Worker.equip(rules, empty)
            try:
                return _search(map, depth, situations, visit)
            finally:
                Worker.at_work().house.close()
        with multiprocessing.get_context("fork").Pool(processes, Worker.equip, (rules, empty)) as pool:
            return _search(lambda work, jobs: pool.imap_unordered(work, jobs, 4), depth, situations, visit)


def _search(share, depth: int, situations: Iterable[str], visit: Callable[[int, State], None]) -> Found:
    found, settled, prepared = Found(), set(), set()

    def new(states: Iterable[State], known: set) -> Iterator[State]:
        for state in states:
            if state.broken:
                found.broken = state
                return
            if state.key not in known:
                known.add(state.key)
                yield state

    level = list(new(share(_begin, situations), settled))
    for number in range(depth + 1):
        for state in level:
            visit(number, state)
        found.visited.append(len(level))
        if number == depth or found.broken:
            return found
        ready = [s for states in share(_later, level) for s in new(states, prepared)]
        level, turns = [], 0
        for messages, states in share(_turns, [(state, number + 1 < depth) for state in ready]):
            turns += messages
            found.changes += sum(state.changed for state in states)
            level += new(states, settled)
            if found.broken:
                break
        found.turns.append(turns)
    return found
