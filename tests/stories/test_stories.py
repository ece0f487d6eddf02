"""Every test story is predicted, action by action: what `rasa test core --fail-on-prediction-errors` checks."""

from collections import Counter

import pytest
from rasa.shared.core.events import ActionExecuted, SlotSet, UserUttered

from actions.asking import AskHelp


@pytest.mark.parametrize("hide", [True, False], ids=["as in the server", "as in rasa test"])
def test_every_conversation_goes_as_written(dialogue, conversations, hide):
    wrong = [turn for story in conversations if (turn := dialogue.first_wrong_turn(story, hide))]
    assert wrong == []


def test_names_are_given_once(conversations, training_steps):
    for names in ([story.sender_id for story in conversations], [step.block_name for step in training_steps]):
        assert [name for name, count in Counter(names).items() if count > 1] == []


def test_conversations_use_every_action_and_every_outcome(domain, conversations):
    events = [event for story in conversations for event in story.events]
    actions = {event.action_name for event in events if isinstance(event, ActionExecuted)}
    outcomes = {event.value for event in events if isinstance(event, SlotSet) and event.key == "outcome"}
    slot = next(slot for slot in domain.slots if slot.name == "outcome")
    custom = {action for action in domain.user_actions if action.startswith("action_")}
    assert custom - actions == set()
    assert {value for value in slot.values if value != "__other__"} - outcomes == set()


def test_every_offer_of_help_has_words_for_its_cause(domain, training_steps):
    causes = {cause for step in training_steps for cause in _causes_of_help(step.events)}
    assert {f"utter_ask_help_{cause}" for cause in causes} - set(domain.responses) == set()
    assert len(causes) > len(AskHelp.CAUSE_BY_INTENT)


def _causes_of_help(events):
    """The causes with which action_ask_help is called there, as that action finds them."""
    intent = outcome = None
    for event in events:
        if isinstance(event, UserUttered):
            intent = event.intent["name"]
        elif isinstance(event, SlotSet) and event.key == "outcome":
            outcome = event.value
        elif isinstance(event, ActionExecuted) and event.action_name == "action_ask_help":
            cause = AskHelp.CAUSE_BY_INTENT.get(intent) or outcome
            # a rule that begins with the action says nothing about what led to it
            yield from [cause] if cause else []


def test_what_no_rule_knows_is_said_once(dialogue, conversations):
    story = next(story for story in conversations if "what no rule knows" in story.sender_id)
    assert dialogue.first_wrong_turn(story) is None
