"""Which intent a message has: logistic regression over the sentence's vector and its TF-IDF weighted words and letters.

The vector brings the meaning, the words and letter groups bring product names and typing errors.
"""

import json
from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.nlu.featurizers.featurizer import Featurizer
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy import sparse
from sklearn.linear_model import LogisticRegression

RANKING = "intent_ranking"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class SentenceClassifier(IntentClassifier, GraphComponent):
    """Predicts the intent with a probability for each.

    `C`: how closely to follow the training data. `sparse_weight`: how much words and letters count beside the vector.
    """

    @classmethod
    def required_components(cls) -> list[type]:
        """Featurizers come first."""
        return [Featurizer]

    @staticmethod
    def required_packages() -> list[str]:
        """Their versions are part of the fingerprint."""
        return ["sklearn"]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The settings that config.yml may change."""
        return {"C": 20.0, "sparse_weight": 0.5, "max_iter": 500, "ranking_length": 10}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "SentenceClassifier":
        """Makes an untrained classifier."""
        return cls(config, model_storage, resource)

    def __init__(self, config: dict[str, Any], model_storage: ModelStorage, resource: Resource) -> None:
        self._config = config
        self._model_storage = model_storage
        self._resource = resource
        # inverse document frequencies, by the featurizer that counted
        self._frequencies: dict[str, np.ndarray] = {}
        self._intents: list[str] = []
        # a row for each feature, a column for each intent
        self._weights = np.zeros((0, 0), dtype=np.float32)
        self._biases = np.zeros(0, dtype=np.float32)

    def train(self, training_data: TrainingData) -> Resource:
        """Learns from all examples that have a text and an intent, and stores what was learned."""
        examples = [example for example in training_data.intent_examples if example.get(TEXT) and example.get(INTENT)]
        labels = [example.get(INTENT) for example in examples]
        self._frequencies = _inverse_frequencies(examples)
        regression = LogisticRegression(
            C=self._config["C"], max_iter=self._config["max_iter"], class_weight="balanced", random_state=1
        )
        regression.fit(self._matrix(examples), labels)
        weights, biases = regression.coef_, regression.intercept_
        if len(regression.classes_) == 2:
            # one row decides between two intents: that of the second
            weights, biases = np.vstack([np.zeros_like(weights), weights]), np.array([0.0, biases[0]])
        self._intents = [str(intent) for intent in regression.classes_]
        self._weights, self._biases = weights.T.astype(np.float32), biases.astype(np.float32)
        self._store()
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Leaves the examples as they are: their intents are known."""
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Sets intent and ranking; a message without any text gets none."""
        for message in messages:
            if message.get(TEXT):
                ranking = self._ranking(message)
                message.set(INTENT, ranking[0], add_to_output=True)
                message.set(RANKING, ranking[: self._config["ranking_length"]], add_to_output=True)
            else:
                message.set(INTENT, {"name": None, "confidence": 0.0}, add_to_output=True)
        return messages

    def _ranking(self, message: Message) -> list[dict[str, Any]]:
        positions, values = self._features(message)
        scores = values @ self._weights[positions] + self._biases
        shares = np.exp(scores - scores.max())
        shares /= shares.sum()
        order = np.argsort(-shares, kind="stable")
        return [{"name": self._intents[i], "confidence": float(shares[i])} for i in order]

    def _features(self, message: Message) -> tuple[np.ndarray, np.ndarray]:
        """What is not zero: positions and values. Each featurizer's counts become TF-IDF of length 1."""
        counted = _counts(message)
        positions, values, width = [], [], 0
        for origin, idf in sorted(self._frequencies.items()):
            row = counted.get(origin)
            if row is not None and row.nnz:
                weighted = (1 + np.log(row.data)) * idf[row.indices]
                positions.append(width + row.indices)
                values.append(weighted * (self._config["sparse_weight"] / np.linalg.norm(weighted)))
            width += len(idf)
        _, dense = message.get_dense_features(TEXT)
        if dense is not None:
            vector = dense.features[0]
            positions.append(width + np.arange(len(vector)))
            values.append(vector)
        nothing = np.zeros(0)
        return np.concatenate([nothing, *positions]).astype(int), np.concatenate([nothing, *values]).astype(np.float32)

    def _matrix(self, examples: list[Message]) -> sparse.csr_matrix:
        rows = [self._features(example) for example in examples]
        positions, values = (np.concatenate(parts) for parts in zip(*rows, strict=True))
        starts = np.cumsum([0, *(len(found) for found, _ in rows)])
        _, dense = examples[0].get_dense_features(TEXT)
        width = sum(map(len, self._frequencies.values())) + (0 if dense is None else dense.features.shape[1])
        return sparse.csr_matrix((values, positions, starts), shape=(len(examples), width))

    def _store(self) -> None:
        with self._model_storage.write_to(self._resource) as folder:
            arrays = {f"idf:{origin}": idf for origin, idf in self._frequencies.items()}
            np.savez_compressed(folder / "weights.npz", weights=self._weights, biases=self._biases, **arrays)
            (folder / "intents.json").write_text(json.dumps(self._intents), encoding="utf-8")

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> "SentenceClassifier":
        """Reads a trained classifier: plain numbers and names, nothing that could run."""
        classifier = cls(config, model_storage, resource)
        with model_storage.read_from(resource) as folder:
            classifier._intents = json.loads((folder / "intents.json").read_text(encoding="utf-8"))
            with np.load(folder / "weights.npz", allow_pickle=False) as arrays:
                classifier._weights, classifier._biases = arrays["weights"], arrays["biases"]
                classifier._frequencies = {
                    name.removeprefix("idf:"): arrays[name] for name in arrays.files if name.startswith("idf:")
                }
        return classifier


def _counts(message: Message) -> dict[str, sparse.csr_matrix]:
    """What each sparse featurizer counted in the whole message, by the featurizer."""
    return {
        feature.origin: feature.features.tocsr().astype(np.float32)
        for feature in message.features
        if feature.attribute == TEXT and feature.is_sparse() and feature.type == FEATURE_TYPE_SENTENCE
    }


def _inverse_frequencies(examples: list[Message]) -> dict[str, np.ndarray]:
    """The rarer in the training data, the heavier; smoothed as scikit-learn does."""
    rows: dict[str, list[sparse.csr_matrix]] = {}
    for example in examples:
        for origin, counts in _counts(example).items():
            rows.setdefault(origin, []).append(counts)
    frequencies = {}
    for origin, counted in rows.items():
        documents = np.asarray((sparse.vstack(counted) > 0).sum(axis=0)).ravel()
        frequencies[origin] = (np.log((1 + len(examples)) / (1 + documents)) + 1).astype(np.float32)
    return frequencies
