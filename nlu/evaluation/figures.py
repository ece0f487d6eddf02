"""All figures of a report card, from what was wanted and what was understood. Pure: no model, no file, no clock."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from nlu.evaluation import metrics
from nlu.evaluation.examples import Example, Names
from nlu.evaluation.metrics import Entity
from nlu.evaluation.models import FALLBACK, Parsed

ACCOUNT = (
    "report_access_problem",
    "unlock_account",
    "reset_password",
    "reset_mfa",
    "ask_mfa_instructions",
    "ask_password_expiry",
    "ask_why_locked",
    "ask_if_safe",
    "report_not_me",
    "ask_about_someone_else",
)
# being told whether it is safe does nothing, so it starts no skill
STARTS = tuple(intent for intent in ACCOUNT if intent != "ask_if_safe")
NOT_OURS = ("other_it_request", "out_of_scope")
KINDS = ("system", "device", "factor")


@dataclass(frozen=True)
class Metric:
    """A figure that can have a floor; `lower_is_better` makes the floor a ceiling. `unit`: share, points, ms ..."""

    key: str
    title: str
    unit: str = "share"
    lower_is_better: bool = False


METRICS = {
    metric.key: metric
    for metric in (
        Metric("account_macro_f1", "Account intents, macro-F1"),
        Metric("account_macro_f1_guessed", "… by the first guess, clear or not"),
        Metric("macro_f1", "All intents, macro-F1"),
        Metric("accuracy", "All intents, accuracy"),
        Metric("system_f1", "Systems, F1"),
        Metric("device_f1", "Devices, F1"),
        Metric("factor_f1", "Factors, F1"),
        Metric("out_of_scope_starts_skill", "Not ours, but starts an account skill", lower_is_better=True),
        Metric("in_scope_falls_back", "Ours, but falls back", lower_is_better=True),
        Metric("in_scope_not_understood", "… because it is unsure", lower_is_better=True),
        Metric("in_scope_sent_away", "… because it is taken for not ours", lower_is_better=True),
        Metric("typo_cost", "Cost of one typing error", "points", lower_is_better=True),
        Metric("unlock_account_precision", "unlock_account, precision of what begins it"),
        Metric("unlock_account_precision_guessed", "… of the first guess, clear or not"),
        Metric("reset_password_precision", "reset_password, precision of what begins it"),
        Metric("reset_password_precision_guessed", "… of the first guess, clear or not"),
        Metric("reset_mfa_precision", "reset_mfa, precision of what begins it"),
        Metric("reset_mfa_precision_guessed", "… of the first guess, clear or not"),
        Metric("yes_taken_for_no", "affirm taken for deny", "messages", lower_is_better=True),
        Metric("no_taken_for_yes", "deny taken for affirm", "messages", lower_is_better=True),
        Metric("calibration_error", "Calibration error (ECE)", lower_is_better=True),
        Metric("parse_p50", "Parsing, median", "ms", lower_is_better=True),
        Metric("parse_p95", "Parsing, 95th percentile", "ms", lower_is_better=True),
        Metric("training_seconds", "Training", "s", lower_is_better=True),
        Metric("model_megabytes", "Model size", "MB", lower_is_better=True),
    )
}


class Judged:
    """The messages of a set beside what was understood, as arrays over the messages."""

    def __init__(self, examples: Sequence[Example], found: Sequence[Parsed], names: Names) -> None:
        self.examples, self.found, self.names = examples, found, names
        self.labels = sorted({example.intent for example in examples} | {parsed.intent for parsed in found})
        number = {label: index for index, label in enumerate(self.labels)}
        self.wanted = np.array([number[example.intent] for example in examples], dtype=int)
        self.got = np.array([number[parsed.intent] for parsed in found], dtype=int)
        self.milliseconds = np.array([parsed.seconds * 1000 for parsed in found])
        self.confidences = np.array([parsed.confidence for parsed in found])
        self.guess_right = np.array(
            [parsed.guess == example.intent for example, parsed in zip(examples, found, strict=True)], dtype=float
        )
        self.entities = {
            kind: np.array(
                [
                    metrics.count_entities(wanted_entities(example, names), parsed.entities, kind)
                    for example, parsed in zip(examples, found, strict=True)
                ],
                dtype=int,
            )
            for kind in KINDS
        }

    def numbers(self, intents: Sequence[str]) -> list[int]:
        """The numbers of those intents that occur here."""
        return [index for index, label in enumerate(self.labels) if label in intents]

    def matrix(self, rows: np.ndarray) -> np.ndarray:
        """The confusion matrix of some messages."""
        return metrics.confusion(self.wanted[rows], self.got[rows], len(self.labels))


def wanted_entities(example: Example, names: Names) -> list[Entity]:
    """The names marked in a message, each with its canonical value."""
    return [
        Entity(mark.kind, names.canonical(mark.value or mark.text), mark.start, mark.end)
        for mark in example.annotations
    ]


def report(
    examples: Sequence[Example],
    found: Sequence[Parsed],
    names: Names,
    typos: Sequence[Parsed] | None = None,
    training_seconds: float | None = None,
    model_megabytes: float | None = None,
) -> dict[str, Any]:
    """Everything that is measured, ready for JSON. `typos`: the same messages with a typing error, account ones only.

    `typos` are in the order of the account messages in `examples`.
    """
    judged = Judged(examples, found, names)
    drawn = metrics.draws(len(examples))
    measured = {key: _figure(METRICS[key], measure, judged, drawn) for key, measure in _measures(judged, typos).items()}
    known = {"training_seconds": training_seconds, "model_megabytes": model_megabytes}
    if typos is None:
        known["typo_cost"] = None
    for key, value in known.items():
        measured[key] = {**asdict(METRICS[key]), "value": value, "interval": None}
    everybody = np.arange(len(examples))
    matrix = judged.matrix(everybody)
    bins, _ = metrics.calibration(judged.confidences, judged.guess_right)
    return {
        "messages": len(examples),
        "metrics": [measured[key] for key in METRICS],
        "intents": [
            {"intent": label, **asdict(score)}
            for label, score in zip(judged.labels, metrics.scores(matrix), strict=True)
        ],
        "tags": _tags(judged),
        "confusion": {"labels": judged.labels, "rows": matrix.tolist()},
        "confused": _confused(judged),
        "calibration": [asdict(one) for one in bins],
        "mistakes": _mistakes(judged),
        "entity_mistakes": _entity_mistakes(judged),
    }


Measure = Callable[[np.ndarray], float | None]


def _figure(metric: Metric, measure: Measure, judged: Judged, drawn: np.ndarray) -> dict[str, Any]:
    value = measure(np.arange(len(judged.examples)))
    between = None if value is None else metrics.interval(measure, drawn)
    return {**asdict(metric), "value": value, "interval": between}


def _measures(judged: Judged, typos: Sequence[Parsed] | None) -> dict[str, Measure]:
    """Each metric as a function of message numbers, so that it can be measured again on drawn messages."""
    everything = list(range(len(judged.labels)))
    account, starts, not_ours = (judged.numbers(intents) for intents in (ACCOUNT, STARTS, NOT_OURS))
    strange = np.isin(judged.wanted, not_ours)
    unsure, sent_away = np.isin(judged.got, judged.numbers([FALLBACK])), np.isin(judged.got, not_ours)
    found: dict[str, Measure] = {
        "account_macro_f1": lambda rows: metrics.macro_f1(judged.matrix(rows), account),
        "macro_f1": lambda rows: metrics.macro_f1(judged.matrix(rows), everything),
        "accuracy": lambda rows: metrics.accuracy(judged.matrix(rows)),
        "out_of_scope_starts_skill": _share(np.isin(judged.got, starts), strange),
        "in_scope_falls_back": _share(unsure | sent_away, ~strange),
        "in_scope_not_understood": _share(unsure, ~strange),
        "in_scope_sent_away": _share(sent_away, ~strange),
        "yes_taken_for_no": _count(judged, "affirm", "deny"),
        "no_taken_for_yes": _count(judged, "deny", "affirm"),
        "calibration_error": lambda rows: metrics.calibration(judged.confidences[rows], judged.guess_right[rows])[1],
        "parse_p50": lambda rows: float(np.percentile(judged.milliseconds[rows], 50)),
        "parse_p95": lambda rows: float(np.percentile(judged.milliseconds[rows], 95)),
    }
    for kind in KINDS:
        found[f"{kind}_f1"] = _entity_f1(judged.entities[kind])
    guesses = [replace(parsed, intent=parsed.guess) for parsed in judged.found]
    guessed = Judged(judged.examples, guesses, judged.names)
    account_guessed = guessed.numbers(ACCOUNT)
    found["account_macro_f1_guessed"] = lambda rows: metrics.macro_f1(guessed.matrix(rows), account_guessed)
    for intent in ("unlock_account", "reset_password", "reset_mfa"):
        found[f"{intent}_precision"] = _precision(judged, intent)
        found[f"{intent}_precision_guessed"] = _precision(guessed, intent)
    if typos is not None:
        found["typo_cost"] = _typo_cost(judged, typos)
    return found


def _share(these: np.ndarray, among: np.ndarray) -> Measure:
    return lambda rows: metrics.ratio(these[rows][among[rows]].sum(), among[rows].sum())


def _count(judged: Judged, wanted: str, got: str) -> Measure:
    """How often one is taken for the other; None where nobody meant the first."""
    meant = np.array([example.intent == wanted for example in judged.examples])
    taken = meant & np.array([parsed.intent == got for parsed in judged.found])
    return lambda rows: float(taken[rows].sum()) if meant[rows].any() else None


def _entity_f1(counts: np.ndarray) -> Measure:
    return lambda rows: metrics.f1(*counts[rows].sum(axis=0))


def _precision(judged: Judged, intent: str) -> Measure:
    numbers = judged.numbers([intent])
    return lambda rows: metrics.precision(judged.matrix(rows), numbers[0]) if numbers else None


def _typo_cost(judged: Judged, typos: Sequence[Parsed]) -> Measure:
    """Points of account macro-F1 that are lost, measured on the account messages alone, before and after."""
    ours = [index for index, example in enumerate(judged.examples) if example.intent in ACCOUNT]
    examples = [judged.examples[index] for index in ours]
    clean = Judged(examples, [judged.found[index] for index in ours], judged.names)
    spoilt = Judged(examples, typos, judged.names)
    # where each message stands among the account messages; -1 for the others
    position = np.full(len(judged.examples), -1)
    position[ours] = np.arange(len(ours))

    def cost(rows: np.ndarray) -> float | None:
        chosen = position[rows]
        chosen = chosen[chosen >= 0]
        values = [metrics.macro_f1(one.matrix(chosen), one.numbers(ACCOUNT)) for one in (clean, spoilt)]
        return None if None in values else 100 * (values[0] - values[1])

    return cost


def _tags(judged: Judged) -> list[dict[str, Any]]:
    """For each tag: how many messages, which share was understood (with its interval), and what fell back."""
    found = []
    tags = np.array([example.tag for example in judged.examples])
    account, not_ours = judged.numbers(ACCOUNT), judged.numbers(NOT_OURS)
    for tag in dict.fromkeys(tags.tolist()):
        rows = np.flatnonzero(tags == tag)
        drawn = rows[metrics.draws(len(rows))]
        ours = rows[~np.isin(judged.wanted[rows], not_ours)]
        fell = np.isin(judged.got[ours], [*not_ours, *judged.numbers([FALLBACK])])
        found.append(
            {
                "tag": tag,
                "messages": len(rows),
                "accuracy": metrics.accuracy(judged.matrix(rows)),
                "interval": metrics.interval(lambda some: metrics.accuracy(judged.matrix(some)), drawn),
                "account_macro_f1": metrics.macro_f1(judged.matrix(rows), account),
                "falls_back": metrics.ratio(fell.sum(), len(ours)),
            }
        )
    return found


def _confused(judged: Judged) -> list[dict[str, Any]]:
    """The pairs that were confused, the most frequent first."""
    pairs = Counter(
        (example.intent, parsed.intent)
        for example, parsed in zip(judged.examples, judged.found, strict=True)
        if example.intent != parsed.intent
    )
    ordered = sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))
    return [{"wanted": wanted, "got": got, "count": count} for (wanted, got), count in ordered]


def _mistakes(judged: Judged) -> list[dict[str, Any]]:
    """Every message that was misunderstood; those that were taken for something else come first, the surest on top."""
    wrong = [
        {
            "file": example.file,
            "line": example.line,
            "text": example.text,
            "wanted": example.intent,
            "got": parsed.intent,
            "guess": parsed.guess,
            "confidence": parsed.confidence,
        }
        for example, parsed in zip(judged.examples, judged.found, strict=True)
        if example.intent != parsed.intent
    ]
    return sorted(wrong, key=lambda one: (one["got"] == FALLBACK, -one["confidence"], one["file"], one["line"]))


def _entity_mistakes(judged: Judged) -> list[dict[str, Any]]:
    """Messages with a name that was missed, invented or taken for another."""
    wrong = []
    for index, (example, parsed) in enumerate(zip(judged.examples, judged.found, strict=True)):
        if any(counts[index][1:].any() for counts in judged.entities.values()):
            wanted, got = (
                [f"{entity.kind} {entity.value}" for entity in entities if entity.kind in KINDS]
                for entities in (wanted_entities(example, judged.names), parsed.entities)
            )
            place = {"file": example.file, "line": example.line, "text": example.text}
            wrong.append({**place, "wanted": wanted, "got": got})
    return wrong
