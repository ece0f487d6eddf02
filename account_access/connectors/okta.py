"""Okta's Core API: users, unlock, factors, password reset, System Log. https://developer.okta.com/docs/api/

Needs a token with okta.users.read, okta.users.manage and okta.logs.read (Help Desk Admin and Reports Admin), and
okta.policies.read to tell when a password expires and a lockout ends.
"""

import json
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import requests
from pydantic import SecretStr

from account_access.connectors.base import (
    Account,
    AccountNotFound,
    DirectoryPerson,
    DirectoryRules,
    Factor,
    LockoutPage,
    OutcomeUnknown,
    PasswordRules,
    PermissionRefused,
    SignInEvent,
    StateRefused,
    Status,
    TemporarilyUnavailable,
)
from account_access.connectors.http import BadRequest, CodeRefused, HttpClient, json_of
from account_access.connectors.okta_directory import OktaDirectoryRules, group_ids_in, is_everyone, person_of
from account_access.connectors.okta_factors import factors_of
from account_access.connectors.okta_history import filter_for, history_of
from account_access.connectors.okta_policies import rules_for
from account_access.connectors.okta_reading import instant, iso, mapping, optional, sequence, text, words

LOCKED = "LOCKED_OUT"
STATUSES = {
    "ACTIVE": Status.ACTIVE,
    LOCKED: Status.LOCKED,
    "PASSWORD_EXPIRED": Status.PASSWORD_EXPIRED,
    "RECOVERY": Status.RECOVERY,
    "SUSPENDED": Status.SUSPENDED,
    "DEPROVISIONED": Status.DEACTIVATED,
    "STAGED": Status.PENDING,
    "PROVISIONED": Status.PENDING,
}
PAGE = 200
# Of so many ids a filter is made: an address of five kilobytes, where servers take eight.
IDS_AT_ONCE = 100
LOCKOUT_EVENTS = (
    'eventType eq "user.account.lock" or (eventType eq "user.session.start" and outcome.reason eq "LOCKED_OUT")'
)
# A log that grows faster than this in one poll is read on in the next.
MAX_LOG_PAGES = 20
# Somebody waits for their history: the latest events, a few pages of them.
HISTORY_PAGE, MAX_HISTORY_PAGES = 200, 5


