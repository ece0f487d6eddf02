"""What planning knows of a person: one row of a directory, whatever system or file it came from."""

from dataclasses import dataclass
from datetime import date, datetime

ACTIVE, LOCKED, DISABLED = "active", "locked", "disabled"
PERSON, SERVICE, EXTERNAL = "person", "service", "external"
EMPLOYEE = "employee"


def folded(text: str) -> str:
    """A login or another name as it is compared: whole, without case and outer spaces."""
    return text.strip().casefold()


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """One account as the directory has it now; None where it says nothing. Instants are aware, in UTC."""

    login: str
    email: str | None = None
    name: str | None = None
    title: str | None = None
    department: str | None = None
    time_zone: str | None = None
    status: str = ACTIVE
    account_type: str = PERSON
    password_changed_at: datetime | None = None
    password_expires_at: datetime | None = None
    never_expires: bool = False
    manager_login: str | None = None
    worker_type: str = EMPLOYEE
    contract_ends_on: date | None = None
    groups: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The login as it is compared."""
        return folded(self.login)

    @property
    def reachable(self) -> bool:
        """Whether somebody reads what this account is sent: neither disabled nor a service account."""
        return self.status != DISABLED and self.account_type != SERVICE
