"""When managers are told that contracts of their workers end, and in how many pages (C1-C13)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from account_access.cadence.audience import Audience, no_worker
from account_access.cadence.calendar import Calendar
from account_access.cadence.directory import DirectoryEntry, folded
from account_access.settings import ContractorSection

CONTRACTOR = "contractor"
DAYS = (14, 7, 4, 2, 1)
HOW_TO_EXTEND, HOW_TO_TERMINATE, UNDERSTOOD, SHOW_MORE = "how_to_extend", "how_to_terminate", "understood", "show_more"
ANSWERS = (HOW_TO_EXTEND, HOW_TO_TERMINATE, UNDERSTOOD, SHOW_MORE)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of one day: to a manager, or to the admin channel (None), with all workers it is about."""

    to: DirectoryEntry | None
    workers: tuple[DirectoryEntry, ...]


class ContractorPlanner:
    """The rules under one set of settings."""

    def __init__(self, section: ContractorSection, calendar: Calendar):
        self.section, self.calendar = section, calendar
        self.audience = Audience("contractor", section)

    def silent(self, worker: DirectoryEntry, day: date) -> str | None:
        """Why the run of `day` tells nobody of this person, None if it does."""
        refused = no_worker(worker, self.audience)
        if refused:
            return refused
        return None if (worker.contract_ends_on - day).days in DAYS else "not a day of the cadence"

    def messages(
        self, people: Iterable[DirectoryEntry], directory: Mapping[str, DirectoryEntry], day: date
    ) -> list[Message]:
        """What the run of `day` sends about these people: one message a recipient, soonest end first, then by login.

        `directory`: everyone, by `DirectoryEntry.key`.
        """
        return self.grouped((worker for worker in people if self.silent(worker, day) is None), directory)

    def grouped(self, workers: Iterable[DirectoryEntry], directory: Mapping[str, DirectoryEntry]) -> list[Message]:
        """One message a recipient about these workers, whatever the day (C4)."""
        by_recipient: dict[str | None, list[DirectoryEntry]] = {}
        for worker in workers:
            manager = recipient(worker, directory)
            by_recipient.setdefault(manager and manager.key, []).append(worker)
        return [
            Message(directory[key] if key is not None else None, tuple(sorted(theirs, key=_soonest)))
            for key, theirs in by_recipient.items()
        ]

    def next_day(self, worker: DirectoryEntry, not_before: date) -> date | None:
        """The first date from `not_before` on at which this worker's contract is told, as things are now."""
        if no_worker(worker, self.audience):
            return None
        ordinals = (worker.contract_ends_on.toordinal() - days for days in DAYS)
        return next((date.fromordinal(n) for n in ordinals if n >= not_before.toordinal()), None)

    def pages(self, workers: int) -> list[int]:
        """How many workers are shown at first and after each Show more (C9)."""
        shown = workers if self.section.max_shown == "all" else self.section.max_shown
        full, rest = divmod(workers, shown)
        return [shown] * full + [rest] * (rest > 0)

    def resolves(self, sent_at: datetime, action: str, at: datetime) -> bool:
        """Whether this button, `at` (UTC), resolves a message sent then (UTC): until midnight of its day (C8, X12)."""
        return action != SHOW_MORE and self.calendar.date(at) == self.calendar.date(sent_at)


def recipient(worker: DirectoryEntry, directory: Mapping[str, DirectoryEntry]) -> DirectoryEntry | None:
    """Who is told of this worker; None, the admin channel, where the manager is gone or the worker (C13)."""
    manager = directory.get(folded(worker.manager_login)) if worker.manager_login else None
    if manager is None or not manager.reachable or manager.key == worker.key:
        return None
    return manager


def _soonest(worker: DirectoryEntry) -> tuple[date, str]:
    return worker.contract_ends_on, worker.key
