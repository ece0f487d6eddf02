"""Parts of the training data: even, nested, always the same; and pipelines really trained and asked."""

from collections import Counter
from itertools import pairwise

import pytest

from nlu.evaluation import cards, compare, curve, models
from nlu.evaluation.examples import BadData, Names
from nlu.evaluation.models import Model
from tests.nlu_components.conftest import ROOT

LABELS = ["a"] * 30 + ["b"] * 10 + ["c"]


def test_folds_are_even_in_every_label():
    number = compare.folds_of(LABELS, 3)
    assert Counter(zip(LABELS, number, strict=True)) == {
        ("a", 0): 10,
        ("a", 1): 10,
        ("a", 2): 10,
        ("b", 0): 4,
        ("b", 1): 3,
        ("b", 2): 3,
        ("c", 0): 1,
    }
    assert number == compare.folds_of(LABELS, 3) != compare.folds_of(LABELS, 3, seed=9)


def test_shares_are_nested_and_leave_no_label_out():
    shares = [set(compare.nested(LABELS, share)) for share in curve.SHARES]
    assert all(smaller < larger for smaller, larger in pairwise(shares))
    assert [Counter(LABELS[index] for index in share) for share in shares[:3]] == [
        {"a": 3, "b": 1, "c": 1},
        {"a": 8, "b": 2, "c": 1},
        {"a": 15, "b": 5, "c": 1},
    ]
    assert shares[-1] == set(range(len(LABELS)))


DATA = """
nlu:
- intent: greet
  examples: |
    - hello there
    - hello friend
    - hello you
    - hello
    - hello all
    - hello again
- intent: unlock_account
  examples: |
    - unlock [okta](system) now
    - unlock me
    - please unlock
    - unlock my account
    - unlock it today
    - unlock account
- lookup: system
  examples: |
    - okta
"""
ASIDE = """
nlu:
- intent: greet
  examples: |
    - hello hello
- intent: unlock_account
  examples: |
    - unlock okta
"""
WORDS = """
recipe: default.v1
language: en
pipeline:
- name: WhitespaceTokenizer
- name: CountVectorsFeaturizer
- name: nlu.classifier.SentenceClassifier
"""


@pytest.fixture
def small(tmp_path):
    """Training data of two intents, messages held aside, and a pipeline of words alone."""
    for name, text in (("data.yml", DATA), ("aside.yml", ASIDE), ("words.yml", WORDS)):
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_pipeline_is_measured_on_what_it_was_not_trained_on(small):
    said = []
    (row,) = compare.compare([small / "words.yml"], small / "data.yml", small / "aside.yml", 2, said.append)
    assert len(said) == 3
    assert (row["account_macro_f1"], row["held_aside_account_macro_f1"], row["held_aside_macro_f1"]) == (1, 1, 1)
    assert row["out_of_scope_starts_skill"] is None and row["in_scope_falls_back"] == 0
    assert row["training_seconds"] > 0 and 0 < row["parse_p50"] <= row["parse_p95"]
    assert compare.summary([row]).startswith("Cross-validated in 2 folds")
    line = compare.summary([row]).splitlines()[-1].split()
    assert line[1:7] == ["1.000", "1.000", "-", "0.000", "1.000", "1.000"]


def test_a_curve_has_a_point_for_each_share(small):
    points = curve.curve(small / "words.yml", small / "data.yml", small / "aside.yml", print, (0.5, 1.0))
    assert [point["examples"] for point in points] == [6, 12]
    assert points[1]["macro_f1"]["value"] == 1
    assert curve.summary(points).splitlines()[2].split()[:3] == ["100%", "12", "1.000"]
    picture = cards.drawing("curve.svg.j2", points=points)
    assert picture.startswith("<svg") and "12 examples: 1.000" in picture


def test_the_keyword_baseline_finds_whole_examples_and_stands_any_text(tmp_path):
    data = (
        "nlu:\n- intent: greet\n  examples: |\n    - Hello\n    - ??\n    - lock\n"
        "- intent: unlock_account\n  examples: |\n    - unlock me\n    - the lock\n    - a lock\n"
    )
    (tmp_path / "data.yml").write_text(data)
    config = ROOT / "nlu" / "evaluation" / "baselines" / "keyword.yml"
    model, _ = models.train(config, tmp_path / "data.yml", ROOT / "domain.yml", tmp_path)
    texts = ["well, hello!", "what ??", "please unlock me", "lock", "Othello", "unlock mercy", ""]
    # "lock" lies within examples of another intent, so it decides nothing
    wanted = ["greet", "greet", "unlock_account", *["nlu_fallback"] * 4]
    assert [one.intent for one in Model(model, Names()).parse(texts)] == wanted


def test_baselines_are_compared_too():
    names = [path.relative_to(ROOT).as_posix() for path in compare.CONFIGS]
    assert names == [
        "config.yml",
        "config.sparse.yml",
        "nlu/evaluation/baselines/diet.yml",
        "nlu/evaluation/baselines/keyword.yml",
    ]


@pytest.mark.parametrize(
    "config, data, aside, expected",
    [
        ("none.yml", "data.yml", "aside.yml", "none.yml: there is no such pipeline"),
        ("words.yml", "none.yml", "aside.yml", "none.yml: there is no such file or folder"),
        ("words.yml", "words.yml", "aside.yml", "there is no example to train on"),
        ("words.yml", "data.yml", "none.yml", "none.yml: there is no such file or folder"),
        ("regex.yml", "odd.yml", "aside.yml", "regex.yml: Rasa cannot train this: .*nothing to repeat"),
        ("broken.yml", "data.yml", "aside.yml", "broken.yml: Rasa cannot train this: .*NoSuchComponent"),
    ],
)
def test_what_cannot_be_trained_is_named(small, config, data, aside, expected):
    (small / "broken.yml").write_text("recipe: default.v1\nlanguage: en\npipeline:\n- name: NoSuchComponent\n")
    (small / "regex.yml").write_text("recipe: default.v1\nlanguage: en\npipeline:\n- name: KeywordIntentClassifier\n")
    (small / "odd.yml").write_text("nlu:\n- intent: greet\n  examples: |\n    - ??\n    - ???\n    - ?\n    - ????\n")
    with pytest.raises(BadData, match=expected):
        compare.compare([small / config], small / data, small / aside, 2, print)
