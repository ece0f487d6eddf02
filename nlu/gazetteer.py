"""Names of systems, devices and factors in a message: a spaCy phrase matcher, and a look at near misses."""

import json
from collections import Counter
from typing import Any

import spacy
from rapidfuzz.distance import OSA
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc, Span
from spacy.util import filter_spans

# A word that occurs this often in the training data is a word, not a name with a typing error.
WORD_FROM = 2


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class Gazetteer(GraphComponent, EntityExtractorMixin):
    """Finds the lookup tables' names in a message, and gives each the name that its synonym says.

    `shortest`: names with fewer letters are not recognised with a typing error; from `two_errors_from` letters on, two
    errors are forgiven.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The settings that config.yml may change."""
        return {"shortest": 4, "two_errors_from": 8}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "Gazetteer":
        """Makes one that knows no names yet."""
        return cls(config, model_storage, resource)

    def __init__(self, config: dict[str, Any], model_storage: ModelStorage, resource: Resource) -> None:
        self._config = config
        self._model_storage = model_storage
        self._resource = resource
        # words are told apart by English rules alone; no statistical model is needed to find a name
        self._language = spacy.blank("en")
        self._known: dict[str, Any] = {"names": {}, "synonyms": {}, "words": []}
        self._matcher = PhraseMatcher(self._language.vocab, attr="LOWER")

    def train(self, training_data: TrainingData) -> Resource:
        """Learns the lookup tables, the synonyms, and which words are just words."""
        names: dict[str, list[str]] = {}
        for table in training_data.lookup_tables:
            names.setdefault(table["name"], []).extend(name.casefold() for name in table["elements"])
        words = Counter(
            token.lower_
            for example in training_data.intent_examples
            for token in self._language(example.get(TEXT) or "")
        )
        synonyms = {alias.casefold(): name for alias, name in training_data.entity_synonyms.items()}
        common = sorted(word for word, count in words.items() if count >= WORD_FROM)
        self._learn({"names": names, "synonyms": synonyms, "words": common})
        with self._model_storage.write_to(self._resource) as folder:
            (folder / "names.json").write_text(json.dumps(self._known), encoding="utf-8")
        return self._resource

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> "Gazetteer":
        """Reads the names that training stored."""
        gazetteer = cls(config, model_storage, resource)
        with model_storage.read_from(resource) as folder:
            gazetteer._learn(json.loads((folder / "names.json").read_text(encoding="utf-8")))
        return gazetteer

    def _learn(self, known: dict[str, Any]) -> None:
        self._known = known
        self._words = set(known["words"])
        self._single = {
            name: kind
            for kind, names in known["names"].items()
            for name in names
            if " " not in name and len(name) >= self._config["shortest"]
        }
        for kind, names in known["names"].items():
            self._matcher.add(kind, [self._language.make_doc(name) for name in names])

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Leaves the examples as they are."""
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Adds the names found to each message's entities."""
        for message in messages:
            found = [self._entity(span) for span in self._spans(self._language.make_doc(message.get(TEXT) or ""))]
            entities = self.add_extractor_name(found)
            message.set(ENTITIES, [*(message.get(ENTITIES) or []), *entities], add_to_output=True)
        return messages

    def _spans(self, doc: Doc) -> list[Span]:
        """The longest names, then misspelt ones in what is left."""
        exact = filter_spans(self._matcher(doc, as_spans=True))
        taken = {token.i for span in exact for token in span}
        near = [
            Span(doc, token.i, token.i + 1, label=kind)
            for token in doc
            if token.i not in taken and (kind := self._near_miss(token.lower_))
        ]
        return sorted([*exact, *near], key=lambda span: span.start)

    def _near_miss(self, word: str) -> str | None:
        nearest = self._nearest(word)
        return self._single[nearest] if nearest else None

    def _nearest(self, word: str) -> str | None:
        if word in self._words or not word.isalpha():
            return None
        best = min(self._single, key=lambda name: OSA.distance(word, name), default=None)
        if best is None or best[0] != word[0]:
            return None
        forgiven = 2 if len(best) >= self._config["two_errors_from"] else 1
        return best if OSA.distance(word, best) <= forgiven else None

    def _entity(self, span: Span) -> dict[str, Any]:
        said = span.text.casefold()
        if said not in self._known["names"][span.label_]:
            said = self._nearest(said) or said
        value = self._known["synonyms"].get(said, said)
        return {"entity": span.label_, "value": value, "start": span.start_char, "end": span.end_char}
