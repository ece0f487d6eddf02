"""Who there is: people from the directory, and the sign-in identities linked to them (law 1).

The main system's directory makes the people who sign in. Of another system's directory each account is a person of its
own, who cannot; where joins.py finds out whose it is, that person waits without an account, and is all that this
directory ever writes to.
"""

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.engine import Connection, Row

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


def active_owners(connection: Connection, system: str, external_ids: Collection[str]) -> dict[str, str]:
    """Whose accounts these are, person id by external id; those of people who are gone are left out."""
    people, accounts = tables.people, tables.accounts
    query = (
        select(accounts.c.external_id, accounts.c.person_id)
        .join(people, people.c.id == accounts.c.person_id)
        .where(accounts.c.system == system, accounts.c.external_id.in_(list(external_ids)), people.c.active.is_(True))
    )
    return dict(connection.execute(query).all())


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
    table, accounts = tables.people, tables.accounts
    # Whoever another directory gives somebody's address, or an account the id of somebody's, stands in nobody's way.
    rows = connection.execute(
        select(table.c.id).where(func.lower(table.c.email) == email.lower(), table.c.main.is_(True)).limit(2)
    ).all()
    if not rows:
        return None, UnknownPerson("nobody in the directory has this e-mail address")
    if len(rows) > 1:
        return None, LinkConflict("several people in the directory have this e-mail address")
    person_id = rows[0].id
    # Where subjects are the directory's own ids, an address that moved since it was read must not move the person.
    owners = (
        select(accounts.c.person_id)
        .join(table, table.c.id == accounts.c.person_id)
        .where(accounts.c.external_id == subject, accounts.c.own_person_id.is_(None), table.c.main.is_(True))
    )
    if any(owner != person_id for owner in connection.execute(owners).scalars()):
        return person_id, LinkConflict("the sign-in's subject is an account of somebody else's in the directory")
    # Any identity counts, whatever its issuer: an address taken over elsewhere must not open this person's inbox.
    linked = connection.execute(
        select(tables.identities.c.subject).where(tables.identities.c.person_id == person_id)
    ).first()
    if linked:
        return person_id, LinkConflict("this person is already linked to another identity")
    return person_id, None


def merge(store: Store, clock: Clock, system: str, batch: Iterable[DirectoryPerson], main: bool = True) -> int:
    """Adds or updates people from a directory's page; returns how many there were.

    An account is known by (system, external id) for ever; a changed login or address moves with it. `main`: whether
    this is the directory of the people who sign in. No other one changes anything of theirs.
    """
    # Somebody listed twice counts as they come last.
    entries = {entry.external_id: entry for entry in batch}
    now = clock.now()
    with store.begin() as connection:
        known = _known(connection, system, entries)
        new = [entry for external_id, entry in entries.items() if external_id not in known]
        for external_id, row in known.items():
            _update(connection, system, entries[external_id], row, main)
        if known:
            seen = tables.people.c.id.in_([row.id for row in known.values()])
            connection.execute(update(tables.people).where(seen).values(seen_at=now))
        if new:
            _insert(connection, now, system, new, main)
    return len(entries)


def _told_of():
    """The person whom an account's directory makes of it: its own one, also while it is joined to another."""
    return func.coalesce(tables.accounts.c.own_person_id, tables.accounts.c.person_id)


def _known(connection: Connection, system: str, external_ids: Iterable[str]) -> dict[str, Row]:
    """What is stored of these accounts and of the people whom their directory makes of them, by external id."""
    people, accounts = tables.people, tables.accounts
    account = (accounts.c.login.label("account_login"), accounts.c.active.label("account_active"))
    query = (
        select(accounts.c.external_id, *account, accounts.c.own_person_id, *people.c)
        .join(people, people.c.id == _told_of())
        .where(accounts.c.system == system, accounts.c.external_id.in_(list(external_ids)))
    )
    return {row.external_id: row for row in connection.execute(query)}


