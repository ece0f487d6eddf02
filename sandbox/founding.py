"""Founds the organisation: writes its people, groups and factors into an empty database."""

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sandbox import factors, policies
from sandbox.database import STATE, Database
from sandbox.directory import hashed, identifier
from sandbox.moments import stamp
from sandbox.people import (
    ADMINISTRATORS,
    CONTINGENT,
    ENGINEERING,
    EVERYONE,
    GENERATED_PASSWORD,
    Company,
    Member,
    generated,
)

DESCRIPTIONS = {
    EVERYONE: "All users in the organization",
    ADMINISTRATORS: "People who can change this organization's identity settings",
    CONTINGENT: "Contractors, vendors and interns",
    ENGINEERING: "People who can change what this organization sells",
}
# These have no credential of their own.
NAMED_BY_ADDRESS = ("sms", "call", "email")


def found(database: Database, company: Company, now: datetime) -> bool:
    """Writes the organisation unless there is one; whether it did."""
    with database.write() as connection:
        if connection.execute("SELECT 1 FROM users LIMIT 1").fetchone():
            return False
        _write(connection, company, now)
        return True


def reset(database: Database, company: Company, now: datetime) -> None:
    """Everyone as on the first day: accounts, factors, log, sessions and switches; ids and signing key stay."""
    with database.write() as connection:
        for table in STATE:
            connection.execute(f"DELETE FROM {table}")  # noqa: S608 - names of our own tables
        _write(connection, company, now)


def add_people(database: Database, company: Company, count: int, now: datetime) -> list:
    """Adds generated people for load tests and returns their logins in order."""
    with database.write() as connection:
        rows = connection.execute("SELECT count(*) AS known FROM users WHERE login LIKE 'load%'").fetchone()
        people = list(generated(company.domain, rows["known"] + 1, count))
        _enrol(connection, people, now, shared_hash=hashed(GENERATED_PASSWORD))
        return [person.login for person in people]


def _write(connection: sqlite3.Connection, company: Company, now: datetime) -> None:
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
    policies.found(connection, now)
    _enrol(connection, company.people, now)


def _enrol(connection: sqlite3.Connection, people: Iterable[Member], now: datetime, shared_hash: str = "") -> None:
    for person in people:
        user_id = identifier("00u", person.login)
        created = now - timedelta(days=400)
        connection.execute(
            "INSERT INTO users (id, login, status, created, activated, status_changed, last_updated, password_changed,"
            " profile, password, source) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
                person.source,
            ),
        )
        for group in (EVERYONE, *person.groups):
            connection.execute("INSERT INTO members VALUES (?, ?)", (identifier("00g", group), user_id))
        for position, factor in enumerate(person.factors):
            # The same ids after every reset.
            factor_id = identifier(factors.PREFIXES[factor.type], user_id, str(position))
            profile = (
                factor.profile if factor.type in NAMED_BY_ADDRESS else {**factor.profile, "credentialId": factor_id}
            )
            factors.enrol(connection, user_id, factor_id, (factor.type, factor.provider), profile, created)


def _profile(person: Member, now: datetime) -> dict[str, Any]:
    profile = {
        "login": person.login,
        "email": person.email,
        "firstName": person.first,
        "lastName": person.last,
        "displayName": f"{person.first} {person.last}",
        "title": person.title,
        "department": person.department,
        "timezone": person.time_zone,
        "userType": person.worker_type,
        "managerId": f"{person.manager}@{person.domain}" if person.manager else None,
        "mobilePhone": next((f.profile["phoneNumber"] for f in person.factors if f.type == "sms"), None),
        "employeeNumber": person.number,
        "secondEmail": f"{person.name}.{person.last.lower()}@mail.example",
    }
    if person.contract_ends_in is not None:
        profile["contractEndDate"] = (now + timedelta(days=person.contract_ends_in)).date().isoformat()
    return profile