class OktaConnector:
    """One Okta organisation; see `base.Connector` for what each method promises."""

    capabilities = frozenset(
        {
            *("unlock", "lockouts", "people", "directory", "factors", "sessions", "reset_link", "history"),
            *("password_rules", "manager", "codes"),
        }
    )

    def __init__(self, key: str, settings):
        self.key = key
        self.attributes = settings.attributes
        self.http = HttpClient(
            settings.url,
            {"Authorization": f"SSWS {settings.token.get_secret_value()}", "Accept": "application/json"},
            settings.connect_timeout,
            settings.read_timeout,
            settings.workers,
        )

    def account(self, external_id: str) -> Account:
        account = _account(mapping(json_of(self.http.get(_user(external_id)))))
        if account.external_id != external_id:
            raise TemporarilyUnavailable(f"asked for {external_id}, got {account.external_id[:40]}")
        return account

    def many_accounts(self, external_ids: Collection[str]) -> dict[str, Account]:
        found: dict[str, Account] = {}
        asked = sorted(set(external_ids))
        for begin in range(0, len(asked), IDS_AT_ONCE):
            some = asked[begin : begin + IDS_AT_ONCE]
            wanted = " or ".join(f"id eq {json.dumps(external_id)}" for external_id in some)
            for page in self._pages("/api/v1/users", {"filter": wanted, "limit": PAGE}):
                for user in page:
                    account = _account(mapping(user))
                    if account.external_id in some:
                        found[account.external_id] = account
        return found

    def groups(self, external_id: str) -> frozenset[str]:
        return frozenset(text(mapping(group.get("profile")), "name") for group in self._groups(external_id))

    def unlock(self, external_id: str) -> None:
        try:
            self.http.act("POST", f"{_user(external_id)}/lifecycle/unlock")
        except (BadRequest, PermissionRefused, StateRefused):
            # Okta refuses to unlock what is not locked (E0000032): only the refusal for a locked account is a failure.
            if self.account(external_id).locked:
                raise

    def factors(self, external_id: str) -> tuple[Factor, ...]:
        return factors_of(sequence(json_of(self.http.get(f"{_user(external_id)}/factors"))))

    def remove_factor(self, external_id: str, factor_id: str) -> None:
        try:
            # Without removeRecoveryEnrollment: a phone that recovers the password stays, for nobody asked about that.
            self.http.act("DELETE", f"{_user(external_id)}/factors/{_piece(factor_id)}")
        except AccountNotFound:
            # 404 for the factor or for the whole account: the latter is not "gone already".
            self.account(external_id)

    def end_sessions(self, external_id: str) -> None:
        self.http.act("DELETE", f"{_user(external_id)}/sessions", {"oauthTokens": "true"})

    def mint_reset_link(self, external_id: str) -> SecretStr:
        response = self.http.act("POST", f"{_user(external_id)}/lifecycle/reset_password", {"sendEmail": "false"})
        link = _link_in(response)
        if link is None:
            raise OutcomeUnknown("POST reset_password: answered without a link")
        if not link.isprintable() or not (link.startswith("https://") or self.http.is_own(link)):
            raise OutcomeUnknown("POST reset_password: the link is no protected web address")
        return SecretStr(link)

    def send_code(self, external_id: str, factor_id: str) -> None:
        self.http.act("POST", _verify(external_id, factor_id), body={})

    def code_is_right(self, external_id: str, factor_id: str, code: SecretStr) -> bool:
        body = {"passCode": code.get_secret_value()}
        try:
            response = self.http.act("POST", _verify(external_id, factor_id), body=body)
        except CodeRefused:
            return False
        # FAILED, TIME_WINDOW_EXCEEDED, PASSCODE_REPLAYED …: only one word means yes.
        return mapping(json_of(response)).get("factorResult") == "SUCCESS"

    def sign_in_history(self, external_id: str, since: datetime) -> tuple[SignInEvent, ...]:
        found: list[Any] = []
        asked = {"since": iso(since), "filter": filter_for(external_id), "sortOrder": "DESCENDING"}
        for number, page in enumerate(self._pages("/api/v1/logs", {**asked, "limit": HISTORY_PAGE}), 1):
            found += page
            # A query from the newest on has a next link even behind its end.
            if len(page) < HISTORY_PAGE or number == MAX_HISTORY_PAGES:
                break
        return history_of(found)

    def manager(self, external_id: str) -> str | None:
        user = mapping(json_of(self.http.get(_user(external_id))))
        login = words(mapping(user.get("profile")), self.attributes.manager, 320)
        try:
            # Okta finds a user by login as by id.
            return _account(mapping(json_of(self.http.get(_user(login))))).external_id if login else None
        except AccountNotFound:
            return None

    def password_rules(self, account: Account) -> PasswordRules | None:
        if account.password_elsewhere:
            return None
        policies = self._password_policies()
        if not policies:
            return None
        group_ids = {text(group, "id") for group in self._groups(account.external_id)}
        return rules_for(policies, account.external_id, group_ids)

    def locked_accounts(self) -> Iterator[Account]:
        for page in self._pages("/api/v1/users", {"search": f'status eq "{LOCKED}"', "limit": PAGE}):
            yield from (_account(mapping(user)) for user in page)

    def people(self) -> Iterator[list[DirectoryPerson]]:
        for page in self._pages("/api/v1/users", {"limit": PAGE, "search": "id pr"}):
            yield [person_of(mapping(user), _account(mapping(user)), self.attributes) for user in page]

    def directory_rules(self, group_names: frozenset[str]) -> DirectoryRules:
        policies = self._password_policies()
        by_policies = group_ids_in(policies)
        names = {name.casefold() for name in group_names}
        members: dict[str, set[str]] = {}
        named: dict[str, str] = {}
        everyone: set[str] = set()
        all_names: set[str] = set()
        for page in self._pages("/api/v1/groups", {"limit": PAGE}):
            for group in map(mapping, page):
                group_id, name = text(group, "id"), text(mapping(group.get("profile")), "name")
                all_names.add(name)
                if name.casefold() in names:
                    named[group_id] = name
                if group_id not in by_policies and group_id not in named:
                    continue
                if is_everyone(group):
                    everyone.add(group_id)
                else:
                    members[group_id] = self._members(group_id)
        return OktaDirectoryRules(policies, members, named, everyone, frozenset(all_names))

    def _password_policies(self) -> list[Any]:
        try:
            return [
                policy
                for page in self._pages("/api/v1/policies", {"type": "PASSWORD", "status": "ACTIVE"})
                for policy in page
            ]
        except PermissionRefused:
            return []  # the token may not read policies, which is the admin's choice: nobody knows when one expires

    def _members(self, group_id: str) -> set[str]:
        pages = self._pages(f"/api/v1/groups/{_piece(group_id)}/users", {"limit": PAGE})
        return {text(mapping(user), "id") for page in pages for user in page}

    def lockouts_since(self, cursor: str | None, since: datetime) -> LockoutPage:
        if cursor and self.http.is_own(cursor):
            try:
                return self._lockouts(cursor, None)
            except (BadRequest, AccountNotFound):
                pass  # Okta forgets old cursors: start again from the instant the caller gives
        return self._lockouts("/api/v1/logs", _log_parameters(since))

    def _lockouts(self, url: str, params: dict[str, Any] | None) -> LockoutPage:
        found: list[str] = []
        for _ in range(MAX_LOG_PAGES):
            response = self.http.get(url, params)
            events = sequence(json_of(response))
            found += [external_id for event in events if (external_id := _whose(mapping(event)))]
            following = response.links.get("next", {}).get("url")
            if not following:
                raise TemporarilyUnavailable("GET /api/v1/logs: a polling answer without a next link")
            if not self.http.is_own(urljoin(response.url, following)):
                raise TemporarilyUnavailable("GET /api/v1/logs: the next link leads to another origin")
            url, params = following, None
            if not events:
                break
        return LockoutPage(tuple(dict.fromkeys(found)), url)

    def _groups(self, external_id: str) -> Iterator[dict[str, Any]]:
        for page in self._pages(f"{_user(external_id)}/groups", None):
            yield from map(mapping, page)

    def _pages(self, url: str, params: dict[str, Any] | None) -> Iterator[list[Any]]:
        """Page after page; the lists that Okta gives in one piece have no next link. No page comes twice."""
        following: str | None = url
        seen = set()
        while following:
            if following in seen:
                raise TemporarilyUnavailable(f"GET {urlsplit(url).path}: the pages go round in a circle")
            seen.add(following)
            response = self.http.get(following, params)
            yield sequence(json_of(response))
            following, params = response.links.get("next", {}).get("url"), None


