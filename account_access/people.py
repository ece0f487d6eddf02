"""Who there is: people from the directory, and the sign-in identities linked to them (law 1)."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.engine import Connection

from account_access import audit
from account_access.clock import Clock
from account_access.connectors.base import DirectoryPerson
from account_access.store import Store, tables

# Nobody: it has no account, no identity and no conversation, and cannot sign in.
HOUSE = "account-access"


@dataclass(frozen=True)
class Person:
    id: str
    login: str
    email: str | None
    name: str | None
    given_name: str | None
    time_zone: str | None
    active: bool


class UnknownPerson(Exception):
    """The signed-in identity belongs to nobody in the directory."""


class LinkConflict(Exception):
    """The e-mail address is somebody's who is already linked to another identity: an admin has to look."""


_COLUMNS = [tables.people.c[name] for name in ("id", "login", "email", "name", "given_name", "time_zone", "active")]
_BY_ID = select(*_COLUMNS).where(tables.people.c.id == bindparam("person"))


def get(store: Store, person_id: str) -> Person | None:
    """The person with this id, or None."""
    with store.reading() as connection:
        return find(connection, person_id)


def find(connection: Connection, person_id: str) -> Person | None:
    """As `get`, in the caller's transaction."""
    row = connection.execute(_BY_ID, {"person": person_id}).first()
    return Person(*row) if row else None


def accounts_of(connection: Connection, person_id: str) -> dict[str, str]:
    """The person's accounts: external id by system key."""
    table = tables.accounts
    query = select(table.c.system, table.c.external_id).where(table.c.person_id == person_id).order_by(table.c.system)
    return {row.system: row.external_id for row in connection.execute(query)}


def owner_of(connection: Connection, system: str, external_id: str) -> str | None:
    """The id of the person whose account that is, or None."""
    table = tables.accounts
    query = select(table.c.person_id).where(table.c.system == system, table.c.external_id == external_id)
    return connection.execute(query).scalar()


def link(
    store: Store,
    clock: Clock,
    issuer: str,
    subject: str,
    email: str | None,
    email_verified: bool,
) -> Person:
    """The person behind a sign-in.

    Later sign-ins go by (issuer, subject) alone; the e-mail address links only a never-linked person, at the first
    sign-in, if the issuer asserts it verified. Raises UnknownPerson or LinkConflict, which are audited.
    """
    problem = None
    with store.begin() as connection:
        known = connection.execute(
            select(tables.identities.c.person_id).where(
                tables.identities.c.issuer == issuer,
                tables.identities.c.subject == subject,
            )
        ).scalar()
        person_id = known
        if known is None:
            person_id, problem = _match(connection, subject, email, email_verified)
        person = find(connection, person_id) if person_id else None
        if problem is None and (person is None or not person.active):
            problem = UnknownPerson("the account is not active in the directory")
        if problem is None and known is None:
            connection.execute(
                tables.identities.insert().values(
                    issuer=issuer,
                    subject=subject,
                    person_id=person_id,
                    linked_at=clock.now(),
                )
            )
        if problem is not None or known is None:
            result = "refused" if problem else "linked"
            audit.write(
                connection,
                clock.now(),
                "door",
                "link_identity",
                f"{issuer} {subject}",
                result,
                person_id,
                str(problem or ""),
            )
    if problem is not None:
        raise problem
    return person


