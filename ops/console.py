"""What the commands of ops say: short lines, each step with its duration, failures as one sentence."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class CannotContinue(Exception):
    """One sentence for the person: what is wrong and what to do. Ends the command with exit code 1."""


def say(text: str = "") -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@contextmanager
def step(title: str) -> Iterator[None]:
    """Says what is being done, and how many seconds it took if it succeeded."""
    started = time.monotonic()
    say(f"{title} ...")
    yield
    say(f"  done in {time.monotonic() - started:.1f} s")


def table(rows: list[tuple[str, float, str]]) -> str:
    """Steps with their seconds and outcomes, aligned."""
    width = max(len(name) for name, _, _ in rows)
    return "\n".join(f"  {name:<{width}}  {seconds:7.1f} s  {outcome}" for name, seconds, outcome in rows)


def tail(path: Path, lines: int = 12) -> str:
    """The last lines of a text file, indented; empty if it is not there."""
    if not path.exists():
        return ""
    with open(path, "rb") as handle:
        handle.seek(max(0, path.stat().st_size - 20_000))
        text = handle.read().decode("utf-8", "replace")
    return "\n".join(f"    {line}" for line in text.splitlines()[-lines:])
