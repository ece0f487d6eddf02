"""The System Log: what happened, in Okta's words, kept 90 days.

Events are numbered as they arrive, which is the order of polling; `published` is when they happened, the order of
bounded queries. The switch `late_log` makes events arrive late, and so out of order, as Okta's may.
"""

import json
import sqlite3
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sandbox import switches
from sandbox.moments import stamp

KEPT = timedelta(days=90)

# event type: (display message, legacy type, severity)
KINDS = {
    "user.session.start": ("User login to Okta", "core.user_auth.login_success", "INFO"),
    "user.session.end": ("User logout from Okta", "core.user_auth.logout_success", "INFO"),
    "user.session.clear": ("Clear user session", "core.user_auth.session_clear", "INFO"),
    "user.authentication.auth_via_mfa": ("Authentication of user via MFA", "core.user.factor.attempt", "INFO"),
    "user.authentication.sso": ("User single sign on to app", "core.user.sso", "INFO"),
    "user.account.lock": ("Max sign in attempts exceeded", "core.user_auth.account_locked", "DEBUG"),
    "user.account.unlock": ("User unlocked", "core.user_auth.account_unlocked", "INFO"),
    "user.account.unlock_by_admin": ("User unlocked by admin", "core.user.account_unlocked", "INFO"),
    "user.account.reset_password": ("User reset password for Okta", "core.user.config.password_reset", "INFO"),
    "user.account.update_password": ("User update password for Okta", "core.user.config.password_update", "INFO"),
    "user.account.expire_password": ("User password expired", "core.user.config.password_expired", "INFO"),
    "user.mfa.factor.activate": ("Activate factor for user", "core.user.factor.activate", "INFO"),
    "user.mfa.factor.deactivate": ("Reset factor for user", "core.user.factor.deactivate", "INFO"),
    "user.mfa.factor.reset_all": ("Reset all factors for user", "core.user.factor.reset_all", "INFO"),
    "user.lifecycle.suspend": ("Suspend Okta user", "core.user.config.user_status.suspended", "INFO"),
    "user.lifecycle.deactivate": ("Deactivate Okta user", "core.user.config.user_deactivated", "INFO"),
}


# Where addresses that no network has (RFC 5737) are said to be.
PLACES = {
    "198.51.100.": ("Oakland", "California", "United States", "94607", 37.8044, -122.2712),
    "192.0.2.": ("Rotterdam", "South Holland", "Netherlands", "3011", 51.9244, 4.4777),
}
HEAD_OFFICE = ("San Francisco", "California", "United States", "94105", 37.7898, -122.3942)


@dataclass(frozen=True)
class Client:
    """From where and with what something was done."""

    ip: str = "203.0.113.24"
    agent: str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36"

    def document(self) -> dict[str, Any]:
        systems = ("iPhone", "iOS"), ("Android", "Android"), ("Mac OS", "Mac OS X"), ("Windows", "Windows 10")
        browsers = ("Edg/", "EDGE"), ("Chrome/", "CHROME"), ("Firefox/", "FIREFOX"), ("Safari/", "SAFARI")
        city, state, country, postal_code, latitude, longitude = next(
            (place for network, place in PLACES.items() if self.ip.startswith(network)), HEAD_OFFICE
        )
        handheld = any(name in self.agent for name in ("iPhone", "Android"))
        return {
            "userAgent": {
                "rawUserAgent": self.agent,
                "os": next((name for mark, name in systems if mark in self.agent), "Unknown"),
                "browser": next((name for mark, name in browsers if mark in self.agent), "UNKNOWN"),
            },
            "zone": "null",
            "device": "Mobile" if handheld else "Computer",
            "id": None,
            "ipAddress": self.ip,
            "geographicalContext": {
                "city": city,
                "state": state,
                "country": country,
                "postalCode": postal_code,
                "geolocation": {"lat": latitude, "lon": longitude},
            },
        }


SYSTEM = {"id": "spr-administration", "type": "SystemPrincipal", "alternateId": "system@okta.com",
          "displayName": "Okta System", "detailEntry": None}  # fmt: skip


def person(user: Mapping[str, Any]) -> dict[str, Any]:
    """A user's row as the actor or target of an event."""
    name = json.loads(user["profile"])["displayName"]
    return {"id": user["id"], "type": "User", "alternateId": user["login"], "displayName": name, "detailEntry": None}


