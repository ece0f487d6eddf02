"""What every identity system can be asked, and the errors that tell the caller's next move.

SystemFailure
├── AccountNotFound        the account is not there: say so, offer a ticket
├── PermissionRefused      our credentials may not do that: a human, and an alert for the admin
├── NotSupported           this system cannot do that: instructions
└── TemporarilyUnavailable down, slow, limited or talking nonsense: try again later
    └── OutcomeUnknown     it was asked to act and did not answer: read before doing anything else
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


class SystemFailure(Exception):
    """Something the identity system did not do; the text is for logs and admins, never for the person."""


class AccountNotFound(SystemFailure):
    pass


class PermissionRefused(SystemFailure):
    pass


class NotSupported(SystemFailure):
    pass


class TemporarilyUnavailable(SystemFailure):
    def __init__(self, message: str, retry_after: float | None = None):
        """`retry_after`: seconds after which the system wants to be asked again, if it said so."""
        super().__init__(message)
        self.retry_after = retry_after


class OutcomeUnknown(TemporarilyUnavailable):
    pass


@dataclass(frozen=True)
class Account:
    """What the system says of one account, read just now."""

    external_id: str
    login: str
    locked: bool
    status: str
    status_since: datetime | None

    @property
    def locked_at(self) -> datetime | None:
        """When the standing lockout began (UTC), None if there is none."""
        return self.status_since if self.locked else None


@dataclass(frozen=True)
class DirectoryPerson:
    """One person of a directory's page."""

    external_id: str
    login: str
    email: str | None
    name: str | None
    given_name: str | None
    time_zone: str | None
    active: bool


@dataclass(frozen=True)
class LockoutPage:
    """External ids named by new lockout events, and where to go on from."""

    external_ids: tuple[str, ...]
    cursor: str


class Connector(Protocol):
    """One identity system. Calls block, within connect and read timeouts; run them in that system's own threads."""

    key: str
    capabilities: frozenset[str] = field(default=frozenset())

    def account(self, external_id: str) -> Account:
        """Reads one account, never from a cache. Raises AccountNotFound and the errors above."""

    def groups(self, external_id: str) -> frozenset[str]:
        """The names of the account's groups."""

    def unlock(self, external_id: str) -> None:
        """Asks for the unlock. Not being locked is no error. Raises OutcomeUnknown when no answer came."""

    def locked_accounts(self) -> Iterator[Account]:
        """All accounts locked now, by a server-side filter, in pages; may lag behind by a second."""

    def lockouts_since(self, cursor: str | None, since: datetime) -> LockoutPage:
        """Lockout events after the cursor (or since the instant, without one), late ones included."""

    def people(self) -> Iterator[list[DirectoryPerson]]:
        """Everyone, page by page."""
