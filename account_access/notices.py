"""Notices: one thing to tell one person, once. The inbox row that carries a notice's id is its acknowledgement."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, or_, select, update
from sqlalchemy.engine import Connection

from account_access import audit, preferences
from account_access.cadence import lockout as cadence
from account_access.clock import Clock
from account_access.store import Store, claims, tables

WAITING, DELIVERED, DROPPED, DEAD = "waiting", "delivered", "dropped", "dead"
LOCKOUT, FOLLOW_UP, RELAPSE, AVAILABLE, APPROVAL = "lockout", "follow_up", "relapse", "available", "approval"
# After so many failed tries an admin has to look (dead letter).
MAX_ATTEMPTS = 50


@dataclass(frozen=True)
class Notice:
    id: str
    key: str
    kind: str
    person_id: str
    facts: dict[str, Any]
    state: str
    attempts: int
    created_at: datetime

    @property
    def intent(self) -> str:
        """The external event that makes the assistant speak."""
        return f"EXTERNAL_{self.kind}"


_COLUMNS = [tables.notices.c[name] for name in Notice.__dataclass_fields__]


def create(
    connection: Connection,
    now: datetime,
    key: str,
    kind: str,
    person_id: str,
    facts: Mapping[str, Any],
    due_at: datetime | None = None,
) -> str | None:
    """Adds the notice, due now unless an instant (UTC) is given; None if this key is known, whatever became of it."""
    table = tables.notices
    if connection.execute(select(table.c.id).where(table.c.key == key)).first():
        return None
    notice_id = str(uuid.uuid4())
    connection.execute(
        table.insert().values(
            id=notice_id,
            key=key,
            kind=kind,
            person_id=person_id,
            facts=dict(facts),
            state=WAITING,
            created_at=now,
            due_at=due_at or now,
            attempts=0,
        )
    )
    return notice_id


def lockout_key(person_id: str, system: str, locked_at: datetime | None) -> str:
    """One lockout is a person, a system and the instant it began (N9)."""
    return f"lockout:{person_id}:{system}:{locked_at.isoformat() if locked_at else 'unknown'}"


def last_lockout(connection: Connection, person_id: str, system: str, since: datetime) -> datetime | None:
    """When the person's last lockout on that system began that was noted since then (UTC), None if there is none."""
    table = tables.notices
    query = select(table.c.facts).where(
        table.c.person_id == person_id, table.c.kind == LOCKOUT, table.c.created_at > since
    )
    began = [facts["locked_at"] for facts in connection.execute(query).scalars() if facts.get("system") == system]
    return max((datetime.fromisoformat(instant) for instant in began if instant), default=None)


def repeat_lockout(connection: Connection, now: datetime, key: str, section) -> str | None:
    """Tells a lockout that still stands again, if the settings want that; the new notice's id, else None (N9, N4).

    `key` is its first notice's, `section` the settings' lockout section. Not while one of it waits, and not after a
    No where that silences it.
    """
    if not section.repeat_hours:
        return None
    table = tables.notices
    told = table.c.key.startswith(key, autoescape=True)
    rows = connection.execute(select(*_COLUMNS, table.c.delivered_at).where(told).order_by(table.c.created_at)).all()
    last = rows[-1]
    if last.state != DELIVERED or last.delivered_at > now - timedelta(hours=section.repeat_hours):
        return None
    if section.no_silences and _declined(connection, [row.id for row in rows]):
        return None
    return create(connection, now, f"{key}:{len(rows) + 1}", LOCKOUT, last.person_id, last.facts)


def _declined(connection: Connection, notice_ids: list[str]) -> bool:
    """Whether the question of one of these notices was answered with its No."""
    table = tables.offers
    query = select(table.c.answers, table.c.answer_id).where(
        table.c.cause.in_(notice_ids), table.c.answer_id.is_not(None)
    )
    return any(
        answer["id"] == row.answer_id and answer["intent"] == "deny"
        for row in connection.execute(query)
        for answer in row.answers
    )


def locked_at(notice: Notice) -> datetime | None:
    """When the lockout began that this notice tells of (UTC)."""
    told_of = notice.facts.get("locked_at")
    return datetime.fromisoformat(told_of) if told_of else None


def find(connection: Connection, notice_id: str) -> Notice | None:
    """The notice with this id."""
    row = connection.execute(select(*_COLUMNS).where(tables.notices.c.id == notice_id)).first()
    return Notice(*row) if row else None


def due(store: Store, clock: Clock, limit: int = 200) -> list[Notice]:
    """Waiting notices whose time has come and that nobody is delivering, oldest first; but lockouts before all others.

    Ten thousand reminders of a morning hold up nobody who is locked out (N2).
    """
    table, now = tables.notices, clock.now()
    query = (
        select(*_COLUMNS)
        .where(
            table.c.state == WAITING,
            table.c.due_at <= now,
            or_(table.c.claimed_until.is_(None), table.c.claimed_until <= now),
        )
        .order_by(case((table.c.kind == LOCKOUT, 0), else_=1), table.c.due_at, table.c.created_at)
        .limit(limit)
    )
    with store.reading() as connection:
        return [Notice(*row) for row in connection.execute(query)]


def undelivered(connection: Connection, now: datetime, kind: str) -> list[Notice]:
    """Waiting notices of this kind that nobody is delivering, due or not."""
    table = tables.notices
    query = select(*_COLUMNS).where(
        table.c.kind == kind,
        table.c.state == WAITING,
        or_(table.c.claimed_until.is_(None), table.c.claimed_until <= now),
    )
    return [Notice(*row) for row in connection.execute(query)]


