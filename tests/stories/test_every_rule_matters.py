"""Deleting any single rule or story makes a test story fail; otherwise it is dead, or nobody would notice its loss.

The policies are trained again without each one, in this process: about half a second each.
"""

from rasa.core.policies.rule_policy import InvalidRule
from rasa.shared.core.events import ActionExecuted
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.core.training_data.structures import StoryStep

from tests.stories.dialogue import Dialogue


def test_every_rule_and_story_is_missed(domain, training_steps, conversations):
    unnoticed = [
        step.block_name
        for step in training_steps
        if not _is_missed([other for other in training_steps if other is not step], step, domain, conversations)
    ]
    assert unnoticed == []


def _is_missed(rest: list[StoryStep], removed: StoryStep, domain, conversations: list[DialogueStateTracker]) -> bool:
    try:
        dialogue = Dialogue(rest, domain)
    except InvalidRule:
        return True
    told = _actions(removed.events)
    likeliest_first = sorted(conversations, key=lambda story: len(told - _actions(story.events)))
    return any(dialogue.first_wrong_turn(story) for story in likeliest_first)


def _actions(events) -> set[str]:
    return {event.action_name for event in events if isinstance(event, ActionExecuted)}
