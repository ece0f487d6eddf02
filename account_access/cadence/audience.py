"""Who a kind of notice is for, and why somebody gets none: by kind of account (E14), or by the settings (C11, N1).

A rule of the settings is an `include` and an `exclude`, each with the same keys. Whoever one value of `exclude` names
is left out; of the others, whoever one value of `include` names is in, and everybody where it names nobody. Values are
compared whole, without case and outer spaces.
"""

from collections.abc import Collection, Iterator

from account_access.cadence.directory import DISABLED, EXTERNAL, DirectoryEntry, folded
from account_access.settings import Audienced, Settings, WhoSection

# The sections of the settings that have a rule.
KINDS = ("password", "contractor", "lockout")
# How many values of a rule an explanation repeats.
MOST_NAMED = 5


class _Names:
    """One of the two halves of a rule: the keys that name anybody, with their values as written and as compared."""

    def __init__(self, section: WhoSection):
        self.written = {
            key: named for key in WhoSection.__fields__ if (named := [v for v in getattr(section, key) if v.strip()])
        }
        self.compared = {key: frozenset(map(folded, named)) for key, named in self.written.items()}

    def find(self, entry: DirectoryEntry, unknown: Collection[str] = ()) -> tuple[str, str] | None:
        """The key and the entry's own value by which it is named; keys that are `unknown` of it name nobody."""
        for key, named in self.compared.items():
            if key in unknown:
                continue
            for value in _values(entry, key):
                if folded(value) in named:
                    return key, value
        return None


class Audience:
    """The rule of one kind of notice (`password`, `contractor` or `lockout`), ready to be asked about many people."""

    def __init__(self, kind: str, section: Audienced):
        self.kind = kind
        self.include, self.exclude = _Names(section.include), _Names(section.exclude)

    def reason(self, entry: DirectoryEntry, *others: DirectoryEntry) -> str | None:
        """Why this person is left out, None if they are not; `others` are further accounts of the same person."""
        entries = (entry, *others)
        named = next((found for each in entries if (found := self.exclude.find(each))), None)
        if named:
            key, value = named
            return "excluded by login" if key == "logins" else f"excluded by {_one(key)} {value}"
        if not self.include.written or any(self.include.find(each) for each in entries):
            return None
        has = ", ".join(_has(entry, key) for key in self.include.written)
        wanted = "; ".join(f"{self.kind}.include.{key} names {_some(n)}" for key, n in self.include.written.items())
        return f"not in the audience: {has}; {wanted}"

    def is_open(self, *known: tuple[DirectoryEntry, Collection[str]]) -> bool:
        """Whether what is not known of this person could change `reason`.

        `known`: their accounts, each with the keys of a rule of which it is not known what the account has.
        """
        if any(self.exclude.find(entry, unknown) for entry, unknown in known):
            return False
        is_in = not self.include.written or any(self.include.find(entry, unknown) for entry, unknown in known)
        return any(key in unknown for _, unknown in known for key in (self.exclude if is_in else self.include).written)

    def is_same_as(self, other: "Audience") -> bool:
        """Whether both name the same people."""
        return (self.include.compared, self.exclude.compared) == (other.include.compared, other.exclude.compared)

    @property
    def names_anybody(self) -> bool:
        """Whether it leaves anybody out at all."""
        return bool(self.include.written or self.exclude.written)

    @property
    def groups(self) -> frozenset[str]:
        """The groups that it names, as written."""
        return frozenset(self.include.written.get("groups", ())) | frozenset(self.exclude.written.get("groups", ()))

    def named(self) -> Iterator[tuple[str, str, str]]:
        """Everything that it names: the settings' key in full, the rule's key, and the value as written."""
        for half, names in (("include", self.include), ("exclude", self.exclude)):
            for key, values in names.written.items():
                for value in values:
                    yield f"{self.kind}.{half}.{key}", key, value


def audiences(settings: Settings) -> tuple[Audience, ...]:
    """Every rule of the settings."""
    return tuple(Audience(kind, getattr(settings, kind)) for kind in KINDS)


def is_about(kind: str, entry: DirectoryEntry) -> bool:
    """Whether a kind of notice can be about this account at all, whoever the rule names."""
    never = {"password": _no_password, "contractor": _no_contract, "lockout": no_notices}[kind]
    return never(entry) is None


def no_password_notices(entry: DirectoryEntry, audience: Audience) -> str | None:
    """Why this account gets no notices about its password whatever the day (E14), None if it may."""
    return _no_password(entry) or audience.reason(entry)


def no_worker(entry: DirectoryEntry, audience: Audience) -> str | None:
    """Why nobody is told of this person's contract (C3, C11), None if a manager is."""
    return _no_contract(entry) or audience.reason(entry)


def no_notices(entry: DirectoryEntry) -> str | None:
    """Why nobody would read what this account is sent, None if somebody does."""
    if entry.reachable:
        return None
    return "disabled" if entry.status == DISABLED else "service account"


def _no_password(entry: DirectoryEntry) -> str | None:
    if closed := no_notices(entry):
        return closed
    if entry.account_type == EXTERNAL:
        return "password managed elsewhere"
    return "password never expires" if entry.never_expires or entry.password_expires_at is None else None


def _no_contract(entry: DirectoryEntry) -> str | None:
    return "no contract end" if entry.contract_ends_on is None else no_notices(entry)


def _values(entry: DirectoryEntry, key: str) -> tuple[str, ...]:
    """What this person has of what a rule's key is about."""
    if key == "groups":
        return entry.groups
    value = {
        "logins": entry.login,
        "titles": entry.title,
        "departments": entry.department,
        "worker_types": entry.worker_type,
    }[key]
    return (value,) if value else ()


def _has(entry: DirectoryEntry, key: str) -> str:
    if key == "groups":
        return "in no such group"
    values = _values(entry, key)
    return f"{_one(key)} is {values[0]}" if values else f"no {_one(key)}"


def _one(key: str) -> str:
    return key.removesuffix("s").replace("_", " ")


def _some(values: list[str]) -> str:
    more = len(values) - MOST_NAMED
    return ", ".join(values[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
