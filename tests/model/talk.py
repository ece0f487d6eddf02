"""A conversation as the dialogue policies see it, and what the trained rules and stories do next in it.

Nothing here reads data/ by itself: Rasa's own policies, trained as config.yml says, are asked. They are asked once for
each conversation, because they answer alike to the same one.
"""

import logging
import os
from dataclasses import dataclass, field

import structlog
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, Event, SessionStarted, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from tests.stories.dialogue import ROOT, Dialogue, steps_in

LISTEN = "action_listen"
# No rule or story reaches further back than this.
TURNS = 3


@dataclass(frozen=True)
class Said:
    """What a person's message, or the schedulers' event, was understood as."""

    intent: str
    question: str
    text: str = field(compare=False)

    def events(self) -> list[Event]:
        return [UserUttered(intent={"name": self.intent}), SlotSet("question", self.question)]


@dataclass(frozen=True)
class Did:
    """An action that the policies chose, and what Rasa records with it."""

    action: str
    policy: str
    confidence: float
    hidden: bool

    def events(self) -> list[Event]:
        return [ActionExecuted(self.action, self.policy, self.confidence, hide_rule_turn=self.hidden)]


@dataclass(frozen=True)
class Slot:
    """A slot that an action set and that rules and stories read."""

    name: str
    value: str | None

    def events(self) -> list[Event]:
        return [SlotSet(self.name, self.value)]


Talk = tuple[Said | Did | Slot, ...]


def new_session(talk: Talk) -> Talk:
    """What is left of a conversation after an idle hour: the slots (session_config in domain.yml)."""
    return tuple(Slot(name, value) for name, value in slots_of(talk).items())


def slots_of(talk: Talk) -> dict[str, str | None]:
    """The slots that rules and stories read, as they stand now."""
    slots: dict[str, str | None] = {}
    for item in talk:
        if isinstance(item, Said):
            slots["question"] = item.question
        elif isinstance(item, Slot):
            slots[item.name] = item.value
    return slots


class QuickDialogue(Dialogue):
    """Asks the stories only where no rule is sure: in Rasa's ensemble a rule that is sure wins against any story."""

    def predict(self, tracker: DialogueStateTracker) -> tuple[str, dict]:
        rule = self._rule_policy.predict_action_probabilities(tracker, self.domain)
        if rule.max_confidence < 1:
            return super().predict(tracker)
        name = self.domain.action_names_or_texts[rule.max_confidence_index]
        return name, {"policy": rule.policy_name, "confidence": rule.max_confidence, "hidden": rule.hide_rule_turn}


class Rules:
    """The policies of config.yml, trained on data/rules and data/stories."""

    def __init__(self) -> None:
        _quiet()
        self.domain = Domain.load(str(ROOT / "domain.yml"))
        self.featurized = {slot.name for slot in self.domain.slots if slot.influence_conversation}
        folders = (ROOT / "data" / "rules", ROOT / "data" / "stories")
        steps = [step for folder in folders for step in steps_in(folder, self.domain)]
        self._dialogue = QuickDialogue(steps, self.domain)
        self._known: dict[Talk, Did] = {}

    def next(self, talk: Talk) -> Did:
        """The action that follows."""
        talk = _recent(talk)
        if talk not in self._known:
            name, made = self._dialogue.predict(self._tracker(talk))
            self._known[talk] = Did(name, made["policy"], made["confidence"], made["hidden"])
        return self._known[talk]

    def _tracker(self, talk: Talk) -> DialogueStateTracker:
        carried = next((n for n, item in enumerate(talk) if not isinstance(item, Slot)), len(talk))
        begun = [ActionExecuted("action_session_start"), SessionStarted(), *_events(talk[:carried])]
        events = [*begun, ActionExecuted(LISTEN), *_events(talk[carried:])]
        return DialogueStateTracker.from_events("model", events, self.domain.slots)


def _recent(talk: Talk) -> Talk:
    """The last turns, and the slots as they stood before."""
    begun = [n for n, item in enumerate(talk) if isinstance(item, Said)][-TURNS:]
    cut = begun[0] if len(begun) == TURNS else 0
    return (*new_session(talk[:cut]), *talk[cut:])


def _events(talk: Talk) -> list[Event]:
    return [event for item in talk for event in item.events()]


def _quiet() -> None:
    """No log line and no progress bar of Rasa for each of thousands of conversations."""
    os.environ["TQDM_DISABLE"] = "1"
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
