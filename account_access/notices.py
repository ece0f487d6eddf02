"""Notices: one thing to tell one person, once. The inbox row that carries a notice's id is its acknowledgement."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.engine import Connection

from account_access import audit, lockout_audience, preferences
from account_access.cadence import lockout as cadence
from account_access.clock import Clock
from account_access.store import Store, claims, tables

WAITING, DELIVERED, DROPPED, DEAD = "waiting", "delivered", "dropped", "dead"
LOCKOUT, FOLLOW_UP, RELAPSE, AVAILABLE, APPROVAL = "lockout", "follow_up", "relapse", "available", "approval"
# After so many failed tries an admin has to look (dead letter).
MAX_ATTEMPTS = 50
# A lockout about whose owner the directory has yet to tell is looked at again so soon.
UNKNOWN_FOR = timedelta(seconds=15)
# Ten thousand reminders of a morning cannot be ten thousand calls: the schedulers look at many accounts in one.
SEEN_HOLDS = timedelta(seconds=60)


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
    seen_true_at: datetime | None = None

    def is_seen_true(self, now: datetime) -> bool:
        """Whether its account was seen to be as it says a moment ago, so that nobody has to look again (N10)."""
        return self.seen_true_at is not None and now - self.seen_true_at <= SEEN_HOLDS

    @property
    def intent(self) -> str:
        """The external event that makes the assistant speak."""
        return f"EXTERNAL_{self.kind}"


_COLUMNS = [tables.notices.c[name] for name in Notice.__dataclass_fields__]


@dataclass(frozen=True)
class New:
    """A notice to be made, due at once unless an instant (UTC) is given."""

    key: str
    kind: str
    person_id: str
    facts: Mapping[str, Any]
    due_at: datetime | None = None


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
    made = create_all(connection, now, [New(key, kind, person_id, facts, due_at)])
    return made.get(key)


def create_all(connection: Connection, now: datetime, wanted: Sequence[New]) -> dict[str, str]:
    """Adds those of these notices whose keys are not known yet; their ids by key."""
    by_key = {new.key: new for new in wanted}
    there = known(connection, by_key)
    rows = [
        {
            "id": str(uuid.uuid4()),
            "key": new.key,
            "kind": new.kind,
            "person_id": new.person_id,
            "facts": dict(new.facts),
            "state": WAITING,
            "created_at": now,
            "due_at": new.due_at or now,
            "attempts": 0,
        }
        for new in by_key.values()
        if new.key not in there
    ]
    if rows:
        connection.execute(tables.notices.insert(), rows)
    return {row["key"]: row["id"] for row in rows}


def known(connection: Connection, keys: Collection[str]) -> set[str]:
    """Those of these keys that there is a notice of, whatever became of it."""
    table = tables.notices
    return set(connection.execute(select(table.c.key).where(table.c.key.in_(list(keys)))).scalars())


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


def due(store: Store, clock: Clock, limit: int = 100) -> list[Notice]:
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
        .order_by(table.c.due_at)
    )
    with store.reading() as connection:
        # Two queries, each in the order of an index: this is asked for every few notices of ten thousand.
        found = [Notice(*row) for row in connection.execute(query.where(table.c.kind == LOCKOUT).limit(limit))]
        others = query.where(table.c.kind != LOCKOUT).limit(limit - len(found))
        return found + [Notice(*row) for row in connection.execute(others)]


def undelivered(connection: Connection, now: datetime, kind: str) -> list[Notice]:
    """Waiting notices of this kind that nobody is delivering, due or not."""
    table = tables.notices
    query = select(*_COLUMNS).where(
        table.c.kind == kind,
        table.c.state == WAITING,
        or_(table.c.claimed_until.is_(None), table.c.claimed_until <= now),
    )
    return [Notice(*row) for row in connection.execute(query)]


def hold(connection: Connection, notice_ids: Collection[str], until: datetime, reason: str) -> None:
    """Puts waiting notices off until an instant (UTC); that is no try."""
    table = tables.notices
    if notice_ids:
        waiting = table.c.id.in_(list(notice_ids)) & (table.c.state == WAITING)
        connection.execute(update(table).where(waiting).values(due_at=until, reason=reason))


def claim(connection: Connection, now: datetime, wanted: Sequence[Notice], seconds: float, limits) -> list[Notice]:
    """Takes these notices for delivery, together; those that somebody else has or that have to wait are left out.

    One that stands in its inbox is settled. A lockout notice that the person's limit holds back waits until it allows
    (N6): the limit is the settings', lowered by the person's own wish; `limits` is the settings' lockout section. One
    that would go now to somebody who is not in its audience ends unsaid.
    """
    table = tables.notices
    said = _in_inbox(connection, [notice.id for notice in wanted])
    settle(connection, now, said, DELIVERED)
    free = _free(connection, now, [notice.id for notice in wanted if notice.id not in said])
    taken = _within_limits(connection, now, [notice for notice in wanted if notice.id in free], limits)
    if taken:
        connection.execute(
            update(table)
            .where(table.c.id.in_([notice.id for notice in taken]))
            .values(
                claimed_until=now + timedelta(seconds=seconds),
                claimed_by=claims.holder(),
                attempts=table.c.attempts + 1,
            )
        )
    return taken


def _free(connection: Connection, now: datetime, notice_ids: Sequence[str]) -> set[str]:
    """Those of these notices that wait and that nobody has; they stay so until the transaction ends."""
    table = tables.notices
    query = select(table.c.id).where(
        table.c.id.in_(notice_ids),
        table.c.state == WAITING,
        or_(table.c.claimed_until.is_(None), table.c.claimed_until <= now),
    )
    return set(connection.execute(query.with_for_update(skip_locked=True)).scalars())


def _within_limits(connection: Connection, now: datetime, wanted: Sequence[Notice], limits) -> list[Notice]:
    """Those that may go now; lockout notices beyond a person's limit are put off, or dropped where none is allowed.

    Dropped are those of people who are left out as well, put off those of people of whom that is not known yet.
    """
    people = {notice.person_id for notice in wanted if notice.kind == LOCKOUT}
    if not people:
        return list(wanted)
    theirs = preferences.limits_of_each(connection, people, limits)
    since = now - timedelta(hours=max(own.window_hours + own.gap_hours for own in theirs.values()))
    told = lockouts_told(connection, people, since)
    busy = _told_of_a_lockout_now(connection, now, people)
    allowed = []
    for notice in wanted:
        if notice.kind == LOCKOUT:
            own = theirs[notice.person_id]
            at = cadence.next_allowed(
                told[notice.person_id],
                now,
                own.max_notifications,
                timedelta(hours=own.window_hours),
                timedelta(hours=own.gap_hours),
            )
            if at is None:
                settle(connection, now, [notice.id], DROPPED, "the settings allow no lockout notice")
                continue
            if notice.person_id in busy or at > now:
                later = max(at, now + timedelta(seconds=1)) if notice.person_id in busy else at
                hold(connection, [notice.id], later, "held back by the person's limit of lockout notices")
                continue
            # Two never pass the limit together.
            busy.add(notice.person_id)
        allowed.append(notice)
    return _within_audience(connection, now, allowed, limits)


def _within_audience(connection: Connection, now: datetime, allowed: Sequence[Notice], section) -> list[Notice]:
    """Those that may go now; lockout notices of people who are left out end here, or wait until that is known."""
    lockouts = [notice for notice in allowed if notice.kind == LOCKOUT]
    judged = lockout_audience.judge(connection, lockouts, section)
    for notice_id, reason in judged.left_out.items():
        drop(connection, now, notice_id, reason)
    hold(connection, judged.unknown, now + UNKNOWN_FOR, "the directory has yet to tell whether this person is told")
    silent = judged.unknown | judged.left_out.keys()
    return [notice for notice in allowed if notice.id not in silent]


def _told_of_a_lockout_now(connection: Connection, now: datetime, person_ids: Collection[str]) -> set[str]:
    """Those of these people to whom a lockout notice is being delivered."""
    table = tables.notices
    query = select(table.c.person_id).where(
        table.c.person_id.in_(list(person_ids)),
        table.c.kind == LOCKOUT,
        table.c.state == WAITING,
        table.c.claimed_until > now,
    )
    return set(connection.execute(query).scalars())


def lockouts_told(connection: Connection, person_ids: Collection[str], since: datetime) -> dict[str, list[datetime]]:
    """When each of these people was told of lockouts since then: by inbox rows, the only proof that one was sent."""
    inbox, table = tables.inbox, tables.notices
    query = (
        select(inbox.c.person_id, inbox.c.created_at)
        .join(table, table.c.id == inbox.c.notice_id)
        .where(inbox.c.person_id.in_(list(person_ids)), table.c.kind == LOCKOUT, inbox.c.created_at >= since)
    )
    found: dict[str, list[datetime]] = {person_id: [] for person_id in person_ids}
    for row in connection.execute(query):
        found[row.person_id].append(row.created_at)
    return found


def was_delivered(connection: Connection, notice_id: str) -> bool:
    """Whether the notice stands in its person's inbox."""
    return bool(_in_inbox(connection, [notice_id]))


