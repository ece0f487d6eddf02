"""Small talk between a question and what depends on it changes nothing (X4).

In Python, because only the server hides such turns from the stories: `rasa test` plays them as if they mattered.
"""

import pytest
from rasa.shared.core.training_data.story_reader.yaml_story_reader import YAMLStoryReader

from tests.stories.dialogue import trackers_of

QUESTION = """
  - intent: unlock_account
  - slot_was_set: [question: none]
  - action: action_check_account
  - slot_was_set: [outcome: locked]
  - action: action_ask_unlock
  - slot_was_set: [outcome: asked]
"""
WHY = """
  - intent: ask_why_locked
  - slot_was_set: [question: none]
  - action: action_tell_why_locked
  - slot_was_set: [outcome: told]
  - action: action_check_account
  - slot_was_set: [outcome: locked]
  - action: action_ask_unlock
  - slot_was_set: [outcome: asked]
"""
UNLOCKED = """
  - intent: affirm
  - slot_was_set: [question: unlock]
  - action: action_unlock_account
  - slot_was_set: [outcome: unlocked]
  - action: action_ask_after_unlock
  - slot_was_set: [outcome: asked]
"""
WORKED = """
  - intent: affirm
  - slot_was_set: [question: none]
  - action: action_mark_resolved
  - slot_was_set: [outcome: resolved]
  - action: utter_resolved
"""


def small_talk(intent, response):
    return f"\n  - intent: {intent}\n  - slot_was_set: [question: none]\n  - action: {response}\n"


TALK = [
    ("greet", "utter_greet"),
    ("thank", "utter_thank"),
    ("bot_challenge", "utter_bot_challenge"),
    ("out_of_scope", "utter_out_of_scope"),
]


@pytest.mark.parametrize("intent, response", TALK)
@pytest.mark.parametrize("turns", [(QUESTION, WHY), (QUESTION + WHY, WHY), (QUESTION + UNLOCKED, WORKED)])
def test_the_flow_resumes(dialogue, domain, intent, response, turns):
    before, after = turns
    text = f"version: '3.1'\nstories:\n- story: small talk\n  steps:{before}{small_talk(intent, response)}{after}"
    (story,) = trackers_of(YAMLStoryReader(domain).read_from_string(text), domain)
    assert dialogue.first_wrong_turn(story) is None
