"""A model is trained if and only if something it is made of changed, by content."""

import json
import os
import shutil
from pathlib import Path

import pytest

from ops import train
from ops.console import CannotContinue

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A copy of what a model is made of, and a Rasa that writes a file instead of training."""
    for name in ("data", "nlu"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("config.yml", "domain.yml", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.setattr(train, "ROOT", tmp_path)
    monkeypatch.setattr(train, "MODELS", tmp_path / "models")
    return tmp_path


@pytest.fixture
def trainings(monkeypatch):
    """The commands that would have trained, each leaving a model where it was asked to."""
    seen = []

    def call(command, env, **_):
        seen.append(env["RASA_CACHE_DIRECTORY"])
        Path(command[command.index("--out") + 1], command[-1]).write_text("a model")
        return 0

    monkeypatch.setattr(train.subprocess, "call", call)
    return seen


def test_the_second_time_nothing_is_trained(clone, trainings):
    first = train.train()
    assert train.train() == first
    assert len(trainings) == 1
    assert first.read_text() == "a model"


@pytest.mark.parametrize("file", ["config.yml", "domain.yml", "data/nlu/unlock.yml", "nlu/answers.py"])
def test_changed_content_trains_anew(clone, trainings, file):
    first = train.train()
    with open(clone / file, "a") as handle:
        handle.write("\n# changed\n")
    assert train.train() != first
    assert len(trainings) == 2


def test_code_has_a_cache_of_its_own_and_data_shares_it(clone, trainings):
    train.train()
    for name in ("domain.yml", "nlu/answers.py"):
        with open(clone / name, "a") as handle:
            handle.write("\n# changed\n")
        train.train()
    assert trainings[0] == trainings[1] != trainings[2]


@pytest.mark.parametrize("line, matters", [("rasa==9.9.9 \\\n", True), ("pytest==9.9.9 \\\n", False)])
def test_of_the_lock_only_what_decides_at_run_time_matters(clone, trainings, line, matters):
    first = train.train()
    with open(clone / "requirements.lock", "a") as handle:
        handle.write(line)
    assert (train.train() != first) == matters


def test_touching_a_file_and_bytecode_change_nothing(clone, trainings):
    first = train.train()
    os.utime(clone / "domain.yml", (1, 1))
    (clone / "nlu" / "__pycache__").mkdir()
    (clone / "nlu" / "__pycache__" / "answers.pyc").write_bytes(b"x")
    assert train.train() == first


def test_a_training_that_fails_or_is_killed_leaves_no_model(clone, monkeypatch):
    def half(command, **_):
        Path(command[command.index("--out") + 1], command[-1]).write_text("half a mod")
        raise KeyboardInterrupt

    monkeypatch.setattr(train.subprocess, "call", half)
    with pytest.raises(KeyboardInterrupt):
        train.train()
    assert list((clone / "models").iterdir()) == []


def test_when_rasa_refuses_the_end_of_its_log_is_shown(clone, monkeypatch):
    def refuse(command, stdout, **_):
        stdout.write("InvalidDomain: no such slot\n")
        stdout.flush()
        return 1

    monkeypatch.setattr(train.subprocess, "call", refuse)
    with pytest.raises(CannotContinue, match="InvalidDomain: no such slot"):
        train.train()


def test_old_models_go_and_models_of_others_stay(clone, trainings):
    (clone / "models").mkdir()
    (clone / "models" / "20261124-by-hand.tar.gz").write_text("somebody's")
    for number in range(train.KEPT + 3):
        with open(clone / "domain.yml", "a") as handle:
            handle.write(f"\n# {number}\n")
        newest = train.train()
        os.utime(newest, (number + 1, number + 1))
    names = {path.name for path in (clone / "models").glob("*.tar.gz")}
    assert "20261124-by-hand.tar.gz" in names and newest.name in names
    assert len(names) == train.KEPT + 1
    notes = {path.name for path in (clone / "models").glob("*.training.json")}
    assert notes == {name.replace("tar.gz", "training.json") for name in names - {"20261124-by-hand.tar.gz"}}


def test_the_seconds_of_training_are_noted_beside_the_model(clone, trainings):
    model = train.train()
    note = model.with_name(model.name.replace("tar.gz", "training.json"))
    assert 0 <= json.loads(note.read_text())["seconds"] < 60


@pytest.mark.parametrize("file", ["nlu/check_data.py", "nlu/evaluation/metrics.py"])
def test_what_only_measures_makes_no_other_model(clone, trainings, file):
    first = train.train()
    with open(clone / file, "a") as handle:
        handle.write("\n# changed\n")
    assert train.train() == first
