"""What a person wrote and what was said to them: accepted once, answered once, shown in one order.

`inbound` rows are written by the door, `inbox` rows by Rasa's channel. An inbound row is a promise: it is due until a
turn has answered it, whoever is killed in between.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.engine import Connection

from account_access import audit, offers
from account_access.clock import Clock
from account_access.store import Store, claims, tables
from account_access.store.sequence import next_seq

ACCEPTED, ANSWERED = "accepted", "answered"
# A typed answer is good for two hours after the offer (X12).
TYPED_WITHIN = timedelta(hours=2)
# Rasa had so many chances to answer a message; then the person is told that it went wrong.
MAX_ATTEMPTS = 8


class ForeignOffer(Exception):
    """The offer is unknown or somebody else's; the answer to the client is the same for both."""


class KeyReused(Exception):
    """The client's key came again with another text: its mistake, and nothing was stored."""


@dataclass(frozen=True)
class Accepted:
    """`held`: claimed for the caller already, who is to take it to Rasa now."""

    id: str
    seq: int
    repeated: bool
    held: bool = False


@dataclass(frozen=True)
class Due:
    id: str
    person_id: str


@dataclass(frozen=True)
class Inbound:
    """A stored message as the channel and the actions read it."""

    id: str
    person_id: str
    kind: str
    text: str
    redacted: bool
    offer_id: str | None
    answer_id: str | None
    answerable: tuple[str, ...]
    received_at: datetime
    state: str
    auth_time: datetime | None = None
    session_id: str | None = None

    @property
    def signed_in_ago(self) -> timedelta | None:
        """How long before this message its sender had signed in; None where nobody can tell."""
        return self.received_at - self.auth_time if self.auth_time else None


def accept_text(
    store: Store,
    clock: Clock,
    person_id: str,
    key: str,
    text: str,
    surface: str = "web",
    redacted: bool = False,
    hold_seconds: float = 0,
    auth_time: datetime | None = None,
    session_id: str | None = None,
) -> Accepted:
    """Stores a typed message with the offers it may answer; a repeated key is the same message.

    `auth_time`: when its sender signed in (UTC), `session_id`: the session it came by; None where the surface cannot
    tell.

    With `hold_seconds` it is claimed for so long in the same transaction, unless an earlier message waits.
    Raises KeyReused if the key came before with another text.
    """
    with store.begin() as connection:
        known = _known(connection, person_id, key)
        if known is not None:
            if known.kind != "text" or known.text != text:
                raise KeyReused(key)
            return Accepted(known.id, known.seq, True)
        now = clock.now()
        shown = [offer.id for offer in offers.answerable(connection, now, person_id, TYPED_WITHIN)]
        content = dict(kind="text", text=text, redacted=redacted, answerable=shown)
        signed_in = dict(auth_time=auth_time, session_id=session_id)
        return _insert(connection, now, person_id, key, surface, hold_seconds, **content, **signed_in)


def accept_click(
    store: Store,
    clock: Clock,
    person_id: str,
    key: str,
    offer_id: str,
    answer_id: str,
    surface: str = "web",
    hold_seconds: float = 0,
    auth_time: datetime | None = None,
    session_id: str | None = None,
) -> Accepted:
    """Stores a click on one of the person's own offers; the same click again, from whatever tab, is the same message.

    `auth_time` and `session_id` as for typed messages. A click that comes too late is stored as well: the assistant
    tells the truth about it. Raises ForeignOffer for an offer that is unknown or somebody else's, and for an answer it
    never had; that is audited.
    """
    refused = None
    with store.begin() as connection:
        known = _known(connection, person_id, key)
        if known is not None:
            if known.kind != "click" or (known.offer_id, known.answer_id) != (offer_id, answer_id):
                raise KeyReused(key)
            return Accepted(known.id, known.seq, True)
        now = clock.now()
        offer = offers.find(connection, offer_id)
        answer = offer.answer(answer_id) if offer and offer.person_id == person_id else None
        if answer is None:
            refused = "not this person's offer" if offer and offer.person_id != person_id else "no such offer or answer"
            audit.write(
                connection, now, f"person:{person_id}", "click", offer_id[:40], "refused", person_id, reason=refused
            )
        else:
            signed_in = dict(auth_time=auth_time, session_id=session_id)
            return _accept_own_click(connection, now, person_id, key, surface, hold_seconds, offer, answer, signed_in)
    raise ForeignOffer(refused)


def _accept_own_click(connection, now, person_id, key, surface, hold_seconds, offer, answer, signed_in) -> Accepted:
    click_of = f"{offer.id}:{answer.id}"
    same = connection.execute(select(tables.inbound).where(tables.inbound.c.click_of == click_of)).first()
    # A second tab's click on what is being answered is the same message; later it is a stale button (X3).
    if same is not None and same.state == ACCEPTED:
        return Accepted(same.id, same.seq, True)
    return _insert(
        connection,
        now,
        person_id,
        key,
        surface,
        hold_seconds,
        kind="click",
        text=answer.title,
        redacted=False,
        answerable=[],
        **signed_in,
        offer_id=offer.id,
        answer_id=answer.id,
        click_of=None if same is not None else click_of,
    )


