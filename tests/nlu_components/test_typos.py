"""A typing error is one edit in one word, and always the same."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from nlu.evaluation import typos
from nlu.evaluation.typos import with_typo


@given(st.text(alphabet="abcdefgh .,!'é1AZ", max_size=60), st.integers(0, 50))
def test_one_edit_in_one_long_word(text, seed):
    changed = with_typo(text, seed)
    long_words = re.findall("[A-Za-z]{4,}", text)
    assert OSA.distance(text, changed) == (1 if long_words else 0)
    assert with_typo(text, seed) == changed


@pytest.mark.parametrize("text", ["", "hi", "I am in", "12345678", "🙂🙂🙂🙂"])
def test_short_words_are_left_alone(text):
    assert with_typo(text) == text


def test_all_four_edits_occur_and_keep_capitals():
    lengths = [len(with_typo("OKTA", seed)) - 4 for seed in range(60)]
    assert {lengths.count(change) > 5 for change in (-1, 0, 1)} == {True}
    swapped = [with_typo("OKTA", seed) for seed in range(60)]
    assert {"KOTA", "OTKA", "OKAT"} <= set(swapped)
    assert all(word.isupper() for word in swapped)


def test_neighbours_are_keys_beside_one_another():
    assert set(typos.NEIGHBOURS["a"]) == set("qwsz")
    assert set(typos.NEIGHBOURS["g"]) == set("tyfhvb")
    assert set(typos.NEIGHBOURS["p"]) == set("ol")
    assert all(key in typos.NEIGHBOURS[other] for key, near in typos.NEIGHBOURS.items() for other in near)
