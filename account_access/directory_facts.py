"""What the directory tells of accounts, kept so that reminders are planned without a call a person (C3, N10).

Rows change only where the directory changed. What is said to anybody is looked up again before it is said.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.engine import Connection, Row

from account_access import offers, reminders
from account_access.cadence.directory import (
    ACTIVE,
    DISABLED,
    EMPLOYEE,
    EXTERNAL,
    LOCKED,
    PERSON,
    SERVICE,
    DirectoryEntry,
    folded,
)
from account_access.clock import Clock
from account_access.connectors.base import (
    Account,
    AccountNotFound,
    Connector,
    DirectoryPerson,
    DirectoryRules,
    PasswordRules,
    Status,
)
from account_access.store import Store, tables

# So many accounts are read at once: whoever looks at everybody holds no more of them in memory.
PAGE = 1000
# So many names are asked for in one query.
NAMES_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Known:
    """One account as the directory last told of it; `entry` is what planning reads."""

    person_id: str
    external_id: str
    entry: DirectoryEntry
    employee_number: str | None = None

    def is_called(self, name: str | None) -> int | None:
        """How surely a directory that names somebody so means this account, 0 the surest; None if it does not.

        Directories name a manager by id, login, address or employee number.
        """
        wanted = folded(name or "")
        own = (self.external_id, self.entry.login, self.entry.email, self.employee_number)
        return next((rank for rank, mine in enumerate(own) if wanted and mine and folded(mine) == wanted), None)

    @property
    def expiry_unknown(self) -> bool:
        """Nobody could say whether and when the password expires."""
        return self.entry.password_expires_at is None and not self.entry.never_expires


def merge(
    store: Store,
    clock: Clock,
    system: str,
    page: Iterable[DirectoryPerson],
    rules: DirectoryRules,
    service_types: Iterable[str],
) -> int:
    """Writes what a page of the directory tells of people who are in the store; returns how many rows changed.

    A password that was changed since is recorded for the expiry it ended (E12), and the buttons about that go grey.
    """
    services = {folded(name) for name in service_types}
    told = {person.external_id: _values(person, rules, services) for person in page}
    changed = 0
    with store.begin() as connection:
        owners = _owners(connection, system, told)
        before = _rows(connection, system, told)
        for external_id, values in told.items():
            person_id = owners.get(external_id)
            if person_id is None:
                continue
            old = before.get(external_id)
            if old is not None and all(old._mapping[name] == value for name, value in values.items()):
                continue
            changed += 1
            _write(connection, clock.now(), system, external_id, person_id, values, new=old is None)
            if old is not None:
                _note_change(connection, clock.now(), system, old, values)
    return changed


def expiry_of(account: Account, rules: PasswordRules | None) -> datetime | None:
    """When the password expires or did (UTC); one that the system calls expired did so when it began to."""
    computed = rules.expires_at(account) if rules else None
    if account.status is not Status.PASSWORD_EXPIRED or account.password_elsewhere:
        return computed
    return min((instant for instant in (computed, account.status_since) if instant), default=None)


def everyone(store: Store, system: str) -> Iterator[Known]:
    """Everyone of the system's directory, people who are gone included (disabled), in pages."""
    return _paged(store, system)


def expiring(store: Store, system: str, before: datetime) -> Iterator[Known]:
    """Whose password expires or expired before an instant (UTC), in pages."""
    return _paged(store, system, tables.directory_facts.c.password_expires_at < before)


def ending(
    connection: Connection,
    system: str,
    days: Collection[date],
    external_ids: Collection[str] = (),
    logins: Collection[str] = (),
) -> dict[str, Known]:
    """Whose contract ends on one of these days, these accounts, and whom all of them report to, by key.

    `logins`: whoever else is wanted; a worker's `manager_login` is the login of the manager who was found.
    """
    facts, accounts = tables.directory_facts, tables.accounts
    wanted = or_(
        facts.c.contract_ends_on.in_(list(days)),
        facts.c.external_id.in_(list(external_ids)),
        func.lower(accounts.c.login).in_([folded(login) for login in logins]),
    )
    return _with_managers(connection, system, [_known(row) for row in connection.execute(_query(system).where(wanted))])


def by_ids(connection: Connection, system: str, external_ids: Iterable[str]) -> dict[str, Known]:
    """These accounts, by external id."""
    facts = tables.directory_facts
    rows = connection.execute(_query(system).where(facts.c.external_id.in_(list(external_ids))))
    return {row.external_id: _known(row) for row in rows}


