"""Reads what Okta answers. Whatever is not as documented raises TemporarilyUnavailable: nonsense is not believed."""

from datetime import datetime, timezone
from typing import Any

from account_access.connectors.base import TemporarilyUnavailable

# Invisible characters that carry meaning in some scripts and emoji.
JOINERS = "\u200c\u200d"


def mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TemporarilyUnavailable(f"expected an object, got {type(value).__name__}")
    return value


def optional(value: Any) -> dict[str, Any]:
    """An object that may be absent or null."""
    return {} if value is None else mapping(value)


def sequence(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TemporarilyUnavailable(f"expected a list, got {type(value).__name__}")
    return value


def text(value: dict[str, Any], key: str) -> str:
    found = value.get(key)
    if not isinstance(found, str):
        raise TemporarilyUnavailable(f"the answer has no {key}")
    return found


def count(value: dict[str, Any], key: str) -> int:
    """A whole number from 0 on; Okta leaves out or nulls what is 0."""
    found = value.get(key) or 0
    if isinstance(found, bool) or not isinstance(found, int) or found < 0:
        raise TemporarilyUnavailable(f"{key} is no count: {str(found)[:40]}")
    return found


def words(value: dict[str, Any], key: str, longest: int) -> str | None:
    """What people or their programs may have written themselves: on one line, printable, and not for ever."""
    found = value.get(key)
    if not isinstance(found, str):
        return None
    plain = "".join(c if c.isprintable() or c in JOINERS else " " for c in found)
    return " ".join(plain.split())[:longest] or None


def instant(value: Any) -> datetime | None:
    """An Okta instant (`2026-11-24T07:51:54.000Z`) as aware UTC, or None."""
    if value is None:
        return None
    try:
        return datetime.fromisoformat(str(value).replace("Z", "+00:00")).astimezone(timezone.utc)
    except (ValueError, OverflowError) as error:
        raise TemporarilyUnavailable(f"{str(value)[:40]!r} is not an instant") from error


def iso(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
