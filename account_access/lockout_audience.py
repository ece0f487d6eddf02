"""Who is told of a lockout unasked: the settings' rule on what directories told of the person (N1, N2).

Asked when a lockout would be told. One whose owner is left out ends there, with the reason, and stays on record: storms
count it, "why was I locked?" finds it, and whoever asks in chat is helped. Where the directory has not told enough yet
to know, it waits: told to the wrong people cannot be undone, and unsaid for ever would be lost.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sqlalchemy import select, tuple_
from sqlalchemy.engine import Connection

from account_access import directory_facts, directory_readings
from account_access.cadence.audience import Audience
from account_access.cadence.directory import DirectoryEntry
from account_access.directory_facts import Known
from account_access.directory_readings import Reading
from account_access.settings import LockoutSection, WhoSection
from account_access.store import tables

# What only a directory's reading tells; logins are known of every account.
TOLD = frozenset(WhoSection.__fields__) - {"logins"}


class Lockout(Protocol):
    """A lockout notice; its facts name `system` and `external_id`. `created_at` (UTC): when it was seen."""

    id: str
    person_id: str
    facts: Mapping[str, str]
    created_at: datetime


@dataclass
class Judged:
    """`left_out`: reasons by notice id; `unknown`: ids of those about which the directory has yet to tell."""

    left_out: dict[str, str] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)


def judge(connection: Connection, lockouts: Collection[Lockout], section: LockoutSection) -> Judged:
    """Whose lockouts are not told, or not yet; the others are."""
    audience, judged = Audience("lockout", section), Judged()
    if not lockouts or not audience.names_anybody:
        return judged
    facts = directory_facts.of_people(connection, {one.person_id for one in lockouts})
    logins = _logins(connection, [one for one in lockouts if one.person_id not in facts])
    readings: dict[str, Reading | None] = {}
    for one in lockouts:
        system, external_id = one.facts["system"], one.facts["external_id"]
        accounts = facts.get(one.person_id) or {system: None}
        for key in accounts.keys() - readings.keys():
            readings[key] = directory_readings.last(connection, key)
        # The locked account first: it is the one that is explained.
        known = [
            (
                told.entry if told else DirectoryEntry(logins[system, external_id]),
                _unknown(audience, told, readings[key], one.created_at),
            )
            for key, told in sorted(accounts.items(), key=lambda account: account[0] != system)
        ]
        if audience.is_open(*known):
            judged.unknown.add(one.id)
        elif reason := audience.reason(*(entry for entry, _ in known)):
            judged.left_out[one.id] = reason
    return judged


def reason(audience: Audience, accounts: Mapping[str, Known], system: str) -> str | None:
    """Why somebody with these accounts is not told of a lockout of the one in that system, None if they are."""
    first = accounts[system].entry
    return audience.reason(first, *(told.entry for key, told in accounts.items() if key != system))


def _unknown(audience: Audience, known: Known | None, reading: Reading | None, seen_at: datetime) -> frozenset[str]:
    """The keys of a rule of which it is not known yet what this account has."""
    if known is None:
        # A reading that began since, and told nothing of them, will not tell next time either.
        return frozenset() if reading and reading.began > seen_at else TOLD
    if reading is None or not reading.tells_of(audience.groups):
        return frozenset({"groups"})
    return frozenset()


def _logins(connection: Connection, lockouts: Iterable[Lockout]) -> dict[tuple[str, str], str]:
    """Logins by system and external id."""
    table = tables.accounts
    wanted = {(one.facts["system"], one.facts["external_id"]) for one in lockouts}
    query = select(table.c.system, table.c.external_id, table.c.login)
    rows = connection.execute(query.where(tuple_(table.c.system, table.c.external_id).in_(list(wanted))))
    return {(row.system, row.external_id): row.login for row in rows}
