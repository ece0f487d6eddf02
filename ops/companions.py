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
    """One process of a process.yml; `{port}`, `{home}`, `{clock}` and `{door}` in `environment` are filled in at start.

    `folder` is where the file is. `secrets`: how the settings call what the process knows under the name before it.
    """

    name: str
    folder: str
    command: list[str]
    listen: str
    health: str
    people: str | None = None
    page: str = "/"
    directory: list[str] = []
    secrets: dict[str, str] = {}
    environment: dict[str, str] = {}

    class Config:
        extra = "forbid"


def wanted(raw: Mapping) -> list[Companion]:
    """The companions that the settings ask for. Raises CannotContinue for one that is not there."""
    folders = [name for name, start in (raw.get("processes") or {}).items() if start is True]
    return [companion for folder in folders for companion in _read(folder)]


def _read(folder: str) -> list[Companion]:
    path = ROOT / folder / "process.yml"
    if not path.exists():
        raise CannotContinue(
            f"settings.yml: processes.{folder}: there is no {folder}/process.yml; write false or remove it."
        )
    described = yaml.safe_load(path.read_text())
    return [Companion(name=name, folder=folder, **description) for name, description in described.items()]
