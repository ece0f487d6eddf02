"""A conversation as Rasa's policies look at it, without the slots that no policy looks at.

For each prediction Rasa replays the conversation a dozen times, each time with a copy of every slot: more than half of
its time went into that (py-spy). Nearly all of our slots only fill variables of responses; what rules and stories see
is the same without them.
"""

import copy

from rasa.shared.core.events import Event, UserUttered
from rasa.shared.core.slots import Slot
from rasa.shared.core.trackers import DialogueStateTracker

# The last messages of which an action server hears: the one to act on and the one before.
TOLD_MESSAGES = 2


class SlotInReplay:
    """One slot that policies look at; what a value means to them is worked out once."""

    def __init__(self, slot: Slot):
        self.name = slot.name
        self.value = self.initial_value = slot.initial_value
        self.has_been_set = False
        self._slot = copy.copy(slot)
        self._features: dict[object, list[float]] = {}

    def set(self, value: object) -> None:
        """As an event does."""
        self.value, self.has_been_set = value, True

    def reset(self) -> None:
        """As at the beginning of a conversation."""
        self.value, self.has_been_set = self.initial_value, False

    def has_features(self) -> bool:
        """It has, or it would not be here."""
        return True

    def as_feature(self) -> list[float]:
        """The value as policies see it."""
        try:
            return self._features[self.value]
        except (KeyError, TypeError):
            self._slot.value = self.value
            found = self._slot.as_feature()
        if isinstance(self.value, str | bool | None):
            self._features[self.value] = found
        return found


class _Remembered:
    """Which events count is worked out once as long as none is added: most replays only ask."""

    _applied: tuple[int, list[Event]] = (-1, [])

    def applied_events(self) -> list[Event]:
        """All events but those undone by others."""
        known, applied = self._applied
        if known != len(self.events):
            applied = super().applied_events()
            self._applied = len(self.events), applied
        return applied


class Replay(_Remembered, DialogueStateTracker):
    """What a policy replays: the slots that influence the conversation, and nothing of the others."""

    def init_copy(self) -> "Replay":
        """An empty one, for the next replay."""
        return Replay(self.sender_id, self.slots.values(), self._max_event_history)

    def _set_slot(self, key: str, value: object) -> None:
        if key in self.slots:
            self.slots[key].set(value)


class KeptTracker(_Remembered, DialogueStateTracker):
    """A tracker whose replays are quick; it says the same of the conversation as stock Rasa's."""

    _seen: tuple[SlotInReplay, ...] | None = None

    def init_copy(self) -> Replay:
        """What policies begin their replays with; `copy` and `travel_back_in_time` still know every slot."""
        if self._seen is None:
            self._seen = tuple(SlotInReplay(slot) for slot in self.slots.values() if slot.has_features())
        return Replay(self.sender_id, self._seen, self._max_event_history)

    def copy(self) -> "KeptTracker":
        """Its own slots and events, without playing the conversation again."""
        twin = copy.copy(self)
        twin.slots = {name: copy.copy(slot) for name, slot in self.slots.items()}
        twin.active_loop = copy.copy(self.active_loop)
        twin.events = self.events.copy()
        return twin

    def travel_back_in_time(self, target_time: float) -> DialogueStateTracker:
        """As stock Rasa: a tracker of all slots at that time (seconds since 1970)."""
        whole = DialogueStateTracker(self.sender_id, self.slots.values(), self._max_event_history)
        whole.events = self.events
        return whole.travel_back_in_time(target_time)


def keep(tracker: DialogueStateTracker) -> DialogueStateTracker:
    """The same tracker, quick from now on."""
    if type(tracker) is DialogueStateTracker:
        tracker.__class__ = KeptTracker
    return tracker


def last_events(tracker: DialogueStateTracker) -> list[Event]:
    """The last messages and all that followed them, in their order."""
    told: list[Event] = []
    messages = 0
    for event in reversed(tracker.events):
        told.append(event)
        messages += isinstance(event, UserUttered)
        if messages == TOLD_MESSAGES:
            break
    return told[::-1]
