"""Setting up a factor, in two steps: what it is, and the proof that the person has it."""

import re
import sqlite3
from datetime import datetime

from sandbox import factors, organisation

# What can be set up: (in words, Okta's type and provider, what the profile calls what the person types)
CHOICES = {
    "okta_verify": ("Okta Verify on a phone", ("push", "OKTA"), "name"),
    "google": ("Google Authenticator on a phone", (factors.APP_CODE, "GOOGLE"), None),
    "sms": ("Text messages to a number", ("sms", "OKTA"), "phoneNumber"),
    "key": ("Security key", ("webauthn", "FIDO"), "authenticatorName"),
}
LONGEST_NAME = 60


def problem_with(kind: str, name: str) -> str:
    """What is wrong with a choice, in a sentence; empty if nothing is."""
    if kind not in CHOICES:
        return "Choose what to set up."
    if kind == "sms" and not re.fullmatch(r"\+[1-9][0-9]{7,14}", name):
        return "Write the number with its country code, such as +14155550142."
    if kind in ("okta_verify", "key") and not (name.isprintable() and 0 < len(name) <= LONGEST_NAME):
        return f"Give it a name of up to {LONGEST_NAME} characters, such as My new phone."
    return ""


def begin(connection: sqlite3.Connection, user: sqlite3.Row, kind: str, name: str, now: datetime) -> sqlite3.Row:
    """Enrols a factor that waits for its proof."""
    _, okta_kind, key = CHOICES[kind]
    factor_id, profile = factors.new_id(okta_kind[0]), {key: name} if key else {}
    factors.enrol(connection, user["id"], factor_id, okta_kind, profile, now, "PENDING_ACTIVATION")
    return factors.find(connection, user["id"], factor_id)


def complete(connection: sqlite3.Connection, user: sqlite3.Row, factor: sqlite3.Row, now: datetime) -> None:
    """The proof was given: the factor can be used. The app that answers a push shows codes as well."""
    document = factors.activate(connection, factor, now)
    organisation.factor_enrolled(connection, user, now, document)
    have = {factors.kind_of(row) for row in factors.active(connection, user["id"])}
    if factors.kind_of(factor) == ("push", "OKTA") and (factors.APP_CODE, "OKTA") not in have:
        factors.enrol(connection, user["id"], factors.new_id(factors.APP_CODE), (factors.APP_CODE, "OKTA"), {}, now)
