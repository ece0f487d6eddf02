"""Time is a parameter (law 9): every process asks one clock, so that a week can be lived through in a minute."""

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """Anything that tells the time."""

    def now(self) -> datetime:
        """The current instant, always aware and in UTC."""


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        return datetime.now(timezone.utc)


class OffsetClock:
    """The machine's time plus the seconds written in a file, for rehearsals and demonstrations.

    Whoever moves the time replaces the file atomically; a file that is not there means no offset. The offset may
    only grow: stored instants would otherwise lie in the future.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)

    def now(self) -> datetime:
        return datetime.now(timezone.utc) + timedelta(seconds=self.offset())

    def offset(self) -> float:
        """The offset in seconds. Raises ValueError naming the file if its content is no number."""
        try:
            text = self.path.read_text().strip()
        except FileNotFoundError:
            return 0.0
        try:
            return float(text or 0)
        except ValueError:
            raise ValueError(f"{self.path}: {text[:40]!r} is not a number of seconds; write one or delete the file")


class ManualClock:
    """A clock that moves only when told to: for tests and simulations."""

    def __init__(self, start: datetime):
        if start.tzinfo is None:
            raise ValueError("a clock starts at an aware datetime")
        self.instant = start.astimezone(timezone.utc)

    def now(self) -> datetime:
        return self.instant

    def move(self, **by: float) -> None:
        """Moves forward by timedelta's keywords, e.g. hours=2."""
        self.instant += timedelta(**by)


def from_settings(section) -> Clock:
    """The clock named by the `clock` section of settings.yml."""
    offset_file: Path | None = section.offset_file
    return OffsetClock(offset_file) if offset_file else SystemClock()
