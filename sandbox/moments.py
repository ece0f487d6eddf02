"""Instants as Okta writes and reads them."""

from datetime import datetime, timezone


def stamp(instant: datetime) -> str:
    """`2026-11-24T09:00:00.000Z`: UTC to the millisecond, so that stamps sort as text."""
    return instant.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


def instant(text: str) -> datetime:
    """Reads an ISO 8601 date or date and time; without an offset it is UTC. Raises ValueError."""
    text = text.strip().replace(" ", "+")  # an offset's plus that was not percent-encoded in a query
    read = datetime.fromisoformat(_six_digits(text[:-1] + "+00:00" if text.endswith(("Z", "z")) else text))
    return read.replace(tzinfo=timezone.utc) if read.tzinfo is None else read.astimezone(timezone.utc)


def _six_digits(text: str) -> str:
    """Python 3.10 reads three or six digits of a second only; Okta's clients send from one to nine."""
    head, dot, tail = text.partition(".")
    digits = len(tail) - len(tail.lstrip("0123456789"))
    return f"{head}.{tail[:digits][:6].ljust(6, '0')}{tail[digits:]}" if dot else head
