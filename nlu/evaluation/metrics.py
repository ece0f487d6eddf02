"""The measures: pure functions of what was wanted and what was understood. Undefined is None, never 0 or 1."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

DRAWS = 1000
SEED = 20240


@dataclass(frozen=True)
class Score:
    """Of one intent: `support` messages have it, `predicted` got it."""

    support: int
    predicted: int
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True)
class Entity:
    """A name found in or marked in a text: canonical value, characters `start` to `end`."""

    kind: str
    value: str
    start: int
    end: int


@dataclass(frozen=True)
class Bin:
    """Answers whose confidence lies in (low, high]: how many, how sure on average, and which share was right."""

    low: float
    high: float
    count: int
    confidence: float | None
    accuracy: float | None


def ratio(part: float, whole: float) -> float | None:
    """part / whole; None of nothing."""
    return float(part / whole) if whole else None


def f1(hits: float, false_alarms: float, misses: float) -> float | None:
    """The harmonic mean of precision and recall; None where nothing was wanted and nothing found."""
    return ratio(2 * hits, 2 * hits + false_alarms + misses)


def confusion(wanted: np.ndarray, got: np.ndarray, size: int) -> np.ndarray:
    """Counts, a row for each wanted label and a column for each predicted one; labels are numbers below `size`."""
    return np.bincount(wanted * size + got, minlength=size * size).reshape(size, size)


def scores(matrix: np.ndarray) -> list[Score]:
    """Precision, recall and F1 of every label."""
    found = []
    for label in range(len(matrix)):
        hits, support, predicted = (int(n) for n in (matrix[label, label], matrix[label].sum(), matrix[:, label].sum()))
        value = f1(hits, predicted - hits, support - hits)
        found.append(Score(support, predicted, ratio(hits, predicted), ratio(hits, support), value))
    return found


def macro_f1(matrix: np.ndarray, labels: Sequence[int]) -> float | None:
    """The mean F1 of those labels that some message has; each counts alike, however rare."""
    hits = np.diag(matrix)[labels]
    support, predicted = matrix.sum(axis=1)[labels], matrix.sum(axis=0)[labels]
    there = support > 0
    return float((2 * hits[there] / (support + predicted)[there]).mean()) if there.any() else None


def accuracy(matrix: np.ndarray) -> float | None:
    """The share of messages understood."""
    return ratio(np.trace(matrix), matrix.sum())


def precision(matrix: np.ndarray, label: int) -> float | None:
    """Of the messages taken for this label, the share that has it."""
    return ratio(matrix[label, label], matrix[:, label].sum())


def count_entities(wanted: Iterable[Entity], got: Iterable[Entity], kind: str) -> tuple[int, int, int]:
    """(hits, false alarms, misses) of a type in one message.

    A hit has the same value and a span that overlaps; each mention is matched once.
    """
    left = [entity for entity in got if entity.kind == kind]
    hits = misses = 0
    for entity in wanted:
        if entity.kind != kind:
            continue
        same = next((other for other in left if other.value == entity.value and _overlap(entity, other)), None)
        if same is None:
            misses += 1
        else:
            hits += 1
            left.remove(same)
    return hits, len(left), misses


def _overlap(one: Entity, other: Entity) -> bool:
    return one.start < other.end and other.start < one.end


def calibration(confidences: np.ndarray, right: np.ndarray, bins: int = 10) -> tuple[list[Bin], float | None]:
    """The bins of a reliability diagram, and the expected calibration error: how far confidence is from truth."""
    number = np.clip(np.ceil(confidences * bins).astype(int) - 1, 0, bins - 1)
    found, error = [], 0.0
    for index in range(bins):
        inside = number == index
        count = int(inside.sum())
        sure, true = (float(values[inside].mean()) if count else None for values in (confidences, right))
        found.append(Bin(index / bins, (index + 1) / bins, count, sure, true))
        error += abs(sure - true) * count if count else 0.0
    return found, ratio(error, len(confidences))


def draws(size: int, count: int = DRAWS, seed: int = SEED) -> np.ndarray:
    """Rows of message numbers drawn with replacement, the same ones every time."""
    return np.random.default_rng(seed).integers(0, size, (count, size))


def interval(measure: Callable[[np.ndarray], float | None], drawn: np.ndarray) -> tuple[float, float] | None:
    """The middle 95 % of a measure over the drawn messages; None where it is never defined."""
    values = [value for row in drawn if (value := measure(row)) is not None]
    return tuple(float(bound) for bound in np.percentile(values, [2.5, 97.5])) if values else None
