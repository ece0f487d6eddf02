"""docs/designers.md names only what is there, and shows responses and rules as they are."""

import re

import yaml

from tests.nlu_components.conftest import ROOT

GUIDE = (ROOT / "docs" / "designers.md").read_text(encoding="utf-8")
DOMAIN = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))


def test_every_file_it_names_exists():
    names = re.findall(r"`([\w./]+\.(?:yml|md))`", GUIDE) + re.findall(r"`((?:data|tests)/\w+/)`", GUIDE)
    assert names
    assert [name for name in names if not (ROOT / name).exists()] == []


def test_every_name_it_uses_is_in_the_domain():
    known = {*DOMAIN["responses"], *DOMAIN["actions"], *DOMAIN["slots"], *map(str, DOMAIN["intents"])}
    known |= set(DOMAIN["slots"]["question"]["values"]) | set(DOMAIN["slots"]["outcome"]["values"])
    # lines of a list are filled by the action that makes it, with words that are no slots
    known |= set(re.findall(r"\{(\w+)\}", (ROOT / "domain.yml").read_text(encoding="utf-8")))
    used = set(re.findall(r"\b(?:utter|action)_\w+\b", GUIDE)) | set(re.findall(r"`\{(\w+)\}`", GUIDE))
    used |= set(re.findall(r"intent: (\w+)", GUIDE)) | set(re.findall(r"`(\w+_\w+)`", GUIDE))
    # `utter_receipt_…` stands for all that begin so
    used = {name for name in used if not (name.endswith("_") and any(one.startswith(name) for one in known))}
    assert used - known - {"intent_ranking", "yes_from", "begin_from"} == set()


def test_what_it_shows_is_what_is_there():
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "domain.yml", *(ROOT / "data").rglob("*.yml"))]
    lines = {line.split("  #")[0].strip() for text in texts for line in text.splitlines()}
    shown = [
        line.split("  #")[0].strip()
        for block in re.findall(r"```yaml\n(.*?)```", GUIDE, re.S)
        for line in block.splitlines()
    ]
    assert [line for line in shown if line not in lines] == []
