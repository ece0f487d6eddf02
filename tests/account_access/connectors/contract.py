"""What every connector promises (account_access/connectors/base.py), whatever system is behind it.

A test class inherits from Contract, and from Trouble, and gives the fixture `organisation`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from pydantic import SecretStr

from account_access.connectors.base import (
    AccountNotFound,
    Connector,
    FactorKind,
    OutcomeUnknown,
    PermissionRefused,
    SignInOutcome,
    StateRefused,
    Status,
    TemporarilyUnavailable,
)
from account_access.connectors.lockout_cause import cause_of
from account_access.connectors.removing import TakesAlongMore, remove_listed
from tests.account_access.world import START

LONG_AGO = START - timedelta(days=3650)
NOBODY = "00uNobodyAtAll"


@dataclass
class Organisation:
    """A system with people, somebody to do things to by hand, and a connector to it.

    `enrol(id, kind, name)` sets a factor up and returns nothing; `fail(id, times)` lets a phone's mail app send a wrong
    password; `code(id)` is what the phone of that account shows; `trouble(kind)` makes every call go wrong in one of
    the ways of Trouble, and "" ends that. `bare` has no factor, `gone` is deactivated.
    """

    connector: Connector
    someone: str
    someone_else: str
    bare: str
    gone: str
    size: int
    lock: Callable[[str], None]
    enrol: Callable[[str, FactorKind, str], None]
    fail: Callable[[str, int], None]
    code: Callable[[str], str]
    trouble: Callable[[str], None]


class Contract:
    def test_account_is_read_as_it_is_now(self, organisation):
        before = organisation.connector.account(organisation.someone)
        assert (before.external_id, before.locked, before.locked_at) == (organisation.someone, False, None)
        organisation.lock(organisation.someone)
        after = organisation.connector.account(organisation.someone)
        assert after.locked and after.locked_at.utcoffset() == timedelta(0)
        assert "@" in after.login

    def test_n10_many_accounts_are_each_as_if_read_alone(self, organisation):
        organisation.lock(organisation.someone)
        asked = {organisation.someone, organisation.someone_else, organisation.bare, NOBODY, 'a"b'}
        found = organisation.connector.many_accounts(asked)
        assert found == {who: organisation.connector.account(who) for who in asked - {NOBODY, 'a"b'}}
        assert organisation.connector.many_accounts(set()) == {}

    def test_unknown_account(self, organisation):
        for method in ("account", "groups", "unlock", "factors", "end_sessions", "mint_reset_link", "manager"):
            with pytest.raises(AccountNotFound):
                getattr(organisation.connector, method)(NOBODY)
        with pytest.raises(AccountNotFound):
            organisation.connector.remove_factor(NOBODY, "a-factor")

    @pytest.mark.parametrize("trick", ["../users", "..", ".", "", "a/b", "?x=1", "#", " "])
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

    def test_everything_promised_is_a_capability(self, organisation):
        assert organisation.connector.capabilities == {
            *("unlock", "lockouts", "people", "directory", "factors", "sessions", "reset_link", "history"),
            *("password_rules", "manager", "codes"),
        }

    def test_a_pass_over_the_directory_tells_what_reading_each_account_would(self, organisation):
        """E1, N10: the same expiry and groups, in calls that do not grow with the people."""
        connector = organisation.connector
        rules = connector.directory_rules(frozenset({"everyone"}))
        assert "Everyone" in rules.group_names
        for person in (person for page in connector.people() for person in page):
            account = connector.account(person.external_id)
            assert person.account == account
            assert rules.groups_of(person.external_id) == {"Everyone"}
            if not account.password_elsewhere:
                assert rules.password_rules(person.external_id) == connector.password_rules(account)

    def test_g4_status_is_one_of_ours(self, organisation):
        status = {name: organisation.connector.account(getattr(organisation, name)).status for name in ("bare", "gone")}
        assert status == {"bare": Status.ACTIVE, "gone": Status.DEACTIVATED}
        organisation.lock(organisation.someone)
        assert organisation.connector.account(organisation.someone).status is Status.LOCKED

    def test_m8_no_factor_is_an_empty_list(self, organisation):
        assert organisation.connector.factors(organisation.bare) == ()

    def test_m4_factors_have_a_kind_and_the_name_their_owner_knows(self, organisation):
        organisation.enrol(organisation.bare, FactorKind.OKTA_VERIFY_PUSH, "Old phone")
        organisation.enrol(organisation.bare, FactorKind.SMS, "+14155550142")
        found = {factor.kind: factor for factor in organisation.connector.factors(organisation.bare)}
        assert found[FactorKind.OKTA_VERIFY_PUSH].name == "Old phone"
        assert found[FactorKind.SMS].name == "••• 0142", "the number itself stays in the system"
        assert all(factor.usable and factor.enrolled_at.utcoffset() == timedelta(0) for factor in found.values())

    def test_m2_one_factor_is_removed_and_the_others_stay(self, organisation):
        for number in ("+14155550142", "+14155550143"):
            organisation.enrol(organisation.bare, FactorKind.SMS, number)
        first, second = organisation.connector.factors(organisation.bare)
        assert organisation.connector.remove_factor(organisation.bare, first.id) is None
        assert [factor.id for factor in organisation.connector.factors(organisation.bare)] == [second.id]
        organisation.connector.remove_factor(organisation.bare, first.id)
        assert len(organisation.connector.factors(organisation.bare)) == 1, "gone already is no error"

    def test_m4_what_goes_along_is_told_before(self, organisation):
        for name in ("Old phone", "New phone"):
            organisation.enrol(organisation.bare, FactorKind.OKTA_VERIFY_PUSH, name)
        before = organisation.connector.factors(organisation.bare)
        old = next(factor for factor in before if factor.name == "Old phone")
        organisation.connector.remove_factor(organisation.bare, old.id)
        left = {factor.id for factor in organisation.connector.factors(organisation.bare)}
        assert {factor.id for factor in before} - left == {old.id} | old.takes_along

    def test_law_5_a_reset_of_all_removes_what_was_listed_and_nothing_enrolled_since(self, organisation):
        organisation.enrol(organisation.bare, FactorKind.OKTA_VERIFY_PUSH, "Old phone")
        organisation.enrol(organisation.bare, FactorKind.SECURITY_KEY, "Old key")
        listed = {factor.id for factor in organisation.connector.factors(organisation.bare)}
        organisation.enrol(organisation.bare, FactorKind.SMS, "+14155550142")
        for _ in range(2):  # again, as after a crash
            left = remove_listed(organisation.connector, organisation.bare, listed)
            assert [factor.kind for factor in left] == [FactorKind.SMS]
        assert left == organisation.connector.factors(organisation.bare)

    def test_law_5_a_removal_that_would_take_a_new_phone_along_removes_nothing(self, organisation):
        organisation.enrol(organisation.bare, FactorKind.OKTA_VERIFY_PUSH, "Old phone")
        listed = {factor.id for factor in organisation.connector.factors(organisation.bare)}
        organisation.enrol(organisation.bare, FactorKind.OKTA_VERIFY_PUSH, "New phone")
        before = organisation.connector.factors(organisation.bare)
        with pytest.raises(TakesAlongMore):
            remove_listed(organisation.connector, organisation.bare, listed)
        assert organisation.connector.factors(organisation.bare) == before

    def test_m7_ending_sessions_twice_is_no_error(self, organisation):
        assert [organisation.connector.end_sessions(organisation.someone) for _ in range(2)] == [None, None]

    def test_p5_reset_link_is_minted_and_the_old_password_void(self, organisation):
        link = organisation.connector.mint_reset_link(organisation.someone)
        assert link.get_secret_value().startswith("http") and link.get_secret_value() not in f"{link!r} {link}"
        assert organisation.connector.account(organisation.someone).status is Status.RECOVERY
        again = organisation.connector.mint_reset_link(organisation.someone)
        assert again.get_secret_value().startswith("http")

    def test_p5_no_link_for_an_account_that_cannot_have_a_password(self, organisation):
        with pytest.raises(StateRefused):
            organisation.connector.mint_reset_link(organisation.gone)
        assert organisation.connector.account(organisation.gone).status is Status.DEACTIVATED

    @pytest.mark.parametrize("kind", [FactorKind.GOOGLE_AUTHENTICATOR, FactorKind.SMS])
    def test_m7_code_is_right_once(self, organisation, kind):
        who, connector = organisation.bare, organisation.connector
        organisation.enrol(who, kind, "+14155550142" if kind is FactorKind.SMS else "")
        (factor,) = connector.factors(who)
        if kind is FactorKind.SMS:
            assert connector.send_code(who, factor.id) is None
        code = organisation.code(who)
        wrong = SecretStr("0000000" if code != "000000" else "1111111")
        assert connector.code_is_right(who, factor.id, wrong) is False
        assert [connector.code_is_right(who, factor.id, SecretStr(code)) for _ in range(2)] == [True, False]
        assert connector.factors(who) == (factor,), "proving it changes nothing"

    def test_m7_no_code_of_what_is_not_there_or_locked(self, organisation):
        who, connector = organisation.bare, organisation.connector
        organisation.enrol(who, FactorKind.GOOGLE_AUTHENTICATOR, "")
        (factor,) = connector.factors(who)
        for account, factor_id in ((who, "a-factor"), (organisation.someone, factor.id), (NOBODY, factor.id)):
            with pytest.raises(AccountNotFound):
                connector.code_is_right(account, factor_id, SecretStr("123456"))
        organisation.lock(who)
        with pytest.raises(StateRefused):
            connector.code_is_right(who, factor.id, SecretStr("123456"))

    def test_x9_history_tells_why(self, organisation):
        organisation.fail(organisation.someone, 4)
        organisation.lock(organisation.someone)
        history = organisation.connector.sign_in_history(organisation.someone, LONG_AGO)
        assert list(history) == sorted(history, key=lambda event: event.at)
        assert SignInOutcome.LOCKED in {event.outcome for event in history}
        locked_at = next(event.at for event in history if event.outcome is SignInOutcome.LOCKED)
        cause = cause_of(history, locked_at)
        assert cause.failures >= 4 and cause.first_at <= cause.last_at <= cause.locked_at
        assert "iPhone" in cause.stale_device.client and cause.stale_device.city == "Oakland"
        assert organisation.connector.sign_in_history(organisation.someone_else, LONG_AGO) == ()

    def test_x9_history_before_the_instant_is_left_out(self, organisation):
        organisation.lock(organisation.someone)
        (*_, last) = organisation.connector.sign_in_history(organisation.someone, LONG_AGO)
        assert organisation.connector.sign_in_history(organisation.someone, last.at + timedelta(seconds=1)) == ()

    def test_m9_manager_is_an_account_of_the_system(self, organisation):
        manager = organisation.connector.manager(organisation.someone)
        assert manager != organisation.someone
        assert organisation.connector.account(manager).external_id == manager

    def test_e_password_expires_by_the_rules(self, organisation):
        account = organisation.connector.account(organisation.someone)
        rules = organisation.connector.password_rules(account)
        assert rules.expires_at(account) == account.password_changed + timedelta(days=90)
        assert rules.unlocks_at(account) is None


@dataclass(frozen=True)
class Act:
    """An act of the Connector: how to call it on an account, and whether the account shows that it was done."""

    name: str
    call: Callable[[Connector, str, str], object]
    done: Callable[[Connector, str], bool] | None


ACTS = [
    Act("unlock", lambda c, who, _: c.unlock(who), lambda c, who: not c.account(who).locked),
    Act("remove_factor", lambda c, who, factor: c.remove_factor(who, factor), lambda c, who: c.factors(who) == ()),
    Act(
        "mint_reset_link",
        lambda c, who, _: c.mint_reset_link(who),
        lambda c, who: c.account(who).status is Status.RECOVERY,
    ),
    Act("end_sessions", lambda c, who, _: c.end_sessions(who), None),  # nothing shows it
]
READS = ("account", "groups", "factors", "sign_in_history", "password_rules", "manager")


def read(organisation: Organisation, method: str, account):
    arguments = {"sign_in_history": (account.external_id, LONG_AGO), "password_rules": (account,)}
    return getattr(organisation.connector, method)(*arguments.get(method, (account.external_id,)))


class Trouble:
    """What a connector says of a system that lies, is slow, limited, down, or refuses."""

    @pytest.fixture
    def target(self, organisation) -> tuple[str, str]:
        """A locked account with one factor."""
        organisation.enrol(organisation.bare, FactorKind.SMS, "+14155550142")
        organisation.lock(organisation.bare)
        return organisation.bare, organisation.connector.factors(organisation.bare)[0].id

    @pytest.mark.parametrize("act", ACTS, ids=lambda act: act.name)
    def test_a_lie_is_seen_by_reading_back(self, organisation, target, act):
        organisation.trouble("lie")
        act.call(organisation.connector, *target)
        organisation.trouble("")
        assert act.done is None or not act.done(organisation.connector, target[0])

    @pytest.mark.parametrize("kind", ["slow", "reply_lost", "down"])
    @pytest.mark.parametrize("act", ACTS, ids=lambda act: act.name)
    def test_act_without_an_answer_may_have_been_done(self, organisation, target, act, kind):
        organisation.trouble(kind)
        with pytest.raises(OutcomeUnknown):
            act.call(organisation.connector, *target)
        organisation.trouble("")
        if kind == "reply_lost" and act.done:
            assert act.done(organisation.connector, target[0])

    @pytest.mark.parametrize("act", ACTS, ids=lambda act: act.name)
    def test_limited_act_was_not_done(self, organisation, target, act):
        organisation.trouble("limited")
        with pytest.raises(TemporarilyUnavailable) as raised:
            act.call(organisation.connector, *target)
        assert not isinstance(raised.value, OutcomeUnknown) and raised.value.retry_after >= 2
        organisation.trouble("")
        assert act.done is None or not act.done(organisation.connector, target[0])

    @pytest.mark.parametrize("act", ACTS, ids=lambda act: act.name)
    def test_refused_act_was_not_done(self, organisation, target, act):
        organisation.trouble("forbidden")
        with pytest.raises(PermissionRefused):
            act.call(organisation.connector, *target)
        organisation.trouble("")
        assert act.done is None or not act.done(organisation.connector, target[0])

    @pytest.mark.parametrize("kind", ["slow", "down", "limited"])
    @pytest.mark.parametrize("method", READS)
    def test_unanswered_read_is_no_empty_answer(self, organisation, target, method, kind):
        account = organisation.connector.account(target[0])
        organisation.trouble(kind)
        with pytest.raises(TemporarilyUnavailable) as raised:
            read(organisation, method, account)
        assert not isinstance(raised.value, OutcomeUnknown)

    @pytest.mark.parametrize("method", READS)
    def test_forbidden_read_is_no_empty_answer_but_rules_may_be_unknown(self, organisation, target, method):
        account = organisation.connector.account(target[0])
        organisation.trouble("forbidden")
        if method == "password_rules":
            assert read(organisation, method, account) is None
            return
        with pytest.raises(PermissionRefused):
            read(organisation, method, account)
