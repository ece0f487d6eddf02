"""Plays a period: at each instant at which something happens, what would be sent, and what answers make of it.

Nobody is looked at on a day that cannot matter to them: each person waits for the next date at which the planner can
have something to say, and is put down anew whenever the directory or the person changes. At the same second actions
come first, then expiries and lockouts, then the daily runs.
"""

import heapq
import itertools
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from account_access import zones
from account_access.cadence.calendar import Calendar
from account_access.cadence.contractors import CONTRACTOR, ContractorPlanner
from account_access.cadence.directory import DirectoryEntry
from account_access.cadence.passwords import EXPIRED, REMINDER, PasswordHistory, PasswordPlanner
from account_access.settings import Settings
from account_access.simulation.actions_file import LOCKED_OUT, PASSWORD_CHANGED, UNLOCKED, UPDATE, Action
from account_access.simulation.lockouts import Lockouts
from account_access.simulation.records import LOCKOUT, Sent, ordered

ACTIONS, EVENTS, RUNS = range(3)


@dataclass(frozen=True)
class Period:
    """Days of the configured zone: from the first on, so many."""

    first: date
    days: int


class _Runs:
    """The daily runs of one kind of notice, and who is looked at in each."""

    def __init__(self, calendar: Calendar, period: Period, send_at: time):
        runs = calendar.runs(period.first, period.days, send_at)
        self.instants = [instant for instant, _ in runs]
        self.dates = [day for _, day in runs]
        self.waiting: dict[date, set[str]] = defaultdict(set)

    def not_before(self, instant: datetime) -> date | None:
        """The date of the first run that is not over."""
        at = bisect_left(self.instants, instant)
        return self.dates[at] if at < len(self.dates) else None

    def put_down(self, key: str, day: date | None) -> None:
        """Has this person looked at in the first run of that date or later."""
        at = bisect_left(self.dates, day) if day else len(self.dates)
        if at < len(self.dates):
            self.waiting[self.dates[at]].add(key)


