"""Founds the organisation: writes its people, groups and factors into an empty database."""

import base64
import json
import os
import sqlite3
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sandbox.database import STATE, Database
from sandbox.directory import hashed, identifier
from sandbox.moments import stamp
from sandbox.people import ADMINISTRATORS, CONTINGENT, EVERYONE, GENERATED_PASSWORD, PEOPLE, Factor, Member, generated

DESCRIPTIONS = {
    EVERYONE: "All users in the organization",
    ADMINISTRATORS: "People who can change this organization's identity settings",
    CONTINGENT: "Contractors, vendors and interns",
}
FACTOR_PREFIX = {"push": "opf", "token:software:totp": "ost", "sms": "mbl", "webauthn": "fwf"}


def found(database: Database, now: datetime) -> bool:
    """Writes the organisation unless there is one; whether it did."""
    with database.write() as connection:
        if connection.execute("SELECT 1 FROM users LIMIT 1").fetchone():
            return False
        _write(connection, now)
        return True


def reset(database: Database, now: datetime) -> None:
    """Everyone as on the first day: accounts, factors, log, sessions and switches; ids and signing key stay."""
    with database.write() as connection:
        for table in STATE:
            connection.execute(f"DELETE FROM {table}")  # noqa: S608 - names of our own tables
        _write(connection, now)


def add_people(database: Database, count: int, now: datetime) -> list:
    """Adds generated people for load tests and returns their logins in order."""
    with database.write() as connection:
        rows = connection.execute("SELECT count(*) AS known FROM users WHERE login LIKE 'load%'").fetchone()
        people = list(generated(rows["known"] + 1, count))
        _enrol(connection, people, now, shared_hash=hashed(GENERATED_PASSWORD))
        return [person.login for person in people]


def _write(connection: sqlite3.Connection, now: datetime) -> None:
    for name, text in DESCRIPTIONS.items():
        group_id = identifier("00g", name)
        then = stamp(now - timedelta(days=900))
        document = {
            "id": group_id,
            "created": then,
            "lastUpdated": then,
            "lastMembershipUpdated": stamp(now),
            "objectClass": ["okta:user_group"],
            "type": "BUILT_IN" if name == EVERYONE else "OKTA_GROUP",
            "profile": {"name": name, "description": text},
        }
        connection.execute("INSERT INTO groups VALUES (?, ?, ?)", (group_id, name, json.dumps(document)))
    _enrol(connection, PEOPLE, now)


def _enrol(connection: sqlite3.Connection, people: Iterable[Member], now: datetime, shared_hash: str = "") -> None:
    for person in people:
        user_id = identifier("00u", person.login)
        created = now - timedelta(days=400)
        connection.execute(
            "INSERT INTO users (id, login, status, created, activated, status_changed, last_updated, password_changed,"
            " profile, password) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                user_id,
                person.login,
                person.status,
                stamp(created),
                stamp(created),
                stamp(created),
                stamp(now),
                stamp(now - timedelta(days=person.password_age)),
                json.dumps(_profile(person, now)),
                shared_hash or hashed(person.password),
            ),
        )
        for group in (EVERYONE, *person.groups):
            connection.execute("INSERT INTO members VALUES (?, ?)", (identifier("00g", group), user_id))
        for position, factor in enumerate(person.factors):
            _enrol_factor(connection, user_id, position, factor, created)


def _profile(person: Member, now: datetime) -> dict[str, Any]:
    profile = {
        "login": person.login,
        "email": person.login,
        "firstName": person.first,
        "lastName": person.last,
        "displayName": f"{person.first} {person.last}",
        "title": person.title,
        "department": person.department,
        "timezone": person.time_zone,
        "userType": person.worker_type,
        "managerId": f"{person.manager}@{person.login.partition('@')[2]}" if person.manager else None,
        "mobilePhone": next((f.profile["phoneNumber"] for f in person.factors if f.type == "sms"), None),
        "secondEmail": f"{person.name}.{person.last.lower()}@mail.example",
    }
    if person.contract_ends_in is not None:
        profile["contractEndDate"] = (now + timedelta(days=person.contract_ends_in)).date().isoformat()
    return profile


def _enrol_factor(connection: sqlite3.Connection, user_id: str, position: int, factor: Factor, then: datetime) -> None:
    factor_id = identifier(FACTOR_PREFIX[factor.type], user_id, str(position))
    profile = dict(factor.profile)
    if factor.type != "sms":
        profile["credentialId"] = identifier("cred", user_id, str(position))
    document = {
        "id": factor_id,
        "factorType": factor.type,
        "provider": factor.provider,
        "vendorName": factor.provider,
        "status": "ACTIVE",
        "created": stamp(then),
        "lastUpdated": stamp(then),
        "profile": profile,
    }
    secret = base64.b32encode(os.urandom(20)).decode() if factor.type == "token:software:totp" else None
    connection.execute(
        "INSERT INTO factors VALUES (?, ?, ?, ?, ?)", (factor_id, user_id, position, secret, json.dumps(document))
    )
