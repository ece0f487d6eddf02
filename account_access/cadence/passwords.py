"""When a person is told that their password expires or has expired, and what their answers do to that (E1-E14).

Pure: from the settings, the directory's entry, what was sent and what was answered. An expiry is a person and an exact
instant; another instant, be it an hour later, starts afresh (E13).
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from typing import Protocol

from account_access.cadence.audience import Audience, no_password_notices
from account_access.cadence.calendar import SATURDAY, Calendar, is_weekend
from account_access.cadence.directory import DirectoryEntry
from account_access.settings import PasswordSection

REMINDER, EXPIRED = "password_reminder", "password_expired"
ALREADY_UPDATED, REMIND_LATER, DO_NOT_REMIND = "already_updated", "remind_later", "do_not_remind"
LINK_CLICK, OPEN_TICKET, CHANGED = "link_click", "open_ticket", "password_changed"
REMINDER_ANSWERS = (ALREADY_UPDATED, REMIND_LATER, DO_NOT_REMIND, OPEN_TICKET, LINK_CLICK)
EXPIRED_ANSWERS = (OPEN_TICKET, LINK_CLICK)

A_DAY = timedelta(hours=24)
# A last reminder is at most so many days before the expiry: of a Monday's, on the Friday.
MOST_BEFORE = 3
# Directories write "never" as a year that no calendar reaches.
NEVER = 9990


class Reminder(Protocol):
    """A reminder that was sent: when (UTC), about which expiry (UTC), and what resolved it, if anything did."""

    sent_at: datetime
    expires_at: datetime
    resolved_by: str | None


@dataclass(slots=True)
class ExpiryHistory:
    """What one person was sent and answered about one expiry."""

    last_reminder: Reminder | None = None
    told_expired: bool = False
    stopped_by: str | None = None
    later: bool = False
    resolved: bool = False


@dataclass(slots=True)
class PasswordHistory:
    """What one person was sent and answered about their passwords; `silenced`: reminders of every expiry (E5)."""

    silenced: bool = False
    expiries: dict[datetime, ExpiryHistory] = field(default_factory=dict)

    def of(self, expiry: datetime) -> ExpiryHistory:
        return self.expiries.setdefault(expiry, ExpiryHistory())


@dataclass(frozen=True, slots=True)
class Decision:
    """What one run does about one person, and why: a notice's kind, or None.

    `wait_until` (UTC): the reminder is due, but the 24 hours since the last one are not over; look again then.
    """

    notice: str | None
    reason: str
    days_before: int | None = None
    wait_until: datetime | None = None


@cache
def halving(first: int) -> tuple[int, ...]:
    """Days before: the first, then half of it, .5 rounded up, down to 1 (E2)."""
    return (first,) if first == 1 else (first, *halving(-(-first // 2)))


class PasswordPlanner:
    """The rules under one set of settings."""

    def __init__(self, section: PasswordSection, calendar: Calendar):
        self.section, self.calendar = section, calendar
        self.audience = Audience("password", section)
        self.instructions = section.mode == "instructions"
        first = section.first_notification_day
        daily = self.instructions and section.follow_up == "daily"
        self.days = tuple(range(first, 0, -1)) if daily else halving(first)

    def refused(self, entry: DirectoryEntry) -> str | None:
        """Why this account gets no password notices whatever the day (E14), None if it may."""
        return no_password_notices(entry, self.audience)

    def decide(self, entry: DirectoryEntry, history: PasswordHistory, day: date, now: datetime) -> Decision:
        """What the run of `day`, taking place `now` (UTC), does about this person."""
        refused = self.refused(entry)
        if refused:
            return Decision(None, refused)
        expiry = entry.password_expires_at
        known = history.expiries.get(expiry) or ExpiryHistory()
        ends_on = self.calendar.date(expiry)
        days_before = (ends_on - self.calendar.date(now)).days
        if expiry <= now:
            if known.told_expired:
                return Decision(None, "told that it has expired", days_before)
            return Decision(EXPIRED, "expired", days_before)
        silent = self._silent(history, known, ends_on, day)
        if silent:
            return Decision(None, silent, days_before)
        wait_until = self._wait(known, expiry, now)
        if wait_until:
            return Decision(None, "less than 24 hours after the last reminder", days_before, wait_until)
        last = day == self.last_day(ends_on)
        return Decision(REMINDER, "the last reminder" if last else "a day of the cadence", days_before)

    def last_day(self, ends_on: date) -> date:
        """The date of the last reminder: the day before, or the Friday before that where weekends are quiet (E7)."""
        ordinal = ends_on.toordinal() - 1
        weekday = (ordinal + 6) % 7
        if not self.section.weekend_reminders and weekday >= SATURDAY:
            ordinal -= weekday - SATURDAY + 1
        return date.fromordinal(max(ordinal, 1))

    def horizon(self, day: date) -> datetime:
        """Who is told something by the run of `day` has an expiry before this instant (UTC)."""
        return self.calendar.begin(day + timedelta(days=max(self.days[0], MOST_BEFORE) + 1))

    def next_day(self, entry: DirectoryEntry, history: PasswordHistory, not_before: date) -> date | None:
        """The first date from `not_before` on whose run can have something to say, as things are now; None if none.

        It may have nothing: the run decides. Whoever plays many days needs to look at nobody on any other.
        """
        if self.refused(entry) or entry.password_expires_at.year >= NEVER:
            return None
        expiry = entry.password_expires_at
        known = history.expiries.get(expiry) or ExpiryHistory()
        ends_on = self.calendar.date(expiry)
        if not known.stopped_by and not history.silenced:
            before = ends_on.toordinal() - not_before.toordinal()
            coming = next((n for n in self.days if n <= before), None)
            dates = [] if coming is None else [ends_on - timedelta(days=coming)]
            last = self.last_day(ends_on)
            dates += [last] if last >= not_before else []
            if dates:
                return min(dates)
        return None if known.told_expired else self._first_run_after(expiry, ends_on, not_before)

    def answer(
        self, entry: DirectoryEntry, history: PasswordHistory, reminder: Reminder, action: str, at: datetime
    ) -> None:
        """What an answer to this reminder, given `at` (UTC), does: nothing once its expiry is past or another's (X12).

        A stop is final for its expiry; every other answer takes effect, also a second one to the same message.
        """
        expiry = reminder.expires_at
        if entry.password_expires_at != expiry or at >= expiry:
            return
        known = history.of(expiry)
        if action == REMIND_LATER:
            known.later = True
        elif action == DO_NOT_REMIND:
            known.stopped_by = known.stopped_by or action
            if self.section.do_not_remind == "always":
                history.silenced = True
        elif action == ALREADY_UPDATED or (action == LINK_CLICK and not self.instructions):
            known.stopped_by = known.stopped_by or action
            _resolve(known, action)

    def changed(self, entry: DirectoryEntry, history: PasswordHistory, at: datetime) -> None:
        """A new password, `at` (UTC): ends the reminders of the expiry that `entry` still has.

        It resolves the latest of them if that was at most 24 hours ago (E12, E12b).
        """
        if entry.password_expires_at is None:
            return
        known = history.of(entry.password_expires_at)
        known.stopped_by = known.stopped_by or CHANGED
        if known.last_reminder and at - known.last_reminder.sent_at <= A_DAY:
            _resolve(known, CHANGED)

    def _silent(self, history: PasswordHistory, known: ExpiryHistory, ends_on: date, day: date) -> str | None:
        """Why there is no reminder of this expiry on this day, None if there is one."""
        if known.stopped_by:
            return f"stopped by {known.stopped_by}"
        if history.silenced:
            return "asked not to be reminded again"
        if day == self.last_day(ends_on):
            return None
        if known.later:
            return "asked to be reminded the day before"
        if (ends_on - day).days not in self.days:
            return "not a day of the cadence"
        if not self.section.weekend_reminders and is_weekend(day):
            return "weekend"
        return None

    def _wait(self, known: ExpiryHistory, expiry: datetime, now: datetime) -> datetime | None:
        """Until when a due reminder waits (E11): never into another date or past the expiry, it would be swallowed."""
        if not self.instructions or known.last_reminder is None:
            return None
        until = known.last_reminder.sent_at + A_DAY
        if until <= now or until >= expiry or self.calendar.date(until) != self.calendar.date(now):
            return None
        return until

    def _first_run_after(self, expiry: datetime, ends_on: date, not_before: date) -> date:
        """The date of the first run, not before that date, at or after the expiry."""
        send_at = self.section.send_at
        if self.calendar.at(not_before, send_at) >= expiry:
            return not_before
        day = max(not_before, ends_on - timedelta(days=1))
        while self.calendar.at(day, send_at) < expiry:
            day += timedelta(days=1)
        return day


def _resolve(known: ExpiryHistory, by: str) -> None:
    """Credits the latest reminder, unless this expiry was resolved before."""
    if not known.resolved and known.last_reminder:
        known.resolved = True
        known.last_reminder.resolved_by = by
