"""Lockouts of a played period: which stand, which are untold, and when the limits let the next be told (N6, N9)."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from account_access.cadence.audience import Audience
from account_access.cadence.directory import DirectoryEntry
from account_access.cadence.lockout import next_allowed
from account_access.settings import LockoutSection


@dataclass(slots=True)
class Lockout:
    system: str
    locked_at: datetime
    settled: bool = False


class Lockouts:
    """Everyone's, over all systems."""

    def __init__(self, section: LockoutSection):
        self.audience = Audience("lockout", section)
        self.most = section.max_notifications
        self.window = timedelta(hours=section.window_hours)
        self.gap = timedelta(hours=section.gap_hours)
        self._known: set[tuple[str, str, datetime]] = set()
        self._standing: dict[str, dict[str, Lockout]] = defaultdict(dict)
        self._sent: dict[str, list[datetime]] = defaultdict(list)

    def lock(self, key: str, system: str, at: datetime) -> None:
        """A lockout of that person; the same one again changes nothing, a new one replaces the system's older one."""
        if (key, system, at) not in self._known:
            self._known.add((key, system, at))
            # The last one to lock comes last, so that those of one second are told by line.
            self._standing[key].pop(system, None)
            self._standing[key][system] = Lockout(system, at)

    def unlock(self, key: str, system: str) -> None:
        self._standing[key].pop(system, None)

    def due(self, entry: DirectoryEntry, now: datetime) -> tuple[list[Lockout], datetime | None]:
        """What this person is told now, the oldest first, and the first second at which to look again for the rest."""
        if entry.key not in self._standing or not entry.reachable:
            return [], None
        untold = [lockout for lockout in self._standing[entry.key].values() if not lockout.settled]
        sent, told = self._sent[entry.key], []
        for lockout in sorted(untold, key=lambda one: one.locked_at):
            # No more of them can count than the limit is.
            allowed = next_allowed(sent[-max(self.most, 1) :], now, self.most, self.window, self.gap)
            if allowed is None or allowed > now:
                return told, allowed and _whole_second(allowed)
            lockout.settled = True
            if self.audience.reason(entry):
                # Whoever is left out at the second at which they would be told is never told of this one.
                continue
            sent.append(now)
            told.append(lockout)
        return told, None


def _whole_second(instant: datetime) -> datetime:
    """The first whole second that is not before the instant."""
    return instant.replace(microsecond=0) + timedelta(seconds=instant.microsecond > 0)
