"""The identity systems of settings.yml, each with its connector and its own bounded pool of threads (law 4)."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from account_access.connectors.base import Connector
from account_access.connectors.okta import OktaConnector

CONNECTORS: Mapping[str, Callable[[str, Any], Connector]] = {"okta": OktaConnector}


@dataclass(frozen=True)
class System:
    """One identity system: its settings, its connector (None: people get instructions), its threads."""

    key: str
    settings: Any
    connector: Connector | None
    pool: ThreadPoolExecutor

    @property
    def name(self) -> str:
        """What people call it."""
        return self.settings.name

    def can(self, capability: str) -> bool:
        return self.connector is not None and capability in self.connector.capabilities

    def submit(self, function: Callable, *arguments: Any) -> Future:
        """Runs in this system's own threads, so that a slow system holds up nobody else."""
        return self.pool.submit(function, *arguments)


def systems_of(settings) -> dict[str, System]:
    """Every system of the settings by its key, the first one being the organisation's sign-in system."""
    found = {}
    for key, section in settings.systems.items():
        build = CONNECTORS.get(section.type)
        pool = ThreadPoolExecutor(section.workers, thread_name_prefix=f"system-{key}")
        found[key] = System(key, section, build(key, section) if build else None, pool)
    return found
