"""Offers: one question to one person with a closed set of answers. The store alone remembers what is open.

An offer is answerable once the inbox row that shows it exists; a typed answer concerns it for two hours, a button
until it expires (X12). Answering it is one transaction with the request it leads to (law 5).
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, or_, select, update
from sqlalchemy.engine import Connection, Row

from account_access.answers import OpenAnswer, OpenOffer, Resolution, resolve
from account_access.store import Store, tables
from account_access.store.sequence import next_seq

__all__ = ["Offer", "OpenOffer", "Resolution", "resolve"]

OPEN, ANSWERED, REPLACED, OVERTAKEN = "open", "answered", "replaced", "overtaken"
EXPIRED = "expired"
_BY_ID = select(tables.offers).where(tables.offers.c.id == bindparam("offer"))
_SHOWN = (
    select(tables.offers.c.id, tables.offers.c.state, tables.offers.c.expires_at)
    .join(tables.inbox, tables.inbox.c.offer_id == tables.offers.c.id)
    .where(
        tables.offers.c.person_id == bindparam("person"),
        tables.inbox.c.created_at > bindparam("shown_after"),
    )
    .order_by(tables.inbox.c.seq)
)


@dataclass(frozen=True)
class Offer:
    id: str
    person_id: str
    question: str
    subject: dict[str, Any]
    answers: tuple[OpenAnswer, ...]
    cause: str
    from_notice: bool
    created_at: datetime
    expires_at: datetime
    state: str
    answer_id: str | None
    answered_by: str | None

    def state_at(self, now: datetime) -> str:
        """`open`, `answered`, `replaced`, `overtaken`, or `expired` for an open one whose time is over."""
        return EXPIRED if self.state == OPEN and self.expires_at <= now else self.state

    def answer(self, answer_id: str | None) -> OpenAnswer | None:
        """The answer with that id, None if it is not in this offer's set."""
        return next((answer for answer in self.answers if answer.id == answer_id), None)

    def as_open(self) -> OpenOffer:
        """For resolving typed answers: offers of the same act on the same accounts carry the same subject."""
        act = self.subject.get("act")
        about = f"{act}:{'+'.join(systems_of(self.subject))}" if act else f"offer:{self.id}"
        return OpenOffer(self.id, self.question, about, self.answers)


def make(
    connection: Connection,
    now: datetime,
    person_id: str,
    question: str,
    subject: dict[str, Any],
    answers: Sequence[tuple[str, ...]],
    cause: str,
    expires_in: timedelta,
    from_notice: bool = False,
    targets: Sequence[tuple[str, str]] = (),
) -> Offer:
    """Makes the offer of (title, intent, other names …) answers, or finds the one this cause made before a retry.

    An offer that the person's own message led to replaces earlier such ones; offers of notices stay, and so do those
    that a "which one?" asks about. `targets` are the (offer id, answer id) that each of its answers stands for.
    """
    table = tables.offers
    row = connection.execute(select(table).where(table.c.cause == cause, table.c.question == question)).first()
    if row is not None:
        return _offer(row)
    if not from_notice:
        earlier = connection.execute(
            select(table.c.id).where(
                table.c.person_id == person_id,
                table.c.state == OPEN,
                table.c.from_notice.is_(False),
                table.c.id.not_in([offer_id for offer_id, _ in targets]),
            )
        ).scalars()
        for offer_id in earlier.all():
            close(connection, now, offer_id, REPLACED)
    listed = [
        {"id": str(n), "title": title, "intent": intent, "names": names}
        for n, (title, intent, *names) in enumerate(answers, start=1)
    ]
    for answer, (target_id, target_answer) in zip(listed, targets, strict=False):
        target = find(connection, target_id).as_open()
        answer.update(target=[target_id, target_answer], question=target.question, subject=target.subject)
    values = dict(
        id=str(uuid.uuid4()),
        person_id=person_id,
        question=question,
        subject=subject,
        answers=listed,
        cause=cause,
        from_notice=from_notice,
        created_at=now,
        expires_at=now + expires_in,
        state=OPEN,
        changed_seq=0,
    )
    connection.execute(table.insert().values(**values))
    made = {name: values.get(name) for name in Offer.__dataclass_fields__}
    return Offer(**{**made, "answers": tuple(map(OpenAnswer.of, listed))})


def find(connection: Connection, offer_id: str | None) -> Offer | None:
    """The offer with this id, whoever's it is: callers check the owner."""
    row = connection.execute(_BY_ID, {"offer": offer_id}).first() if offer_id else None
    return _offer(row) if row else None


