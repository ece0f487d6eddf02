"""The encoder is taught our intents: repeatable, small, and run as it was taught."""

import json

import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
from safetensors import safe_open
from safetensors.numpy import load_file

from nlu import assets, encoder_graph, tuning
from nlu.encoder import adapted, load_tokenizer, published_weights
from nlu.encoder_graph import LAYERS, MATRICES, NORMS, WIDTH
from nlu.spelling import Speller, word_counts
from nlu.tuning import Plan, padded, teach

EXAMPLES = {
    "lock": ["I'm locked out", "too many tries, it shut me out", "please unlock my account", "my account is blocked"],
    "phone": ["I have a new phone", "my mobile broke", "lost the phone with the codes", "handset was stolen"],
    "food": ["what's for lunch", "the soup was cold", "is there cake today", "I'm hungry"],
}
QUICK = Plan(epochs=1, rank=2, batch=4)


def taught(plan):
    texts = [text for some in EXAMPLES.values() for text in some]
    intents = [number for number, some in enumerate(EXAMPLES.values()) for _ in some]
    return teach(texts, intents, Speller(word_counts(texts, []), 4), plan, say=lambda _: None)


@pytest.fixture(scope="module")
def learner():
    """One that learned a little, for all tests that ask it."""
    return taught(QUICK)


def test_what_is_taught_is_what_runs(learner, tmp_path):
    """TensorFlow teaches and ONNX Runtime runs: both compute the same, also beside a longer message."""
    chance = np.random.default_rng(1)
    for variable in learner.learned.values():
        # as if it had learned much
        variable.assign_add((0.05 * chance.standard_normal(variable.shape)).astype(np.float32))
    graph = tmp_path / "graph.onnx"
    encoder_graph.build(adapted(published_weights(), learner.adapter()), graph)
    session, tokenizer = onnxruntime.InferenceSession(str(graph)), load_tokenizer()
    rows = [tokenizer.encode(text).ids for text in ("locked", "somebody took my phone and now I can't sign in")]
    vectors = learner.sentence(*map(tf.constant, padded(rows))).numpy()
    for row, vector in zip(rows, vectors, strict=True):
        (sentence,) = session.run(["sentence"], {"ids": np.array(row, np.int64)})
        # the adapter is half as exact as what was taught
        assert sentence[-WIDTH:] == pytest.approx(vector, abs=0.01)
    encoder_graph.build(published_weights(), graph)
    (published,) = onnxruntime.InferenceSession(str(graph)).run(["sentence"], {"ids": np.array(rows[-1], np.int64)})
    assert np.abs(published[-WIDTH:] - vectors[-1]).max() > 0.1


def test_the_same_examples_give_the_same_adapter():
    one, other = (taught(QUICK).adapter() for _ in range(2))
    assert all(np.array_equal(one[name], other[name]) for name in one | other)
    another = taught(Plan(epochs=1, rank=2, batch=4, seed=2)).adapter()
    assert not all(np.array_equal(one[name], another[name]) for name in one)


def test_a_file_that_cannot_be_read_is_named(tmp_path, capsys):
    out = tmp_path / "adapter"
    assert tuning.main(["--data", str(tmp_path / "nothing"), "--out", str(out)]) == 1
    assert "nothing: there is no such file or folder" in capsys.readouterr().err
    assert not out.exists()


def test_the_adapter_at_hand_is_small_and_was_made_by_the_plan_that_stands_here():
    assert assets.ADAPTER.stat().st_size < 1e6
    with safe_open(assets.ADAPTER, "numpy") as file:
        made = json.loads(file.metadata()["made"])
    assert made.items() >= vars(Plan()).items(), "the plan changed: run make tune"
    published = published_weights()
    changed = adapted(published, load_file(assets.ADAPTER))
    assert changed.keys() == published.keys()
    learned = [name for name in changed if not np.array_equal(changed[name], published[name])]
    assert len(learned) == LAYERS * 2 * len(MATRICES + NORMS)
    assert all(np.isfinite(changed[name]).all() and changed[name].dtype == np.float32 for name in learned)
