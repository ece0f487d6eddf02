"""What every identity system can be asked, and the errors that tell the caller's next move.

SystemFailure
├── AccountNotFound        the account is not there: say so, offer a ticket
├── PermissionRefused      our credentials may not do that: a human, and an alert for the admin
├── StateRefused           the account's state does not allow it: read the account, then a human
├── NotSupported           this system cannot do that: instructions
└── TemporarilyUnavailable down, slow, limited or talking nonsense: try again later
    └── OutcomeUnknown     it was asked to act and did not answer: read before doing anything else
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Protocol

from pydantic import SecretStr


class SystemFailure(Exception):
    """Something the identity system did not do; the text is for logs and admins, never for the person."""


class AccountNotFound(SystemFailure):
    pass


class PermissionRefused(SystemFailure):
    pass


class StateRefused(SystemFailure):
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


class Status(str, Enum):
    """How an account stands, whatever a vendor calls it (G4)."""

    ACTIVE = "active"
    LOCKED = "locked"
    # The system noticed the expiry; some notice only at the next sign-in, so see `PasswordRules.expires_at` too.
    PASSWORD_EXPIRED = "password_expired"  # noqa: S105 - a state
    # A reset was begun: the old password is void until a new one is made.
    RECOVERY = "recovery"
    SUSPENDED = "suspended"
    DEACTIVATED = "deactivated"
    # Never used yet: invited, not activated.
    PENDING = "pending"
    OTHER = "other"


@dataclass(frozen=True)
class Account:
    """What the system says of one account, read just now. Instants are UTC, None where the system tells none.

    `password_elsewhere`: another directory (Active Directory, LDAP, a federation) holds the password, so that this
    system can neither reset it nor say when it expires.
    """

    external_id: str
    login: str
    status: Status
    status_since: datetime | None
    password_changed: datetime | None = None
    password_elsewhere: bool = False

    @property
    def locked(self) -> bool:
        return self.status is Status.LOCKED

    @property
    def locked_at(self) -> datetime | None:
        """When the standing lockout began (UTC), None if there is none."""
        return self.status_since if self.locked else None


class FactorKind(str, Enum):
    """The kinds of factors that settings and texts speak of, whatever a vendor calls them (M4)."""

    OKTA_VERIFY_PUSH = "okta_verify_push"
    OKTA_VERIFY_CODE = "okta_verify_code"
    OKTA_FASTPASS = "okta_fastpass"
    GOOGLE_AUTHENTICATOR = "google_authenticator"
    AUTHENTICATOR_APP = "authenticator_app"
    PUSH_APP = "push_app"
    SMS = "sms"
    CALL = "call"
    EMAIL = "email"
    SECURITY_KEY = "security_key"
    HARDWARE_TOKEN = "hardware_token"  # noqa: S105 - a kind of factor
    QUESTION = "question"
    DUO = "duo"
    OTHER = "other"


# Kinds whose owner reads a code off and types it; the latter get it sent first.
SENT_CODES = (FactorKind.SMS, FactorKind.CALL, FactorKind.EMAIL)
CODE_KINDS = (
    FactorKind.OKTA_VERIFY_CODE,
    FactorKind.GOOGLE_AUTHENTICATOR,
    FactorKind.AUTHENTICATOR_APP,
    FactorKind.HARDWARE_TOKEN,
    *SENT_CODES,
)


@dataclass(frozen=True)
class Factor:
    """One enrolled factor of an account.

    `name` is what its owner knows it by, as the system tells it: the device's name, the end of a phone number, a masked
    address; None where it has none. `usable`: enrolment was completed, and a sign-in can ask for it. `enrolled_at`:
    when that was, or later where the system does not tell exactly (UTC). `takes_along` are the ids of the account's
    other factors that vanish with this one.
    """

    id: str
    kind: FactorKind
    name: str | None
    usable: bool
    enrolled_at: datetime | None
    takes_along: frozenset[str] = frozenset()


class SignInOutcome(str, Enum):
    """What became of a sign-in, or of the account by it."""

    SUCCEEDED = "succeeded"
    # A wrong password or code: these lead to a lockout.
    FAILED = "failed"
    # Nobody looked at the password, for the account was locked already.
    REFUSED = "refused"
    LOCKED = "locked"
    UNLOCKED = "unlocked"


@dataclass(frozen=True)
class SignInEvent:
    """One event of an account's sign-in history, as far as the system tells.

    `at` is UTC; `city` and `country` are names; `client` is a browser or program and its device for people to
    recognise; `unattended` is true where that is a program that signs in by itself with a stored password.
    """

    at: datetime
    outcome: SignInOutcome
    ip: str | None = None
    city: str | None = None
    country: str | None = None
    client: str | None = None
    unattended: bool = False


@dataclass(frozen=True)
class PasswordRules:
    """The rules for one account's password and lockouts; None where there is no such limit.

    `unlocks_after` says that a lockout ends by itself after so long at the earliest: systems stop doing so after many
    lockouts in a row.
    """

    max_failures: int | None
    unlocks_after: timedelta | None
    max_age: timedelta | None

    def expires_at(self, account: Account) -> datetime | None:
        """When the account's password expires or did (UTC), None if it never does or nobody knows."""
        if self.max_age is None or account.password_changed is None or account.password_elsewhere:
            return None
        return account.password_changed + self.max_age

    def unlocks_at(self, account: Account) -> datetime | None:
        """When the standing lockout ends by itself at the earliest (UTC), None if it does not or none stands."""
        if self.unlocks_after is None or account.locked_at is None:
            return None
        return account.locked_at + self.unlocks_after


