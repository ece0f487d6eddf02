"""Floors that are missed are told; floors that are none are named with file, line and key."""

import pytest

from nlu.evaluation import floors
from nlu.evaluation.examples import BadData
from nlu.evaluation.figures import METRICS
from tests.nlu_components.conftest import ROOT


def measured(**values):
    return [{"key": key, "value": values.get(key)} for key in METRICS]


CASES = [
    ({"accuracy": 0.8}, {"accuracy": 0.8}, []),
    ({"accuracy": 0.8}, {"accuracy": 0.79}, ["All intents, accuracy: 0.790, but the floor is 0.8"]),
    ({"typo_cost": 5}, {"typo_cost": 5.0}, []),
    ({"typo_cost": 5}, {"typo_cost": 5.1}, ["Cost of one typing error: 5.100, but the ceiling is 5"]),
    ({"typo_cost": 5}, {}, ["Cost of one typing error: not measured, but the ceiling is 5"]),
    ({}, {"accuracy": 0.0}, []),
]


@pytest.mark.parametrize("bounds, values, expected", CASES)
def test_misses(bounds, values, expected):
    assert [str(miss) for miss in floors.misses(measured(**values), bounds)] == expected


BAD = [
    ("exam:\n  acuracy: 0.8\n", "floors.yml:2: acuracy is no metric; there are account_macro_f1, "),
    ("exam:\n  accuracy: 80\n", "floors.yml:2: accuracy needs a number from 0 to 1, not 80"),
    ("exam:\n  accuracy: -0.1\n", "floors.yml:2: accuracy needs a number from 0 to 1, not -0.1"),
    ("exam:\n  typo_cost: -1\n", "floors.yml:2: typo_cost needs a number from 0 or more, not -1"),
    ("exam:\n  accuracy: high\n", "floors.yml:2: accuracy needs a number, not 'high'"),
    ("exam:\n  accuracy: true\n", "floors.yml:2: accuracy needs a number, not True"),
    ("exam:\n  accuracy:\n", "floors.yml:2: accuracy needs a number, not None"),
    ("exam: 0.8\n", "floors.yml:1: exam needs metrics with their floors"),
    ("# x\nexma:\n  accuracy: 0.8\n", "floors.yml:2: exma is no set"),
    ("exam: [", "floors.yml:1: this is not YAML"),
]


@pytest.mark.parametrize("content, expected", BAD, ids=[case[1] for case in BAD])
def test_what_is_no_floor_is_named(tmp_path, content, expected):
    (tmp_path / "exam").mkdir()
    (tmp_path / "floors.yml").write_text(content)
    with pytest.raises(BadData) as problem:
        floors.read_floors(tmp_path / "floors.yml", tmp_path)
    assert str(problem.value).startswith(expected)


def test_a_set_is_known_by_its_path(tmp_path):
    (tmp_path / "exam").mkdir()
    (tmp_path / "floors.yml").write_text("exam:\n  accuracy: 0.8\n  typo_cost: 12\n")
    found = floors.read_floors(tmp_path / "floors.yml", tmp_path)
    assert floors.for_set(found, tmp_path / "exam", tmp_path) == {"accuracy": 0.8, "typo_cost": 12.0}
    assert floors.for_set(found, tmp_path / "other", tmp_path) == {}


def test_the_floors_of_the_project_can_be_read():
    found = floors.read_floors(ROOT / "nlu" / "floors.yml", ROOT)
    assert found["tests/nlu/exam"] and found["tests/nlu/adversarial"]