def close(
    connection: Connection,
    now: datetime,
    offer_id: str,
    state: str,
    answer_id: str | None = None,
    answered_by: str | None = None,
) -> bool:
    """Closes an open offer; False if it was closed already. Open streams hear of it (changed_seq)."""
    table = tables.offers
    row = connection.execute(select(table.c.person_id, table.c.state).where(table.c.id == offer_id)).first()
    if row is None or row.state != OPEN:
        return False
    changed = connection.execute(
        update(table)
        .where(table.c.id == offer_id, table.c.state == OPEN)
        .values(
            state=state,
            answer_id=answer_id,
            answered_by=answered_by,
            closed_at=now,
            changed_seq=next_seq(connection, row.person_id),
        )
    )
    return changed.rowcount == 1


def answerable(connection: Connection, now: datetime, person_id: str, typed_within: timedelta) -> list[str]:
    """The ids of the person's open, shown, unexpired offers that a typed answer may concern, the last shown last.

    What was shown last is among them even if it is over: whoever types a number means that (X2).
    """
    window = {"person": person_id, "shown_after": now - typed_within}
    shown = _each_once(connection.execute(_SHOWN, window))
    return [row.id for row in shown if row is shown[-1] or (row.state == OPEN and row.expires_at > now)]


def still_answerable(
    connection: Connection, offer_ids: Sequence[str], inbound_id: str, written_at: datetime
) -> list[Offer]:
    """Of the offers that were answerable when a message was written, those still open or closed by that message.

    The second half makes a turn that is replayed after a crash find the very offer its first run answered.
    """
    if not offer_ids:
        return []
    table, inbox = tables.offers, tables.inbox
    query = (
        select(table)
        .join(inbox, inbox.c.offer_id == table.c.id)
        .where(
            table.c.id.in_(list(offer_ids)),
            table.c.expires_at > written_at,
            or_(table.c.state == OPEN, and_(table.c.state == ANSWERED, table.c.answered_by == inbound_id)),
        )
        .order_by(inbox.c.seq)
    )
    return [_offer(row) for row in _each_once(connection.execute(query))]


def overtake(connection: Connection, now: datetime, person_id: str, system: str, questions: Sequence[str]) -> int:
    """Closes open offers that the world has settled (unlocked elsewhere): their buttons go grey. Returns how many."""
    table = tables.offers
    rows = connection.execute(
        select(table).where(
            table.c.person_id == person_id, table.c.state == OPEN, table.c.question.in_(list(questions))
        )
    )
    closing = [row.id for row in rows.all() if (row.subject or {}).get("system") == system]
    return sum(close(connection, now, offer_id, OVERTAKEN) for offer_id in closing)


def find_asked(
    connection: Connection, person_id: str, questions: Sequence[str], system: str, locked_at: datetime | None
) -> bool:
    """Whether the person was asked one of these questions about the lockout of that system that began then."""
    table = tables.offers
    query = select(table.c.subject).where(table.c.person_id == person_id, table.c.question.in_(list(questions)))
    began = locked_at.isoformat() if locked_at else None
    asked = [about for subject in connection.execute(query).scalars() for about in things_of(subject or {})]
    return bool(began) and any((about.get("system"), about.get("locked_at")) == (system, began) for about in asked)


def things_of(subject: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a question is about: its choices, one an account; where there is none to choose, the subject itself."""
    return list(subject.get("choices") or [subject])


def locked_at(subject: Mapping[str, Any]) -> datetime | None:
    """When the lockout began that a question is about (UTC)."""
    return datetime.fromisoformat(subject["locked_at"]) if subject.get("locked_at") else None


def systems_of(subject: Mapping[str, Any]) -> list[str]:
    """Keys of the systems that a question is about."""
    return [about["system"] for about in things_of(subject) if about.get("system")]


def get(store: Store, offer_id: str) -> Offer | None:
    """As `find`, in a read of its own."""
    with store.reading() as connection:
        return find(connection, offer_id)


def target_of(row_answers: Sequence[dict[str, Any]], answer_id: str | None) -> tuple[str, str] | None:
    """The (offer id, answer id) behind an answer of a "which one?", None for an ordinary one."""
    for answer in row_answers:
        if answer["id"] == answer_id and answer.get("target"):
            return tuple(answer["target"])
    return None


def raw_answers(connection: Connection, offer_id: str) -> list[dict[str, Any]]:
    """The answers as stored, targets included."""
    return connection.execute(select(tables.offers.c.answers).where(tables.offers.c.id == offer_id)).scalar() or []


def _each_once(rows: Iterable[Row]) -> list[Row]:
    """Offers by when they were last shown: a question that stands may be shown again, and is the same offer."""
    last_shown: dict[str, Row] = {}
    for row in rows:
        last_shown.pop(row.id, None)
        last_shown[row.id] = row
    return list(last_shown.values())


def _offer(row: Row) -> Offer:
    answers = tuple(map(OpenAnswer.of, row.answers))
    return Offer(
        row.id,
        row.person_id,
        row.question,
        row.subject or {},
        answers,
        row.cause,
        row.from_notice,
        row.created_at,
        row.expires_at,
        row.state,
        row.answer_id,
        row.answered_by,
    )
