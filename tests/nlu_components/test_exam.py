"""The floors on the exam, that a bad model falls below them, and that training is repeatable."""

import random

import pytest

from nlu.evaluation import compare, evaluate, figures, floors, models
from nlu.evaluation.examples import read_examples, read_intents, read_names, read_set
from nlu.evaluation.models import Model
from tests.nlu_components.conftest import ROOT

SETS = ["tests/nlu/exam", "tests/nlu/adversarial"]


@pytest.mark.parametrize("path", SETS)
def test_the_domain_knows_every_intent_that_is_measured(path):
    read_set(ROOT / path, ROOT, read_intents(ROOT / "domain.yml"))


@pytest.mark.parametrize("path", SETS)
def test_floors(model_file, path):
    card = evaluate.evaluate(model_file, ROOT / path, skip_unknown=True)
    assert card["missed"] == []


def test_a_model_that_learned_shuffled_labels_falls_below_the_floors(tmp_path):
    data = compare.load(ROOT / "data" / "nlu")
    labels = [compare.label(message) for message in data.intent_examples]
    random.Random(1).shuffle(labels)
    for message, label in zip(data.intent_examples, labels, strict=True):
        message.set("intent", label)
    (tmp_path / "nlu.yml").write_text(data.nlu_as_yaml(), encoding="utf-8")
    model, _ = models.train(ROOT / "config.sparse.yml", tmp_path / "nlu.yml", ROOT / "domain.yml", tmp_path)
    names = read_names(ROOT / "data" / "nlu", ROOT)
    examples = read_examples(ROOT / SETS[0] / "night_nurse.yml", ROOT)
    report = figures.report(examples, Model(model, names).parse([one.text for one in examples]), names)
    bounds = floors.read_floors(evaluate.FLOORS, ROOT)[SETS[0]]
    missed = {miss.title for miss in floors.misses(report["metrics"], bounds)}
    titles = {key: metric.title for key, metric in figures.METRICS.items()}
    assert {titles["account_macro_f1"], titles["macro_f1"], titles["accuracy"]} <= missed


def test_two_trainings_understand_alike(model_file, holdout, tmp_path):
    again, _ = models.train(ROOT / "config.yml", ROOT / "data" / "nlu", ROOT / "domain.yml", tmp_path)
    names = read_names(ROOT / "data" / "nlu", ROOT)
    texts = [text for text, _ in holdout]
    answers = [
        [(one.intent, one.guess, one.confidence, one.entities) for one in Model(file, names).parse(texts)]
        for file in (model_file, again)
    ]
    assert answers[0] == answers[1]
