"""A small installation for tests: a real store, three people, one identity system that does as it is told."""

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import create_engine, select, text
from sqlalchemy.pool import NullPool

from account_access import conversation, notices, offers, people, requests
from account_access.approvals import Approvals
from account_access.clock import ManualClock
from account_access.connectors.base import Account, DirectoryPerson
from account_access.connectors.registry import System
from account_access.notices import Notice
from account_access.offers import Offer
from account_access.people import Person
from account_access.proofs import Proofs
from account_access.resets import Resets
from account_access.settings import Settings
from account_access.store import Store, migrate, tables
from account_access.unlocks import Unlocks
from tests.account_access.fake_system import FakeSystem

# A Tuesday, 9 in the morning in Los Angeles.
START = datetime(2026, 11, 24, 17, 0, tzinfo=timezone.utc)
NAMES = ("dana", "eli", "mona")
DAY = timedelta(hours=24)
JUST_NOW = timedelta(0)
# By a session whose provider does not say when it began, nor will after another sign-in.
UNDATED = timedelta.max


def directory_person(name: str, **changes) -> DirectoryPerson:
    values = dict(
        external_id=f"00u-{name}",
        login=f"{name}@acme.example",
        email=f"{name}@acme.example",
        name=f"{name.title()} Reed",
        given_name=name.title(),
        time_zone="America/Los_Angeles",
        active=True,
    )
    return DirectoryPerson(**{**values, **changes})


@dataclass
class World:
    """What a test plays with."""

    store: Store
    clock: ManualClock
    settings: Settings
    fake: FakeSystem
    system: System

    @property
    def unlocks(self) -> Unlocks:
        """A fresh one each time, as after a restart."""
        return Unlocks(self.store, self.clock, self.settings)

    @property
    def resets(self) -> Resets:
        """A fresh one each time, as after a restart."""
        return Resets(self.store, self.clock, self.settings)

    @property
    def proofs(self) -> Proofs:
        return Proofs(self.store, self.clock, self.settings, self.resets)

    @property
    def approvals(self) -> Approvals:
        return Approvals(self.store, self.clock, self.settings, self.resets)

    def person(self, name: str = "dana") -> Person:
        return people.by_login(self.store, f"{name}@acme.example")[0]

    def account(self, name: str = "dana") -> str:
        return f"00u-{name}"

    def give(self, name: str, system: str, external_id: str) -> None:
        """An account of another system, joined to the person."""
        account = dict(system=system, external_id=external_id, person_id=self.person(name).id, login=name)
        with self.store.begin() as connection:
            connection.execute(tables.accounts.insert().values(**account))

    def lock(self, name: str = "dana") -> datetime:
        return self.fake.lock(self.account(name))

    def offer(self, name: str = "dana", question: str = "menu", answers=(("Yes", "affirm"),), **options) -> Offer:
        """An offer that was made and shown in the inbox, as the assistant does."""
        cause = options.pop("cause", None) or f"cause-{question}-{len(self.rows(tables.offers))}"
        subject, shown = options.pop("subject", {}), options.pop("shown", True)
        person_id = self.person(name).id
        with self.store.begin() as connection:
            made = offers.make(
                connection,
                self.clock.now(),
                person_id,
                question,
                subject,
                answers,
                cause,
                options.pop("expires_in", DAY),
                **options,
            )
            if shown:
                conversation.say(connection, self.clock.now(), person_id, cause, 0, f"{question}?", offer_id=made.id)
        return made

    def unlock_offer(self, name: str = "dana", question: str = "unlock", **options) -> Offer:
        """The question whether to unlock the lockout that stands now."""
        since = self.fake.accounts[self.account(name)].locked_at
        subject = {
            "act": "unlock",
            "system": "okta",
            "external_id": self.account(name),
            "locked_at": since.isoformat() if since else None,
        }
        answers = {
            "unlock": (("Yes", "affirm"), ("Get help", "contact_support"), ("Cancel", "cancel")),
            "lockout": (("Yes", "affirm"), ("No", "deny")),
        }[question]
        return self.offer(name, question, answers, subject=subject, from_notice=question == "lockout", **options)

    def unlock_which(self, locked: dict[str, Account], name: str = "dana") -> Offer:
        """The question which of these accounts to unlock, by the keys of their systems (U9)."""
        choices = [
            {"system": key, "external_id": account.external_id, "locked_at": account.locked_at.isoformat()}
            for key, account in locked.items()
        ]
        each = [(self.settings.systems[key].name, "choose_system", key) for key in locked]
        answers = (*each, ("All of them", "choose_all"), ("Get help", "contact_support"), ("Cancel", "cancel"))
        return self.offer(name, "unlock_several", answers, subject={"act": "unlock", "choices": choices})

    def confirmed(self, name: str = "dana", **options) -> str:
        """The id of a request that the person has just said yes to."""
        offer = self.unlock_offer(name, **options)
        return self.unlocks.confirm(offer, "1", f"of-{offer.id[:30]}")

    def reset_offer(self, *factor_ids: str, name: str = "dana", question: str = "reset_mfa", **options) -> Offer:
        """The question whether to remove these factors."""
        subject = {
            "act": "reset_mfa",
            "system": "okta",
            "external_id": self.account(name),
            "factor_ids": list(factor_ids),
        }
        return self.offer(
            name, question, (("Yes, reset MFA", "affirm"), ("Cancel", "cancel")), subject=subject, **options
        )

    def confirmed_reset(self, *factor_ids: str, name: str = "dana", signed_in_ago: timedelta | None = JUST_NOW) -> str:
        """The id of a reset that the person has just said yes to, in a session that signed in so long ago."""
        offer = self.reset_offer(*factor_ids, name=name)
        return self.resets.confirm(offer, "1", self.click(name, offer, signed_in_ago=signed_in_ago))

    def say(self, name: str, text: str, key: str | None = None, signed_in_ago: timedelta | None = JUST_NOW) -> str:
        """The id of a message the person typed."""
        key, signed_in = key or f"key-{len(self.rows(tables.inbound))}", self._signed_in(name, signed_in_ago)
        person_id = self.person(name).id
        return conversation.accept_text(self.store, self.clock, person_id, key, text, **signed_in).id

    def click(
        self,
        name: str,
        offer: Offer,
        answer: str = "1",
        key: str | None = None,
        signed_in_ago: timedelta | None = JUST_NOW,
    ) -> str:
        """The id of a click of the person."""
        key, signed_in = key or f"key-{len(self.rows(tables.inbound))}", self._signed_in(name, signed_in_ago)
        person_id = self.person(name).id
        return conversation.accept_click(self.store, self.clock, person_id, key, offer.id, answer, **signed_in).id

    def _signed_in(self, name: str, ago: timedelta | None) -> dict[str, Any]:
        """What the door tells of the session, or a surface that has none."""
        if ago is None:
            return {}
        at = None if ago == UNDATED else self.clock.now() - ago
        return {"auth_time": at, "session_id": f"session-of-{name}"}

    def claim(self, notice: Notice, seconds: float = 30) -> bool:
        """Whether the notice could be taken for delivery."""
        with self.store.begin() as connection:
            return bool(notices.claim(connection, self.clock.now(), [notice], seconds, self.settings.lockout))

    def settle(self, notice_id: str, state: str, reason: str | None = None) -> None:
        """The end of a notice."""
        with self.store.begin() as connection:
            notices.settle(connection, self.clock.now(), [notice_id], state, reason)

    def state_of(self, offer: Offer) -> str:
        return offers.get(self.store, offer.id).state

    def rows(self, table, **equal) -> list[dict]:
        """Every row of a table, or those with these values."""
        query = select(table).where(*[table.c[name] == value for name, value in equal.items()])
        with self.store.reading() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]