def append(
    connection: sqlite3.Connection,
    now: datetime,
    kind: str,
    actor: Mapping[str, Any],
    target: list[Mapping[str, Any]] | None = None,
    reason: str | None = None,
    failed: bool = False,
    client: Client = Client(),
) -> None:
    """Writes an event at `now`; it arrives at once, or later while the switch `late_log` is on."""
    message, legacy, severity = KINDS[kind]
    event = {
        "actor": dict(actor),
        "client": client.document(),
        "device": None,
        "authenticationContext": {
            "authenticationProvider": None, "credentialProvider": None, "credentialType": None, "issuer": None,
            "interface": None, "authenticationStep": 0, "externalSessionId": "unknown",
        },
        "displayMessage": message,
        "eventType": kind,
        "outcome": {"result": "FAILURE" if failed else "SUCCESS", "reason": reason},
        "published": stamp(now),
        "securityContext": {"asNumber": None, "asOrg": None, "isp": None, "domain": None, "isProxy": None},
        "severity": severity,
        "debugContext": {"debugData": {}},
        "legacyEventType": "core.user_auth.login_failed" if failed and kind == "user.session.start" else legacy,
        "transaction": {"type": "WEB", "id": uuid.uuid4().hex, "detail": {}},
        "uuid": str(uuid.uuid4()),
        "version": "0",
        "request": {"ipChain": [{"ip": client.ip, "geographicalContext": None, "version": "V4", "source": None}]},
        "target": [dict(each) for each in target] if target else None,
    }  # fmt: skip
    late = switches.take(connection, "late_log", "logs", "logs")
    if late:
        due = now.timestamp() + late["seconds"]
        connection.execute("INSERT INTO late_events VALUES (?, ?, ?)", (due, event["published"], json.dumps(event)))
    else:
        _arrive(connection, event["published"], now, json.dumps(event))


def _arrive(connection: sqlite3.Connection, published: str, now: datetime, document: str) -> None:
    connection.execute(
        "INSERT INTO log_events (published, arrived, document) VALUES (?, ?, ?)", (published, stamp(now), document)
    )


def receive_late(connection: sqlite3.Connection, now: datetime) -> None:
    """Lets the events arrive whose time has come; needs a write transaction."""
    rows = connection.execute("SELECT rowid, * FROM late_events WHERE due <= ? ORDER BY due", (now.timestamp(),))
    for row in rows.fetchall():
        _arrive(connection, row["published"], now, row["document"])
        connection.execute("DELETE FROM late_events WHERE rowid = ?", (row["rowid"],))


Matches = Callable[[Mapping[str, Any]], bool]


def poll(
    connection: sqlite3.Connection, since: datetime, after: int | None, matches: Matches, limit: int
) -> tuple[list[dict[str, Any]], int]:
    """Events in the order of their arrival behind number `after`, and the number to go on from.

    `since` is about the time of arrival here, so that a poller misses no event that came late.
    """
    after = after or 0
    found: list[dict[str, Any]] = []
    rows = connection.execute(
        "SELECT * FROM log_events WHERE seq > ? AND arrived >= ? ORDER BY seq", (after, stamp(since))
    )
    for row in rows:
        if len(found) == limit:
            break
        after = row["seq"]
        event = json.loads(row["document"])
        if matches(event):
            found.append(event)
    return found, after


def between(
    connection: sqlite3.Connection,
    span: tuple[datetime, datetime],
    after: tuple[str, int] | None,
    matches: Matches,
    limit: int,
    descending: bool,
) -> tuple[list[dict[str, Any]], tuple[str, int] | None]:
    """Events of a span by the time they happened, and where the next page starts (None: this was the last)."""
    order, beyond = ("DESC", "<") if descending else ("ASC", ">")
    start = after or (("9999", 0) if descending else ("", 0))
    ordered = f"AND (published, seq) {beyond} (?, ?) ORDER BY published {order}, seq {order}"
    rows = connection.execute(
        f"SELECT * FROM log_events WHERE published >= ? AND published < ? {ordered}",  # noqa: S608 - words of our own
        (stamp(span[0]), stamp(span[1]), *start),
    )
    found: list[dict[str, Any]] = []
    last = start
    for row in rows:
        event = json.loads(row["document"])
        if not matches(event):
            continue
        if len(found) == limit:
            return found, last
        found.append(event)
        last = (row["published"], row["seq"])
    return found, None
