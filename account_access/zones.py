"""Time zones by their IANA names."""

from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo


@cache
def find(name: str) -> ZoneInfo | None:
    """The zone of that name, None if there is none.

    Asked of the list that comes with the data, not of the files: a folder's name ("America"), another case or what
    a machine keeps beside them ("localtime") is no zone.
    """
    return ZoneInfo(name) if name in _names() else None


@cache
def _names() -> frozenset[str]:
    return frozenset(resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())
