"""The measures against examples that were computed by hand."""

import numpy as np
import pytest

from nlu.evaluation import metrics
from nlu.evaluation.metrics import Entity, Score

# wanted a a a b b c; got a a b b c c
MATRIX = metrics.confusion(np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 2, 2]), 3)


def test_rows_are_what_was_wanted():
    assert MATRIX.tolist() == [[2, 1, 0], [0, 1, 1], [0, 0, 1]]


def test_scores():
    assert metrics.scores(MATRIX) == [
        Score(3, 2, 1.0, pytest.approx(2 / 3), pytest.approx(0.8)),
        Score(2, 2, 0.5, 0.5, 0.5),
        Score(1, 2, 0.5, 1.0, pytest.approx(2 / 3)),
    ]


def test_macro_f1_is_the_mean_of_the_chosen_labels():
    assert metrics.macro_f1(MATRIX, [0, 1, 2]) == pytest.approx((0.8 + 0.5 + 2 / 3) / 3)
    assert metrics.macro_f1(MATRIX, [1]) == 0.5


def test_a_label_that_nobody_meant_does_not_count():
    # b was predicted once and never meant
    matrix = metrics.confusion(np.array([0, 0]), np.array([0, 1]), 2)
    assert metrics.macro_f1(matrix, [0, 1]) == pytest.approx(2 / 3)
    assert metrics.macro_f1(matrix, [1]) is None
    assert metrics.macro_f1(matrix, []) is None


def test_a_label_that_was_meant_and_never_found_counts_as_nothing():
    matrix = metrics.confusion(np.array([0, 1]), np.array([0, 0]), 2)
    assert metrics.macro_f1(matrix, [0, 1]) == pytest.approx((2 / 3 + 0) / 2)


def test_accuracy_and_precision():
    assert metrics.accuracy(MATRIX) == pytest.approx(4 / 6)
    assert metrics.precision(MATRIX, 1) == 0.5
    assert metrics.precision(metrics.confusion(np.array([1]), np.array([0]), 2), 1) is None
    assert metrics.accuracy(np.zeros((2, 2), dtype=int)) is None


OKTA, JIRA = Entity("system", "okta", 10, 14), Entity("system", "jira", 20, 24)
ENTITIES = [
    ("found", [OKTA], [OKTA], (1, 0, 0)),
    ("found a little beside", [OKTA], [Entity("system", "okta", 13, 18)], (1, 0, 0)),
    ("found elsewhere", [OKTA], [Entity("system", "okta", 14, 18)], (0, 1, 1)),
    ("taken for another", [OKTA], [Entity("system", "jira", 10, 14)], (0, 1, 1)),
    ("of another type", [OKTA], [Entity("factor", "okta", 10, 14)], (0, 0, 1)),
    ("missed", [OKTA, JIRA], [JIRA], (1, 0, 1)),
    ("invented", [], [OKTA], (0, 1, 0)),
    ("found twice", [OKTA], [OKTA, Entity("system", "okta", 11, 14)], (1, 1, 0)),
    ("named twice, found once", [OKTA, Entity("system", "okta", 12, 16)], [OKTA], (1, 0, 1)),
]


@pytest.mark.parametrize("wanted, got, counts", [case[1:] for case in ENTITIES], ids=[case[0] for case in ENTITIES])
def test_entities(wanted, got, counts):
    assert metrics.count_entities(wanted, got, "system") == counts


def test_f1_of_counts():
    # precision 3/4, recall 3/5
    assert metrics.f1(3, 1, 2) == pytest.approx(2 * 0.75 * 0.6 / (0.75 + 0.6))
    assert metrics.f1(0, 0, 2) == 0.0
    assert metrics.f1(0, 0, 0) is None


def test_calibration():
    # two answers at 0.95, one of them wrong; one at 0.55 and right
    bins, error = metrics.calibration(np.array([0.95, 0.95, 0.55]), np.array([1.0, 0.0, 1.0]))
    assert [one.count for one in bins] == [0, 0, 0, 0, 0, 1, 0, 0, 0, 2]
    assert (bins[9].confidence, bins[9].accuracy) == (pytest.approx(0.95), 0.5)
    assert (bins[0].confidence, bins[0].accuracy) == (None, None)
    assert error == pytest.approx((2 * 0.45 + 1 * 0.45) / 3)


def test_confidences_0_and_1_have_a_bin():
    bins, error = metrics.calibration(np.array([0.0, 1.0, 0.1]), np.array([0.0, 1.0, 0.0]))
    assert (bins[0].count, bins[9].count) == (2, 1)
    assert error == pytest.approx(0.1 / 3)


def test_an_interval_is_wide_for_few_messages_and_narrow_for_many():
    def width(count):
        right = np.tile([1.0, 0.0], count // 2)
        low, high = metrics.interval(lambda rows: float(right[rows].mean()), metrics.draws(count))
        assert low < 0.5 < high
        return high - low

    # 2 * 1.96 * sqrt(0.25 / n)
    assert width(100) == pytest.approx(0.196, abs=0.02)
    assert width(2500) == pytest.approx(0.0392, abs=0.004)


def test_an_interval_is_the_same_every_time_and_none_of_nothing():
    assert (metrics.draws(50) == metrics.draws(50)).all()
    assert (metrics.draws(50, seed=1) != metrics.draws(50)).any()
    assert metrics.interval(lambda rows: None, metrics.draws(5)) is None
    assert metrics.interval(lambda rows: 1.0, metrics.draws(5)) == (1.0, 1.0)