def hold(store: Store, notice: Notice, until: datetime, reason: str) -> None:
    """Puts a waiting notice off until an instant (UTC); that is no try."""
    table = tables.notices
    with store.repeatable() as connection:
        connection.execute(
            update(table).where(table.c.id == notice.id, table.c.state == WAITING).values(due_at=until, reason=reason)
        )


def claim(store: Store, clock: Clock, notice: Notice, seconds: float, limits) -> bool:
    """Takes the notice for delivery; a lockout notice that the person's limit holds back waits until it allows (N6).

    The limit is the settings', lowered by the person's own wish; `limits` is the lockout section of the settings. False
    if somebody else has it, or it has to wait.
    """
    table, now = tables.notices, clock.now()
    with store.repeatable() as connection:
        if was_delivered(connection, notice.id):
            _settle(connection, now, notice.id, DELIVERED, None)
            return False
        if notice.kind == LOCKOUT and not _within_limits(connection, now, notice, limits):
            return False
        taken = connection.execute(
            update(table)
            .where(
                table.c.id == notice.id,
                table.c.state == WAITING,
                or_(table.c.claimed_until.is_(None), table.c.claimed_until <= now),
            )
            .values(
                claimed_until=now + timedelta(seconds=seconds),
                claimed_by=claims.holder(),
                attempts=table.c.attempts + 1,
            )
        )
        return taken.rowcount == 1


def _within_limits(connection: Connection, now: datetime, notice: Notice, limits) -> bool:
    limits = preferences.limits_of(connection, notice.person_id, limits)
    window = timedelta(hours=limits.window_hours)
    allowed = cadence.next_allowed(
        lockouts_told(connection, notice.person_id, now - window - timedelta(hours=limits.gap_hours)),
        now,
        limits.max_notifications,
        window,
        timedelta(hours=limits.gap_hours),
    )
    if allowed is None:
        _settle(connection, now, notice.id, DROPPED, "the settings allow no lockout notice")
        return False
    other = _lockout_under_way(connection, now, notice)
    if allowed <= now and not other:
        return True
    later = max(allowed, now + timedelta(seconds=1)) if other else allowed
    connection.execute(
        update(tables.notices)
        .where(tables.notices.c.id == notice.id, tables.notices.c.state == WAITING)
        .values(due_at=later, reason="held back by the person's limit of lockout notices")
    )
    return False


def _lockout_under_way(connection: Connection, now: datetime, notice: Notice) -> bool:
    """Whether another lockout notice of the person is being delivered, so that two never pass the limit together."""
    table = tables.notices
    query = select(table.c.id).where(
        table.c.person_id == notice.person_id,
        table.c.kind == LOCKOUT,
        table.c.id != notice.id,
        table.c.state == WAITING,
        table.c.claimed_until > now,
    )
    return connection.execute(query.limit(1)).first() is not None


def lockouts_told(connection: Connection, person_id: str, since: datetime) -> list[datetime]:
    """When the person was told of lockouts since then: by inbox rows, the only proof that a message was sent."""
    inbox, table = tables.inbox, tables.notices
    query = (
        select(inbox.c.created_at)
        .join(table, table.c.id == inbox.c.notice_id)
        .where(inbox.c.person_id == person_id, table.c.kind == LOCKOUT, inbox.c.created_at >= since)
    )
    return list(connection.execute(query).scalars())


def was_delivered(connection: Connection, notice_id: str) -> bool:
    """Whether the notice stands in its person's inbox."""
    return (
        connection.execute(select(tables.inbox.c.id).where(tables.inbox.c.notice_id == notice_id)).first() is not None
    )


def settle(store: Store, clock: Clock, notice_id: str, state: str, reason: str | None = None) -> None:
    """The end of a notice: delivered, dropped (with the reason) or dead. A second end changes nothing."""
    with store.repeatable() as connection:
        _settle(connection, clock.now(), notice_id, state, reason)


def drop(connection: Connection, now: datetime, notice_id: str, reason: str) -> None:
    """As `settle` with dropped, in the caller's transaction."""
    _settle(connection, now, notice_id, DROPPED, reason)


def _settle(connection: Connection, now: datetime, notice_id: str, state: str, reason: str | None) -> None:
    table = tables.notices
    changed = connection.execute(
        update(table)
        .where(table.c.id == notice_id, table.c.state == WAITING)
        .values(state=state, reason=reason, claimed_until=None, delivered_at=now if state == DELIVERED else None)
    )
    if changed.rowcount == 1:
        notice = find(connection, notice_id)
        audit.write(connection, now, "schedulers", f"notice_{notice.kind}", notice.key, state, notice.person_id, reason)


def retry(store: Store, clock: Clock, notice: Notice, in_seconds: float) -> None:
    """Gives the notice back, to be tried again; after too many tries it is dead and an admin has to look."""
    table, now = tables.notices, clock.now()
    with store.repeatable() as connection:
        attempts = connection.execute(select(table.c.attempts).where(table.c.id == notice.id)).scalar() or 0
        if attempts >= MAX_ATTEMPTS:
            _settle(connection, now, notice.id, DEAD, f"not delivered in {attempts} tries")
            return
        connection.execute(
            update(table)
            .where(table.c.id == notice.id, table.c.state == WAITING)
            .values(claimed_until=None, due_at=now + timedelta(seconds=in_seconds))
        )
