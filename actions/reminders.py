"""Password reminders and what people answer to them; when a password runs out (E1-E15)."""

import asyncio
from abc import ABC
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Connection

from account_access import directory_facts, instants, links, people, reminders, tickets, zones
from account_access.cadence import passwords
from account_access.cadence.calendar import Calendar
from account_access.cadence.directory import EXTERNAL
from account_access.cadence.passwords import PasswordPlanner
from account_access.connectors.base import SystemFailure
from account_access.directory_facts import Known
from account_access.offers import Offer
from account_access.store import tables
from actions.asking import AskAction, show
from actions.base import AccountAction, Turn
from actions.notices import Announcement
from actions.runtime import Runtime
from actions.support import StoreAction

# What an answer's intent means to the planner.
ANSWERS = {
    "already_updated": passwords.ALREADY_UPDATED,
    "remind_later": passwords.REMIND_LATER,
    "stop_reminding": passwords.DO_NOT_REMIND,
}
STALE = "stale"


def calendar_of(runtime: Runtime) -> Calendar:
    """Days of the organisation's zone."""
    return Calendar(zones.find(runtime.settings.time_zone))


def whole(action: AccountAction, turn: Turn, instant) -> str:
    """The exact date and time in the person's zone, the zone printed (E1)."""
    return instants.whole(instant, turn.person.time_zone, action.runtime.settings.time_zone)


class PasswordNotice(AskAction, Announcement, ABC):
    """Base of what a daily run says about a password: looked at again now, and dropped if it is no longer true."""

    kind: str
    decided: str

    async def act(self, turn: Turn) -> str:
        if turn.notice is None or turn.notice.kind != self.kind:
            return "notice_dropped"
        known = await self.runtime.in_store(self._known, turn)
        if not turn.notice.is_seen_true(self.now):
            try:
                # Where it is no longer in the settings, another system would be asked, and nothing be found there.
                known = known and await self.runtime.on_system(turn.system, self._look, turn, known)
            except (SystemFailure, asyncio.TimeoutError):
                # Not known to be true, so not said; the notice stays and is tried again.
                return "notice_dropped"
        reason = await self.runtime.in_store(self._no_longer_true, turn, known)
        if reason is not None:
            await self.runtime.in_store(self.drop, turn, reason)
            return "notice_dropped"
        turn.slots["password_expires"] = whole(self, turn, reminders.expiry_in(turn.notice.facts))
        response, offer = await self.runtime.written(lambda connection: self._prepared(connection, turn))
        show(turn, response, offer)
        return "asked"

    def _prepared(self, connection: Connection, turn: Turn) -> tuple[str, Offer]:
        """The response to say and its offer, with whatever else it needs, written together."""
        response = self.prepared(connection, turn)
        return response, self.made(connection, turn, self.about(turn), self.choice(turn, response))

    def prepared(self, connection: Connection, turn: Turn) -> str:
        """The response to say, after whatever it needs was made."""
        return self.response(turn)

    def about(self, turn: Turn) -> dict[str, Any]:
        """What the offer is kept with: the account and its expiry."""
        facts = turn.notice.facts
        return {"system": facts["system"], "expires_at": facts["expires_at"], "notice": turn.notice.id}

    @property
    def planner(self) -> PasswordPlanner:
        return PasswordPlanner(self.runtime.settings.password, calendar_of(self.runtime))

    def _known(self, turn: Turn) -> Known | None:
        with self.runtime.store.reading() as connection:
            return directory_facts.find(connection, turn.notice.facts["system"], turn.notice.facts["external_id"])

    def _look(self, turn: Turn, known: Known) -> Known:
        return directory_facts.as_it_is_now(turn.system.connector, known)

    def _no_longer_true(self, turn: Turn, known: Known | None) -> str | None:
        system = turn.notice.facts["system"]
        if known is None or known.person_id != turn.person.id or turn.system.key != system:
            return "the directory no longer has this account"
        expires_at = reminders.expiry_in(turn.notice.facts)
        if known.entry.password_expires_at != expires_at:
            return "the password was changed, or its expiry moved, before it was told"
        planner = self.planner
        with self.runtime.store.reading() as connection:
            history = reminders.history(connection, planner, system, known.person_id, known.entry)
        last = history.of(expires_at).last_reminder
        if last and planner.calendar.date(last.sent_at) == planner.calendar.date(self.now):
            return "reminded of this expiry today already"
        decision = planner.decide(known.entry, history, date.fromisoformat(turn.notice.facts["day"]), self.now)
        return None if decision.notice == self.decided else decision.reason


class AskPasswordReminder(PasswordNotice):
    """Your password expires: with the exact time, and the link where there is a portal (E1)."""

    question = "password_reminder"
    kind, decided = reminders.PASSWORD_EXPIRY, passwords.REMINDER

    def prepared(self, connection: Connection, turn: Turn) -> str:
        target = turn.system.settings.portal_url
        if self.planner.instructions or not target:
            return "utter_ask_password_reminder_instructions"
        facts = turn.notice.facts
        link = links.make(
            connection,
            self.now,
            f"reminder:{turn.notice.id}",
            turn.person.id,
            reminders.LINK,
            facts["system"],
            target,
            reminders.expiry_in(facts),
            facts={"expires_at": facts["expires_at"], "notice": turn.notice.id},
        )
        turn.slots["reminder_link"] = link.path
        return "utter_ask_password_reminder"

    def lasts(self, turn: Turn, subject: dict[str, Any]) -> timedelta:
        return reminders.expiry_in(subject) - self.now