# Set by tests/real/on_postgresql.py: the address of a database that is there for these tests alone.
POSTGRESQL = os.environ.get("TEST_POSTGRESQL")


@pytest.fixture(scope="session")
def migrated(tmp_path_factory) -> str:
    """The address of an empty migrated database: migrating takes longer than copying or emptying one."""
    url = POSTGRESQL or f"sqlite:///{tmp_path_factory.mktemp('migrated') / 'store.db'}"
    migrate(url)
    return url


@pytest.fixture
def store_url(migrated, tmp_path) -> Iterator[str]:
    if POSTGRESQL:
        _empty(migrated)
        yield migrated
    else:
        shutil.copy(migrated.removeprefix("sqlite:///"), tmp_path / "store.db")
        yield f"sqlite:///{tmp_path / 'store.db'}"


def _empty(url: str) -> None:
    names = ", ".join(table.name for table in tables.metadata.sorted_tables)
    with create_engine(url, poolclass=NullPool).begin() as connection:
        # The audit trail refuses to be emptied by anybody else.
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))


@pytest.fixture
def store(store_url) -> Iterator[Store]:
    opened = Store.open(store_url)
    yield opened
    opened.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def settings() -> Settings:
    okta = {
        "name": "Okta",
        "url": "http://127.0.0.1:1",
        "token": "a-token",
        "portal_url": "https://acme.example/portal",
        "workers": 4,
    }
    schedulers = {"rasa_url": "http://127.0.0.1:1", "secret": "the-secret-of-the-schedulers"}
    return Settings(systems={"okta": okta}, schedulers=schedulers)


@pytest.fixture
def world(store, clock, settings, monkeypatch) -> Iterator[World]:
    # A fake shows what it did at once.
    monkeypatch.setattr(requests, "READ_BACK_PAUSES", (0.0, 0.0, 0.0))
    fake = FakeSystem(clock)
    for name in NAMES:
        fake.add(f"00u-{name}", f"{name}@acme.example")
    fake.directory = [[directory_person(name) for name in NAMES]]
    people.merge(store, clock, "okta", fake.directory[0])
    pool = ThreadPoolExecutor(settings.systems["okta"].workers)
    yield World(store, clock, settings, fake, System("okta", settings.systems["okta"], fake, pool))
    pool.shutdown(wait=True)
