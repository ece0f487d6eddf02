"""What is wrong with input files: every mistake, one a line, with file, line, column and remedy."""

import json
from collections.abc import Iterable
from typing import Any

LENGTH = 80


class BadInput(Exception):
    """One line an error, ready to print."""

    def __init__(self, lines: Iterable[str]):
        self.lines = list(lines)
        super().__init__("\n".join(self.lines))


class Problems:
    """Collects what is wrong with one file, named as on the command line."""

    def __init__(self, file: str):
        self.file = file
        self._found: list[tuple[int, str]] = []

    def add(self, line: int, column: str, text: str) -> None:
        """`line` counts from 1; `column` is a column, a field, or `line` where the whole line is at fault."""
        self._found.append((line, f"{self.file}:{line}: {_harmless(column)}: {text}"))

    @property
    def lines(self) -> list[str]:
        """By line, then as found."""
        return [text for _, text in sorted(self._found, key=lambda found: found[0])]


def quoted(value: Any) -> str:
    """A value as it stands in a message: on one line, and not for ever."""
    text = repr(value) if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= LENGTH else f"{text[:LENGTH]}…"


def _harmless(name: str) -> str:
    return name if name.isprintable() else repr(name)
