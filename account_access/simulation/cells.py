"""What may stand in a cell of the people's file; the same cells are set by updates in the actions' file.

Each reader takes the cell's text and returns what it means, or raises ValueError with the value and the remedy.
"""

import re
from collections.abc import Callable
from datetime import date, datetime, timezone
from typing import Any

from account_access import zones
from account_access.cadence.directory import (
    ACTIVE,
    DISABLED,
    EMPLOYEE,
    EXTERNAL,
    LOCKED,
    PERSON,
    SERVICE,
)
from account_access.simulation.problems import quoted

_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def instant(text: Any) -> datetime:
    """ISO 8601 with seconds and an offset or Z; in UTC."""
    if isinstance(text, str) and _INSTANT.fullmatch(text):
        try:
            return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(timezone.utc)
        except (ValueError, OverflowError):
            pass
    raise ValueError(f"{quoted(text)} is not an instant; write e.g. 2027-02-28T17:00:00+00:00")


def day(text: str) -> date:
    """YYYY-MM-DD."""
    if _DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise ValueError(f"{quoted(text)} is not a date; write e.g. 2027-02-28")


def _zone(text: str) -> str:
    if zones.find(text) is None:
        raise ValueError(f"{quoted(text)} is not a time zone; write e.g. America/Los_Angeles")
    return text


def _truth(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(f"{quoted(text)} is neither true nor false; write one of them")
    return text.lower() == "true"


def _one_of(*known: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in known:
            raise ValueError(f"{quoted(text)} is not known; write {' or '.join(known)}")
        return text

    return read


def _login(text: str) -> str:
    if not text.strip():
        raise ValueError(f"{quoted(text)} is no login; give each person one")
    return text.strip()


def _groups(text: str) -> tuple[str, ...]:
    return tuple(group.strip() for group in text.split(";") if group.strip())


# Every column: what an empty cell means, and how another one is read.
_COLUMNS: dict[str, tuple[Any, Callable[[str], Any]]] = {
    "login": (None, _login),
    "email": (None, str),
    "name": (None, str),
    "title": (None, str),
    "department": (None, str),
    "time_zone": (None, _zone),
    "status": (ACTIVE, _one_of(ACTIVE, LOCKED, DISABLED)),
    "account_type": (PERSON, _one_of(PERSON, SERVICE, EXTERNAL)),
    "password_changed_at": (None, instant),
    "password_expires_at": (None, instant),
    "never_expires": (False, _truth),
    "manager_login": (None, lambda text: text.strip() or None),
    "worker_type": (EMPLOYEE, str),
    "contract_ends_on": (None, day),
    "groups": ((), _groups),
}
COLUMNS = tuple(_COLUMNS)
# An update may set any but these.
FIXED = ("login", "password_changed_at")


def read(column: str, text: str) -> Any:
    """What that column's cell means. Raises ValueError."""
    empty, reader = _COLUMNS[column]
    if text == "" and column != "login":
        return empty
    return reader(text)