class AskPasswordExpired(PasswordNotice):
    """Your password is no longer valid: how and where to make a new one (E9)."""

    question = "password_expired"
    kind, decided = reminders.PASSWORD_EXPIRED, passwords.EXPIRED

    def _no_longer_true(self, turn: Turn, known: Known | None) -> str | None:
        if known is not None and known.entry.password_expires_at is not None:
            with self.runtime.store.reading() as connection:
                system = turn.notice.facts["system"]
                history = reminders.history(connection, self.planner, system, known.person_id, known.entry)
            if history.of(reminders.expiry_in(turn.notice.facts)).told_expired:
                return "told that it has expired already"
        return super()._no_longer_true(turn, known)


class RecordReminderAnswer(StoreAction):
    """Already updated, Remind me later, Do not remind me again: kept under that expiry (E3-E5, E13).

    The buttons stay: another answer takes effect as well, until the expiry has passed.
    """

    def name(self) -> str:
        return "action_record_reminder_answer"

    def in_store(self, turn: Turn) -> str:
        if turn.answered is None or turn.answered.offer.question not in reminders.PASSWORD_QUESTIONS:
            return STALE
        with self.runtime.store.begin() as connection:
            became = record(connection, self, turn)
        return STALE if became == reminders.OVER else became


class OpenReminderTicket(StoreAction):
    """Open a ticket about a password that runs out or has: one for each expiry, and reminders go on (E6)."""

    def name(self) -> str:
        return "action_open_reminder_ticket"

    def in_store(self, turn: Turn) -> str:
        if turn.answered is None or turn.answered.offer.question not in reminders.PASSWORD_QUESTIONS:
            return STALE
        subject = turn.answered.offer.subject
        key, now = f"expiry:{turn.person.id}:{subject['system']}:{subject['expires_at']}", self.now
        with self.runtime.store.begin() as connection:
            # Also where the expiry is past by now: an expired password is when help is needed.
            expires_at = reminders.expiry_in(subject)
            about = (turn.cause, subject["notice"], expires_at)
            reminders.record(connection, now, turn.person.id, subject["system"], passwords.OPEN_TICKET, *about)
            known = self._asked_before(connection, turn, key)
            ticket = tickets.open_ticket(
                connection,
                now,
                turn.person.id,
                key,
                f"{turn.system.name}: help with a password that expires",
                f"{turn.person.name or turn.person.login} ({turn.person.login}) asked for help in a reminder: the"
                f" {turn.system.name} password expires at {expires_at:%Y-%m-%d %H:%M} UTC.",
            )
        self.told(turn, ticket)
        return "ticket_known" if known else "ticket_opened"

    def _asked_before(self, connection, turn: Turn, key: str) -> bool:
        """Whether the ticket is there already, and not by a first try of this very turn."""
        table, answers = tables.tickets, tables.reminder_answers
        if connection.execute(select(table.c.id).where(table.c.key == key)).first() is None:
            return False
        mine = select(answers.c.at).where(answers.c.cause == turn.cause)
        opened = select(table.c.created_at).where(table.c.key == key)
        return connection.execute(mine).scalar() != connection.execute(opened).scalar()


def record(connection, action: AccountAction, turn: Turn) -> str:
    """Writes the answer of this turn down; see `reminders.record_for_expiry`."""
    offer, answer = turn.answered.offer, turn.answered.answer
    return reminders.record_for_expiry(
        connection,
        action.now,
        turn.person.id,
        offer.subject["system"],
        ANSWERS[answer.intent],
        turn.cause,
        offer.subject["notice"],
        reminders.expiry_in(offer.subject),
    )


class CheckPasswordExpiry(AccountAction):
    """When does my password run out? Told from the directory's facts, looked at again now."""

    def name(self) -> str:
        return "action_check_password_expiry"

    async def act(self, turn: Turn) -> str:
        system = turn.system
        has_account, known = await self.runtime.in_store(self._known, turn)
        if not has_account:
            return "no_account"
        if known is None or known.entry.account_type == EXTERNAL or system.connector is None:
            return "expiry_unknown"
        try:
            now = await self.runtime.on_system(system, directory_facts.as_it_is_now, system.connector, known)
        except (SystemFailure, asyncio.TimeoutError):
            return "down"
        return self._told(turn, now)

    def _known(self, turn: Turn) -> tuple[bool, Known | None]:
        with self.runtime.store.reading() as connection:
            has_account = turn.system.key in people.accounts_of(connection, turn.person.id)
            return has_account, directory_facts.of_person(connection, turn.system.key, turn.person.id)

    def _told(self, turn: Turn, known: Known) -> str:
        if known.expiry_unknown:
            return "expiry_unknown"
        expires_at = known.entry.password_expires_at
        if expires_at is None:
            return "expiry_never"
        turn.slots["password_expires"] = whole(self, turn, expires_at)
        if expires_at <= self.now:
            return "expiry_passed"
        calendar = calendar_of(self.runtime)
        days = (calendar.date(expires_at) - calendar.date(self.now)).days
        turn.slots["days_left"] = str(days)
        return "expiry_told" if days > 1 else "expiry_near"
