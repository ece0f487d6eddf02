"""A copy of settings.yml with other ports and another folder for files: several installations run side by side."""

import re
from collections.abc import Mapping
from pathlib import Path

import yaml


def write(raw: Mapping, moves: Mapping[str, str], home: Path, target: Path) -> None:
    """Writes the copy; `moves` maps HOST:PORT to HOST:PORT. `${NAME}` stays as it is, so the copy holds no secret."""
    copy = _moved(raw, moves)
    clock = copy.get("clock") or {}
    if str(clock.get("offset_file", "")).startswith("var/"):
        clock["offset_file"] = str(home / clock["offset_file"].removeprefix("var/"))
    target.write_text(f"# Written at start, for this run alone.\n{yaml.safe_dump(copy, sort_keys=False)}")


def _moved(value, moves: Mapping[str, str]):
    if isinstance(value, dict):
        return {key: _moved(item, moves) for key, item in value.items()}
    if isinstance(value, list):
        return [_moved(item, moves) for item in value]
    if not isinstance(value, str):
        return value
    for old, new in moves.items():
        value = re.sub(rf"(?<![\w.]){re.escape(old)}(?!\d)", new, value)
    return value