def find(connection: Connection, system: str, external_id: str) -> Known | None:
    """One account, None if the directory never told of it."""
    facts = tables.directory_facts
    row = connection.execute(_query(system).where(facts.c.external_id == external_id)).first()
    return _known(row) if row else None


def of_person(connection: Connection, system: str, person_id: str) -> Known | None:
    """A person's account in that system, None if there is none."""
    row = connection.execute(_query(system).where(tables.directory_facts.c.person_id == person_id)).first()
    return _known(row) if row else None


def of_people(connection: Connection, person_ids: Collection[str]) -> dict[str, dict[str, Known]]:
    """What directories told of these people's accounts: by person, then by system."""
    found: dict[str, dict[str, Known]] = {}
    query = _of_all_systems().where(tables.directory_facts.c.person_id.in_(list(person_ids)))
    for row in connection.execute(query):
        found.setdefault(row.person_id, {})[row.system] = _known(row)
    return found


def managers_of(connection: Connection, system: str, workers: Iterable[Known]) -> dict[str, Known]:
    """Whom these people report to, by the name that the directory gives them, folded.

    A name that may be two people's is nobody's: contracts are confidential (C13).
    """
    facts, accounts, people = tables.directory_facts, tables.accounts, tables.people
    names = sorted({worker.entry.manager_login.strip() for worker in workers if worker.entry.manager_login})
    found: dict[str, Known] = {}
    for begin in range(0, len(names), NAMES_AT_ONCE):
        some = names[begin : begin + NAMES_AT_ONCE]
        plain = [folded(name) for name in some]
        called = or_(
            facts.c.external_id.in_(some),
            func.lower(accounts.c.login).in_(plain),
            func.lower(people.c.email).in_(plain),
            facts.c.employee_number.in_(some),
        )
        candidates = [_known(row) for row in connection.execute(_query(system).where(called))]
        for name in some:
            ranked = sorted(
                ((rank, known) for known in candidates if (rank := known.is_called(name)) is not None),
                key=lambda pair: pair[0],
            )
            if ranked and (len(ranked) == 1 or ranked[0][0] < ranked[1][0]):
                found[folded(name)] = ranked[0][1]
    return found


def as_it_is_now(connector: Connector, known: Known) -> Known:
    """The same account, looked at in its system: its status, and when the password expires. Raises SystemFailure.

    The rules are read again only where the password, or what the system says of it, is not what the directory told.
    """
    entry = known.entry
    try:
        account = connector.account(known.external_id)
    except AccountNotFound:
        return replace(known, entry=replace(entry, status=DISABLED))
    if account.status in (Status.DEACTIVATED, Status.SUSPENDED):
        return replace(known, entry=replace(entry, status=DISABLED))
    status = LOCKED if account.locked else entry.status if entry.status == DISABLED else ACTIVE
    as_told = account.password_changed == entry.password_changed_at
    if as_told and account.status is not Status.PASSWORD_EXPIRED:
        return replace(known, entry=replace(entry, status=status))
    rules = connector.password_rules(account)
    expires_at = expiry_of(account, rules)
    if as_told and entry.password_expires_at and expires_at is None:
        expires_at = entry.password_expires_at
    never = rules is not None and rules.max_age is None and account.status is not Status.PASSWORD_EXPIRED
    return replace(
        known,
        entry=replace(
            entry,
            status=status,
            password_changed_at=account.password_changed,
            password_expires_at=expires_at,
            never_expires=never,
        ),
    )


def is_as_told(known: Known, account: Account) -> bool:
    """Whether an account read just now is what the directory told, as far as password notices go."""
    entry = known.entry
    if entry.status == DISABLED or account.status in (Status.DEACTIVATED, Status.SUSPENDED):
        return False
    if account.password_changed != entry.password_changed_at:
        return False
    if account.status is not Status.PASSWORD_EXPIRED:
        return True
    # The expiry that was told has to be one that this explains.
    expired = entry.password_expires_at
    return expired is not None and account.status_since is not None and expired <= account.status_since


def _with_managers(connection: Connection, system: str, known: list[Known]) -> dict[str, Known]:
    """These people and their managers by key, each worker's `manager_login` being the login of who was found."""
    managers = managers_of(connection, system, known)
    named = []
    for one in known:
        manager = managers.get(folded(one.entry.manager_login or ""))
        login = manager.entry.login if manager else one.entry.manager_login
        named.append(replace(one, entry=replace(one.entry, manager_login=login)))
    return {one.entry.key: one for one in [*managers.values(), *named]}