@dataclass(frozen=True)
class DirectoryPerson:
    """One person of a directory's page; None where it says nothing.

    `manager_login`: whom they report to, as the directory names them: by login, address, id or employee number.
    `contract_ends_on`: the last day of a contingent worker's contract (C3). `second_email`: another address of theirs,
    to tell them what was done (M7). Instants are UTC.
    """

    external_id: str
    login: str
    email: str | None
    name: str | None
    given_name: str | None
    time_zone: str | None
    active: bool
    status: Status = Status.ACTIVE
    status_since: datetime | None = None
    title: str | None = None
    department: str | None = None
    worker_type: str | None = None
    manager_login: str | None = None
    contract_ends_on: date | None = None
    password_changed: datetime | None = None
    password_elsewhere: bool = False
    second_email: str | None = None
    employee_number: str | None = None

    @property
    def account(self) -> Account:
        """The account as a page of the directory tells of it: perhaps some minutes old."""
        return Account(
            self.external_id,
            self.login,
            self.status,
            self.status_since,
            self.password_changed,
            self.password_elsewhere,
        )


class DirectoryRules(Protocol):
    """What one pass over a directory reads once for everybody: memberships and password rules.

    `group_names`: the names of all groups that there are.
    """

    group_names: frozenset[str]

    def groups_of(self, external_id: str) -> frozenset[str]:
        """Names of those of the account's groups that were asked for."""

    def password_rules(self, external_id: str) -> PasswordRules | None:
        """The rules for a password that this system itself holds, None if nobody knows them."""


@dataclass(frozen=True)
class LockoutPage:
    """External ids named by new lockout events, and where to go on from."""

    external_ids: tuple[str, ...]
    cursor: str


class Connector(Protocol):
    """One identity system. Calls block, within connect and read timeouts; run them in that system's own threads.

    `capabilities` names what else than reading accounts it can do; the other methods are not called:
    unlock (`unlock`, `groups`), lockouts (`locked_accounts`, `lockouts_since`), people (`people`), directory
    (`directory_rules`), factors (`factors`, `remove_factor`), sessions (`end_sessions`), reset_link
    (`mint_reset_link`), history (`sign_in_history`), password_rules (`password_rules`), manager (`manager`), codes
    (`send_code`, `code_is_right`). An act that answered well may still have changed nothing: read back.
    """

    key: str
    capabilities: frozenset[str] = field(default=frozenset())

    def account(self, external_id: str) -> Account:
        """Reads one account, never from a cache. Raises AccountNotFound and the errors above."""

    def many_accounts(self, external_ids: Collection[str]) -> dict[str, Account]:
        """Reads many accounts by id in few calls, for each is a call less that the system counts (N10).

        One that is not there is left out; so may one be that is deactivated: whoever has to know reads it alone.
        """

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

    def directory_rules(self, group_names: frozenset[str]) -> DirectoryRules:
        """What a pass over everybody needs besides their pages, in few calls: no call a person (N10, E1).

        `group_names`: the groups whose members are wanted by name, compared without case.
        """

    def factors(self, external_id: str) -> tuple[Factor, ...]:
        """The account's enrolled factors, those whose enrolment is not completed included (M4, M8)."""

    def remove_factor(self, external_id: str, factor_id: str) -> None:
        """Asks to take one factor off the account, and what it takes along (M2). Being gone already is no error.

        Raises OutcomeUnknown when no answer came. `removing.remove_listed` keeps what was enrolled since (law 5).
        """

    def end_sessions(self, external_id: str) -> None:
        """Asks to end every session of the account and to revoke its tokens (M7); repeating it harms nobody.

        Sessions of apps that keep their own may go on. Raises OutcomeUnknown when no answer came.
        """

    def mint_reset_link(self, external_id: str) -> SecretStr:
        """Begins a password reset and returns the one-time link of its owner, for their eyes only (P5).

        From here on the old password is void (`Status.RECOVERY`). A link minted again is as good as the first. Raises
        StateRefused for an account without a password here, OutcomeUnknown when no link came.
        """

    def send_code(self, external_id: str, factor_id: str) -> None:
        """Has a code sent to a factor of SENT_CODES. Raises TemporarilyUnavailable where one was sent just now."""

    def code_is_right(self, external_id: str, factor_id: str, code: SecretStr) -> bool:
        """Whether this is the factor's code now (M7). A wrong, old or used one is no error, and counts at the system.

        Raises AccountNotFound without such a factor, StateRefused where the system believes no code of this account any
        more, OutcomeUnknown when no answer came: the code may be used up by then.
        """

    def sign_in_history(self, external_id: str, since: datetime) -> tuple[SignInEvent, ...]:
        """The account's sign-ins, lockouts and unlocks since then, oldest first; the latest thousand at most (X9)."""

    def manager(self, external_id: str) -> str | None:
        """The external id of the account's manager, read now; None if there is none in this system (M9)."""

    def password_rules(self, account: Account) -> PasswordRules | None:
        """The rules that hold for the account, None if the system does not tell us (E, G4, X9)."""
