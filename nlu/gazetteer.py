"""Names of systems, devices and factors in a message: a spaCy phrase matcher over the words that were meant."""

import json
from typing import Any

import spacy
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.nlu.tokenizers.tokenizer import Token, Tokenizer
from rasa.shared.nlu.constants import ENTITIES, TEXT, TEXT_TOKENS
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc
from spacy.util import filter_spans

# The lookup table of phrases in which a name is an ordinary word ("the job ad"): the longest match wins, and hides it.
ORDINARY = "no_name"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class Gazetteer(GraphComponent, EntityExtractorMixin):
    """Finds the lookup tables' names in a message, and gives each the name that its synonym says.

    Typing errors are forgiven as far as nlu.spelling.SpellingCorrector, an earlier component, knows what was meant.
    """

    @classmethod
    def required_components(cls) -> list[type]:
        """A tokenizer comes first."""
        return [Tokenizer]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """There is nothing to set."""
        return {}

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
        self._model_storage = model_storage
        self._resource = resource
        # words are told apart by English rules alone; no statistical model is needed to find a name
        self._language = spacy.blank("en")
        self._synonyms: dict[str, str] = {}
        self._matcher = PhraseMatcher(self._language.vocab, attr="LOWER")

    def train(self, training_data: TrainingData) -> Resource:
        """Learns the lookup tables and the synonyms."""
        names: dict[str, list[str]] = {}
        for table in training_data.lookup_tables:
            names.setdefault(table["name"], []).extend(name.casefold() for name in table["elements"])
        synonyms = {alias.casefold(): name for alias, name in training_data.entity_synonyms.items()}
        known = {"names": names, "synonyms": synonyms}
        self._learn(known)
        with self._model_storage.write_to(self._resource) as folder:
            (folder / "names.json").write_text(json.dumps(known), encoding="utf-8")
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
        for alias, name in known["synonyms"].items():
            self._synonyms |= {" ".join(token.lower_ for token in words): name for words in self._readings(alias)}
        for kind, names in known["names"].items():
            self._matcher.add(kind, [words for name in names for words in self._readings(name)])

    def _readings(self, name: str) -> list[Doc]:
        """A name in words; in capitals they may be others: "id" is two ("I'd"), "ID" is one."""
        return [self._language.make_doc(name), self._language.make_doc(name.upper())]

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Leaves the examples as they are."""
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Adds the names found to each message's entities."""
        for message in messages:
            found = self._found(message.get(TEXT_TOKENS) or [], message.get(TEXT) or "")
            entities = self.add_extractor_name(found)
            message.set(ENTITIES, [*(message.get(ENTITIES) or []), *entities], add_to_output=True)
        return messages

    def _found(self, tokens: list[Token], text: str) -> list[dict[str, Any]]:
        """The longest names in the words that were meant, at the places where they were typed."""
        meant = Doc(self._language.vocab, words=[token.lemma for token in tokens])
        entities = []
        for span in filter_spans(self._matcher(meant, as_spans=True)):
            start, end = tokens[span.start].start, tokens[span.end - 1].end
            said = text[start:end].casefold()
            value = self._synonyms.get(span.text, said)
            if span.label_ != ORDINARY:
                entities.append({"entity": span.label_, "value": value, "start": start, "end": end})
        return entities
