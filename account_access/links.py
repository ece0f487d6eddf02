"""Links of ours into the organisation's pages: each is one person's, and says when it was clicked (P5, E10, law 7).

The door leads on from `/go/<id>`. A link is made by whoever says it in chat, under a key, so that a retry finds it. It
is no secret: without its owner's session it opens nothing.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from account_access import audit
from account_access.store import tables

# What a link is for.
PASSWORD = "password"  # noqa: S105 - a kind of link
# Where it leads: to a page of the organisation's, or to a one-time link that only the owner's POST mints.
PORTAL, MINTED = "portal", "minted"
READY, EXPIRED = "ready", "expired"


@dataclass(frozen=True)
class Link:
    """One link. Instants are UTC; `facts` tell whoever made it what a click means, `target` is None for a minted one.

    It can be clicked until `expires_at`; from the first click on it leads on for `good_for_seconds`, or until
    `expires_at` where that is None. A fresh one in its place can be clicked for `renewed_for_seconds` (None: there is
    none).
    """

    id: str
    person_id: str
    kind: str
    way: str
    system: str
    target: str | None
    facts: dict[str, Any]
    created_at: datetime
    expires_at: datetime
    renewed_for_seconds: int | None
    good_for_seconds: int | None
    clicked_at: datetime | None

    @property
    def path(self) -> str:
        """Its address at the door."""
        return f"/go/{self.id}"

    def state_at(self, now: datetime) -> str:
        """`ready`, or `expired`: not clicked in time, or clicked too long ago."""
        end = self.expires_at
        if self.clicked_at is not None and self.good_for_seconds is not None:
            end = self.clicked_at + timedelta(seconds=self.good_for_seconds)
        return EXPIRED if end <= now else READY


_COLUMNS = [tables.links.c[name] for name in Link.__dataclass_fields__]


def make(
    connection: Connection,
    now: datetime,
    key: str,
    person_id: str,
    kind: str,
    system: str,
    target: str | None,
    expires_at: datetime,
    *,
    way: str = PORTAL,
    renewed_for: timedelta | None = None,
    good_for: timedelta | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Link:
    """Makes the link of this key, or finds it where a retry comes again; audited."""
    table = tables.links
    row = connection.execute(select(*_COLUMNS).where(table.c.key == key)).first()
    if row is not None:
        return Link(*row)
    values = dict(
        id=str(uuid.uuid4()),
        person_id=person_id,
        kind=kind,
        way=way,
        system=system,
        target=target,
        facts=dict(facts or {}),
        created_at=now,
        expires_at=expires_at,
        renewed_for_seconds=renewed_for and int(renewed_for.total_seconds()),
        good_for_seconds=good_for and int(good_for.total_seconds()),
        clicked_at=None,
    )
    connection.execute(table.insert().values(key=key, **values))
    audit.write(
        connection, now, f"person:{person_id}", "make_link", values["id"], "made", person_id, detail={"kind": kind}
    )
    return Link(**values)


def find(connection: Connection, link_id: str) -> Link | None:
    """The link with this id, whoever's it is: callers check the owner."""
    row = connection.execute(select(*_COLUMNS).where(tables.links.c.id == link_id)).first()
    return Link(*row) if row else None


def click(connection: Connection, now: datetime, link: Link) -> Link | None:
    """Notes that its owner was led on, the first time; None if it has expired meanwhile."""
    table = tables.links
    connection.execute(
        update(table)
        .where(table.c.id == link.id, table.c.clicked_at.is_(None), table.c.expires_at > now)
        .values(clicked_at=now)
    )
    standing = find(connection, link.id)
    if standing.clicked_at is None or standing.state_at(now) == EXPIRED:
        return None
    audit.write(
        connection,
        now,
        f"person:{link.person_id}",
        "open_link",
        link.id,
        "led on",
        link.person_id,
        detail={"kind": link.kind, "system": link.system},
        key=f"open_link:{link.id}",
    )
    return standing


def renew(connection: Connection, now: datetime, link: Link, key: str) -> Link:
    """A fresh link in the place of an expired one. Raises ValueError for a link that has no fresh one."""
    if link.renewed_for_seconds is None:
        raise ValueError(f"link {link.id} is not renewed")
    lifetime = timedelta(seconds=link.renewed_for_seconds)
    return make(
        connection,
        now,
        key,
        link.person_id,
        link.kind,
        link.system,
        link.target,
        now + lifetime,
        way=link.way,
        renewed_for=lifetime,
        good_for=None if link.good_for_seconds is None else timedelta(seconds=link.good_for_seconds),
        facts=link.facts,
    )


def made_since(connection: Connection, person_id: str, since: datetime) -> bool:
    """Whether the person was given a link since that instant (UTC)."""
    table = tables.links
    query = select(table.c.id).where(table.c.person_id == person_id, table.c.created_at > since)
    return connection.execute(query.limit(1)).first() is not None


def clicked(connection: Connection, person_id: str, kind: str) -> list[Link]:
    """The person's links of this kind that were clicked, the first click first."""
    table = tables.links
    query = select(*_COLUMNS).where(
        table.c.person_id == person_id, table.c.kind == kind, table.c.clicked_at.is_not(None)
    )
    return [Link(*row) for row in connection.execute(query.order_by(table.c.clicked_at))]
