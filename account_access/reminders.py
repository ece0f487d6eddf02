"""What people were reminded of and what they answered: the history from which the planner decides (E3-E13, C8).

Sent is what stands in an inbox; an answer is a row, written once for each cause; a click is a link that led on. What
stops, resolves or silences is worked out of them by the planner's own functions, under the settings of the moment.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.engine import Connection

from account_access import audit
from account_access.cadence.directory import DirectoryEntry
from account_access.cadence.passwords import CHANGED, LINK_CLICK, PasswordHistory, PasswordPlanner
from account_access.store import tables

# Kinds of notices; each makes the external event of its name.
PASSWORD_EXPIRY, PASSWORD_EXPIRED, CONTRACTOR_EXPIRY = "password_expiry", "password_expired", "contractor_expiry"
PLANNED = (PASSWORD_EXPIRY, PASSWORD_EXPIRED, CONTRACTOR_EXPIRY)
# The questions they ask.
PASSWORD_QUESTIONS = ("password_reminder", "password_expired")
# Links in reminders, whose facts are the expiry and the notice.
LINK = "password_reminder"
TAKEN_AS_TOLD = "taken_as_told"
# What became of an answer.
RECORDED, REPEATED, OVER = "recorded", "repeated", "over"


@dataclass(slots=True)
class Sent:
    """One reminder that stands in its person's inbox; instants are UTC."""

    sent_at: datetime
    expires_at: datetime
    notice_id: str | None = None
    resolved_by: str | None = None


@dataclass(frozen=True, slots=True)
class _Event:
    at: datetime
    kind: str
    expires_at: datetime
    notice_id: str | None = None


def histories(
    connection: Connection, planner: PasswordPlanner, system: str, people: Mapping[str, DirectoryEntry]
) -> dict[str, PasswordHistory]:
    """What each of these people (by their ids) was sent and answered about their passwords in that system."""
    events: dict[str, list[_Event]] = defaultdict(list)
    for person_id, event in _sent(connection, system, people):
        events[person_id].append(event)
    for person_id, event in _answered(connection, system, people):
        events[person_id].append(event)
    for person_id, event in _clicked(connection, system, people):
        events[person_id].append(event)
    return {
        person_id: _replay(planner, entry, sorted(events[person_id], key=lambda event: event.at))
        for person_id, entry in people.items()
    }


def history(
    connection: Connection, planner: PasswordPlanner, system: str, person_id: str, entry: DirectoryEntry
) -> PasswordHistory:
    """As `histories`, for one person."""
    return histories(connection, planner, system, {person_id: entry})[person_id]


def _replay(planner: PasswordPlanner, entry: DirectoryEntry, events: Iterable[_Event]) -> PasswordHistory:
    found = PasswordHistory()
    for event in events:
        known = found.of(event.expires_at)
        then = replace(entry, password_expires_at=event.expires_at)
        if event.kind == PASSWORD_EXPIRY:
            known.last_reminder = Sent(event.at, event.expires_at, event.notice_id)
        elif event.kind in (PASSWORD_EXPIRED, TAKEN_AS_TOLD):
            known.told_expired = True
        elif event.kind == CHANGED:
            planner.changed(then, found, event.at)
        else:
            about = known.last_reminder or Sent(event.at, event.expires_at)
            planner.answer(then, found, about, event.kind, event.at)
    return found


def _sent(connection: Connection, system: str, people: Iterable[str]) -> Iterable[tuple[str, _Event]]:
    """The inbox rows of notices: the only proof that a message was sent."""
    table, inbox = tables.notices, tables.inbox
    query = (
        select(table.c.id, table.c.person_id, table.c.kind, table.c.facts, inbox.c.created_at)
        .join(inbox, inbox.c.notice_id == table.c.id)
        .where(table.c.person_id.in_(list(people)), table.c.kind.in_((PASSWORD_EXPIRY, PASSWORD_EXPIRED)))
    )
    for row in connection.execute(query):
        if row.facts["system"] == system:
            yield row.person_id, _Event(row.created_at, row.kind, expiry_in(row.facts), row.id)


