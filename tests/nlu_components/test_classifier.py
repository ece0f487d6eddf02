"""The classifier by itself, on a handful of messages with features made here."""

import numpy as np
import pytest
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy import sparse

from nlu.classifier import SentenceClassifier

WORDS = ["locked", "password", "phone", "the"]
EXAMPLES = [
    ("locked the", "unlock_account"),
    ("the locked locked", "unlock_account"),
    ("password the", "reset_password"),
    ("the password", "reset_password"),
    ("phone the", "reset_mfa"),
    ("the phone phone", "reset_mfa"),
]


def message(text, intent=None, dense=True, counted=True):
    """A message with word counts and a vector, as the featurizers leave it."""
    made = Message.build(text, intent)
    counts = np.array([[text.split().count(word) for word in WORDS]], dtype=float)
    if counted:
        made.add_features(Features(sparse.coo_matrix(counts), FEATURE_TYPE_SENTENCE, TEXT, "words"))
    if dense:
        vector = (counts[:, :3] / (np.linalg.norm(counts[:, :3]) or 1)).astype(np.float32)
        made.add_features(Features(vector, FEATURE_TYPE_SENTENCE, TEXT, "vector"))
    return made


def trained(folder, examples=EXAMPLES, **features):
    """A classifier that learned the examples, was stored, and was read again."""
    folder.mkdir(exist_ok=True)
    storage, resource = LocalModelStorage(folder), Resource("classifier")
    context = ExecutionContext(GraphSchema({}))
    config = SentenceClassifier.get_default_config()
    data = TrainingData([message(text, intent, **features) for text, intent in examples])
    SentenceClassifier.create(config, storage, resource, context).train(data)
    return SentenceClassifier.load(config, storage, resource, context)


def ranking(classifier, asked):
    classifier.process([asked])
    assert asked.get("intent") == asked.get("intent_ranking")[0]
    return asked.get("intent_ranking")


@pytest.mark.parametrize("features", [{}, {"dense": False}, {"counted": False}], ids=["both", "words", "vector"])
def test_learns_and_remembers(tmp_path, features):
    classifier = trained(tmp_path, **features)
    for text, intent in (("locked", "unlock_account"), ("password", "reset_password"), ("phone", "reset_mfa")):
        ranked = ranking(classifier, message(text, **features))
        assert ranked[0]["name"] == intent
        assert sum(entry["confidence"] for entry in ranked) == pytest.approx(1, abs=1e-5)
        assert ranked == sorted(ranked, key=lambda entry: -entry["confidence"])


def test_two_intents_are_enough(tmp_path):
    classifier = trained(tmp_path, EXAMPLES[:4])
    assert ranking(classifier, message("locked"))[0]["name"] == "unlock_account"
    assert ranking(classifier, message("password"))[0]["name"] == "reset_password"


def test_a_word_it_never_saw_decides_nothing(tmp_path):
    ranked = ranking(trained(tmp_path), message("sofa"))
    assert ranked[0]["confidence"] < 0.5


def test_a_message_that_a_featurizer_passed_over_is_classified_by_the_other(tmp_path):
    assert ranking(trained(tmp_path), message("locked", counted=False))[0]["name"] == "unlock_account"


def test_a_message_without_text_has_no_intent(tmp_path):
    empty = Message(data={"text": ""})
    trained(tmp_path).process([empty])
    assert empty.get("intent") == {"name": None, "confidence": 0.0}


def test_the_same_data_gives_the_same_numbers(tmp_path):
    first, second = (ranking(trained(tmp_path / name), message("locked the")) for name in ("a", "b"))
    assert first == second
