"""The way to a state as a Rasa test story, to be put below tests/stories/ once it is mended."""

from typing import Any

import yaml

from tests.model.search import State
from tests.model.talk import LISTEN, Did, Said


def of(state: State) -> str:
    """YAML of one story; what Rasa does not know of (the world, time, buttons) stands in comments."""
    lines = ['version: "3.1"', "", f"# It begins: {state.situation}."]
    lines += [f"# Broken: {problem}." for problem in state.broken]
    lines += ["stories:", f"- story: {state.situation} + {state.steps[-1].message}", "  steps:"]
    for number, step in enumerate(state.steps, start=1):
        before = f"{step.world}; " if step.world else ""
        lines.append(f"  # turn {number}: {before}{step.message}")
        for item in step.talk:
            if not (isinstance(item, Did) and item.action == LISTEN):
                written = yaml.safe_dump(_steps(item), sort_keys=False, allow_unicode=True)
                lines += [f"  {line}" for line in written.splitlines()]
    return "\n".join(lines) + "\n"


def _steps(item) -> list[dict[str, Any]]:
    if isinstance(item, Said):
        return [{"intent": item.intent}, {"slot_was_set": [{"question": item.question}]}]
    if isinstance(item, Did):
        return [{"action": item.action}]
    return [{"slot_was_set": [{item.name: item.value}]}]
