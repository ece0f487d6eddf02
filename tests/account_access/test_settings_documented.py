"""docs/settings.md lists every setting with its default and meaning, and every setting means something."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from account_access import settings
from account_access.settings import Settings

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
READERS = ("account_access", "actions", "channels", "door", "schedulers", "ops")


def keys(model: type[BaseModel] = Settings, before: str = "") -> Iterator[tuple[str, object]]:
    """Every key with its field; a system's name stands as NAME."""
    for name, field in model.__fields__.items():
        inside = field.type_
        if isinstance(inside, type) and issubclass(inside, BaseModel):
            yield from keys(inside, f"{before}{name}." + ("NAME." if name == "systems" else ""))
        else:
            yield before + name, field


def row(key: str, field) -> str:
    return f"| `{key}` | {default(field)} | {field.field_info.description} |"


def default(field) -> str:
    """As one would write it in YAML; required keys have none."""
    if field.required:
        return "required"
    value = sorted(field.default) if isinstance(field.default, frozenset) else field.default
    if value is None:
        return "none"
    return f"`{yaml.safe_dump(value, default_flow_style=True, width=200).removesuffix('...' + chr(10)).strip()}`"


KEYS = dict(keys())


@pytest.mark.parametrize("key", KEYS)
def test_setting_is_documented_with_its_default_and_meaning(key):
    expected = row(key, KEYS[key])
    assert expected in DOCUMENT.splitlines(), f"write into docs/settings.md: {expected}"


def test_nothing_is_documented_that_does_not_exist():
    assert set(re.findall(r"^\| `([\w.]+)` \|", DOCUMENT, re.MULTILINE)) == set(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_setting_is_read_by_something(key):
    # What stands under `processes` is the name of a companion, which the launcher reads as such.
    name = "processes" if key.startswith("processes.") else key.rpartition(".")[2]
    sources = [path for room in READERS for path in (ROOT / room).rglob("*.py") if path.name != "settings.py"]
    assert any(re.search(rf'\.{name}\b|"{name}"', path.read_text(encoding="utf-8")) for path in sources)


def test_sections_to_copy_are_good(tmp_path):
    """The document shows whole sections; a file made of them loads for every process."""
    path = tmp_path / "settings.yml"
    path.write_text("".join(re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)), encoding="utf-8")
    variables = dict.fromkeys(re.findall(r"\$\{(\w+)\}", path.read_text(encoding="utf-8")), "a-value")
    settings.check(path, {**variables, "STORE_URL": "sqlite:///var/store.db"})


def test_file_as_shipped_is_good():
    variables = dict.fromkeys(re.findall(r"\$\{(\w+)\}", (ROOT / "settings.yml").read_text("utf-8")), "a-value")
    settings.check(ROOT / "settings.yml", {**variables, "STORE_URL": "sqlite:///var/store.db"})
