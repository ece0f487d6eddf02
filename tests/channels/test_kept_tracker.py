"""The trackers we keep: quicker than stock Rasa's, and never of another opinion."""

import random
from pathlib import Path

import pytest
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActionReverted,
    AllSlotsReset,
    BotUttered,
    Restarted,
    SessionStarted,
    SlotSet,
    UserUtteranceReverted,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker, EventVerbosity

from channels.kept_tracker import keep, last_events

DOMAIN = Domain.load(str(Path(__file__).parents[2] / "domain.yml"))
FEATURED = {slot.name: slot.values for slot in DOMAIN.slots if slot.has_features()}
ACTIONS = [name for name in DOMAIN.action_names_or_texts if name.startswith(("action_", "utter_"))]
RULE_ONLY = {"rule_only_slots": ["question"], "rule_only_loops": []}


def said(draw: random.Random) -> UserUttered:
    question = {"entity": "question", "value": draw.choice(FEATURED["question"])}
    return UserUttered("words", {"name": draw.choice(DOMAIN.intents), "confidence": 1.0}, [question])


def done(draw: random.Random) -> list:
    """An action and what may follow it, undoing included."""
    action = ActionExecuted(draw.choice(ACTIONS))
    action.hide_rule_turn = draw.random() < 0.4
    events = [action]
    for share, follows in (
        (0.5, lambda: SlotSet("outcome", draw.choice([*FEATURED["outcome"], None]))),
        (0.3, lambda: SlotSet("person_name", "Dana")),
        (0.2, lambda: BotUttered("words")),
        (0.05, UserUtteranceReverted),
        (0.05, ActionReverted),
        (0.02, AllSlotsReset),
    ):
        if draw.random() < share:
            events.append(follows())
    return events


def conversation(seed: int) -> list:
    draw = random.Random(seed)
    events = [ActionExecuted("action_session_start"), SessionStarted(), ActionExecuted("action_listen")]
    for _ in range(draw.choice([1, 3, 8, 20])):
        events += [said(draw), SlotSet("question", draw.choice(FEATURED["question"]))]
        for _ in range(draw.randint(0, 3)):
            events += done(draw)
        if draw.random() < 0.03:
            events.append(Restarted())
        events.append(ActionExecuted("action_listen"))
    return events


def trackers(seed: int) -> tuple[DialogueStateTracker, DialogueStateTracker]:
    """The same conversation as stock Rasa has it, and kept."""
    events = conversation(seed)
    return tuple(DialogueStateTracker.from_events("dana", events, DOMAIN.slots) for _ in range(2))


@pytest.mark.parametrize("seed", range(40))
def test_policies_see_the_same_states(seed):
    stock, kept = trackers(seed)
    keep(kept)
    for options in (
        {},
        {"omit_unset_slots": True},
        {"ignore_rule_only_turns": True, "rule_only_data": RULE_ONLY},
    ):
        assert kept.past_states(DOMAIN, **options) == stock.past_states(DOMAIN, **options)
        # the second time from what was remembered
        assert kept.past_states(DOMAIN, **options) == stock.past_states(DOMAIN, **options)


@pytest.mark.parametrize("seed", range(10))
def test_states_follow_what_happens_next(seed):
    stock, kept = trackers(seed)
    keep(kept).past_states(DOMAIN)
    for event in done(random.Random(seed)):
        stock.update(event)
        kept.update(event)
        assert kept.past_states(DOMAIN) == stock.past_states(DOMAIN)


@pytest.mark.parametrize("seed", range(10))
def test_copy_is_whole_and_on_its_own(seed):
    stock, kept = trackers(seed)
    copy = keep(kept).copy()
    assert copy.current_state(EventVerbosity.ALL) == stock.current_state(EventVerbosity.ALL)
    copy.update(SlotSet("person_name", "Noor"))
    copy.update(SlotSet("outcome", "asked"))
    assert kept.current_state(EventVerbosity.ALL) == stock.current_state(EventVerbosity.ALL)
    assert copy.get_slot("person_name") == "Noor"


def test_back_in_time_knows_every_slot():
    events = [SlotSet("person_name", "Dana"), SlotSet("person_name", "Noor")]
    events[0].timestamp, events[1].timestamp = 10.0, 20.0
    tracker = keep(DialogueStateTracker.from_events("dana", events, DOMAIN.slots))
    assert tracker.travel_back_in_time(15.0).get_slot("person_name") == "Dana"


def test_action_is_told_of_the_last_two_messages():
    tracker = DialogueStateTracker.from_events("dana", conversation(3), DOMAIN.slots)
    told = last_events(tracker)
    assert sum(isinstance(event, UserUttered) for event in told) == 2
    assert isinstance(told[0], UserUttered)
    assert told == list(tracker.events)[-len(told) :]


def test_action_is_told_everything_of_a_conversation_that_just_began():
    tracker = DialogueStateTracker.from_events("dana", conversation(0)[:4], DOMAIN.slots)
    assert last_events(tracker) == list(tracker.events)
