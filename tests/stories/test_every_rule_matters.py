"""Deleting any single rule or story makes a test story fail; otherwise it is dead, or nobody would notice its loss.

A story's loss is tried by training the policies again without it. A rule's loss is first tried by taking what it alone
taught out of the trained policy, which takes milliseconds; where nothing is missed then, by training again as well.
"""

from rasa.core.policies.rule_policy import InvalidRule
from rasa.shared.core.events import ActionExecuted
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.core.training_data.structures import RuleStep, StoryStep

from tests.stories.dialogue import Dialogue


def test_every_rule_and_story_is_missed(domain, training_steps, conversations):
    whole = Dialogue(training_steps, domain)
    rules = [step for step in training_steps if isinstance(step, RuleStep)]
    taught = {rule.block_name: whole.taught_by(rule) for rule in rules}
    unnoticed = []
    for step in training_steps:
        likeliest_first = sorted(conversations, key=lambda story: len(_actions(step.events) - _actions(story.events)))
        alone = taught.get(step.block_name, set()).difference(
            *(keys for name, keys in taught.items() if name != step.block_name)
        )
        if alone:
            with whole.forgetting(alone):
                if _goes_wrong(whole, likeliest_first):
                    continue
        if not _goes_wrong_without(step, training_steps, domain, likeliest_first):
            unnoticed.append(step.block_name)
    assert unnoticed == []


def _goes_wrong_without(removed: StoryStep, steps: list[StoryStep], domain, stories) -> bool:
    try:
        rest = Dialogue([step for step in steps if step is not removed], domain)
    except InvalidRule:
        return True
    return _goes_wrong(rest, stories)


def _goes_wrong(dialogue: Dialogue, stories: list[DialogueStateTracker]) -> bool:
    return any(dialogue.first_wrong_turn(story) for story in stories)


def _actions(events) -> set[str]:
    return {event.action_name for event in events if isinstance(event, ActionExecuted)}