def _match(connection: Connection, subject: str, email: str | None, verified: bool):
    """The never-linked directory person with that address, or the problem."""
    if not email or not verified:
        return None, UnknownPerson("the sign-in carries no verified e-mail address")
    rows = connection.execute(
        select(tables.people.c.id).where(func.lower(tables.people.c.email) == email.lower()).limit(2)
    ).all()
    if not rows:
        return None, UnknownPerson("nobody in the directory has this e-mail address")
    if len(rows) > 1:
        return None, LinkConflict("several people in the directory have this e-mail address")
    person_id = rows[0].id
    # Where subjects are the directory's own ids, an address that moved since it was read must not move the person.
    owners = select(tables.accounts.c.person_id).where(tables.accounts.c.external_id == subject)
    if any(owner != person_id for owner in connection.execute(owners).scalars()):
        return person_id, LinkConflict("the sign-in's subject is an account of somebody else's in the directory")
    # Any identity counts, whatever its issuer: an address taken over elsewhere must not open this person's inbox.
    linked = connection.execute(
        select(tables.identities.c.subject).where(tables.identities.c.person_id == person_id)
    ).first()
    if linked:
        return person_id, LinkConflict("this person is already linked to another identity")
    return person_id, None


def merge(store: Store, clock: Clock, system: str, batch: Iterable[DirectoryPerson]) -> int:
    """Adds or updates people from a directory's page; returns how many there were.

    An account is known by (system, external id) for ever; a changed login or address moves with it.
    """
    now, count = clock.now(), 0
    with store.begin() as connection:
        for entry in batch:
            count += 1
            _merge_one(connection, now, system, entry)
    return count


def _merge_one(connection: Connection, now: datetime, system: str, entry: DirectoryPerson) -> None:
    values = {
        "login": entry.login,
        "email": entry.email,
        "second_email": entry.second_email,
        "name": entry.name,
        "given_name": entry.given_name,
        "time_zone": entry.time_zone,
        "active": entry.active,
        "seen_at": now,
    }
    person_id = owner_of(connection, system, entry.external_id)
    if person_id:
        connection.execute(update(tables.people).where(tables.people.c.id == person_id).values(**values))
        connection.execute(
            update(tables.accounts)
            .where(
                tables.accounts.c.system == system,
                tables.accounts.c.external_id == entry.external_id,
            )
            .values(login=entry.login)
        )
        return
    person_id = str(uuid.uuid4())
    connection.execute(tables.people.insert().values(id=person_id, **values))
    connection.execute(tables.conversations.insert().values(person_id=person_id, last_seq=0))
    connection.execute(
        tables.accounts.insert().values(
            system=system,
            external_id=entry.external_id,
            person_id=person_id,
            login=entry.login,
        )
    )


def deactivate_absent(store: Store, system: str, since: datetime) -> int:
    """After a whole pass over a directory: people of it that the pass did not name are gone; returns how many.

    Raises ImplausibleDirectory, changing nothing, if more than a fifth of them would be: a list that is empty or cut
    usually means that we may not see it.
    """
    table, accounts = tables.people, tables.accounts
    active = (
        select(table.c.id, table.c.seen_at)
        .join(accounts, accounts.c.person_id == table.c.id)
        .where(accounts.c.system == system, table.c.active.is_(True))
    )
    with store.begin() as connection:
        rows = connection.execute(active).all()
        gone = [row.id for row in rows if row.seen_at < since]
        if len(gone) > max(1, len(rows) // 5):
            raise ImplausibleDirectory(f"{len(gone)} of {len(rows)} people are missing from the directory")
        for person_id in gone:
            connection.execute(update(table).where(table.c.id == person_id).values(active=False))
    return len(gone)


class ImplausibleDirectory(Exception):
    """The directory's answer would lock out too many people at once to be believed."""


def house(connection: Connection, now: datetime) -> str:
    """The id of the requester of tickets that are nobody's own, such as the breaker's: the installation itself."""
    if find(connection, HOUSE) is None:
        values = dict(id=HOUSE, login=HOUSE, name="Account Access", active=False, seen_at=now)
        connection.execute(tables.people.insert().values(**values))
    return HOUSE


def by_login(store: Store, login: str) -> list[Person]:
    """People with that login, whole and without case: for admins' commands."""
    query = select(*_COLUMNS).where(func.lower(tables.people.c.login) == login.lower())
    with store.reading() as connection:
        return [Person(*row) for row in connection.execute(query)]
