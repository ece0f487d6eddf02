"""The last word on a typed message: does it answer an open question?"""

import re
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.constants import DEFAULT_NLU_FALLBACK_INTENT_NAME
from rasa.shared.nlu.constants import ENTITIES, INTENT, INTENT_NAME_KEY, METADATA, PREDICTED_CONFIDENCE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message

from account_access.answers import NONE, OpenOffer, Resolution, resolve

QUESTION = "question"
# the answer that makes the assistant act, and the wishes that make it begin to
YES = "affirm"
BEGINNINGS = ("unlock_account", "reset_password", "reset_mfa")
REDACTED_INTENT = "share_secret"
# who says both has said neither: "yes or no?", "yes... no, wait"
YES_WORDS, NO_WORDS = {"yes", "yeah", "yep"}, {"no", "nope", "nah"}
WORD = re.compile(r"\w+")


@DefaultV1Recipe.register([DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER], is_trainable=False)
class AnswerResolver(GraphComponent):
    """Turns yes, no, a number or a typed title into the intent of the open offer's answer, and names the question (X2).

    The offers come in the message's metadata under `offers`, as the door stored them when the message was written, and
    under `last_shown` which of them a number answers; a message that the door redacted becomes `share_secret` (P3). The
    entity `question` is always added, so that no rule reads an older message's.

    `yes_from`: a message is only taken for a yes from this confidence on, because a yes leads to an act (X12); below,
    or if it says yes and no, it was not understood. `begin_from`: the same for the wishes that begin an act; below, the
    person is asked (X5).
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The settings that config.yml may change."""
        return {"yes_from": 0.95, "begin_from": 0.9}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "AnswerResolver":
        """Makes the component; it learns nothing."""
        return cls(config)

    def __init__(self, config: dict[str, Any]) -> None:
        self._sure_from = {YES: config["yes_from"], **dict.fromkeys(BEGINNINGS, config["begin_from"])}

    def process(self, messages: list[Message]) -> list[Message]:
        """Resolves each message."""
        for message in messages:
            self._resolve(message)
        return messages

    def _resolve(self, message: Message) -> None:
        metadata = message.get(METADATA) or {}
        intent = message.get(INTENT) or {}
        name, confidence = intent.get(INTENT_NAME_KEY) or "", intent.get(PREDICTED_CONFIDENCE_KEY) or 0.0
        if confidence < self._sure_from.get(name, 0.0) or (name == YES and _says_both(message.get(TEXT) or "")):
            name = DEFAULT_NLU_FALLBACK_INTENT_NAME
            message.set(INTENT, {INTENT_NAME_KEY: name, PREDICTED_CONFIDENCE_KEY: confidence}, add_to_output=True)
        if metadata.get("redacted"):
            resolution = Resolution(REDACTED_INTENT, NONE, 1.0)
        else:
            offers = [OpenOffer.from_metadata(offer) for offer in metadata.get("offers") or []]
            resolution = resolve(message.get(TEXT) or "", name, confidence, offers, metadata.get("last_shown"))
        if resolution.intent != name:
            resolved = {INTENT_NAME_KEY: resolution.intent, PREDICTED_CONFIDENCE_KEY: resolution.confidence}
            message.set(INTENT, resolved, add_to_output=True)
        entities = [entity for entity in message.get(ENTITIES) or [] if entity.get("entity") != QUESTION]
        # it stands nowhere in the text, but Rasa's own evaluation asks every entity where it stands
        nowhere = {"start": 0, "end": 0}
        question = {"entity": QUESTION, "value": resolution.question, **nowhere, "extractor": type(self).__name__}
        message.set(ENTITIES, [*entities, question], add_to_output=True)


def _says_both(text: str) -> bool:
    words = set(WORD.findall(text.casefold()))
    return bool(words & YES_WORDS and words & NO_WORDS)
