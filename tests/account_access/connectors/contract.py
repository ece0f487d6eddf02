"""What every connector promises (account_access/connectors/base.py), whatever system is behind it.

A test class inherits from Contract and gives the fixture `organisation`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from account_access.connectors.base import AccountNotFound, Connector
from tests.account_access.world import START

LONG_AGO = START - timedelta(days=3650)


@dataclass
class Organisation:
    """A system with people, somebody to lock by hand, and a connector to it."""

    connector: Connector
    someone: str
    someone_else: str
    size: int
    lock: Callable[[str], None]


class Contract:
    def test_account_is_read_as_it_is_now(self, organisation):
        before = organisation.connector.account(organisation.someone)
        assert (before.external_id, before.locked, before.locked_at) == (organisation.someone, False, None)
        organisation.lock(organisation.someone)
        after = organisation.connector.account(organisation.someone)
        assert after.locked and after.locked_at.utcoffset() == timedelta(0)
        assert "@" in after.login

    def test_unknown_account(self, organisation):
        for method in ("account", "groups", "unlock"):
            with pytest.raises(AccountNotFound):
                getattr(organisation.connector, method)("00uNobodyAtAll")

    @pytest.mark.parametrize("trick", ["../users", "a/b", "?x=1", "#", " "])
    def test_id_is_one_piece_of_the_address(self, organisation, trick):
        """An id is never a way to another resource."""
        with pytest.raises(AccountNotFound):
            organisation.connector.account(trick)

    def test_unlock_unlocks_and_is_read_back(self, organisation):
        organisation.lock(organisation.someone)
        assert organisation.connector.unlock(organisation.someone) is None
        assert not organisation.connector.account(organisation.someone).locked

    def test_unlocking_what_is_not_locked_is_no_error(self, organisation):
        organisation.connector.unlock(organisation.someone)
        assert not organisation.connector.account(organisation.someone).locked

    def test_locked_accounts_are_those_locked_now(self, organisation):
        organisation.lock(organisation.someone)
        assert [account.external_id for account in organisation.connector.locked_accounts()] == [organisation.someone]
        organisation.connector.unlock(organisation.someone)
        assert list(organisation.connector.locked_accounts()) == []

    def test_groups_are_names(self, organisation):
        assert "Everyone" in organisation.connector.groups(organisation.someone)

    def test_people_come_page_by_page_and_everybody_once(self, organisation):
        pages = list(organisation.connector.people())
        everyone = [person for page in pages for person in page]
        assert len({person.external_id for person in everyone}) == len(everyone) == organisation.size
        someone = next(person for person in everyone if person.external_id == organisation.someone)
        assert someone.active and someone.email and someone.given_name and someone.name

    def test_lockout_events_go_on_after_the_cursor(self, organisation):
        organisation.lock(organisation.someone)
        first = organisation.connector.lockouts_since(None, LONG_AGO)
        assert organisation.someone in first.external_ids
        nothing_new = organisation.connector.lockouts_since(first.cursor, LONG_AGO)
        assert nothing_new.external_ids == ()
        organisation.lock(organisation.someone_else)
        then = organisation.connector.lockouts_since(nothing_new.cursor, LONG_AGO)
        assert then.external_ids == (organisation.someone_else,)
