"""What was sent in a played period, and how it is written: JSON lines, one a notification."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone, tzinfo
from typing import Any

from account_access import zones
from account_access.cadence import contractors, passwords
from account_access.cadence.calendar import Calendar
from account_access.cadence.contractors import ContractorPlanner
from account_access.cadence.directory import DirectoryEntry

LOCKOUT = "lockout"
_ENCODER = json.JSONEncoder(ensure_ascii=False)


@dataclass(slots=True)
class Sent:
    """One notification; instants in UTC. `to` None: the admin channel. Of other kinds a field is None."""

    sent_at: datetime
    kind: str
    to: DirectoryEntry | None
    expires_at: datetime | None = None
    workers: tuple[DirectoryEntry, ...] = ()
    system: str | None = None
    locked_at: datetime | None = None
    resolved_by: str | None = None


def ordered(sent: Iterable[Sent]) -> list[Sent]:
    """By instant, kind and login without case, the admin channel first."""
    return sorted(sent, key=lambda one: (one.sent_at, one.kind, one.to.key if one.to else ""))


class Writer:
    """Writes notifications as the configured zone and settings have them."""

    def __init__(self, calendar: Calendar, planner: ContractorPlanner):
        self.calendar, self.planner = calendar, planner

    def lines(self, sent: Iterable[Sent]) -> Iterator[str]:
        """A JSON object each, without a line's end."""
        for one in sent:
            yield _ENCODER.encode(self.fields(one))

    def fields(self, one: Sent) -> dict[str, Any]:
        """The fields of its kind, in their order."""
        fields: dict[str, Any] = {
            "sent_at": told(one.sent_at, self.calendar.zone),
            "kind": one.kind,
            "login": one.to.login if one.to else None,
            "name": one.to.name if one.to else None,
        }
        if one.kind == LOCKOUT:
            return {**fields, "system": one.system, "locked_at": told(one.locked_at, self.calendar.zone)}
        fields["days_before"] = self.days_before(one)
        if one.kind == contractors.CONTRACTOR:
            fields["workers"] = [
                {
                    "login": worker.login,
                    "contract_ends_on": worker.contract_ends_on.isoformat(),
                    "days_before": self._days(one, worker),
                }
                for worker in one.workers
            ]
            fields["pages"] = self.planner.pages(len(one.workers))
        else:
            own_zone = zones.find(one.to.time_zone) if one.to.time_zone else None
            fields["expires_at"] = told(one.expires_at, own_zone or self.calendar.zone)
        if one.kind != passwords.EXPIRED:
            fields["resolved_by"] = one.resolved_by
        return fields

    def days_before(self, one: Sent) -> int:
        """Calendar days from its sending to the end it tells of; of several, the nearest."""
        if one.workers:
            return min(self._days(one, worker) for worker in one.workers)
        return (self.calendar.date(one.expires_at) - self.calendar.date(one.sent_at)).days

    def _days(self, one: Sent, worker: DirectoryEntry) -> int:
        return (worker.contract_ends_on - self.calendar.date(one.sent_at)).days


def told(instant: datetime, zone: tzinfo) -> str:
    """ISO 8601 with seconds and that zone's offset; in UTC where a datetime cannot hold the zone's."""
    try:
        return instant.astimezone(zone).isoformat(timespec="seconds")
    except OverflowError:
        return instant.astimezone(timezone.utc).isoformat(timespec="seconds")
