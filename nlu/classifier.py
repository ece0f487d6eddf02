"""Which intent a message has: logistic regression over what it means, and another over its words and letters.

The vector brings the meaning, the TF-IDF weighted words and letter groups bring product names and habits of speech.
Each is learned apart, so that neither leans on the other, and their scores are added.
"""

import json
import warnings
from collections import Counter
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
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

RANKING = "intent_ranking"
# where a number of the vector never changes
TINY = 1e-9


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class SentenceClassifier(IntentClassifier, GraphComponent):
    """Predicts the intent with a probability for each.

    `C`: how closely to follow the training data. `balance`: how far rare intents are made up for, from 0 (not) to 1.
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
        return {"C": 10.0, "balance": 0.5, "max_iter": 50, "ranking_length": 10}

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
        self._intents = sorted(set(labels))
        self._frequencies = _inverse_frequencies(examples)
        parts = [self._fit(part, labels) for part in (self._counted(examples), _vectors(examples)) if part.shape[1]]
        self._weights = np.vstack([weights for weights, _ in parts]).astype(np.float32)
        self._biases = sum(biases for _, biases in parts).astype(np.float32)
        self._store()
        return self._resource

    def _fit(self, features: sparse.csr_matrix | np.ndarray, labels: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """A row of weights for each feature as it comes, a column and a bias for each intent."""
        middle, spread = np.zeros(features.shape[1]), np.ones(features.shape[1])
        if not sparse.issparse(features):
            middle, spread = features.mean(axis=0), features.std(axis=0) + TINY
            # so that a vector is about as long as one that was counted
            spread *= np.sqrt(len(spread))
            features = (features - middle) / spread
        counts = Counter(labels)
        even = len(labels) / len(counts)
        regression = LogisticRegression(
            C=self._config["C"],
            max_iter=self._config["max_iter"],
            class_weight={intent: (even / count) ** self._config["balance"] for intent, count in counts.items()},
            random_state=1,
        )
        with warnings.catch_warnings():
            # the last steps change nothing that can be measured
            warnings.simplefilter("ignore", ConvergenceWarning)
            regression.fit(features, labels)
        weights, biases = regression.coef_.T, regression.intercept_
        if len(counts) == 2:
            # one column decides between two intents: that of the second
            weights, biases = np.hstack([np.zeros_like(weights), weights]), np.array([0.0, biases[0]])
        weights = weights / spread[:, None]
        return weights, biases - middle @ weights

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
        positions, values = self._weighted_counts(message)
        scores = values @ self._weights[positions] + self._biases
        _, dense = message.get_dense_features(TEXT)
        if dense is not None:
            scores = scores + dense.features[0] @ self._weights[-dense.features.shape[1] :]
        shares = np.exp(scores - scores.max())
        shares /= shares.sum()
        order = np.argsort(-shares, kind="stable")
        return [{"name": self._intents[i], "confidence": float(shares[i])} for i in order]

    def _weighted_counts(self, message: Message) -> tuple[np.ndarray, np.ndarray]:
        """Each featurizer's counts as TF-IDF of length 1: the positions and values that are not zero."""
        counted = _counts(message)
        positions, values, width = [np.zeros(0, int)], [np.zeros(0, np.float32)], 0
        for origin, idf in sorted(self._frequencies.items()):
            row = counted.get(origin)
            if row is not None and row.nnz:
                weighted = (1 + np.log(row.data)) * idf[row.indices]
                positions.append(width + row.indices)
                values.append(weighted / np.linalg.norm(weighted))
            width += len(idf)
        return np.concatenate(positions), np.concatenate(values)

    def _counted(self, examples: list[Message]) -> sparse.csr_matrix:
        rows = [self._weighted_counts(example) for example in examples]
        positions, values = (np.concatenate(parts) for parts in zip(*rows, strict=True))
        starts = np.cumsum([0, *(len(found) for found, _ in rows)])
        width = sum(map(len, self._frequencies.values()))
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


def _vectors(examples: list[Message]) -> np.ndarray:
    """A row for each example: its vector, or no number at all where the configuration has none."""
    found = [example.get_dense_features(TEXT)[1] for example in examples]
    return np.stack([np.zeros(0, np.float32) if dense is None else dense.features[0] for dense in found])


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