def _paged(store: Store, system: str, *conditions) -> Iterator[Known]:
    """Page after page by external id, each in a read of its own: nobody waits for whoever reads slowly."""
    facts, after = tables.directory_facts, ""
    query = _query(system).where(*conditions).order_by(facts.c.external_id).limit(PAGE)
    while True:
        with store.reading() as connection:
            page = [_known(row) for row in connection.execute(query.where(facts.c.external_id > after))]
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].external_id


def _query(system: str):
    return _of_all_systems().where(tables.directory_facts.c.system == system)


def _of_all_systems():
    """Accounts in the words of their own directory, whoever's they are."""
    facts, people, accounts = tables.directory_facts, tables.people, tables.accounts
    return (
        select(facts, accounts.c.login, people.c.email, people.c.name, people.c.time_zone, accounts.c.active)
        .join(
            accounts,
            (accounts.c.system == facts.c.system) & (accounts.c.external_id == facts.c.external_id),
        )
        .join(people, people.c.id == func.coalesce(accounts.c.own_person_id, accounts.c.person_id))
    )


def _known(row: Row) -> Known:
    entry = DirectoryEntry(
        login=row.login,
        email=row.email,
        name=row.name,
        title=row.title,
        department=row.department,
        time_zone=row.time_zone,
        status=row.status if row.active else DISABLED,
        account_type=row.account_type,
        password_changed_at=row.password_changed_at,
        password_expires_at=row.password_expires_at,
        never_expires=row.never_expires,
        manager_login=row.manager_login,
        worker_type=row.worker_type or EMPLOYEE,
        contract_ends_on=row.contract_ends_on,
        groups=tuple(row.groups),
    )
    return Known(row.person_id, row.external_id, entry, row.employee_number)


def _values(person: DirectoryPerson, rules: DirectoryRules, services: set[str]) -> dict[str, Any]:
    known = None if person.password_elsewhere else rules.password_rules(person.external_id)
    status = DISABLED if not person.active else LOCKED if person.status is Status.LOCKED else ACTIVE
    account_type = EXTERNAL if person.password_elsewhere else PERSON
    return {
        "status": status,
        "account_type": SERVICE if folded(person.worker_type or "") in services else account_type,
        "title": person.title,
        "department": person.department,
        "worker_type": person.worker_type,
        "manager_login": person.manager_login,
        "employee_number": person.employee_number,
        "contract_ends_on": person.contract_ends_on,
        "groups": sorted(rules.groups_of(person.external_id)),
        "password_changed_at": person.password_changed,
        "password_expires_at": expiry_of(person.account, known),
        "never_expires": known is not None and known.max_age is None and person.status is not Status.PASSWORD_EXPIRED,
    }


def _owners(connection: Connection, system: str, external_ids: Mapping[str, Any]) -> dict[str, str]:
    table = tables.accounts
    query = select(table.c.external_id, table.c.person_id).where(
        table.c.system == system, table.c.external_id.in_(list(external_ids))
    )
    return dict(connection.execute(query).all())


def _rows(connection: Connection, system: str, external_ids: Mapping[str, Any]) -> dict[str, Row]:
    table = tables.directory_facts
    query = select(table).where(table.c.system == system, table.c.external_id.in_(list(external_ids)))
    return {row.external_id: row for row in connection.execute(query)}


def _write(connection, now, system: str, external_id: str, person_id: str, values: dict[str, Any], new: bool) -> None:
    table = tables.directory_facts
    values = {**values, "person_id": person_id, "changed_at": now}
    if new:
        connection.execute(table.insert().values(system=system, external_id=external_id, **values))
        return
    connection.execute(
        update(table).where(table.c.system == system, table.c.external_id == external_id).values(**values)
    )


def _note_change(connection: Connection, now: datetime, system: str, old: Row, values: Mapping[str, Any]) -> None:
    """What a new password, or a moved expiry, means for the reminders of the old one."""
    moved = old.password_expires_at is not None and old.password_expires_at != values["password_expires_at"]
    changed_at = values["password_changed_at"]
    if changed_at and old.password_changed_at and changed_at > old.password_changed_at and old.password_expires_at:
        cause = f"changed:{system}:{old.external_id}:{changed_at.isoformat()}"
        reminders.note_password_change(connection, changed_at, old.person_id, system, old.password_expires_at, cause)
        moved = True
    if moved:
        offers.overtake(connection, now, old.person_id, system, reminders.PASSWORD_QUESTIONS)
