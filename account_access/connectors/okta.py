"""Okta's Core API: users, unlock, System Log. https://developer.okta.com/docs/api/

Needs a token with okta.users.read, okta.users.manage and okta.logs.read (Help Desk Admin and Reports Admin).
"""

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from account_access.connectors.base import (
    Account,
    AccountNotFound,
    DirectoryPerson,
    LockoutPage,
    PermissionRefused,
    TemporarilyUnavailable,
)
from account_access.connectors.http import BadRequest, HttpClient, json_of

LOCKED = "LOCKED_OUT"
# Nobody signs in to chat with these.
INACTIVE = frozenset({"DEPROVISIONED", "SUSPENDED", "STAGED"})
PAGE = 200
LOCKOUT_EVENTS = (
    'eventType eq "user.account.lock" or (eventType eq "user.session.start" and outcome.reason eq "LOCKED_OUT")'
)
# Invisible characters that carry meaning in some scripts and emoji.
JOINERS = "\u200c\u200d"
# A log that grows faster than this in one poll is read on in the next.
MAX_LOG_PAGES = 20


class OktaConnector:
    """One Okta organisation; see `base.Connector` for what each method promises."""

    capabilities = frozenset({"unlock", "lockouts", "people"})

    def __init__(self, key: str, settings):
        self.key = key
        self.http = HttpClient(
            settings.url,
            {"Authorization": f"SSWS {settings.token.get_secret_value()}", "Accept": "application/json"},
            settings.connect_timeout,
            settings.read_timeout,
            settings.workers,
        )

    def account(self, external_id: str) -> Account:
        account = _account(_object(json_of(self.http.get(f"/api/v1/users/{quote(external_id, safe='')}"))))
        if account.external_id != external_id:
            raise TemporarilyUnavailable(f"asked for {external_id}, got {account.external_id[:40]}")
        return account

    def groups(self, external_id: str) -> frozenset[str]:
        pages = self._pages(f"/api/v1/users/{quote(external_id, safe='')}/groups", None)
        return frozenset(_text(_object(_object(group).get("profile")), "name") for page in pages for group in page)

    def unlock(self, external_id: str) -> None:
        try:
            self.http.act("POST", f"/api/v1/users/{quote(external_id, safe='')}/lifecycle/unlock")
        except (BadRequest, PermissionRefused):
            # Okta refuses to unlock what is not locked (E0000032): only the refusal for a locked account is a failure.
            if self.account(external_id).locked:
                raise

    def locked_accounts(self) -> Iterator[Account]:
        for page in self._pages("/api/v1/users", {"search": f'status eq "{LOCKED}"', "limit": PAGE}):
            yield from (_account(_object(user)) for user in page)

    def people(self) -> Iterator[list[DirectoryPerson]]:
        for page in self._pages("/api/v1/users", {"limit": PAGE, "search": "id pr"}):
            yield [_person(_object(user)) for user in page]

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
            events = _list(json_of(response))
            found += [external_id for event in events if (external_id := _whose(_object(event)))]
            following = response.links.get("next", {}).get("url")
            if not following:
                raise TemporarilyUnavailable("GET /api/v1/logs: a polling answer without a next link")
            if not self.http.is_own(urljoin(response.url, following)):
                raise TemporarilyUnavailable("GET /api/v1/logs: the next link leads to another origin")
            url, params = following, None
            if not events:
                break
        return LockoutPage(tuple(dict.fromkeys(found)), url)

    def _pages(self, url: str, params: dict[str, Any] | None) -> Iterator[list[Any]]:
        """Page after page; the lists that Okta gives in one piece have no next link. No page comes twice."""
        following: str | None = url
        seen = set()
        while following:
            if following in seen:
                raise TemporarilyUnavailable(f"GET {urlsplit(url).path}: the pages go round in a circle")
            seen.add(following)
            response = self.http.get(following, params)
            yield _list(json_of(response))
            following, params = response.links.get("next", {}).get("url"), None


def _log_parameters(since: datetime) -> dict[str, Any]:
    return {"since": _iso(since), "filter": LOCKOUT_EVENTS, "sortOrder": "ASCENDING", "limit": 1000}


def _whose(event: dict[str, Any]) -> str | None:
    """The user a lockout event concerns: its target, else its actor."""
    for target in [*_list(event.get("target") or []), event.get("actor") or {}]:
        entry = _object(target)
        if entry.get("type") in ("User", "AppUser") and isinstance(entry.get("id"), str):
            return entry["id"]
    return None


def _account(user: dict[str, Any]) -> Account:
    status = _text(user, "status")
    return Account(
        _text(user, "id"),
        _text(_object(user.get("profile")), "login"),
        status == LOCKED,
        status,
        _instant(user.get("statusChanged")),
    )


def _person(user: dict[str, Any]) -> DirectoryPerson:
    profile = _object(user.get("profile"))
    given_name, family_name = _words(profile, "firstName", 100), _words(profile, "lastName", 100)
    full = " ".join(part for part in (given_name, family_name) if part)
    return DirectoryPerson(
        _text(user, "id"),
        _text(profile, "login"),
        _address(profile),
        _words(profile, "displayName", 200) or full[:200] or None,
        given_name,
        _words(profile, "timezone", 64),
        _text(user, "status") not in INACTIVE,
    )


def _instant(value: Any) -> datetime | None:
    """An Okta instant (`2026-11-24T07:51:54.000Z`) as aware UTC, or None."""
    if value is None:
        return None
    try:
        return datetime.fromisoformat(str(value).replace("Z", "+00:00")).astimezone(timezone.utc)
    except (ValueError, OverflowError) as error:
        raise TemporarilyUnavailable(f"{str(value)[:40]!r} is not an instant") from error


def _iso(instant: datetime) -> str:
    return instant.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TemporarilyUnavailable(f"expected an object, got {type(value).__name__}")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TemporarilyUnavailable(f"expected a list, got {type(value).__name__}")
    return value


def _words(profile: dict[str, Any], key: str, longest: int) -> str | None:
    """What people may have written into their profile themselves: on one line, printable, and not for ever."""
    found = profile.get(key)
    if not isinstance(found, str):
        return None
    plain = "".join(c if c.isprintable() or c in JOINERS else " " for c in found)
    return " ".join(plain.split())[:longest] or None


def _address(profile: dict[str, Any]) -> str | None:
    """The e-mail address as it stands: it links a sign-in, so a part of one is none."""
    found = profile.get("email")
    return found if isinstance(found, str) and len(found) <= 320 and found.isprintable() else None


def _text(value: dict[str, Any], key: str) -> str:
    found = value.get(key)
    if not isinstance(found, str):
        raise TemporarilyUnavailable(f"the answer has no {key}")
    return found
