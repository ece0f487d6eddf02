"""Who is left out of a kind of notice, and why: by kind of account (E14) or by settings (C11)."""

from account_access.cadence.directory import DISABLED, EXTERNAL, DirectoryEntry, folded
from account_access.settings import ExcludeSection


class Exclusion:
    """An `exclude` section of settings.yml, ready to be asked about many people."""

    def __init__(self, section: ExcludeSection):
        self.logins = _folded(section.logins)
        self.groups = _folded(section.groups)
        self.titles = _folded(section.titles)
        self.departments = _folded(section.departments)
        self.worker_types = _folded(section.worker_types)

    def reason(self, entry: DirectoryEntry) -> str | None:
        """Which value excludes this person, None if none does."""
        if self.logins and entry.key in self.logins:
            return "excluded by login"
        if self.groups and (group := next((g for g in entry.groups if folded(g) in self.groups), None)):
            return f"excluded by group {group}"
        if self.titles and entry.title and folded(entry.title) in self.titles:
            return f"excluded by title {entry.title}"
        if self.departments and entry.department and folded(entry.department) in self.departments:
            return f"excluded by department {entry.department}"
        if self.worker_types and folded(entry.worker_type) in self.worker_types:
            return f"excluded by worker type {entry.worker_type}"
        return None


def no_password_notices(entry: DirectoryEntry, exclusion: Exclusion) -> str | None:
    """Why this account gets no notices about its password whatever the day (E14), None if it may."""
    if closed := _closed(entry):
        return closed
    if entry.account_type == EXTERNAL:
        return "password managed elsewhere"
    if entry.never_expires or entry.password_expires_at is None:
        return "password never expires"
    return exclusion.reason(entry)


def no_worker(entry: DirectoryEntry, exclusion: Exclusion) -> str | None:
    """Why nobody is told of this person's contract (C3, C11), None if a manager is."""
    if entry.contract_ends_on is None:
        return "no contract end"
    return _closed(entry) or exclusion.reason(entry)


def _closed(entry: DirectoryEntry) -> str | None:
    if entry.reachable:
        return None
    return "disabled" if entry.status == DISABLED else "service account"


def _folded(values: list[str]) -> frozenset[str]:
    return frozenset(folded(value) for value in values if value.strip())
