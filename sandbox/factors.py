"""Enrolled factors: rows of the database, how they are told to people, and what goes with what."""

import base64
import json
import os
import secrets
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from sandbox.moments import stamp

Row = sqlite3.Row
PREFIXES = {
    "push": "opf", "signed_nonce": "fpr", "token:software:totp": "ost", "sms": "mbl", "call": "clf", "email": "emf",
    "webauthn": "fwf",
}  # fmt: skip
# Unenrolling one of the first kind also unenrolls every other one of Okta Verify, as Okta documents it.
TAKES_ALONG = frozenset({("push", "OKTA"), ("signed_nonce", "OKTA")})
APP_CODE = "token:software:totp"
CODE_KINDS = (APP_CODE, "sms", "call", "email")
# A code that was sent is good for so long.
SENT_FOR_SECONDS = 300
OKTA_VERIFY = TAKES_ALONG | {("token:software:totp", "OKTA")}


def _kind(document: Mapping[str, Any]) -> tuple[str, str]:
    return document["factorType"], document["provider"]


def kind_of(factor: Row) -> tuple[str, str]:
    """Okta's type and provider of a factor."""
    return _kind(json.loads(factor["document"]))


def every(connection: sqlite3.Connection, user_id: str) -> list[Row]:
    """The person's factors in the order of enrolment, with their secrets, also those that wait for activation."""
    return connection.execute("SELECT * FROM factors WHERE user_id = ? ORDER BY position", (user_id,)).fetchall()


def active(connection: sqlite3.Connection, user_id: str) -> list[Row]:
    """The factors that a sign-in can ask for."""
    return [row for row in every(connection, user_id) if json.loads(row["document"])["status"] == "ACTIVE"]


def find(connection: sqlite3.Connection, user_id: str, factor_id: str) -> Row | None:
    return connection.execute("SELECT * FROM factors WHERE id = ? AND user_id = ?", (factor_id, user_id)).fetchone()


def new_id(kind: str) -> str:
    return PREFIXES[kind] + secrets.token_hex(9)[: 20 - len(PREFIXES[kind])]


def enrol(
    connection: sqlite3.Connection,
    user_id: str,
    factor_id: str,
    kind: tuple[str, str],
    profile: Mapping[str, str],
    now: datetime,
    status: str = "ACTIVE",
) -> dict[str, Any]:
    """Adds a factor of (Okta's type, provider) behind the person's others and returns its document."""
    document = {
        "id": factor_id,
        "factorType": kind[0],
        "provider": kind[1],
        "vendorName": kind[1],
        "status": status,
        "created": stamp(now),
        "lastUpdated": stamp(now),
        "profile": dict(profile),
    }
    # A number or address proves by a code of this secret that it is the person's; an app keeps its secret.
    makes_codes = kind[0] == APP_CODE or (status != "ACTIVE" and kind[0] in CODE_KINDS)
    secret = base64.b32encode(os.urandom(20)).decode() if makes_codes else None
    position = connection.execute(
        "SELECT coalesce(max(position) + 1, 0) FROM factors WHERE user_id = ?", (user_id,)
    ).fetchone()[0]
    connection.execute(
        "INSERT INTO factors VALUES (?, ?, ?, ?, ?)", (factor_id, user_id, position, secret, json.dumps(document))
    )
    return document


def activate(connection: sqlite3.Connection, factor: Row, now: datetime) -> dict[str, Any]:
    """Completes an enrolment and returns the factor's document."""
    document = {**json.loads(factor["document"]), "status": "ACTIVE", "lastUpdated": stamp(now)}
    secret = factor["secret"] if document["factorType"] == APP_CODE else None
    connection.execute(
        "UPDATE factors SET document = ?, secret = ? WHERE id = ?", (json.dumps(document), secret, factor["id"])
    )
    return document


def remove(connection: sqlite3.Connection, user_id: str, factor_id: str, now: datetime) -> list[dict[str, Any]]:
    """Removes a factor and what goes with it; what went."""
    documents = [json.loads(row["document"]) for row in every(connection, user_id)]
    chosen = next((document for document in documents if document["id"] == factor_id), None)
    if chosen is None:
        return []
    removed = [
        document
        for document in documents
        if document is chosen or (_kind(chosen) in TAKES_ALONG and _kind(document) in OKTA_VERIFY)
    ]
    for document in removed:
        connection.execute("DELETE FROM factors WHERE id = ?", (document["id"],))
    connection.execute("UPDATE users SET last_updated = ? WHERE id = ?", (stamp(now), user_id))
    return removed


def give_up(connection: sqlite3.Connection, factor: Row) -> None:
    """Forgets an enrolment that was not completed; nothing else goes with it."""
    connection.execute("DELETE FROM factors WHERE id = ?", (factor["id"],))


def described(row: Row) -> dict[str, Any]:
    """A factor in words, for the organisation's own pages."""
    document = json.loads(row["document"])
    kind, profile = document["factorType"], document["profile"]
    number = profile.get("phoneNumber", "")
    names = {
        "push": f"Okta Verify push ({profile.get('name')})",
        "signed_nonce": f"Okta FastPass ({profile.get('name')})",
        "token:software:totp": f"{'Google Authenticator' if document['provider'] == 'GOOGLE' else 'Okta Verify'} code",
        "sms": f"SMS to {number[:2]}•••{number[-4:]}",
        "call": f"Call to {number[:2]}•••{number[-4:]}",
        "email": f"Code by e-mail to {profile.get('email')}",
        "webauthn": f"Security key ({profile.get('authenticatorName')})",
    }
    return {
        "id": row["id"],
        "type": kind,
        "name": names[kind],
        "asks_code": kind in CODE_KINDS,
        "active": document["status"] == "ACTIVE",
    }


def _totp(secret: str) -> TOTP:
    return TOTP(base64.b32decode(secret), 6, SHA1(), 30)  # noqa: S303 - what authenticator apps use (RFC 6238)


def code(factor: Row, now: datetime) -> str:
    """What a factor with a secret shows at this moment."""
    return _totp(factor["secret"]).generate(int(now.timestamp())).decode()


def shown(factor: Row, now: datetime) -> str:
    """What the phone shows of a factor that can be used; empty if nothing."""
    usable = json.loads(factor["document"])["status"] == "ACTIVE"
    return code(factor, now) if usable and factor["secret"] else ""


def send(connection: sqlite3.Connection, factor: Row) -> None:
    """A number or address gets a code; an earlier one of it is void."""
    secret = base64.b32encode(os.urandom(20)).decode()
    connection.execute("UPDATE factors SET secret = ? WHERE id = ?", (secret, factor["id"]))


def use(connection: sqlite3.Connection, factor: Row, offered: str, now: datetime) -> bool:
    """Whether a code is right and was not used before; from now on it is used."""
    ages = (0, 30) if kind_of(factor)[0] == APP_CODE else range(0, SENT_FOR_SECONDS, 30)
    name = f"code_used:{factor['id']}"
    known = connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
    if not factor["secret"] or (known and known["value"] == offered) or not code_is_right(factor, offered, now, ages):
        return False
    connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, offered))
    if kind_of(factor)[0] != APP_CODE:
        connection.execute("UPDATE factors SET secret = NULL WHERE id = ?", (factor["id"],))
    return True


def code_is_right(factor: Row, offered: str, now: datetime, ages: Iterable[int] = (0, 30)) -> bool:
    """Whether a code is the factor's now or was so many seconds ago: the current one, or the one before."""
    for age in ages:
        try:
            _totp(factor["secret"]).verify(offered.encode(), int(now.timestamp()) - age)
            return True
        except InvalidToken:
            continue
    return False
