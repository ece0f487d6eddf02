"""Which systems somebody's words name: those of the settings by name and alias, and those that articles are about."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from account_access.connectors.registry import System


@dataclass(frozen=True)
class Named:
    """A system as it was named; `system` is None for one that the settings do not know."""

    name: str
    system: System | None

    def names(self) -> tuple[str, ...]:
        """Everything it is called."""
        if self.system is None:
            return (self.name,)
        return (self.system.name, *self.system.settings.aliases)


def systems_named(
    text: str, found: Iterable[str], systems: Mapping[str, System], others: Iterable[str] = ()
) -> list[Named]:
    """The systems that a message names, each once, in the order of the words.

    `found` are names that understanding saw in it, `others` further systems to look for.
    """
    known = {name.casefold(): system for system in systems.values() for name in _names(system)}
    seen = [*found, *[name for name in [*known, *others] if _contains(text, name)]]
    names = [name for name in seen if not _within_another(text, name, seen)]
    result: dict[str, Named] = {}
    for name in sorted(dict.fromkeys(names), key=lambda name: _position(text, name)):
        system = known.get(name.casefold())
        result.setdefault(
            system.key if system else name.casefold(), Named(system.name if system else _as_typed(text, name), system)
        )
    return list(result.values())


def _names(system: System) -> Iterable[str]:
    return (system.key, system.name, *system.settings.aliases)


def _contains(text: str, name: str) -> bool:
    return _search(text, name) is not None


def _search(text: str, name: str) -> re.Match | None:
    return _pattern(name).search(text)


def _pattern(name: str) -> re.Pattern:
    return re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)


def _within_another(text: str, name: str, names: Iterable[str]) -> bool:
    """Whether it stands nowhere but inside a longer name: "store okta" does not name Okta."""
    if not _contains(text, name):
        return False
    for longer in sorted((other for other in names if len(other) > len(name)), key=len, reverse=True):
        text = _pattern(longer).sub("", text)
    return not _contains(text, name)


def _position(text: str, name: str) -> int:
    found = _search(text, name)
    return found.start() if found else len(text)


def _as_typed(text: str, name: str) -> str:
    found = _search(text, name)
    return found.group(0) if found else name
