"""The commands that measure reach their programs with the model and with the arguments that were given."""

import subprocess
import sys
from pathlib import Path

import pytest

from ops import __main__ as command
from ops import train
from ops.console import say

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def called(monkeypatch):
    """What would have been started, without Python and its options; training says something and makes a model."""

    def trained():
        say("Training model m1 ...")
        return Path("models/m1.tar.gz")

    seen = []
    monkeypatch.setattr(train, "train", trained)
    monkeypatch.setattr(command.subprocess, "call", lambda words: seen.append(words[words.index("-m") + 1 :]) or 7)
    return seen


CASES = [
    (["evaluate", "--set", "x.yml"], ["nlu.evaluation", "evaluate", "--model", "models/m1.tar.gz", "--set", "x.yml"]),
    (["compare", "--folds", "5"], ["nlu.evaluation", "compare", "--folds", "5"]),
    (["learning-curve", "--json"], ["nlu.evaluation", "learning-curve", "--json"]),
    (["lint-data", "--json"], ["nlu.check_data", "--json"]),
    (["tune", "--out", "x"], ["nlu.tuning", "--out", "x"]),
]


@pytest.mark.parametrize("arguments, expected", CASES, ids=[case[0][0] for case in CASES])
def test_arguments_and_exit_codes_are_passed_on(called, capsys, arguments, expected):
    assert command.main(arguments) == 7
    assert called == [expected]
    # a program may read what is printed
    assert capsys.readouterr().out == ""


def test_make_names_sets_pipelines_and_folds():
    def made(*words):
        done = subprocess.run(["make", "-n", *words], cwd=ROOT, capture_output=True, text=True, check=True)
        return done.stdout.strip().rpartition("ops.bootstrap ")[2]

    assert made("evaluate") == "evaluate"
    assert made("evaluate", "SET=a.yml", "PUBLISH=1") == "evaluate --set a.yml --publish"
    assert made("compare", "CONFIGS=a.yml b.yml", "FOLDS=5") == "compare --configs a.yml b.yml --folds 5"
    assert made("learning-curve", "ARGS=--json") == "learning-curve --json"


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (["compare", "--folds", "1"], "'1' is not a number of folds from 2 to 20"),
        (["evaluate"], "the following arguments are required: --model"),
        (["sing"], "invalid choice: 'sing'"),
    ],
)
def test_arguments_that_make_no_sense_are_told(arguments, expected):
    done = subprocess.run(
        [sys.executable, "-m", "nlu.evaluation", *arguments], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 2 and expected in done.stderr