class Simulation:
    """One period under one set of settings. `warn` hears of answers to nothing, with the line."""

    def __init__(
        self,
        settings: Settings,
        people: Iterable[DirectoryEntry],
        period: Period,
        warn: Callable[[int, str], None],
        progress: Callable[[date, int], None] = lambda day, sent: None,
    ):
        self.calendar = Calendar(zones.find(settings.time_zone))
        self.passwords = PasswordPlanner(settings.password, self.calendar)
        self.contractors = ContractorPlanner(settings.contractor, self.calendar)
        self.lockouts = Lockouts(settings.lockout)
        self.immediately = settings.password.expired_notice == "immediately"
        self.people = {entry.key: entry for entry in people}
        self.warn, self.progress = warn, progress
        self.sent: list[Sent] = []
        self.begin = self.calendar.begin(period.first)
        self.end = self.calendar.begin(period.first + timedelta(days=period.days))
        self.last_run_before = _last_run_before(self.calendar, period.first, settings.password.send_at)
        self._password_runs = _Runs(self.calendar, period, settings.password.send_at)
        self._contractor_runs = _Runs(self.calendar, period, settings.contractor.send_at)
        self._histories: dict[str, PasswordHistory] = defaultdict(PasswordHistory)
        self._latest: dict[tuple[str, str], Sent] = {}
        self._agenda: list[tuple[datetime, int, int, Callable[[datetime, Any], None], Any]] = []
        self._number = itertools.count()

    def run(self, actions: Iterable[Action]) -> list[Sent]:
        """Everything sent in the period, in the order of the output. Actions come by instant, then by line."""
        played = [action for action in actions if action.at < self.end]
        self._before([action for action in played if action.at < self.begin])
        for action in played:
            if action.at >= self.begin:
                self._at(action.at, ACTIONS, self._act, action)
        for runs, play in ((self._password_runs, self._password_run), (self._contractor_runs, self._contractor_run)):
            for instant, day in zip(runs.instants, runs.dates, strict=True):
                self._at(instant, RUNS, play, day)
        for key in self.people:
            self._expect(key, self.begin)
        while self._agenda:
            instant, _, _, happen, subject = heapq.heappop(self._agenda)
            happen(instant, subject)
        return ordered(self.sent)

    def _at(self, instant: datetime, phase: int, happen: Callable[[datetime, Any], None], subject: Any) -> None:
        heapq.heappush(self._agenda, (instant, phase, next(self._number), happen, subject))

    # Before the period: the directory changes, and what expired is taken as told.

    def _before(self, actions: list[Action]) -> None:
        for action in actions:
            if action.action in (PASSWORD_CHANGED, UPDATE):
                self._take_as_told(action.key, action.at)
                self._change_directory(action)
        for key in self.people:
            self._take_as_told(key, self.begin)

    def _take_as_told(self, key: str, until: datetime) -> None:
        """An expiry that passed before the last run ahead of the period was told, or so it counts; where notices do
        not wait for a run, every one that this person was to have."""
        entry = self.people[key]
        expiry = entry.password_expires_at
        if expiry is None or expiry >= until:
            return
        heard = self.immediately and self.passwords.refused(entry) is None
        if heard or expiry <= self.last_run_before:
            self._histories[key].of(expiry).told_expired = True

    # Actions.

    def _act(self, instant: datetime, action: Action) -> None:
        key = action.key
        if action.notice:
            self._answer(action)
            return
        if action.action == LOCKED_OUT:
            self.lockouts.lock(key, action.system, action.at)
        elif action.action == UNLOCKED:
            self.lockouts.unlock(key, action.system)
        else:
            self._change_directory(action)
            self._expect(key, instant)
        self._at(instant, EVENTS, self._look, key)

    def _change_directory(self, action: Action) -> None:
        entry = self.people[action.key]
        if action.action == UPDATE:
            self.people[action.key] = replace(entry, **action.changes)
            return
        self.passwords.changed(entry, self._histories[action.key], action.at)
        self.people[action.key] = replace(entry, password_changed_at=action.at, password_expires_at=action.expires_at)

    def _answer(self, action: Action) -> None:
        notice = self._latest.get((action.key, action.notice))
        if notice is None:
            login = self.people[action.key].login
            self.warn(action.line, f"notice: no {action.notice} was sent to {login!r} before; ignored")
        elif action.notice == REMINDER:
            entry, history = self.people[action.key], self._histories[action.key]
            self.passwords.answer(entry, history, notice, action.action, action.at)
        elif action.notice == CONTRACTOR and self.contractors.resolves(notice.sent_at, action.action, action.at):
            notice.resolved_by = notice.resolved_by or action.action

    # Whom to look at, and when.

    def _expect(self, key: str, instant: datetime) -> None:
        """Puts a person down for the next runs, and the second of their expiry, as things are now."""
        entry = self.people[key]
        day = self._password_runs.not_before(instant)
        if day:
            self._password_runs.put_down(key, self.passwords.next_day(entry, self._histories[key], day))
        day = self._contractor_runs.not_before(instant)
        if day:
            self._contractor_runs.put_down(key, self.contractors.next_day(entry, day))
        expiry = entry.password_expires_at
        if self.immediately and expiry and instant <= expiry < self.end:
            self._at(expiry, EVENTS, self._look, key)

    # Expiries and lockouts.

    def _look(self, instant: datetime, key: str) -> None:
        """Tells a person now what need not wait for a run."""
        entry = self.people[key]
        expiry = entry.password_expires_at
        if self.immediately and expiry and expiry <= instant:
            decision = self.passwords.decide(entry, self._histories[key], self.calendar.date(instant), instant)
            if decision.notice:
                self._tell_expired(instant, key)
        told, again = self.lockouts.due(entry, instant)
        for lockout in told:
            self._send(Sent(instant, LOCKOUT, entry, system=lockout.system, locked_at=lockout.locked_at))
        if again and again < self.end:
            self._at(again, EVENTS, self._look, key)

    # The daily runs.

    def _password_run(self, instant: datetime, day: date) -> None:
        for key in self._password_runs.waiting.pop(day, ()):
            self._consider(instant, key, day)
            following = self.passwords.next_day(self.people[key], self._histories[key], day + timedelta(days=1))
            self._password_runs.put_down(key, following)
        self.progress(day, len(self.sent))

    def _consider(self, instant: datetime, key: str, day: date) -> None:
        entry, history = self.people[key], self._histories[key]
        decision = self.passwords.decide(entry, history, day, instant)
        if decision.wait_until:
            self._at(decision.wait_until, RUNS, self._look_again, (key, day, entry.password_expires_at))
        elif decision.notice == EXPIRED:
            self._tell_expired(instant, key)
        elif decision.notice == REMINDER:
            reminder = Sent(instant, REMINDER, entry, expires_at=entry.password_expires_at)
            history.of(entry.password_expires_at).last_reminder = reminder
            self._send(reminder)

    def _look_again(self, instant: datetime, waiting: tuple[str, date, datetime]) -> None:
        """The 24 hours are over: is the reminder still right?"""
        key, day, expiry = waiting
        if self.people[key].password_expires_at == expiry:
            self._consider(instant, key, day)

    def _contractor_run(self, instant: datetime, day: date) -> None:
        keys = self._contractor_runs.waiting.pop(day, ())
        for message in self.contractors.messages([self.people[key] for key in keys], self.people, day):
            self._send(Sent(instant, CONTRACTOR, message.to, workers=message.workers))
        for key in keys:
            following = self.contractors.next_day(self.people[key], day + timedelta(days=1))
            self._contractor_runs.put_down(key, following)

    def _tell_expired(self, instant: datetime, key: str) -> None:
        entry = self.people[key]
        self._histories[key].of(entry.password_expires_at).told_expired = True
        self._send(Sent(instant, EXPIRED, entry, expires_at=entry.password_expires_at))

    def _send(self, one: Sent) -> None:
        self.sent.append(one)
        if one.to:
            self._latest[one.to.key, one.kind] = one


def _last_run_before(calendar: Calendar, first: date, send_at: time) -> datetime:
    """The instant of the last daily run ahead of that date's beginning."""
    days = (first - timedelta(days=back) for back in itertools.count(1))
    begin = calendar.begin(first)
    return next(run for day in days if (run := calendar.at(day, send_at)) < begin)
