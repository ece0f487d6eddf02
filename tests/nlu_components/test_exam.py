"""The floors on the exam, that a bad model falls below them, and that training is repeatable."""

import random
from dataclasses import replace

import pytest

from nlu.evaluation import compare, evaluate, figures, floors
from nlu.evaluation.examples import read_examples, read_intents, read_names, read_set
from tests.nlu_components.conftest import ROOT

SETS = ["tests/nlu/exam", "tests/nlu/adversarial"]


@pytest.mark.parametrize("path", SETS)
def test_the_domain_knows_every_intent_that_is_measured(path):
    read_set(ROOT / path, ROOT, read_intents(ROOT / "domain.yml"))


@pytest.mark.parametrize("path", SETS)
def test_floors(model_file, path):
    card = evaluate.evaluate(model_file, ROOT / path, skip_unknown=True)
    assert card["missed"] == []


def some_of_the_data():
    """A sixth of the examples of every intent: enough to tell, and quickly trained."""
    everything = compare.load(ROOT / "data" / "nlu")
    examples = everything.intent_examples
    return compare.part(everything, [examples[i] for i in compare.nested(list(map(compare.label, examples)), 1 / 6)])


def test_a_model_that_learned_shuffled_labels_falls_below_the_floors():
    data = some_of_the_data()
    labels = [compare.label(message) for message in data.intent_examples]
    random.Random(1).shuffle(labels)
    for message, label in zip(data.intent_examples, labels, strict=True):
        message.set("intent", label)
    names = read_names(ROOT / "data" / "nlu", ROOT)
    examples = read_examples(ROOT / SETS[0] / "night_nurse.yml", ROOT)
    found, _ = compare.trained_and_asked(ROOT / "config.sparse.yml", data, examples, names)
    report = figures.report(examples, found, names)
    bounds = floors.read_floors(evaluate.FLOORS, ROOT)[SETS[0]]
    missed = {miss.title for miss in floors.misses(report["metrics"], bounds)}
    titles = {key: metric.title for key, metric in figures.METRICS.items()}
    assert {titles["account_macro_f1"], titles["macro_f1"], titles["accuracy"]} <= missed


def test_two_trainings_understand_alike():
    data, names = some_of_the_data(), read_names(ROOT / "data" / "nlu", ROOT)
    asked = read_examples(ROOT / "tests" / "nlu_components" / "holdout.yml", ROOT)
    answers = [
        [replace(one, seconds=0.0) for one in compare.trained_and_asked(ROOT / "config.yml", data, asked, names)[0]]
        for _ in range(2)
    ]
    assert answers[0] == answers[1]
    # trained on so little it still understands most: what is compared is no model that always says the same
    right = [one.guess == example.intent for one, example in zip(answers[0], asked, strict=True)]
    assert sum(right) > len(right) / 2
