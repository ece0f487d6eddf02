"""Each fault that `rasa data validate` lets pass is found, with its file, line and remedy."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nlu.check_data import faults, warnings

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
    ("data/nlu/social.yml", "    - hello\n", "    - hello\n    - hello [okta](sytem)\n", "'okta' is a sytem", 1),
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


def write(project: Path, *greetings: str, domain: str = "") -> Path:
    """A small project: greetings, some wishes, one lookup, and a message that is measured on."""
    listed = "".join(f"    - {text}\n" for text in ["hi", *greetings])
    files = {
        "domain.yml": f"intents:\n- greet\n- unlock\n{domain}entities:\n- question\n- colour\n- system\n",
        "config.yml": "policies: []\n",
        "data/nlu/a.yml": f"nlu:\n- intent: greet\n  examples: |\n{listed}",
        "data/nlu/b.yml": "nlu:\n- intent: unlock\n  examples: |\n    - unlock my account please\n",
        "data/nlu/names.yml": "nlu:\n- lookup: system\n  examples: |\n    - okta\n    - jira\n",
        "tests/nlu/x.yml": "nlu:\n- intent: greet\n  examples: |\n    - is it me you are looking for\n",
    }
    for name, text in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text, encoding="utf-8")
    return project


TEMPLATE = [f"good {word} to you my dear assistant" for word in ("morning", "noon", "day", "night", "week", "year")]
FIRST = "data/nlu/a.yml:5"
WARNINGS = [
    (
        ["please, unlock my acount"],
        "'please, unlock my acount' (greet, data/nlu/a.yml:5; likeness 98)",
        "data/nlu/b.yml:4",
    ),
    (["please close my window"], "could a stranger tell them apart", None),
    (TEMPLATE, "6 examples of greet are 'good … to you my dear assistant' with another word", FIRST),
    (TEMPLATE[:5], "with another word", None),
    (["hello [frobnicator](system)"], "no lookup of system has 'frobnicator'", FIRST),
    (["hello [Okta](system)"], "no lookup of system has", None),
    (
        ["hello"],
        "of the 2 names of lookup system, none are annotated in an example; missing: okta, jira",
        "data/nlu/names.yml:4",
    ),
    (["hello [Okta](system)"], "all but 1 are annotated in an example; missing: jira", "data/nlu/names.yml:5"),
    (["[Okta](system) [Jira](system)"], "of the 2 names", None),
    (["Is it me, you are looking for?"], "is word for word the message at tests/nlu/x.yml:4", FIRST),
    (["is it me you are lookin for"], "is almost (likeness 98) the message at tests/nlu/x.yml:4", FIRST),
    (["is it hot in the kitchen now"], "which is there to measure", None),
    (["hello"], "intent greet has 2 examples; with fewer than 15", "domain.yml:2"),
    ([str(number) for number in range(14)], "intent greet has", None),
    (["hello"], "entity colour is in no lookup and in no example", "domain.yml:6"),
    (["hello [red](colour)"], "entity colour is in no lookup and in no example", None),
    (["hello"], "entity question", None),
]


@pytest.mark.parametrize("examples, text, place", WARNINGS, ids=[f"{case[1]}, {case[2]}" for case in WARNINGS])
def test_warns(tmp_path, examples, text, place):
    found = [warning for warning in warnings(write(tmp_path, *examples)) if text in warning.text]
    assert [f"{warning.file}:{warning.line}" for warning in found] == ([place] if place else [])


def test_warnings_alone_are_no_reason_to_stop(project):
    replace(
        project / "data/nlu/social.yml", "    - hello\n", "".join(f"    - {text}\n" for text in ["hello", *TEMPLATE])
    )
    command = [sys.executable, "-m", "nlu.check_data", str(project), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0
    told = json.loads(done.stdout)
    assert told["faults"] == [] and "6 examples of greet" in str(told["warnings"])


def test_broken_yaml_is_told_with_file_and_line(project):
    line = replace(project / "data/nlu/social.yml", "- intent: greet\n", "- intent: [greet\n")
    command = [sys.executable, "-m", "nlu.check_data", str(project)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("data/nlu/social.yml:") and "this is not YAML" in done.stderr
    assert line <= int(done.stderr.split(":")[1]) <= line + 2


def test_thousands_of_examples_take_seconds(tmp_path):
    words = ["lamp", "river", "stone", "cloud", "spoon", "tiger", "piano", "glove", "maple", "radio", "olive", "train"]
    texts = [f"{a} {b} {c} {d}" for a in words for b in words for c in words for d in words[:3]]
    write(tmp_path, *texts[:5000])
    started = time.monotonic()
    warnings(tmp_path)
    # 3 s measured; the bound only tells a mistake (every pair in Python) from a busy machine
    assert time.monotonic() - started < 30
