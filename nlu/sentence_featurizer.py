"""The sentence encoder as a Rasa featurizer: one dense vector for each message."""

from pathlib import Path
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.featurizers.dense_featurizer.dense_featurizer import DenseFeaturizer
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.encoder import SentenceEncoder, fingerprint
from nlu.spelling import MEANT


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class SentenceFeaturizer(DenseFeaturizer, GraphComponent):
    """Adds what a message means as a vector, with typing errors out of the way if somebody corrected them.

    `cache`: the folder for the encoder's graph.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The settings that config.yml may change."""
        return {**DenseFeaturizer.get_default_config(), "cache": "var/cache"}

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Nothing to check: any folder will do."""

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "SentenceFeaturizer":
        """Makes the featurizer; the encoder is ready afterwards."""
        return cls(execution_context.node_name, config)

    def __init__(self, name: str, config: dict[str, Any]) -> None:
        super().__init__(name, config)
        self._encoder = SentenceEncoder(Path(config["cache"]))

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """The encoder's content, so that Rasa trains again when it changes under the same package name."""
        return fingerprint()

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Adds the vectors to all training examples, one at a time as in a conversation."""
        self.process(training_data.training_examples)
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Adds the vectors to messages."""
        for message in messages:
            text = message.get(MEANT) or message.get(TEXT)
            if text:
                vector = self._encoder.encode(text).reshape(1, -1)
                message.add_features(Features(vector, FEATURE_TYPE_SENTENCE, TEXT, self._identifier))
        return messages
