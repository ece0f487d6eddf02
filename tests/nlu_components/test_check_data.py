"""Each fault that `rasa data validate` lets pass is found, with its file, line and remedy."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nlu.check_data import faults

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path):
    """A copy of the real domain, config and data, to be spoilt."""
    for name in ("domain.yml", "config.yml"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "data", tmp_path / "data")
    return tmp_path


def replace(file: Path, old: str, new: str) -> int:
    """Replaces the first `old`; the line where it stood."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def test_the_project_has_no_faults():
    assert faults(ROOT) == []


CASES = [
    ("domain.yml", "- greet\n", "- greet\n- sing\n", "intent sing is in no rule", 1),
    ("domain.yml", "- greet\n", "- greet\n- sing\n", "intent sing has no examples", 1),
    ("domain.yml", "- greet\n", "", "intent greet is not in domain.yml", None),
    ("domain.yml", "- greet\n", "", "examples for greet, which is not in domain.yml", None),
    ("domain.yml", "- action_dismiss\n", "- action_dismiss\n- action_sing\n", "action action_sing is in no rule", 1),
    ("domain.yml", "- action_dismiss\n", "", "action_dismiss is not in domain.yml", None),
    ("domain.yml", "  utter_greet:", "  utter_sing:\n  - text: la\n  utter_greet:", "response utter_sing is never", 0),
    ("domain.yml", "payload: /deny", "payload: /dney", "the payload '/dney'", -1),
    ("domain.yml", "payload: /deny", "payload: deny", "the payload 'deny'", -1),
    ("data/rules/unlock.yml", "action_ask_unlock", "utter_ask_unlock", "utter_ask_unlock has buttons", 0),
    ("data/nlu/social.yml", "    - hello\n", "    - hello\n    - Quit\n", "'Quit' is an example of cancel too", 1),
    ("data/nlu/social.yml", "    - hello\n", "    - hello\n    - hello\n", "'hello' is there already", 1),
    (
        "data/nlu/social.yml",
        "intent: greet",
        "intent: EXTERNAL_lockout",
        "EXTERNAL_lockout must have no examples",
        None,
    ),
]


@pytest.mark.parametrize("file, old, new, expected, below", CASES, ids=[case[3] for case in CASES])
def test_finds(project, file, old, new, expected, below):
    line = replace(project / file, old, new)
    found = [fault for fault in faults(project) if expected in fault.text]
    assert len(found) == 1
    if below is not None:
        assert (found[0].file, found[0].line) == (file, line + below)


def test_the_command_prints_file_and_line_and_exits_with_1(project):
    line = replace(project / "data/nlu/social.yml", "    - hello\n", "    - hello\n    - hello\n")
    command = [sys.executable, "-m", "nlu.check_data", str(project)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout.startswith(f"data/nlu/social.yml:{line + 1}: 'hello' is there already")
