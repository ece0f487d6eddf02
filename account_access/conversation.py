"""What a person wrote and what was said to them: accepted once, answered once, shown in one order.

`inbound` rows are written by the door, `inbox` rows by Rasa's channel. An inbound row is a promise: it is due until a
turn has answered it, whoever is killed in between.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, func, or_, select, update
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

# What every turn asks and writes, made once: making a statement takes SQLAlchemy four times as long as running it.
_IN, _OUT = tables.inbound, tables.inbox
_BY_KEY = select(_IN).where(_IN.c.person_id == bindparam("person"), _IN.c.key == bindparam("its_key"))
_WAITING = select(_IN.c.id).where(_IN.c.person_id == bindparam("person"), _IN.c.state == ACCEPTED).limit(1)
_BY_ID = select(_IN).where(_IN.c.id == bindparam("inbound"))
_ANSWER = (
    update(_IN)
    .where(_IN.c.id == bindparam("inbound"), _IN.c.state == ACCEPTED)
    .values(state=ANSWERED, answered_at=bindparam("now"), claimed_until=None)
)
_ACCEPT, _SAY = _IN.insert(), _OUT.insert()
_SAID = select(_OUT.c.id).where(_OUT.c.cause == bindparam("its_cause"), _OUT.c.part == bindparam("its_part"))
_GIVEN = select(_OUT.c.id).where(_OUT.c.notice_id == bindparam("notice"))


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
    def last_shown(self) -> str | None:
        """The id of the offer that its sender had been shown last, within the time for typed answers."""
        return self.answerable[-1] if self.answerable else None

    @property
    def signed_in_ago(self) -> timedelta | None:
        """How long before this message its sender had signed in; None where nobody can tell."""
        return self.received_at - self.auth_time if self.auth_time else None

    @property
    def undated(self) -> bool:
        """Whether it came by a session of which the provider never said when it began: no new sign-in changes that."""
        return self.session_id is not None and self.auth_time is None


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
        shown = offers.answerable(connection, now, person_id, TYPED_WITHIN)
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
    return connection.execute(_BY_KEY, {"person": person_id, "its_key": key}).first()


def _insert(
    connection: Connection, now: datetime, person_id: str, key: str, surface: str, hold_seconds: float, **values
) -> Accepted:
    held = bool(hold_seconds) and connection.execute(_WAITING, {"person": person_id}).first() is None
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
    connection.execute(_ACCEPT, row)
    return Accepted(row["id"], row["seq"], False, held)


def find_inbound(connection: Connection, inbound_id: str) -> Inbound | None:
    """The stored message with this id."""
    row = connection.execute(_BY_ID, {"inbound": inbound_id}).first()
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
    with store.repeatable() as connection:
        connection.execute(_ANSWER, {"inbound": inbound_id, "now": clock.now()})


def pending(store: Store, person_id: str) -> bool:
    """Whether an accepted message still waits for its answer: the typing indicator."""
    with store.reading() as connection:
        return connection.execute(_WAITING, {"person": person_id}).first() is not None


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
    if connection.execute(_SAID, {"its_cause": cause, "its_part": part}).first():
        return False
    if notice_id and connection.execute(_GIVEN, {"notice": notice_id}).first():
        return False
    row = dict(
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
    connection.execute(_SAY, row)
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
    window, bounds = LAST, {}
    if after is not None:
        window, bounds = AFTER, {"after": after}
    elif before is not None:
        window, bounds = BEFORE, {"before": before}
    asked = {"person": person_id, "limit": limit, **bounds}
    with store.reading() as connection:
        mine = [_mine(row) for row in connection.execute(_MINE[window], asked)]
        now = clock.now()
        theirs = [_entry(row, now) for row in connection.execute(_THEIRS[window], asked).mappings()]
    if after is not None:
        return sorted(mine + theirs, key=lambda entry: entry.cursor)[:limit]
    return sorted(mine + theirs, key=lambda entry: entry.seq)[-limit:]


def _windows(query, cursor, seq) -> dict[str, Any]:
    limit = bindparam("limit")
    return {
        AFTER: query.where(cursor > bindparam("after")).order_by(cursor).limit(limit),
        BEFORE: query.where(seq < bindparam("before")).order_by(seq.desc()).limit(limit),
        LAST: query.order_by(seq.desc()).limit(limit),
    }


def _theirs_with_offers():
    changed = func.coalesce(tables.offers.c.changed_seq, 0)
    # No dialect-free greatest(): SQLite calls it max().
    cursor = _OUT.c.seq + (changed - _OUT.c.seq) * (changed > _OUT.c.seq).cast(_OUT.c.seq.type)
    query = (
        select(_OUT, tables.offers, cursor.label("cursor"), _OUT.c.seq.label("shown_seq"))
        .select_from(_OUT.outerjoin(tables.offers, tables.offers.c.id == _OUT.c.offer_id))
        .where(_OUT.c.person_id == bindparam("person"))
    )
    return _windows(query, cursor, _OUT.c.seq)


AFTER, BEFORE, LAST = "after", "before", "last"
_MINE = _windows(select(_IN).where(_IN.c.person_id == bindparam("person")), _IN.c.seq, _IN.c.seq)
_THEIRS = _theirs_with_offers()


def _mine(row) -> Entry:
    return Entry(row.seq, row.seq, "me", row.text, row.received_at, row.key)


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
