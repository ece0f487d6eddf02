"""Accounts of several systems that belong to one person, joined by employee number (U9).

Only the main system's directory says who people are. An account of another system is a person's who has exactly its
number there: the only one who has it, still there, and no other account of that system has it too. Everybody else stays
a person of their own. E-mail addresses and logins join nobody, for a second directory chooses those. It is decided anew
after each reading, and what was asked or promised about an account ends when it is not that person's any more.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select, update
from sqlalchemy.engine import Connection

from account_access import audit, notices, offers, resets
from account_access.clock import Clock
from account_access.store import Store, cursors, tables

# So many accounts change hands in one transaction, so that the door never waits long.
AT_ONCE = 25
# What is still told after an account is not theirs any more: how something ended that was theirs to begin.
STILL_TOLD = (notices.FOLLOW_UP, notices.APPROVAL)
REASON = "the account is not this person's any more"


@dataclass(frozen=True)
class Holder:
    """Somebody of the main directory who has an employee number; `active`: still there."""

    person_id: str
    active: bool


@dataclass(frozen=True)
class Joinable:
    """An account of another system: whose it is now, and by what it could be somebody's.

    `own_person_id` is None where it is joined to nobody. `joined_number` once meant `joined_person_id`.
    """

    external_id: str
    login: str
    active: bool
    number: str | None
    person_id: str
    own_person_id: str | None = None
    joined_number: str | None = None
    joined_person_id: str | None = None

    @property
    def joined_to(self) -> str | None:
        return self.person_id if self.own_person_id else None


@dataclass(frozen=True)
class Decided:
    """Whose each account is: person ids by external id. `ambiguous`: logins of those who could be several people's."""

    owners: Mapping[str, str]
    ambiguous: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What a decision changed, how many accounts of the system are joined now, and the logins of the ambiguous ones."""

    joined: int
    split: int
    standing: int
    ambiguous: tuple[str, ...]


def owners(holders: Mapping[str, Sequence[Holder]], accounts: Iterable[Joinable]) -> Decided:
    """Whose these accounts of one system are, by the holders of each number in the main directory; pure.

    A number that somebody has or had who is gone is not its next holder's: the account behind it may still be theirs.
    Neither is one by which the account was joined to somebody else before.
    """
    by_number: dict[str, list[Joinable]] = defaultdict(list)
    for account in accounts:
        if account.active and account.number:
            by_number[account.number].append(account)
    found: dict[str, str] = {}
    ambiguous: list[str] = []
    for number, theirs in by_number.items():
        theirs_there = holders.get(number, ())
        if not any(holder.active for holder in theirs_there):
            continue
        account, holder = theirs[0], theirs_there[0]
        reused = account.joined_number == number and account.joined_person_id not in (None, holder.person_id)
        if len(theirs) > 1 or len(theirs_there) > 1 or reused:
            ambiguous += [account.login for account in theirs]
        else:
            found[account.external_id] = holder.person_id
    return Decided(found, tuple(sorted(ambiguous)))


def decide(store: Store, clock: Clock, main: str, system: str, wanted: bool, may_join: bool = True) -> Outcome:
    """Joins and splits the accounts of one system, from what both directories last told; each one audited.

    `wanted`: whether the settings join this system's accounts at all. `may_join` is false as long as a directory was
    not read to its end: who else has a number is not known then, and accounts are only split.
    """
    with store.reading() as connection:
        accounts = _accounts(connection, system)
        holders = _holders(connection, main) if wanted else {}
    decided = owners(holders, accounts)
    joined = split = 0
    for some in _in_parts(accounts, decided, may_join):
        with store.begin() as connection:
            for account in some:
                owner = decided.owners.get(account.external_id)
                if account.joined_to not in (None, owner):
                    split += 1
                    account = _split(connection, clock.now(), system, account)
                if owner and may_join and account.joined_to is None:
                    joined += 1
                    _join(connection, clock.now(), system, account, owner)
                elif account.joined_number not in (None, account.number):
                    _remember(connection, system, account)
    standing = sum(account.joined_to is not None for account in accounts) + joined - split
    outcome = Outcome(joined, split, standing, decided.ambiguous)
    if wanted or split:
        _note(store, clock, system, outcome)
    return outcome


def state(store: Store) -> dict[str, dict[str, Any]]:
    """Of each system whose accounts are or were joined: how many are, and the logins of the ambiguous ones."""
    table, found = tables.cursors, {}
    query = select(table.c.name, table.c.value).where(table.c.name.startswith("joins:")).order_by(table.c.name)
    with store.reading() as connection:
        for row in connection.execute(query):
            found[row.name.removeprefix("joins:")] = json.loads(row.value)
    return found


def _in_parts(accounts: Iterable[Joinable], decided: Decided, may_join: bool) -> Iterator[list[Joinable]]:
    """The accounts about which something has to be written."""
    part: list[Joinable] = []
    for account in accounts:
        owner = decided.owners.get(account.external_id)
        changes = account.joined_to != owner and (account.joined_to or may_join)
        if changes or account.joined_number not in (None, account.number):
            part.append(account)
        if len(part) == AT_ONCE:
            yield part
            part = []
    if part:
        yield part


def _holders(connection: Connection, main: str) -> dict[str, list[Holder]]:
    facts, accounts = tables.directory_facts, tables.accounts
    query = (
        select(facts.c.employee_number, accounts.c.person_id, accounts.c.active)
        .join(accounts, and_(accounts.c.system == facts.c.system, accounts.c.external_id == facts.c.external_id))
        .where(facts.c.system == main, facts.c.employee_number.is_not(None))
    )
    found: dict[str, list[Holder]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.employee_number].append(Holder(row.person_id, row.active))
    return found


def _accounts(connection: Connection, system: str) -> list[Joinable]:
    """Those of the system that have a number, are joined, or were."""
    facts, accounts = tables.directory_facts, tables.accounts
    names = [name for name in Joinable.__dataclass_fields__ if name != "number"]
    query = (
        select(facts.c.employee_number.label("number"), *[accounts.c[name] for name in names])
        .outerjoin(facts, and_(facts.c.system == accounts.c.system, facts.c.external_id == accounts.c.external_id))
        .where(
            accounts.c.system == system,
            or_(
                facts.c.employee_number.is_not(None),
                accounts.c.own_person_id.is_not(None),
                accounts.c.joined_number.is_not(None),
            ),
        )
        .order_by(accounts.c.external_id)
    )
    return [Joinable(**row._mapping) for row in connection.execute(query)]


def _join(connection: Connection, now: datetime, system: str, account: Joinable, owner: str) -> None:
    own = account.person_id
    joined = dict(joined_number=account.number, joined_person_id=owner)
    _change(connection, system, account, person_id=owner, own_person_id=own, **joined)
    _hand_over(connection, system, account, owner)
    connection.execute(update(tables.people).where(tables.people.c.id == own).values(active=False))
    _end(connection, now, own, system, account.external_id)
    _audit(connection, now, "join_account", system, account, "joined", owner, "the only ones with this employee number")


def _split(connection: Connection, now: datetime, system: str, account: Joinable) -> Joinable:
    """The account as it is then: a person of its own again."""
    former, own = account.person_id, account.own_person_id
    _change(connection, system, account, person_id=own, own_person_id=None)
    _hand_over(connection, system, account, own)
    connection.execute(update(tables.people).where(tables.people.c.id == own).values(active=account.active))
    _end(connection, now, former, system, account.external_id)
    reason = "no longer the only ones with this employee number, or not there"
    _audit(connection, now, "split_account", system, account, "split", former, reason)
    return replace(account, person_id=own, own_person_id=None)


def _remember(connection: Connection, system: str, account: Joinable) -> None:
    """The account has another number: what the old one meant is over."""
    number, person_id = (account.number, account.joined_to) if account.joined_to else (None, None)
    _change(connection, system, account, joined_number=number, joined_person_id=person_id)


def _change(connection: Connection, system: str, account: Joinable, **values: Any) -> None:
    table = tables.accounts
    this = (table.c.system == system) & (table.c.external_id == account.external_id)
    connection.execute(update(table).where(this).values(**values))


def _hand_over(connection: Connection, system: str, account: Joinable, person_id: str) -> None:
    facts = tables.directory_facts
    this = (facts.c.system == system) & (facts.c.external_id == account.external_id)
    connection.execute(update(facts).where(this).values(person_id=person_id))


def _end(connection: Connection, now: datetime, person_id: str, system: str, external_id: str) -> None:
    """What this person was asked, promised or about to be told about the account ends: it is not theirs any more."""
    _close_offers(connection, now, person_id, system)
    _drop_notices(connection, now, person_id, system)
    table, outages, checks = tables.requests, tables.outages, tables.checks
    theirs = (table.c.person_id == person_id) & (table.c.system == system) & (table.c.external_id == external_id)
    connection.execute(
        update(table)
        .where(theirs, table.c.state == resets.AWAITING)
        .values(state="void", outcome="stale", reason=REASON, finished_at=now, due_at=None)
    )
    # One that is under way looks whose the account is before it calls the system: requests.py.
    about = checks.c.request_id.in_(select(table.c.id).where(theirs))
    connection.execute(
        update(checks)
        .where(about, checks.c.state == "waiting")
        .values(state="done", result="void", reason=REASON, checked_at=now)
    )
    waits = (outages.c.person_id == person_id) & (outages.c.system == system) & outages.c.over_at.is_(None)
    connection.execute(update(outages).where(waits).values(over_at=now))


def _close_offers(connection: Connection, now: datetime, person_id: str, system: str) -> None:
    table = tables.offers
    query = select(table.c.id, table.c.subject).where(table.c.person_id == person_id, table.c.state == offers.OPEN)
    for row in connection.execute(query).all():
        if _is_about(row.subject, system):
            offers.close(connection, now, row.id, offers.OVERTAKEN)


def _drop_notices(connection: Connection, now: datetime, person_id: str, system: str) -> None:
    table = tables.notices
    query = select(table.c.id, table.c.facts).where(
        table.c.person_id == person_id, table.c.state == notices.WAITING, table.c.kind.not_in(STILL_TOLD)
    )
    about = [row.id for row in connection.execute(query) if _is_about(row.facts, system)]
    notices.settle(connection, now, about, notices.DROPPED, REASON)


def _is_about(value: Any, system: str) -> bool:
    """Whether a question's subject or a notice's facts name the system, also as one of several."""
    if isinstance(value, Mapping):
        return value.get("system") == system or any(_is_about(inner, system) for inner in value.values())
    return isinstance(value, list) and any(_is_about(inner, system) for inner in value)


def _audit(
    connection: Connection,
    now: datetime,
    act: str,
    system: str,
    account: Joinable,
    result: str,
    person_id: str,
    reason: str,
) -> None:
    about, detail = f"{system}:{account.external_id}", {"login": account.login}
    audit.write(connection, now, "schedulers", act, about, result, person_id, reason, detail)


def _note(store: Store, clock: Clock, system: str, outcome: Outcome) -> None:
    told = {"joined": outcome.standing, "ambiguous": list(outcome.ambiguous)}
    with store.begin() as connection:
        cursors.move(connection, f"joins:{system}", json.dumps(told), clock.now())
