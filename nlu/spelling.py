"""Typing errors: a word that nobody knows becomes the known word that is one slip away.

Meaning, words and letters are then read from the words that were meant (`meant_text`, the tokens' lemmas); the message
itself, and what an entity quotes from it, stay as they were typed.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from rapidfuzz import process
from rapidfuzz.distance import OSA
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import TEXT, TEXT_TOKENS
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu import assets

MEANT = "meant_text"
WORD = re.compile(r"[^\W\d_]+")
# A word that is in no dictionary counts as one from this many messages on; before, it may be a slip itself.
WORD_FROM = 2
# Words in so many messages are what others are corrected to, also where no dictionary has them; so are names.
SURE_FROM = 5


@cache
def dictionary() -> frozenset[str]:
    """Common English words in small letters: those that the sentence encoder knows whole."""
    content = json.loads((assets.encoder_folder() / "tokenizer.json").read_text(encoding="utf-8"))
    return frozenset(word for word in content["model"]["vocab"] if word.isalpha())


class Speller:
    """Knows words by how often they were written (`counts`, in small letters); no word below `shortest` is a slip."""

    def __init__(self, counts: Mapping[str, int], shortest: int) -> None:
        self._counts = counts
        self._shortest = shortest
        english = dictionary()
        self._known = english | {word for word, count in counts.items() if count >= WORD_FROM}
        self._meant = sorted(
            word for word, count in counts.items() if len(word) >= shortest and (word in english or count >= SURE_FROM)
        )

    def word(self, typed: str) -> str:
        """What was meant: in small letters where it differs, else as typed."""
        word = typed.casefold()
        if len(word) < self._shortest or word in self._known or not word.isalpha():
            return typed
        near = process.extract(word, self._meant, scorer=OSA.distance, score_cutoff=1, limit=None)
        # the first letter is seldom wrong, and of two words the one that people write more often is meant
        best = max(near, key=lambda found: (found[0][0] == word[0], self._counts[found[0]]), default=None)
        return best[0] if best else typed

    def text(self, typed: str) -> str:
        """A text with its words as they were meant."""
        return WORD.sub(lambda found: self.word(found.group()), typed)


def word_counts(texts: Iterable[str], names: Iterable[str]) -> dict[str, int]:
    """In how many places each word was written; names count as if written often."""
    counts = Counter(word for text in texts for word in WORD.findall(text.casefold()))
    for word in {word for name in names for word in WORD.findall(name.casefold())}:
        counts[word] += SURE_FROM
    return dict(sorted(counts.items()))


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_TOKENIZER, is_trainable=True)
class SpellingCorrector(GraphComponent):
    """Gives each message `meant_text`, and each of its tokens the word that was meant as its lemma."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The settings that config.yml may change."""
        return {"shortest": 4}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "SpellingCorrector":
        """Makes one that knows the dictionary alone."""
        return cls(config, model_storage, resource, {})

    def __init__(
        self, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, counts: dict[str, int]
    ) -> None:
        self._config = config
        self._model_storage = model_storage
        self._resource = resource
        self._learn(counts)

    def _learn(self, counts: dict[str, int]) -> None:
        self._counts = counts
        self._speller = Speller(counts, self._config["shortest"])

    def train(self, training_data: TrainingData) -> Resource:
        """Counts the words of the examples and of the lookup tables."""
        names = [name for table in training_data.lookup_tables for name in table["elements"]]
        self._learn(word_counts((example.get(TEXT) or "" for example in training_data.intent_examples), names))
        with self._model_storage.write_to(self._resource) as folder:
            (folder / "words.json").write_text(json.dumps(self._counts), encoding="utf-8")
        return self._resource

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> "SpellingCorrector":
        """Reads the words that training counted."""
        with model_storage.read_from(resource) as folder:
            counts = json.loads((folder / "words.json").read_text(encoding="utf-8"))
        return cls(config, model_storage, resource, counts)

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Examples have slips, too: they are read as messages will be."""
        self.process(training_data.training_examples)
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Says of messages what was meant."""
        for message in messages:
            message.set(MEANT, self._speller.text(message.get(TEXT) or ""))
            for token in message.get(TEXT_TOKENS) or []:
                token.lemma = self._speller.word(token.text).casefold()
        return messages
