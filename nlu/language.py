"""spaCy, known to Rasa by content: a model that changed under the same name is trained against again."""

from dataclasses import dataclass
from typing import Any

import spacy
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.nlu.utils import spacy_utils
from rasa.shared.exceptions import RasaException

from nlu import assets

# What is used is how the language splits words. Nothing of ours reads what these find, and they take most of the time.
UNUSED_PIPES = ["tok2vec", "tagger", "parser", "senter", "attribute_ruler", "lemmatizer", "ner"]


@dataclass
class HashedSpacyModel(spacy_utils.SpacyModel):
    """A loaded spaCy model whose fingerprint is its content, not its name."""

    def fingerprint(self) -> str:
        """Name and hash."""
        return f"{self.model_name}-{assets.spacy_hash(self.model_name)}"


# Rasa gives the model to SpacyTokenizer and others by this very class name.
@DefaultV1Recipe.register(
    [DefaultV1Recipe.ComponentType.MODEL_LOADER, DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER],
    is_trainable=False,
    model_from="SpacyNLP",
)
class SpacyNLP(spacy_utils.SpacyNLP):
    """Loads a spaCy model package without the parts that nothing here uses."""

    @staticmethod
    def load_model(spacy_model_name: str) -> HashedSpacyModel:
        """Loads the package; RasaException with a remedy if it is not installed."""
        try:
            assets.package_folder(spacy_model_name)
        except assets.AssetMissing as missing:
            raise RasaException(str(missing)) from missing
        return HashedSpacyModel(spacy.load(spacy_model_name, exclude=UNUSED_PIPES), spacy_model_name)

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """The model's content, for the steps that take no model as input."""
        return assets.spacy_hash(config["model"])
