"""An identity system that keeps the Connector's promises, or breaks one of them when a switch says so."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from account_access.clock import ManualClock
from account_access.connectors.base import (
    Account,
    AccountNotFound,
    DirectoryPerson,
    LockoutPage,
    OutcomeUnknown,
    PermissionRefused,
    TemporarilyUnavailable,
)


class Killed(BaseException):
    """Stands in for kill -9: nothing in the code under test may catch it and go on."""


@dataclass
class FakeSystem:
    """Accounts in a dictionary. `calls` are those that came in, `unlocked` the unlocks that really happened."""

    clock: ManualClock
    key: str = "okta"
    capabilities: frozenset[str] = frozenset({"unlock", "lockouts", "people"})
    accounts: dict[str, Account] = field(default_factory=dict)
    memberships: dict[str, frozenset[str]] = field(default_factory=dict)
    directory: list[list[DirectoryPerson]] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    calls: list[tuple[str, ...]] = field(default_factory=list)
    unlocked: list[str] = field(default_factory=list)
    # The switches.
    down: bool = False
    failing: dict[str, Exception] = field(default_factory=dict)
    limited_for: float | None = None
    lying: bool = False
    relocking: bool = False
    reply_lost: bool = False
    unanswered: int = 0
    refusing: bool = False
    held: threading.Event | None = None
    dies_at_call: int | None = None
    dies_after_effect: bool = False

    def add(self, external_id: str, login: str, groups: frozenset[str] = frozenset()) -> None:
        self.accounts[external_id] = Account(external_id, login, False, "ACTIVE", self.clock.now())
        self.memberships[external_id] = groups

    def lock(self, external_id: str) -> datetime:
        """Locks the account now and returns since when it is locked."""
        now = self.clock.now()
        self.accounts[external_id] = replace(
            self.accounts[external_id], locked=True, status="LOCKED_OUT", status_since=now
        )
        self.events.append(external_id)
        return now

    def unlock_elsewhere(self, external_id: str) -> None:
        self.accounts[external_id] = replace(
            self.accounts[external_id], locked=False, status="ACTIVE", status_since=self.clock.now()
        )

    def account(self, external_id: str) -> Account:
        return self._called("account", external_id, lambda: self._find(external_id))

    def groups(self, external_id: str) -> frozenset[str]:
        return self._called("groups", external_id, lambda: self.memberships[external_id])

    def unlock(self, external_id: str) -> None:
        self._called("unlock", external_id, lambda: self._unlock(external_id))

    def locked_accounts(self) -> Iterator[Account]:
        yield from self._called("locked_accounts", "", lambda: [a for a in self.accounts.values() if a.locked])

    def lockouts_since(self, cursor: str | None, since: datetime) -> LockoutPage:
        start = int(cursor) if cursor else 0
        return self._called(
            "lockouts_since",
            f"{cursor} {since.isoformat()}",
            lambda: LockoutPage(tuple(self.events[start:]), str(len(self.events))),
        )

    def people(self) -> Iterator[list[DirectoryPerson]]:
        yield from self._called("people", "", lambda: self.directory)

    def count(self, method: str) -> int:
        """How often this method was called."""
        return sum(1 for name, _ in self.calls if name == method)

    def _find(self, external_id: str) -> Account:
        if external_id not in self.accounts:
            raise AccountNotFound(external_id)
        return self.accounts[external_id]

    def _unlock(self, external_id: str) -> None:
        if self.refusing:
            raise PermissionRefused("403")
        if self.unanswered:
            self.unanswered -= 1
            raise OutcomeUnknown("503")
        if self.lying or not self._find(external_id).locked:
            return
        self.unlock_elsewhere(external_id)
        self.unlocked.append(external_id)
        if self.relocking:
            later = self.clock.now() + timedelta(seconds=1)
            self.accounts[external_id] = Account(
                external_id, self.accounts[external_id].login, True, "LOCKED_OUT", later
            )
        if self.reply_lost:
            raise OutcomeUnknown("no answer")

    def _called(self, method: str, argument: str, work):
        self.calls.append((method, argument))
        dies = self.dies_at_call is not None and len(self.calls) == self.dies_at_call
        if dies and not self.dies_after_effect:
            raise Killed(method)
        if self.held is not None:
            self.held.wait(10)
        if self.down:
            raise TemporarilyUnavailable("down")
        if self.limited_for is not None:
            raise TemporarilyUnavailable("429", self.limited_for)
        if method in self.failing:
            raise self.failing[method]
        result = work()
        if dies:
            raise Killed(method)
        return result