def _in_inbox(connection: Connection, notice_ids: Sequence[str]) -> set[str]:
    table = tables.inbox
    return set(connection.execute(select(table.c.notice_id).where(table.c.notice_id.in_(notice_ids))).scalars())


def settle(
    connection: Connection, now: datetime, notice_ids: Collection[str], state: str, reason: str | None = None
) -> None:
    """The end of these notices: delivered, dropped (with the reason) or dead. A second end changes nothing."""
    table = tables.notices
    if not notice_ids:
        return
    waiting = table.c.id.in_(list(notice_ids)) & (table.c.state == WAITING)
    rows = connection.execute(
        select(table.c.id, table.c.kind, table.c.key, table.c.person_id).where(waiting).with_for_update()
    ).all()
    if not rows:
        return
    connection.execute(
        update(table)
        .where(table.c.id.in_([row.id for row in rows]))
        .values(state=state, reason=reason, claimed_until=None, delivered_at=now if state == DELIVERED else None)
    )
    for row in rows:
        audit.write(connection, now, "schedulers", f"notice_{row.kind}", row.key, state, row.person_id, reason)


def drop(connection: Connection, now: datetime, notice_id: str, reason: str) -> None:
    """Ends one notice unsaid."""
    settle(connection, now, [notice_id], DROPPED, reason)


def retry(connection: Connection, now: datetime, notice: Notice, in_seconds: float) -> None:
    """Gives the notice back, to be tried again; after too many tries it is dead and an admin has to look."""
    table = tables.notices
    attempts = connection.execute(select(table.c.attempts).where(table.c.id == notice.id)).scalar() or 0
    if attempts >= MAX_ATTEMPTS:
        settle(connection, now, [notice.id], DEAD, f"not delivered in {attempts} tries")
        return
    connection.execute(
        update(table)
        .where(table.c.id == notice.id, table.c.state == WAITING)
        .values(claimed_until=None, due_at=now + timedelta(seconds=in_seconds))
    )


def seen_true(connection: Connection, now: datetime, notice_ids: Collection[str]) -> None:
    """The accounts of these notices were just seen to be as they say; see `Notice.is_seen_true`."""
    table = tables.notices
    if notice_ids:
        connection.execute(update(table).where(table.c.id.in_(list(notice_ids))).values(seen_true_at=now))
