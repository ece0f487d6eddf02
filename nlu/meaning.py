"""What a whole sentence speaks for: the sentence encoder, its last layers taught to tell the intents apart."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu import assets, tuning
from nlu.encoder import LowerLayers, UpperLayers, fingerprint, published_weights
from nlu.spelling import MEANT
from nlu.tuning import Plan, Taught
from nlu.typos import with_typo

# For nlu.classifier.SentenceClassifier: {intent: score}, comparable with each other alone.
SCORES = "meaning_scores"
# Other slips than those which messages are measured with.
SLIPS_SEED = 1


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class MeaningScorer(GraphComponent):
    """Scores each intent for what a message means; nlu.classifier.SentenceClassifier adds its own and decides.

    `cache`: the folder for the lower layers' graph; the other settings are those of nlu.tuning.Plan.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The settings that config.yml may change."""
        plan = {"epochs": 3, "rate": 3e-4, "head_rate": 2e-3, "dropout": 0.1, "smoothing": 0.1, "slips": 0.3}
        return {**plan, "batch": 32, "seed": 1, "cache": "var/cache"}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "MeaningScorer":
        """Makes one that knows no intents yet."""
        return cls(config, model_storage, resource)

    def __init__(self, config: dict[str, Any], model_storage: ModelStorage, resource: Resource) -> None:
        self._config = config
        self._model_storage = model_storage
        self._resource = resource
        self._lower = LowerLayers(Path(config["cache"]))
        self._intents: list[str] = []

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """The encoder's content and how it is taught, so that Rasa trains again when either changes."""
        return f"{fingerprint()}-{assets.file_hash(Path(tuning.__file__))[:8]}"

    def train(self, training_data: TrainingData) -> Resource:
        """Learns from all examples that have a text and an intent, and stores what was learned."""
        examples = [example for example in training_data.intent_examples if example.get(TEXT) and example.get(INTENT)]
        texts = [meant(example) for example in examples]
        intents = sorted({example.get(INTENT) for example in examples})
        taught = tuning.teach(
            published_weights(),
            [self._lower.vectors(text) for text in texts],
            [self._lower.vectors(with_typo(text, SLIPS_SEED)) for text in texts],
            [intents.index(example.get(INTENT)) for example in examples],
            Plan(**{name: value for name, value in self._config.items() if name in Plan.__dataclass_fields__}),
        )
        with self._model_storage.write_to(self._resource) as folder:
            # half as exact is exact enough, and half as large
            layers = {name: values.astype(np.float16) for name, values in taught.layers.items()}
            np.savez_compressed(folder / "layers.npz", **layers, head=taught.head, bias=taught.bias)
            (folder / "intents.json").write_text(json.dumps(intents), encoding="utf-8")
        return self._resource

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> "MeaningScorer":
        """Reads what was learned: plain numbers and names, nothing that could run."""
        scorer = cls(config, model_storage, resource)
        with model_storage.read_from(resource) as folder:
            intents = json.loads((folder / "intents.json").read_text(encoding="utf-8"))
            with np.load(folder / "layers.npz", allow_pickle=False) as arrays:
                numbers = {name: arrays[name].astype(np.float32) for name in arrays.files}
        scorer._use(intents, Taught(numbers, numbers.pop("head"), numbers.pop("bias")))
        return scorer

    def _use(self, intents: list[str], taught: Taught) -> None:
        self._intents = intents
        self._upper = UpperLayers(taught.layers)
        self._head, self._bias = taught.head, taught.bias

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Leaves the examples as they are: their intents are known."""
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Gives messages with a text their scores."""
        for message in messages:
            if message.get(TEXT):
                sentence = self._upper.sentence(self._lower.vectors(meant(message)))
                scores = sentence @ self._head + self._bias
                message.set(SCORES, dict(zip(self._intents, map(float, scores), strict=True)))
        return messages


def meant(message: Message) -> str:
    """The text as it was meant, or as it was typed where nobody asked what was meant."""
    return message.get(MEANT) or message.get(TEXT)
