"""Okta's factors in our words. https://developer.okta.com/docs/api/openapi/okta-management/management/tag/UserFactor/"""

from typing import Any

from account_access.connectors.base import Factor, FactorKind
from account_access.connectors.okta_reading import instant, mapping, optional, text, words

KINDS = {
    ("push", "OKTA"): FactorKind.OKTA_VERIFY_PUSH,
    ("token:software:totp", "OKTA"): FactorKind.OKTA_VERIFY_CODE,
    ("signed_nonce", "OKTA"): FactorKind.OKTA_FASTPASS,
    ("token:software:totp", "GOOGLE"): FactorKind.GOOGLE_AUTHENTICATOR,
    ("token", "SYMANTEC"): FactorKind.AUTHENTICATOR_APP,
}
# Where the provider makes no difference to the person.
KINDS_BY_TYPE = {
    "push": FactorKind.PUSH_APP,
    "token:software:totp": FactorKind.AUTHENTICATOR_APP,
    "token:hotp": FactorKind.AUTHENTICATOR_APP,
    "token:hardware": FactorKind.HARDWARE_TOKEN,
    "token": FactorKind.HARDWARE_TOKEN,
    "sms": FactorKind.SMS,
    "call": FactorKind.CALL,
    "email": FactorKind.EMAIL,
    "webauthn": FactorKind.SECURITY_KEY,
    "u2f": FactorKind.SECURITY_KEY,
    "question": FactorKind.QUESTION,
    "web": FactorKind.DUO,
}
USABLE = frozenset({"ACTIVE", "ENROLLED"})
# Unenrolling push or FastPass also unenrolls any other push, FastPass and code of Okta Verify, on whatever device.
OKTA_VERIFY = frozenset({FactorKind.OKTA_VERIFY_PUSH, FactorKind.OKTA_VERIFY_CODE, FactorKind.OKTA_FASTPASS})
TAKES_ALONG = frozenset({FactorKind.OKTA_VERIFY_PUSH, FactorKind.OKTA_FASTPASS})
LONGEST_NAME = 100


def factors_of(answer: list[Any]) -> tuple[Factor, ...]:
    """The enrolled factors of Okta's list, in its order; what is not set up is none."""
    found = [mapping(each) for each in answer]
    kinds = {text(each, "id"): _kind(each) for each in found if each.get("status") != "NOT_SETUP"}
    app = {factor_id for factor_id, kind in kinds.items() if kind in OKTA_VERIFY}
    return tuple(_factor(each, kinds[each["id"]], app) for each in found if each["id"] in kinds)


def _kind(factor: dict[str, Any]) -> FactorKind:
    kind = text(factor, "factorType")
    return KINDS.get((kind, str(factor.get("provider")))) or KINDS_BY_TYPE.get(kind, FactorKind.OTHER)


def _factor(factor: dict[str, Any], kind: FactorKind, app: set[str]) -> Factor:
    return Factor(
        factor["id"],
        kind,
        _name(optional(factor.get("profile"))),
        str(factor.get("status")) in USABLE,
        max(filter(None, (instant(factor.get("created")), instant(factor.get("lastUpdated")))), default=None),
        frozenset(app - {factor["id"]}) if kind in TAKES_ALONG else frozenset(),
    )


def _name(profile: dict[str, Any]) -> str | None:
    if phone := words(profile, "phoneNumber", LONGEST_NAME):
        digits = [c for c in phone if c.isdigit()]
        # Of a short number less than half is told.
        end = "".join(digits[-min(4, len(digits) // 2) :]) if len(digits) > 1 else ""
        return f"••• {end}" if end else None
    if address := words(profile, "email", LONGEST_NAME):
        first, _, domain = address.partition("@")
        return f"{first[:1]}•••@{domain}" if first and domain else None
    return words(profile, "name", LONGEST_NAME) or words(profile, "authenticatorName", LONGEST_NAME)
