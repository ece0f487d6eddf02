"""What a setting's value may be: each function returns it, or raises ValueError with the value and the remedy."""

import ipaddress
import re
from datetime import time
from typing import Any
from urllib.parse import urlsplit


def web_address(value: str) -> str:
    """An address that secrets and sessions may travel to: https, or http on this machine alone."""
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{value!r} is not a web address; write e.g. https://chat.example.com")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError(f"{value!r} would send secrets in clear; write https://…")
    return value


def host_and_port(value: str, example: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"is not HOST:PORT; write e.g. {example}")
    return value


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def one_of(value: Any, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise ValueError(f"{value!r} is not known; write {' or '.join(allowed)}")
    return value


def whole_number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{value!r} is not a whole number; write e.g. 14")
    return value


def time_of_day(value: Any) -> time:
    if not isinstance(value, str) or not re.fullmatch("([01][0-9]|2[0-3]):[0-5][0-9]", value):
        raise ValueError(f"{value!r} is not a time; write HH:MM")
    return time.fromisoformat(value)


def number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is not a number; write e.g. 6")
    return value


def texts(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise ValueError(f"{value!r} is not a list; write e.g. [Interns]")
    for item in value:
        if not isinstance(item, str):
            raise ValueError(f"{item!r} is not text; write it in quotes")
    return value
