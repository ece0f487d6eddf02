"""How far a long piece of work is, on stderr: a bar on a terminal, now and then a line anywhere else."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

SECONDS_BETWEEN_LINES = 2


@contextlib.contextmanager
def shown(
    what: str, total: int | None, say: Callable[[str], None] | None = None
) -> Iterator[Callable[[int, str], None]]:
    """Gives a function that is called with how much was done since, and a note on how it stands.

    `what`: what is counted; `total`: how many there are, None where nobody knows. `say` takes a line where stderr is no
    terminal; without it, stderr does.
    """
    if not sys.stderr.isatty():
        yield _Lines(what, total, say or _to_stderr)
        return
    amount = MofNCompleteColumn() if total is not None else TextColumn("{task.completed:,}")
    note = TextColumn("{task.fields[note]}")
    columns = (TextColumn("{task.description}"), BarColumn(), amount, TimeRemainingColumn(), note)
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total, note="")
        yield lambda more, note="": bar.update(task, advance=more, note=note)


class _Lines:
    """Says how far it is, in work that takes long."""

    def __init__(self, what: str, total: int | None, say: Callable[[str], None]):
        self.what, self.say = what, say
        self.of = "" if total is None else f" of {total:,}"
        self.done, self.said = 0, time.monotonic()

    def __call__(self, more: int, note: str = "") -> None:
        self.done += more
        if time.monotonic() - self.said >= SECONDS_BETWEEN_LINES:
            self.said = time.monotonic()
            self.say(f"{self.what}: {self.done:,}{self.of}" + (f", {note}" if note else ""))


def _to_stderr(text: str) -> None:
    print(text, file=sys.stderr)
