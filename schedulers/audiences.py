"""Whom the settings' rules reach, for preview: counted, compared, and what in them names nobody.

From the directory's facts as they were read last; a group that no reading asked for is known of nobody yet.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from sqlalchemy import func, select

from account_access import directory_facts, directory_readings, lockout_audience
from account_access.cadence.audience import Audience, audiences, is_about
from account_access.cadence.directory import EMPLOYEE, folded
from account_access.directory_facts import Known
from account_access.settings import Settings
from account_access.spelling import nearest
from account_access.store import Store, tables
from schedulers.password_expiry import in_parts

# So many reasons are told of one rule, the most frequent first.
MOST_REASONS = 5
COLUMNS = {
    "titles": tables.directory_facts.c.title,
    "departments": tables.directory_facts.c.department,
    "worker_types": tables.directory_facts.c.worker_type,
}


@dataclass
class Reached:
    """How many of those whom a kind of notice could be about are told; of the others, how many for which reason."""

    system: str
    audience: str
    told: int = 0
    left_out: int = 0
    reasons: Counter = field(default_factory=Counter)


def counted(store: Store, system: str, settings: Settings, progress: Callable[[int], None]) -> list[Reached]:
    """What each rule of the settings that names anybody makes of everyone in that system's directory."""
    rules = [rule for rule in audiences(settings) if rule.names_anybody]
    found = {rule.kind: Reached(system, rule.kind) for rule in rules}
    for known, theirs in _everyone(store, system, rules, progress):
        for rule in rules:
            if not is_about(rule.kind, known.entry):
                continue
            reason, count = reason_of(rule, system, known, theirs), found[rule.kind]
            if reason is None:
                count.told += 1
            else:
                count.left_out += 1
                count.reasons[reason.partition(":")[0]] += 1
    return list(found.values())


def changes(
    store: Store, system: str, before: Settings, after: Settings, progress: Callable[[int], None]
) -> Iterator[tuple[str, str, str, str]]:
    """Whom other rules leave out or take in: (`-` or `+`, login, kind of notice, why)."""
    pairs = [
        (old, new) for old, new in zip(audiences(before), audiences(after), strict=True) if not old.is_same_as(new)
    ]
    for known, theirs in _everyone(store, system, pairs, progress):
        for old, new in pairs:
            if not is_about(new.kind, known.entry):
                continue
            was, now = (reason_of(rule, system, known, theirs) for rule in (old, new))
            if was is None and now is not None:
                yield "-", known.entry.login, new.kind, now
            elif was is not None and now is None:
                yield "+", known.entry.login, new.kind, f"until now {was}"


def reason_of(rule: Audience, system: str, known: Known, theirs: dict[str, Known]) -> str | None:
    """Why the rule leaves this account's owner out, None if it does not. `theirs`: all their accounts, by system.

    A lockout is told to a person, whichever of their accounts it is about.
    """
    if rule.kind == "lockout":
        return lockout_audience.reason(rule, theirs, system)
    return rule.reason(known.entry)


def mistakes(store: Store, systems: Iterable[str], settings: Settings) -> Iterator[tuple[str, str]]:
    """Values of the rules that name nobody, and groups that nobody knows yet: the settings' key, and what is wrong."""
    systems = list(systems)
    with store.reading() as connection:
        absent = directory_readings.absent_everywhere(connection, systems)
        readings = [reading for system in systems if (reading := directory_readings.last(connection, system))]
        for rule in audiences(settings):
            for key, what, value in rule.named():
                if what == "groups" and value in absent:
                    yield key, directory_readings.no_such_group(value, absent[value])
                elif what == "groups" and not all(reading.tells_of([value]) for reading in readings):
                    yield (
                        key,
                        (
                            f"who is in {value} is not known yet, and nobody counts as in it: the schedulers ask the "
                            "directory for the groups of the settings they run with; see docs/admins.md"
                        ),
                    )
                elif what != "groups" and (wrong := _nobody(connection, what, value)):
                    yield key, wrong


def _nobody(connection, what: str, value: str) -> str | None:
    """That nobody has this value, with the nearest that somebody has; None if somebody has it."""
    if what == "worker_types" and folded(value) == EMPLOYEE:
        return None
    column = tables.accounts.c.login if what == "logins" else COLUMNS[what]
    # Logins are many; the others are few.
    if what == "logins" and connection.execute(select(column).where(func.lower(column) == folded(value))).first():
        return None
    there = [text for text in connection.execute(select(column).distinct()).scalars() if text]
    if any(folded(text) == folded(value) for text in there):
        return None
    meant = nearest(value, there)
    one = what.removesuffix("s").replace("_", " ")
    return f"nobody has the {one} {value}; " + (f"did you mean {meant}?" if meant else "correct it in the settings")


def _everyone(
    store: Store, system: str, rules: list, progress: Callable[[int], None]
) -> Iterator[tuple[Known, dict[str, Known]]]:
    """Everyone of a directory with all accounts of the same person; nobody where there are no rules to look at."""
    if not rules:
        return
    for some in in_parts(directory_facts.everyone(store, system)):
        with store.reading() as connection:
            accounts = directory_facts.of_people(connection, {known.person_id for known in some})
        for known in some:
            yield known, accounts.get(known.person_id, {system: known})
        progress(len(some))
