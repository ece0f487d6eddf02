"""Servers that settings.yml wants beside the assistant (`processes: NAME: true`), started as NAME/process.yml says.

The assistant knows nothing else about them: without the entry and the folder everything works.
"""

from collections.abc import Mapping
from pathlib import Path

import yaml
from pydantic import BaseModel

from ops.console import CannotContinue

ROOT = Path(__file__).resolve().parent.parent


class Companion(BaseModel):
    """What a process.yml says; `{port}`, `{home}`, `{clock}` and `{door}` in `environment` are filled in at start."""

    name: str
    command: list[str]
    listen: str
    health: str
    people: str | None = None
    page: str = "/"
    directory: list[str] = []
    secrets: list[str] = []
    environment: dict[str, str] = {}

    class Config:
        extra = "forbid"


def wanted(raw: Mapping) -> list[Companion]:
    """The companions that the settings ask for. Raises CannotContinue for one that is not there."""
    return [_read(name) for name, start in (raw.get("processes") or {}).items() if start is True]


def _read(name: str) -> Companion:
    path = ROOT / name / "process.yml"
    if not path.exists():
        raise CannotContinue(
            f"settings.yml: processes.{name}: there is no {name}/process.yml; write false or remove it."
        )
    return Companion(name=name, **yaml.safe_load(path.read_text()))
