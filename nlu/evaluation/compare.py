"""Pipelines side by side: cross-validated on the training data, and on the messages held aside."""

import random
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from rasa.shared.nlu.training_data.loading import load_data
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.evaluation import cards, figures, models
from nlu.evaluation.evaluate import ROOT
from nlu.evaluation.examples import BadData, Example, Names, read_examples, read_names, shown
from nlu.evaluation.models import Model, Parsed

CONFIGS = [
    ROOT / "config.yml",
    ROOT / "config.sparse.yml",
    *sorted((ROOT / "nlu" / "evaluation" / "baselines").glob("*.yml")),
]
HELD_ASIDE = ROOT / "tests" / "nlu_components" / "holdout.yml"
DOMAIN = ROOT / "domain.yml"
SEED = 3
FROM_FOLDS = ("account_macro_f1", "macro_f1", "out_of_scope_starts_skill", "in_scope_falls_back")

Say = Callable[[str], None]


def compare(configs: Sequence[Path], data: Path, held_aside: Path, folds: int, say: Say) -> list[dict[str, Any]]:
    """A row for each pipeline. Every example is parsed once, by a model that was not trained on it.

    Training seconds, latency and the held-aside figures are those of one more model, trained on everything.
    """
    everything, asked = load(data), read_examples(held_aside, ROOT)
    names = read_names(data, ROOT)
    number = folds_of([label(message) for message in everything.intent_examples], folds)
    rows = []
    for config in configs:
        examples: list[Example] = []
        found: list[Parsed] = []
        for fold in range(folds):
            say(f"{shown(config, ROOT)}: fold {fold + 1} of {folds} ...")
            inside, outside = (
                [m for m, n in zip(everything.intent_examples, number, strict=True) if (n == fold) == left_out]
                for left_out in (False, True)
            )
            left = [as_example(message, data) for message in outside]
            parsed, _ = trained_and_asked(config, part(everything, inside), left, names)
            examples += left
            found += parsed
        say(f"{shown(config, ROOT)}: all examples ...")
        parsed, seconds = trained_and_asked(config, everything, asked, names)
        crossed, aside = (values_of(figures.report(*pair, names)) for pair in ((examples, found), (asked, parsed)))
        rows.append(
            {
                "config": shown(config, ROOT),
                "folds": folds,
                **{key: crossed[key] for key in FROM_FOLDS},
                "held_aside_account_macro_f1": aside["account_macro_f1"],
                "held_aside_macro_f1": aside["macro_f1"],
                "training_seconds": seconds,
                "parse_p50": aside["parse_p50"],
                "parse_p95": aside["parse_p95"],
            }
        )
    return rows


def summary(rows: Sequence[dict[str, Any]]) -> str:
    """The rows for the terminal."""
    head = ["", "account F1", "all F1", "not ours starts", "falls back", "aside: account F1", "all F1"]
    head += ["train s", "p50 ms", "p95 ms"]
    shares = (*FROM_FOLDS, "held_aside_account_macro_f1", "held_aside_macro_f1")
    times = ("training_seconds", "parse_p50", "parse_p95")
    lines = [
        [row["config"], *(cards.figure(row[key]) for key in shares), *(f"{row[key]:.1f}" for key in times)]
        for row in rows
    ]
    return f"Cross-validated in {rows[0]['folds']} folds; the last columns: trained on everything.\n\n" + cards.table(
        head, lines
    )


def trained_and_asked(
    config: Path, data: TrainingData, asked: Sequence[Example], names: Names
) -> tuple[list[Parsed], float]:
    """What a model of this pipeline and data makes of the messages, on one core, and its training seconds."""
    with tempfile.TemporaryDirectory(prefix="pipeline-") as made:
        folder = Path(made)
        file = folder / "nlu.yml"
        file.write_text(data.nlu_as_yaml(), encoding="utf-8")
        model, seconds = models.train(config, file, DOMAIN, folder)
        with models.one_core():
            return Model(model, names).parse([example.text for example in asked]), seconds


def load(data: Path) -> TrainingData:
    """The training data, as Rasa reads it. BadData if it cannot be read or has no example."""
    # Rasa's own reader does not say where something is wrong
    if not read_examples(data, ROOT):
        raise BadData(f"{data}: there is no example to train on")
    return load_data(str(data))


def part(data: TrainingData, examples: Sequence[Message]) -> TrainingData:
    """The same lookups and synonyms with some of the examples."""
    return TrainingData(
        training_examples=list(examples),
        entity_synonyms=data.entity_synonyms,
        regex_features=data.regex_features,
        lookup_tables=data.lookup_tables,
    )


def label(message: Message) -> str:
    """The intent of a training example."""
    return message.get("intent")


def as_example(message: Message, data: Path) -> Example:
    """A training example as a message to be measured on, intents alone."""
    return Example(message.get("text"), label(message), (), shown(data, ROOT), 0)


def values_of(report: dict[str, Any]) -> dict[str, float | None]:
    """The figures of a report by their keys."""
    return {one["key"]: one["value"] for one in report["metrics"]}


def folds_of(labels: Sequence[str], folds: int, seed: int = SEED) -> list[int]:
    """The fold of each example: every label is dealt out evenly, always in the same way."""
    found = [0] * len(labels)
    for turn, index in _dealt(labels, seed):
        found[index] = turn % folds
    return found


def nested(labels: Sequence[str], share: float, seed: int = SEED) -> list[int]:
    """The numbers of a share of the examples of every label, at least one; a smaller share lies within a larger."""
    sizes: dict[str, int] = defaultdict(int)
    for one in labels:
        sizes[one] += 1
    wanted = {one: max(1, round(share * size)) for one, size in sizes.items()}
    return sorted(index for turn, index in _dealt(labels, seed) if turn < wanted[labels[index]])


def _dealt(labels: Sequence[str], seed: int) -> Iterable[tuple[int, int]]:
    """(turn, example) of every label's examples in a random order that is always the same."""
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    by_label: dict[str, list[int]] = defaultdict(list)
    for index, one in enumerate(labels):
        by_label[one].append(index)
    for one in sorted(by_label):
        chance.shuffle(by_label[one])
        yield from enumerate(by_label[one])