def _user(external_id: str) -> str:
    """The path of one user."""
    return f"/api/v1/users/{_piece(external_id)}"


def _verify(external_id: str, factor_id: str) -> str:
    """The path at which one factor is verified."""
    return f"{_user(external_id)}/factors/{_piece(factor_id)}/verify"


def _piece(identifier: str) -> str:
    """An id as one piece of an address, never a way to another resource. Raises AccountNotFound."""
    if identifier in ("", ".", ".."):
        raise AccountNotFound(f"{identifier!r} is no id")
    return quote(identifier, safe="")


def _link_in(response: requests.Response) -> str | None:
    """The reset link, None if the answer has none; no error to carry along, for a decoder's holds the whole answer."""
    try:
        return text(mapping(json_of(response)), "resetPasswordUrl")
    except TemporarilyUnavailable:
        return None


def _log_parameters(since: datetime) -> dict[str, Any]:
    return {"since": iso(since), "filter": LOCKOUT_EVENTS, "sortOrder": "ASCENDING", "limit": 1000}


def _whose(event: dict[str, Any]) -> str | None:
    """The user a lockout event concerns: its target, else its actor."""
    for target in [*sequence(event.get("target") or []), event.get("actor") or {}]:
        entry = mapping(target)
        if entry.get("type") in ("User", "AppUser") and isinstance(entry.get("id"), str):
            return entry["id"]
    return None


def _account(user: dict[str, Any]) -> Account:
    credentials = optional(user.get("credentials"))
    return Account(
        text(user, "id"),
        text(mapping(user.get("profile")), "login"),
        STATUSES.get(text(user, "status"), Status.OTHER),
        instant(user.get("statusChanged")),
        instant(user.get("passwordChanged")),
        optional(credentials.get("provider")).get("type", "OKTA") != "OKTA",
    )