def _known(connection: Connection, person_id: str, key: str):
    table = tables.inbound
    return connection.execute(select(table).where(table.c.person_id == person_id, table.c.key == key)).first()


def _insert(
    connection: Connection, now: datetime, person_id: str, key: str, surface: str, hold_seconds: float, **values
) -> Accepted:
    table = tables.inbound
    earlier = select(table.c.id).where(table.c.person_id == person_id, table.c.state == ACCEPTED).limit(1)
    held = bool(hold_seconds) and connection.execute(earlier).first() is None
    row = dict(
        id=str(uuid.uuid4()),
        person_id=person_id,
        seq=next_seq(connection, person_id),
        key=key,
        surface=surface,
        received_at=now,
        state=ACCEPTED,
        due_at=now,
        attempts=1 if held else 0,
        claimed_until=now + timedelta(seconds=hold_seconds) if held else None,
        claimed_by=claims.holder() if held else None,
        **values,
    )
    connection.execute(table.insert().values(**row))
    return Accepted(row["id"], row["seq"], False, held)


def find_inbound(connection: Connection, inbound_id: str) -> Inbound | None:
    """The stored message with this id."""
    table = tables.inbound
    row = connection.execute(select(table).where(table.c.id == inbound_id)).first()
    if row is None:
        return None
    return Inbound(
        row.id,
        row.person_id,
        row.kind,
        row.text,
        row.redacted,
        row.offer_id,
        row.answer_id,
        tuple(row.answerable),
        row.received_at,
        row.state,
        row.auth_time,
        row.session_id,
    )


# The road to Rasa: rows are due until answered, claimed by one forwarder at a time.


def due(store: Store, clock: Clock, limit: int = 50) -> list[Due]:
    """Accepted messages that nobody is working on and whose time has come: the oldest of each person."""
    table, now = tables.inbound, clock.now()
    oldest = (
        select(func.min(table.c.seq).label("seq"), table.c.person_id)
        .where(table.c.state == ACCEPTED)
        .group_by(table.c.person_id)
        .subquery()
    )
    query = (
        select(table.c.id, table.c.person_id)
        .join(oldest, and_(oldest.c.person_id == table.c.person_id, oldest.c.seq == table.c.seq))
        .where(table.c.due_at <= now, or_(table.c.claimed_until.is_(None), table.c.claimed_until <= now))
        .order_by(table.c.received_at)
        .limit(limit)
    )
    with store.reading() as connection:
        return [Due(row.id, row.person_id) for row in connection.execute(query)]


def claim(store: Store, clock: Clock, inbound_id: str, seconds: float) -> bool:
    """Takes the message for so many seconds; False if it is answered, not due, or somebody else's."""
    table, now = tables.inbound, clock.now()
    statement = (
        update(table)
        .where(
            table.c.id == inbound_id,
            table.c.state == ACCEPTED,
            or_(table.c.claimed_until.is_(None), table.c.claimed_until <= now),
        )
        .values(
            claimed_until=now + timedelta(seconds=seconds), claimed_by=claims.holder(), attempts=table.c.attempts + 1
        )
    )
    with store.repeatable() as connection:
        return connection.execute(statement).rowcount == 1


def release(store: Store, clock: Clock, inbound_id: str, retry_in_seconds: float) -> None:
    """Gives an unanswered message back, to be tried again later."""
    table = tables.inbound
    statement = (
        update(table)
        .where(table.c.id == inbound_id, table.c.state == ACCEPTED)
        .values(claimed_until=None, due_at=clock.now() + timedelta(seconds=retry_in_seconds))
    )
    with store.repeatable() as connection:
        connection.execute(statement)


def attempts(store: Store, inbound_id: str) -> int:
    """How often a forwarder has taken this message to Rasa."""
    with store.reading() as connection:
        return (
            connection.execute(select(tables.inbound.c.attempts).where(tables.inbound.c.id == inbound_id)).scalar() or 0
        )


def mark_answered(store: Store, clock: Clock, inbound_id: str) -> None:
    """The turn is over and its words are in the inbox."""
    table, now = tables.inbound, clock.now()
    with store.repeatable() as connection:
        connection.execute(
            update(table)
            .where(table.c.id == inbound_id, table.c.state == ACCEPTED)
            .values(state=ANSWERED, answered_at=now, claimed_until=None)
        )


def pending(store: Store, person_id: str) -> bool:
    """Whether an accepted message still waits for its answer: the typing indicator."""
    table = tables.inbound
    query = select(table.c.id).where(table.c.person_id == person_id, table.c.state == ACCEPTED).limit(1)
    with store.reading() as connection:
        return connection.execute(query).first() is not None


# What the assistant said.


