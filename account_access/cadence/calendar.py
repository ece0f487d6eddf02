"""Days of the one configured zone: which date an instant is on, and when on a date the clock shows a time (E1, C2)."""

from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

SATURDAY = 5


class Calendar:
    def __init__(self, zone: ZoneInfo):
        self.zone = zone

    def date(self, instant: datetime) -> date:
        """The date there; at the ends of what a datetime can hold, the date in UTC."""
        try:
            return instant.astimezone(self.zone).date()
        except OverflowError:
            return instant.date()

    def at(self, day: date, clock: time) -> datetime:
        """The instant, in UTC, at which the clock there shows that time on that date.

        A time that a clock change skips is as much later as the clock jumped; one that comes twice, the first time.
        """
        return datetime.combine(day, clock, self.zone).astimezone(timezone.utc)

    def begin(self, day: date) -> datetime:
        """The first instant of that date, in UTC."""
        return self.at(day, time())

    def runs(self, first: date, days: int, send_at: time) -> list[tuple[datetime, date]]:
        """Every daily run from the first date on, for so many days: its instant, and the date it is the run of.

        A run belongs to the days where its instant does. A date that a zone leaves out has no run of its own.
        """
        begin, end = self.begin(first), self.begin(first + timedelta(days=days))
        dates = (first + timedelta(days=n) for n in range(-1, days))
        by_instant = {self.at(day, send_at): day for day in dates}
        return [(instant, day) for instant, day in by_instant.items() if begin <= instant < end]


def is_weekend(day: date) -> bool:
    """Saturday or Sunday, whatever the country (E7)."""
    return day.weekday() >= SATURDAY