def _told(entry: DirectoryPerson, main: bool) -> dict[str, Any]:
    names = ("login", "email", "second_email", "name", "given_name", "time_zone", "active")
    return {**{name: getattr(entry, name) for name in names}, "main": main}


def _update(connection: Connection, system: str, entry: DirectoryPerson, row: Row, main: bool) -> None:
    """Writes what changed: of a directory that is read every few minutes, next to nothing."""
    told, accounts = _told(entry, main), tables.accounts
    if row.own_person_id is not None:
        told["active"] = False  # whose account is joined to another is not there
    if any(row._mapping[name] != value for name, value in told.items()):
        connection.execute(update(tables.people).where(tables.people.c.id == row.id).values(**told))
    if (row.account_login, row.account_active) != (entry.login, entry.active):
        this = (accounts.c.system == system) & (accounts.c.external_id == entry.external_id)
        connection.execute(update(accounts).where(this).values(login=entry.login, active=entry.active))


def _insert(connection: Connection, now: datetime, system: str, new: Sequence[DirectoryPerson], main: bool) -> None:
    ids = [str(uuid.uuid4()) for _ in new]
    rows = [{"id": person_id, "seen_at": now, **_told(entry, main)} for person_id, entry in zip(ids, new, strict=True)]
    owned = [
        {
            "system": system,
            "external_id": entry.external_id,
            "person_id": person_id,
            "login": entry.login,
            "active": entry.active,
        }
        for person_id, entry in zip(ids, new, strict=True)
    ]
    connection.execute(tables.people.insert(), rows)
    connection.execute(tables.conversations.insert(), [{"person_id": person_id, "last_seq": 0} for person_id in ids])
    connection.execute(tables.accounts.insert(), owned)


def deactivate_absent(store: Store, system: str, since: datetime) -> int:
    """After a whole pass over a directory: whoever it did not name is gone; returns how many.

    Gone are the account and the person whom this directory makes of it, not one whom it is joined to; and its number is
    nobody's. Raises ImplausibleDirectory, changing nothing, if more than a fifth of them would be: a list that is empty
    or cut usually means that we may not see it.
    """
    people, accounts, facts = tables.people, tables.accounts, tables.directory_facts
    theirs = (accounts.c.system == system) & accounts.c.active.is_(True)
    absent = _told_of().in_(select(people.c.id).where(people.c.seen_at < since))
    with store.begin() as connection:
        everybody, missing = (
            connection.execute(select(func.count()).select_from(accounts).where(which)).scalar_one()
            for which in (theirs, theirs & absent)
        )
        if missing > max(1, everybody // 5):
            raise ImplausibleDirectory(f"{missing} of {everybody} people are missing from the directory")
        unnamed = select(accounts.c.external_id).where(accounts.c.system == system, absent)
        numbered = (facts.c.system == system) & facts.c.employee_number.is_not(None)
        connection.execute(update(facts).where(numbered, facts.c.external_id.in_(unnamed)).values(employee_number=None))
        if missing:
            gone = people.c.id.in_(select(_told_of()).where(theirs)) & (people.c.seen_at < since)
            connection.execute(update(people).where(gone).values(active=False))
            connection.execute(update(accounts).where(theirs, absent).values(active=False))
    return missing


class ImplausibleDirectory(Exception):
    """The directory's answer would lock out too many people at once to be believed."""


def house(connection: Connection, now: datetime) -> str:
    """The id of the requester of tickets that are nobody's own, such as the breaker's: the installation itself."""
    if find(connection, HOUSE) is None:
        values = dict(id=HOUSE, login=HOUSE, name="Account Access", active=False, main=False, seen_at=now)
        connection.execute(tables.people.insert().values(**values))
    return HOUSE


def by_login(store: Store, login: str) -> list[Person]:
    """People with that login, whole and without case, those of the main directory first: for admins' commands."""
    table = tables.people
    query = select(*_COLUMNS).where(func.lower(table.c.login) == login.lower()).order_by(table.c.main.desc())
    with store.reading() as connection:
        return [Person(*row) for row in connection.execute(query)]