def _answered(connection: Connection, system: str, people: Iterable[str]) -> Iterable[tuple[str, _Event]]:
    table = tables.reminder_answers
    query = select(table).where(
        table.c.person_id.in_(list(people)), table.c.system == system, table.c.expires_at.is_not(None)
    )
    for row in connection.execute(query.order_by(table.c.id)):
        yield row.person_id, _Event(row.at, row.answer, row.expires_at, row.notice_id)


def _clicked(connection: Connection, system: str, people: Iterable[str]) -> Iterable[tuple[str, _Event]]:
    """Links of reminders that led on: that resolves, where links are tracked (E10)."""
    table = tables.links
    query = select(table.c.person_id, table.c.facts, table.c.clicked_at).where(
        table.c.person_id.in_(list(people)),
        table.c.kind == LINK,
        table.c.system == system,
        table.c.clicked_at.is_not(None),
    )
    for row in connection.execute(query):
        yield row.person_id, _Event(row.clicked_at, LINK_CLICK, expiry_in(row.facts), row.facts["notice"])


def expiry_in(facts: Mapping[str, str]) -> datetime:
    """The expiry that a notice or an offer is about (UTC)."""
    return datetime.fromisoformat(facts["expires_at"])


def sent_at(connection: Connection, notice_id: str) -> datetime | None:
    """When the notice was said (UTC), None if it was not."""
    table = tables.inbox
    return connection.execute(select(table.c.created_at).where(table.c.notice_id == notice_id)).scalar()


def record(
    connection: Connection,
    now: datetime,
    person_id: str,
    system: str,
    answer: str,
    cause: str,
    notice_id: str | None,
    expires_at: datetime | None = None,
    actor: str | None = None,
) -> str:
    """Writes an answer down: `recorded`, also for a retry of the same cause; `repeated` for the same button twice."""
    table = tables.reminder_answers
    known = connection.execute(select(table.c.id).where(table.c.cause == cause)).first()
    if known:
        return RECORDED
    if notice_id:
        same = select(table.c.id).where(table.c.notice_id == notice_id, table.c.answer == answer)
        if connection.execute(same).first():
            return REPEATED
    connection.execute(
        table.insert().values(
            person_id=person_id,
            system=system,
            notice_id=notice_id,
            expires_at=expires_at,
            answer=answer,
            at=now,
            cause=cause,
        )
    )
    about = expires_at.isoformat() if expires_at else notice_id or system
    actor = actor or f"person:{person_id}"
    audit.write(connection, now, actor, f"reminder_{answer}", about, "done", person_id)
    return RECORDED


def record_for_expiry(
    connection: Connection,
    now: datetime,
    person_id: str,
    system: str,
    answer: str,
    cause: str,
    notice_id: str | None,
    expires_at: datetime,
) -> str:
    """As `record`; `over`, and nothing written, once the expiry is past or no longer the person's (E13, X12)."""
    table = tables.directory_facts
    query = select(table.c.password_expires_at).where(table.c.system == system, table.c.person_id == person_id)
    if now >= expires_at or connection.execute(query).scalar() != expires_at:
        return OVER
    return record(connection, now, person_id, system, answer, cause, notice_id, expires_at)


def note_password_change(
    connection: Connection, at: datetime, person_id: str, system: str, ended: datetime, cause: str
) -> None:
    """A new password, made `at` (UTC), ended the expiry `ended`: reminders of that one stop (E12, E12b)."""
    record(connection, at, person_id, system, CHANGED, cause, None, ended, actor="schedulers")


def take_as_told(connection: Connection, now: datetime, system: str, expired: Iterable[tuple[str, datetime]]) -> None:
    """Expiries of before we began: (person id, expiry). Nobody hears of those."""
    for person_id, expires_at in expired:
        cause = f"told:{system}:{person_id}:{expires_at.isoformat()}"
        record(connection, now, person_id, system, TAKEN_AS_TOLD, cause, None, expires_at, actor="schedulers")


def answers_to(connection: Connection, notice_id: str) -> list[str]:
    """What was answered to this notice, the first answer first."""
    table = tables.reminder_answers
    query = select(table.c.answer).where(table.c.notice_id == notice_id).order_by(table.c.at, table.c.id)
    return list(connection.execute(query).scalars())
