"""An identity system that keeps the Connector's promises, or breaks one of them when a switch says so."""

import threading
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from pydantic import SecretStr

from account_access.clock import ManualClock
from account_access.connectors.base import (
    Account,
    AccountNotFound,
    DirectoryPerson,
    Factor,
    FactorKind,
    LockoutPage,
    OutcomeUnknown,
    PasswordRules,
    PermissionRefused,
    SignInEvent,
    SignInOutcome,
    StateRefused,
    Status,
    TemporarilyUnavailable,
)


class Killed(BaseException):
    """Stands in for kill -9: nothing in the code under test may catch it and go on."""


@dataclass
class FakeSystem:
    """Accounts in a dictionary. `calls` are those that came in, `unlocked` the unlocks that really happened."""

    clock: ManualClock
    key: str = "okta"
    capabilities: frozenset[str] = frozenset(
        {
            *("unlock", "lockouts", "people", "directory", "factors", "sessions", "reset_link", "history"),
            *("password_rules", "manager", "codes"),
        }
    )
    accounts: dict[str, Account] = field(default_factory=dict)
    memberships: dict[str, frozenset[str]] = field(default_factory=dict)
    directory: list[list[DirectoryPerson]] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    enrolled: dict[str, list[Factor]] = field(default_factory=dict)
    history: dict[str, list[SignInEvent]] = field(default_factory=dict)
    rules: PasswordRules | None = None
    managers: dict[str, str] = field(default_factory=dict)
    calls: list[tuple[str, ...]] = field(default_factory=list)
    unlocked: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    codes: dict[str, str] = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)
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
        self.accounts[external_id] = Account(external_id, login, Status.ACTIVE, self.clock.now(), self.clock.now())
        self.memberships[external_id] = groups

    def enrol(
        self, external_id: str, kind: FactorKind, name: str | None = None, takes_along: frozenset[str] = frozenset()
    ) -> str:
        """Enrols a factor and returns its id; pushes of one app go together, as at Okta."""
        factor_id = f"{kind.value}-{sum(map(len, self.enrolled.values())) + len(self.removed)}"
        standing = self.enrolled.get(external_id, [])
        pushes = frozenset(f.id for f in standing if f.kind is kind is FactorKind.OKTA_VERIFY_PUSH)
        factor = Factor(factor_id, kind, name, True, self.clock.now(), pushes | takes_along)
        self.enrolled[external_id] = [
            replace(f, takes_along=f.takes_along | {factor_id}) if f.id in pushes else f for f in standing
        ] + [factor]
        return factor_id

    def lock(self, external_id: str) -> datetime:
        """Locks the account now and returns since when it is locked."""
        now = self.clock.now()
        self.accounts[external_id] = replace(self.accounts[external_id], status=Status.LOCKED, status_since=now)
        self.events.append(external_id)
        self.history.setdefault(external_id, []).append(SignInEvent(now, SignInOutcome.LOCKED))
        return now

    def unlock_elsewhere(self, external_id: str) -> None:
        account = self.accounts[external_id]
        self.accounts[external_id] = replace(account, status=Status.ACTIVE, status_since=self.clock.now())

    def account(self, external_id: str) -> Account:
        return self._called("account", external_id, lambda: self._find(external_id))

    def many_accounts(self, external_ids: Collection[str]) -> dict[str, Account]:
        def read() -> dict[str, Account]:
            return {external_id: self.accounts[external_id] for external_id in external_ids & self.accounts.keys()}

        return self._called("many_accounts", f"{len(external_ids)}", read)

    def groups(self, external_id: str) -> frozenset[str]:
        return self._called("groups", external_id, lambda: self._of(external_id, self.memberships))

    def unlock(self, external_id: str) -> None:
        self._called("unlock", external_id, lambda: self._act(lambda: self._unlock(external_id)))

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
        yield from self._called("people", "", lambda: [list(map(self._listed, page)) for page in self.directory])

    def directory_rules(self, group_names: frozenset[str]) -> "FakeDirectoryRules":
        return self._called("directory_rules", "", lambda: FakeDirectoryRules(self, group_names))

    def factors(self, external_id: str) -> tuple[Factor, ...]:
        return self._called("factors", external_id, lambda: tuple(self._of(external_id, self.enrolled, ())))

    def remove_factor(self, external_id: str, factor_id: str) -> None:
        self._called("remove_factor", factor_id, lambda: self._act(lambda: self._remove(external_id, factor_id)))

    def end_sessions(self, external_id: str) -> None:
        self._called("end_sessions", external_id, lambda: self._act(lambda: self._end(external_id)))

    def mint_reset_link(self, external_id: str) -> SecretStr:
        self._called("mint_reset_link", external_id, lambda: self._act(lambda: self._recover(external_id)))
        return SecretStr(f"https://acme.example/reset_password/{len(self.calls)}")

    def send_code(self, external_id: str, factor_id: str) -> None:
        self._called("send_code", factor_id, lambda: self._act(lambda: self.sent.append(factor_id)))

    def code_is_right(self, external_id: str, factor_id: str, code: SecretStr) -> bool:
        """A right code is good once; a locked account's is not looked at."""

        def use() -> bool:
            if factor_id not in [factor.id for factor in self.enrolled.get(external_id, ())]:
                raise AccountNotFound("404")
            if self._find(external_id).locked:
                raise StateRefused("403")
            right = self.codes.get(factor_id) == code.get_secret_value()
            if right:
                del self.codes[factor_id]
            if self.reply_lost:
                raise OutcomeUnknown("no answer")
            return right

        return self._called("code_is_right", factor_id, use)

    def sign_in_history(self, external_id: str, since: datetime) -> tuple[SignInEvent, ...]:
        def read() -> tuple[SignInEvent, ...]:
            return tuple(event for event in self.history.get(external_id, ()) if event.at >= since)

        return self._called("sign_in_history", external_id, read)

    def password_rules(self, account: Account) -> PasswordRules | None:
        return self._called("password_rules", account.external_id, lambda: self.rules)

    def manager(self, external_id: str) -> str | None:
        return self._called("manager", external_id, lambda: self._of(external_id, self.managers))

    def count(self, method: str) -> int:
        """How often this method was called."""
        return sum(1 for name, _ in self.calls if name == method)

    def _listed(self, person: DirectoryPerson) -> DirectoryPerson:
        """As a page shows them: what their account is now."""
        account = self.accounts.get(person.external_id)
        if account is None:
            return person
        return replace(
            person,
            status=account.status,
            status_since=account.status_since,
            password_changed=account.password_changed,
            password_elsewhere=account.password_elsewhere,
        )

    def _find(self, external_id: str) -> Account:
        if external_id not in self.accounts:
            raise AccountNotFound(external_id)
        return self.accounts[external_id]

    def _of(self, external_id: str, facts: dict, default=None):
        """A fact about an account that exists."""
        self._find(external_id)
        return facts.get(external_id, default)

    def _act(self, effect: Callable[[], None]) -> None:
        """Something that changes an account, with the switches that stand in its way."""
        if self.refusing:
            raise PermissionRefused("403")
        if self.unanswered:
            self.unanswered -= 1
            raise OutcomeUnknown("503")
        if self.lying:
            return
        effect()
        if self.reply_lost:
            raise OutcomeUnknown("no answer")

    def _unlock(self, external_id: str) -> None:
        if not self._find(external_id).locked:
            return
        self.unlock_elsewhere(external_id)
        self.unlocked.append(external_id)
        if self.relocking:
            later = self.clock.now() + timedelta(seconds=1)
            self.accounts[external_id] = replace(self.accounts[external_id], status=Status.LOCKED, status_since=later)

    def _remove(self, external_id: str, factor_id: str) -> None:
        standing = self._of(external_id, self.enrolled, [])
        gone = {factor_id}.union(*(factor.takes_along for factor in standing if factor.id == factor_id))
        self.removed += [factor.id for factor in standing if factor.id in gone]
        self.enrolled[external_id] = [
            replace(factor, takes_along=factor.takes_along - gone) for factor in standing if factor.id not in gone
        ]

    def _end(self, external_id: str) -> None:
        self.ended.append(self._find(external_id).external_id)

    def _recover(self, external_id: str) -> None:
        account = self._find(external_id)
        if account.password_elsewhere or account.status in (Status.DEACTIVATED, Status.SUSPENDED):
            raise StateRefused("403")
        self.accounts[external_id] = replace(account, status=Status.RECOVERY, status_since=self.clock.now())

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


@dataclass(frozen=True)
class FakeDirectoryRules:
    """The rules and memberships of the system, for a pass over everybody."""

    fake: FakeSystem
    wanted: frozenset[str]

    @property
    def group_names(self) -> frozenset[str]:
        return frozenset().union(*self.fake.memberships.values())

    def groups_of(self, external_id: str) -> frozenset[str]:
        wanted = {name.casefold() for name in self.wanted}
        return frozenset(g for g in self.fake.memberships.get(external_id, ()) if g.casefold() in wanted)

    def password_rules(self, external_id: str) -> PasswordRules | None:
        return self.fake.rules
