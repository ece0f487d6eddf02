"""The encoder's last layers are taught the intents: repeatable, kept with the model, and run as they were taught."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.encoder import LowerLayers, UpperLayers, published_weights
from nlu.encoder_graph import LAYERS, LOWER
from nlu.meaning import SCORES, MeaningScorer
from nlu.spelling import MEANT
from nlu.tuning import KINDS, PARTS, Plan, _Learner

EXAMPLES = {
    "lock": ["I'm locked out", "too many tries, it shut me out", "please unlock my account", "my account is blocked"],
    "phone": ["I have a new phone", "my mobile broke", "lost the phone with the codes", "handset was stolen"],
    "food": ["what's for lunch", "the soup was cold", "is there cake today", "I'm hungry"],
}
NEVER_SEEN = {"it blocked me after too many tries": "lock", "somebody took my cell": "phone", "any soup left": "food"}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A folder for the lower layers' graph."""
    return str(tmp_path_factory.mktemp("cache"))


def trained(folder, cache):
    """A scorer that learned the examples, was stored, and was read again."""
    folder.mkdir(exist_ok=True)
    storage, resource, context = LocalModelStorage(folder), Resource("scorer"), ExecutionContext(GraphSchema({}))
    config = {**MeaningScorer.get_default_config(), "cache": cache, "epochs": 8, "batch": 4}
    data = TrainingData([Message.build(text, intent) for intent, texts in EXAMPLES.items() for text in texts])
    MeaningScorer.create(config, storage, resource, context).train(data)
    return MeaningScorer.load(config, storage, resource, context)


@pytest.fixture(scope="module")
def scorer(tmp_path_factory, cache):
    """One trained for all tests that ask it."""
    return trained(tmp_path_factory.mktemp("scorer"), cache)


def scores(scorer, text, **data):
    message = Message(data={"text": text, **data})
    scorer.process([message])
    return message.get(SCORES)


@pytest.mark.parametrize("text, intent", NEVER_SEEN.items())
def test_scores_the_intent_of_messages_it_never_saw(scorer, text, intent):
    found = scores(scorer, text)
    assert max(found, key=found.get) == intent


def test_reads_what_was_meant(scorer):
    assert scores(scorer, "xxxx", **{MEANT: "any soup left"}) == scores(scorer, "any soup left")


def test_a_message_without_text_has_no_scores(scorer):
    assert scores(scorer, "") is None


def test_the_same_examples_give_the_same_scores(scorer, tmp_path, cache):
    again = trained(tmp_path / "again", cache)
    for text in NEVER_SEEN:
        assert scores(again, text) == scores(scorer, text)


def test_what_is_taught_is_what_runs(cache):
    """TensorFlow teaches and ONNX Runtime runs: both compute the same, also beside a longer message."""
    published = published_weights()
    lower, upper = LowerLayers(Path(cache)), UpperLayers(published)
    vectors = [lower.vectors(text) for text in ("locked", "somebody took my phone and now I can't sign in")]
    names = [f"encoder.layer.{n}.{part}.{kind}" for n in range(LOWER, LAYERS) for part in PARTS for kind in KINDS]
    variables = {name: tf.Variable(published[name]) for name in names}
    variables |= {"head.weight": tf.Variable(tf.eye(384)), "head.bias": tf.Variable(tf.zeros([384]))}
    learner = _Learner(Plan(1, 1e-4, 1e-3, dropout=0.0, smoothing=0.0, slips=0.0), variables, tf.ones([384]))
    length = max(map(len, vectors))
    padded = np.stack([np.pad(one, ((0, length - len(one)), (0, 0)), constant_values=9.0) for one in vectors])
    mask = np.array([[float(at < len(one)) for at in range(length)] for one in vectors], np.float32)
    taught = learner._scores(tf.constant(padded), tf.constant(mask), tf.constant(1)).numpy()
    for row, one in zip(taught, vectors, strict=True):
        assert row == pytest.approx(upper.sentence(one), abs=1e-4)