def say(
    connection: Connection,
    now: datetime,
    person_id: str,
    cause: str,
    part: int,
    text: str,
    offer_id: str | None = None,
    notice_id: str | None = None,
    link: Mapping[str, str] | None = None,
) -> bool:
    """Writes one inbox row; False if this cause said this part (or this notice was given) before a retry."""
    table = tables.inbox
    same = (table.c.cause == cause) & (table.c.part == part)
    if notice_id:
        same = same | (table.c.notice_id == notice_id)
    if connection.execute(select(table.c.id).where(same)).first():
        return False
    connection.execute(
        table.insert().values(
            person_id=person_id,
            seq=next_seq(connection, person_id),
            cause=cause,
            part=part,
            notice_id=notice_id,
            offer_id=offer_id,
            text=text,
            link=dict(link) if link else None,
            created_at=now,
        )
    )
    return True


# What the person sees.


@dataclass(frozen=True)
class Entry:
    """One line of the conversation. Order a history by seq, a stream by cursor: a changed offer comes again."""

    seq: int
    cursor: int
    sender: str
    text: str
    at: datetime
    key: str | None = None
    notice: bool = False
    link: Mapping[str, str] | None = None
    offer: Mapping[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        """The JSON of the door's API (docs/door-api.md); `at` is UTC."""
        return {
            "seq": self.seq,
            "from": self.sender,
            "text": self.text,
            "at": self.at.isoformat(timespec="seconds").replace("+00:00", "Z"),
            "key": self.key,
            "notice": self.notice,
            "link": dict(self.link) if self.link else None,
            "offer": dict(self.offer) if self.offer else None,
        }


def entries(
    store: Store, clock: Clock, person_id: str, after: int | None = None, before: int | None = None, limit: int = 50
) -> list[Entry]:
    """With `after`: what is new or changed since that cursor, by cursor. Else the last before `before`, by seq."""
    with store.reading() as connection:
        mine = _mine(connection, person_id, after, before, limit)
        theirs = _theirs(connection, clock.now(), person_id, after, before, limit)
    if after is not None:
        return sorted(mine + theirs, key=lambda entry: entry.cursor)[:limit]
    return sorted(mine + theirs, key=lambda entry: entry.seq)[-limit:]


def _mine(connection, person_id, after, before, limit) -> list[Entry]:
    table = tables.inbound
    query = select(table).where(table.c.person_id == person_id)
    query = _window(query, table.c.seq, table.c.seq, after, before, limit)
    return [Entry(row.seq, row.seq, "me", row.text, row.received_at, row.key) for row in connection.execute(query)]


def _theirs(connection, now, person_id, after, before, limit) -> list[Entry]:
    table, offer = tables.inbox, tables.offers
    changed = func.coalesce(offer.c.changed_seq, 0)
    # No dialect-free greatest(): SQLite calls it max().
    cursor = table.c.seq + (changed - table.c.seq) * (changed > table.c.seq).cast(table.c.seq.type)
    query = (
        select(table, offer, cursor.label("cursor"), table.c.seq.label("shown_seq"))
        .select_from(table.outerjoin(offer, offer.c.id == table.c.offer_id))
        .where(table.c.person_id == person_id)
    )
    query = _window(query, cursor, table.c.seq, after, before, limit)
    return [_entry(row, now) for row in connection.execute(query).mappings()]


def _window(query, cursor, seq, after, before, limit):
    if after is not None:
        return query.where(cursor > after).order_by(cursor).limit(limit)
    if before is not None:
        query = query.where(seq < before)
    return query.order_by(seq.desc()).limit(limit)


def _entry(row, now: datetime) -> Entry:
    offer = None
    if row[tables.offers.c.id] is not None:
        offer = _offer_view(row, now)
    return Entry(
        row["shown_seq"],
        row["cursor"],
        "assistant",
        row[tables.inbox.c.text],
        row[tables.inbox.c.created_at],
        notice=row[tables.inbox.c.notice_id] is not None,
        link=row[tables.inbox.c.link],
        offer=offer,
    )


def _offer_view(row, now: datetime) -> dict[str, Any]:
    table = tables.offers
    state = row[table.c.state]
    if state == offers.OPEN and row[table.c.expires_at] <= now:
        state = offers.EXPIRED
    return {
        "id": row[table.c.id],
        "state": "closed" if state in (offers.REPLACED, offers.OVERTAKEN) else state,
        "chosen": row[table.c.answer_id],
        "answers": [{"id": answer["id"], "title": answer["title"]} for answer in row[table.c.answers]],
    }


def last_seqs(store: Store, person_ids: Iterable[str]) -> dict[str, int]:
    """How far each of these conversations has come, in one query: for waking open streams."""
    table = tables.conversations
    query = select(table.c.person_id, table.c.last_seq).where(table.c.person_id.in_(list(person_ids)))
    with store.reading() as connection:
        return {row.person_id: row.last_seq for row in connection.execute(query)}


def still_pending(store: Store, person_ids: Iterable[str]) -> set[str]:
    """Those of these people who wait for an answer, in one query."""
    table = tables.inbound
    query = select(table.c.person_id).where(table.c.person_id.in_(list(person_ids)), table.c.state == ACCEPTED)
    with store.reading() as connection:
        return set(connection.execute(query.distinct()).scalars())
