"""Okta's users as a directory's people, and what one pass over all of them reads once for everybody.

Who is in a group is asked of the groups that matter, never of each person: an organisation of ten thousand would cost
ten thousand calls.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from account_access.connectors.base import Account, DirectoryPerson, PasswordRules
from account_access.connectors.okta_policies import rules_for
from account_access.connectors.okta_reading import mapping, optional, sequence, text, words

# Nobody signs in to chat with these.
INACTIVE = frozenset({"DEPROVISIONED", "SUSPENDED", "STAGED"})


def person_of(user: dict[str, Any], account: Account, attributes) -> DirectoryPerson:
    """One user of a page; `attributes` are the settings' names of the profile's attributes."""
    profile = mapping(user.get("profile"))
    given_name, family_name = words(profile, "firstName", 100), words(profile, "lastName", 100)
    full = " ".join(part for part in (given_name, family_name) if part)
    return DirectoryPerson(
        external_id=account.external_id,
        login=account.login,
        email=_address(profile, "email"),
        name=words(profile, "displayName", 200) or full[:200] or None,
        given_name=given_name,
        time_zone=words(profile, "timezone", 64),
        active=text(user, "status") not in INACTIVE,
        status=account.status,
        status_since=account.status_since,
        title=words(profile, "title", 200),
        department=words(profile, "department", 200),
        worker_type=words(profile, attributes.worker_type, 100),
        manager_login=words(profile, attributes.manager, 320),
        contract_ends_on=_date(profile.get(attributes.contract_end)),
        password_changed=account.password_changed,
        password_elsewhere=account.password_elsewhere,
        second_email=_address(profile, "secondEmail"),
        employee_number=_number(profile.get(attributes.employee_number)),
    )


def _address(profile: dict[str, Any], attribute: str) -> str | None:
    """An e-mail address as it stands: one links a sign-in, so a part of one is none."""
    found = profile.get(attribute)
    return found if isinstance(found, str) and len(found) <= 320 and found.isprintable() else None


def _number(value: Any) -> str | None:
    """An employee number without outer spaces: accounts are joined by one, so a part of one is none (U9)."""
    plain = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return plain if plain.isprintable() and 0 < len(plain) <= 100 else None


def _date(value: Any) -> date | None:
    """`2026-12-08`, also with a time behind it. One person's slip of the pen is no reason to read nobody: None."""
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None


def group_ids_in(policies: list[Any]) -> set[str]:
    """The groups that the policies' conditions name."""
    found: set[str] = set()
    for policy in map(mapping, policies):
        groups = optional(optional(optional(policy.get("conditions")).get("people")).get("groups"))
        for which in ("include", "exclude"):
            found |= set(map(str, sequence(groups.get(which) or [])))
    return found


def is_everyone(group: dict[str, Any]) -> bool:
    """Okta's own group of everybody, whose members need no reading."""
    return group.get("type") == "BUILT_IN" and mapping(group.get("profile")).get("name") == "Everyone"


class OktaDirectoryRules:
    """See `base.DirectoryRules`. `members`: user ids by group id; `named`: the names asked for, by group id."""

    def __init__(
        self,
        policies: list[Any],
        members: Mapping[str, set[str]],
        named: Mapping[str, str],
        everyone: set[str],
        group_names: frozenset[str],
    ):
        self.group_names = group_names
        self._policies, self._named, self._everyone = policies, named, frozenset(everyone)
        self._groups: dict[str, set[str]] = {}
        for group_id, ids in members.items():
            for user_id in ids:
                self._groups.setdefault(user_id, set()).add(group_id)

    def groups_of(self, external_id: str) -> frozenset[str]:
        return frozenset(self._named[group_id] for group_id in self._ids(external_id) if group_id in self._named)

    def password_rules(self, external_id: str) -> PasswordRules | None:
        return rules_for(self._policies, external_id, self._ids(external_id)) if self._policies else None

    def _ids(self, external_id: str) -> frozenset[str]:
        return self._everyone | self._groups.get(external_id, set())
