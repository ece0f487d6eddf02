"""The chat's sessions: opened by a sign-in, ended by time, sign-out, the provider, or the directory (N7)."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.engine import Connection

from account_access import audit
from account_access.clock import Clock
from account_access.store import Store, tables

# The `auth_time` of a session whose provider did not say when its person signed in.
UNDATED = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Session:
    id: str
    person_id: str
    issuer: str
    provider_sid: str | None
    auth_time: datetime
    expires_at: datetime
    csrf: str

    @property
    def signed_in_at(self) -> datetime | None:
        """When its person signed in (UTC), None where the provider did not say."""
        return None if self.auth_time == UNDATED else self.auth_time


_LIVE = (
    select(*[tables.sessions.c[name] for name in Session.__dataclass_fields__])
    .join(tables.people, tables.people.c.id == tables.sessions.c.person_id)
    .where(
        tables.sessions.c.id.in_(bindparam("ids", expanding=True)),
        tables.sessions.c.revoked_at.is_(None),
        tables.sessions.c.expires_at > bindparam("now"),
        tables.people.c.active.is_(True),
    )
)


def create(
    store: Store,
    clock: Clock,
    person_id: str,
    issuer: str,
    subject: str,
    provider_sid: str | None,
    auth_time: datetime,
    expires_at: datetime,
) -> str:
    """Opens a session and returns its token, for the cookie alone: the store keeps only its hash."""
    token = secrets.token_urlsafe(32)
    with store.begin() as connection:
        connection.execute(
            tables.sessions.insert().values(
                id=_hash(token),
                person_id=person_id,
                issuer=issuer,
                subject=subject,
                provider_sid=provider_sid,
                csrf=secrets.token_urlsafe(32),
                auth_time=auth_time,
                created_at=clock.now(),
                expires_at=expires_at,
            )
        )
        audit.write(
            connection,
            clock.now(),
            f"person:{person_id}",
            "sign_in",
            "chat",
            "done",
            person_id,
        )
    return token


def find(store: Store, clock: Clock, token: str) -> Session | None:
    """The live session of this token; None if revoked, expired, unknown, or the person is no longer active."""
    return live(store, clock, [_hash(token)]).get(_hash(token)) if token else None


def live(store: Store, clock: Clock, session_ids: Iterable[str]) -> dict[str, Session]:
    """Those of the given sessions that still stand, in one query: for open streams."""
    with store.reading() as connection:
        rows = connection.execute(_LIVE, {"ids": list(session_ids), "now": clock.now()})
        return {row.id: Session(*row) for row in rows}


def revoke(store: Store, clock: Clock, session_id: str, reason: str) -> None:
    """Ends one session; ending it twice is harmless."""
    _revoke(store, clock, tables.sessions.c.id == session_id, reason)


def revoke_at_provider(
    store: Store,
    clock: Clock,
    issuer: str,
    sid: str | None = None,
    subject: str | None = None,
) -> int:
    """Ends what the provider says has ended (back-channel logout); returns how many. A sid ends one, a subject all."""
    table = tables.sessions
    if sid is None and subject is None:
        raise ValueError("a logout names a sid or a subject")
    which = [table.c.provider_sid == sid] if sid is not None else []
    which += [table.c.subject == subject] if subject is not None and sid is None else []
    return _revoke(store, clock, (table.c.issuer == issuer) & or_(*which), "ended at the provider")


def _revoke(store: Store, clock: Clock, which, reason: str) -> int:
    table = tables.sessions
    with store.begin() as connection:
        rows = connection.execute(
            select(table.c.id, table.c.person_id).where(which, table.c.revoked_at.is_(None))
        ).all()
        connection.execute(
            update(table)
            .where(table.c.id.in_([row.id for row in rows]))
            .values(revoked_at=clock.now(), revoked_because=reason)
        )
        for row in rows:
            audit.write(
                connection,
                clock.now(),
                "door",
                "sign_out",
                "chat",
                "done",
                row.person_id,
                reason,
                key=f"sign_out:{row.id}",
            )
    return len(rows)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def undated_since(connection: Connection, since: datetime) -> tuple[int, int]:
    """How many sessions were opened since then (UTC), and how many of them the provider did not date."""
    table = tables.sessions
    opened = connection.execute(select(table.c.auth_time).where(table.c.created_at > since)).scalars().all()
    return len(opened), sum(at == UNDATED for at in opened)
