"""Which of Okta's password policies holds for an account.

https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/: in the order of priority, the first
whose conditions are met. Rules narrow a policy by network zone, which nobody can evaluate from here; they are left out.
"""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from account_access.connectors.base import PasswordRules
from account_access.connectors.okta_reading import count, mapping, optional, sequence


def rules_for(policies: list[Any], user_id: str, group_ids: Collection[str]) -> PasswordRules | None:
    """The rules of the policy for a user whose password Okta itself holds, None if none is for them."""
    active = [policy for policy in map(mapping, policies) if policy.get("status", "ACTIVE") == "ACTIVE"]
    for policy in sorted(active, key=lambda policy: count(policy, "priority")):
        if _meant(optional(policy.get("conditions")), user_id, set(group_ids)):
            return _rules(optional(optional(policy.get("settings")).get("password")))
    return None


def _meant(conditions: dict[str, Any], user_id: str, group_ids: set[str]) -> bool:
    if optional(conditions.get("authProvider")).get("provider", "OKTA") not in ("OKTA", "ANY"):
        return False
    people = optional(conditions.get("people"))
    for whose, ids in (("users", {user_id}), ("groups", group_ids)):
        condition = optional(people.get(whose))
        included, excluded = (sequence(condition.get(which) or []) for which in ("include", "exclude"))
        if any(each in ids for each in map(str, excluded)):
            return False
        if included and not any(each in ids for each in map(str, included)):
            return False
    return True


def _rules(password: dict[str, Any]) -> PasswordRules:
    age, lockout = optional(password.get("age")), optional(password.get("lockout"))
    minutes, days = count(lockout, "autoUnlockMinutes"), count(age, "maxAgeDays")
    return PasswordRules(
        count(lockout, "maxAttempts") or None,
        timedelta(minutes=minutes) if minutes else None,
        timedelta(days=days) if days else None,
    )
