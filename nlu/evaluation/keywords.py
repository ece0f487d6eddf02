"""Rasa's keyword classifier, made to stand real training data: a baseline for `make compare`, never for people."""

import re

from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.nlu.classifiers.keyword_intent_classifier import KeywordIntentClassifier


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class Keywords(KeywordIntentClassifier):
    """The intent of the first example that occurs in the message as it stands; no intent where none does.

    Rasa's own reads examples as regular expressions, so that "??" ends the training, and stops at an example that lies
    within two others.
    """

    def _validate_keyword_map(self) -> None:
        """Removes examples that lie within an example of another intent."""
        texts: dict[str, list[str]] = {}
        for example, intent in self.intent_keyword_map.items():
            texts.setdefault(intent, []).append(example)
        joined = {intent: "\n".join(some) for intent, some in texts.items()}
        self.intent_keyword_map = {
            example: intent
            for example, intent in self.intent_keyword_map.items()
            if not any(_pattern(example).search(text) for other, text in joined.items() if other != intent)
        }

    def _map_keyword_to_intent(self, text: str) -> str | None:
        if not hasattr(self, "_patterns"):
            self._patterns = [(_pattern(example), intent) for example, intent in self.intent_keyword_map.items()]
        return next((intent for pattern, intent in self._patterns if pattern.search(text)), None)


def _pattern(example: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(example)}(?!\w)", re.IGNORECASE)
