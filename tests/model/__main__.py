"""`python -m tests.model`: is there a way to an act that nobody may do? 0 if there is none, else 1 and the way."""

import argparse
import logging
import os
import sys
import time

from tests.model import story
from tests.model.search import SITUATIONS, State, explore
from tests.model.talk import Rules


def main(arguments: list[str]) -> int:
    """Prints the states visited, by depth, and a counterexample as a Rasa test story if there is one."""
    parser = argparse.ArgumentParser(prog="python -m tests.model", description=__doc__)
    parser.add_argument("--depth", type=int, default=4, help="turns after each of the beginnings (4)")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="at once (one for each core)")
    parser.add_argument("--verbose", action="store_true", help="print every state and the way to it")
    chosen = parser.parse_args(arguments)
    # A tripped breaker says so each time.
    logging.disable(logging.CRITICAL)
    begun = time.monotonic()
    found = explore(Rules(), chosen.depth, processes=chosen.processes, visit=_print if chosen.verbose else _pass)
    print(f"{len(SITUATIONS)} situations to begin with: {'; '.join(SITUATIONS)}")
    for depth, states in enumerate(found.visited):
        turns = f" by {found.turns[depth - 1]} turns" if depth else ""
        print(f"depth {depth}: {states} new states{turns}")
    seconds = time.monotonic() - begun
    print(f"{sum(found.visited)} states, {sum(found.turns)} turns, {found.changes} acts done; {seconds:.0f} s")
    if found.broken is None:
        print("no act without a live question, its owner's yes, and policy's consent")
        return 0
    print(f"\n{story.of(found.broken)}")
    return 1


def _print(depth: int, state: State) -> None:
    way = " > ".join(f"[{step.world}] {step.message}" if step.world else step.message for step in state.steps)
    print(f"{depth}  {state.situation} > {way or '(the beginning)'}\n   {state.key}")


def _pass(depth: int, state: State) -> None:
    """Says nothing of a state."""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
