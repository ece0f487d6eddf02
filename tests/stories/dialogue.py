"""The dialogue policies by themselves, trained and asked in this process: a second instead of a minute.

Test stories name the outcome after each action, because no action runs here.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import rasa.shared.utils.io
from rasa.core.policies.ensemble import DefaultPolicyPredictionEnsemble
from rasa.core.policies.memoization import AugmentedMemoizationPolicy
from rasa.core.policies.policy import Policy
from rasa.core.policies.rule_policy import RulePolicy
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted
from rasa.shared.core.generator import TrainingDataGenerator
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.core.training_data.loading import load_data_from_files
from rasa.shared.core.training_data.structures import StoryGraph, StoryStep

ROOT = Path(__file__).resolve().parents[2]
POLICIES = {policy.__name__: policy for policy in (RulePolicy, AugmentedMemoizationPolicy)}


@dataclass(frozen=True)
class WrongTurn:
    """The first action of a test story that was not predicted."""

    story: str
    expected: str
    predicted: str


def steps_in(folder: Path, domain: Domain) -> list[StoryStep]:
    """The rules and stories of a folder's YAML files, in the files' order."""
    return load_data_from_files([str(path) for path in sorted(folder.rglob("*.yml"))], domain)


def trackers_of(steps: list[StoryStep], domain: Domain) -> list[DialogueStateTracker]:
    """One conversation for each rule or story, as Rasa trains on them."""
    return TrainingDataGenerator(StoryGraph(steps), domain, augmentation_factor=0).generate()


class Dialogue:
    """The policies of config.yml, trained on these rules and stories."""

    def __init__(self, steps: list[StoryStep], domain: Domain) -> None:
        self.domain = domain
        self._folder = tempfile.TemporaryDirectory()
        self._storage = LocalModelStorage(Path(self._folder.name))
        self._policies = [self._policy(settings, self._storage) for settings in _configured_policies()]
        training = trackers_of(steps, domain)
        for policy in self._policies:
            policy.train(training, domain)
        self._ensemble = DefaultPolicyPredictionEnsemble()

    @staticmethod
    def _policy(settings: dict, storage: LocalModelStorage) -> Policy:
        policy_class = POLICIES[settings.pop("name")]
        config = {**policy_class.get_default_config(), **settings}
        context = ExecutionContext(GraphSchema({}))
        return policy_class.create(config, storage, Resource(policy_class.__name__), context)

    def taught_by(self, rule: StoryStep) -> set[str]:
        """The situations that this rule by itself teaches the rule policy, as the policy's own keys."""
        settings = next(settings for settings in _configured_policies() if settings["name"] == RulePolicy.__name__)
        alone = self._policy(settings, self._storage)
        alone._create_lookup_from_trackers(trackers_of([rule], self.domain), [], self.domain)
        return set(alone.lookup["rules"])

    @contextmanager
    def forgetting(self, situations: set[str]) -> Iterator[None]:
        """Meanwhile the rule policy does not know these situations."""
        known = self._rule_policy.lookup["rules"]
        self._rule_policy.lookup["rules"] = {key: known[key] for key in known if key not in situations}
        try:
            yield
        finally:
            self._rule_policy.lookup["rules"] = known

    @property
    def _rule_policy(self) -> RulePolicy:
        return next(policy for policy in self._policies if isinstance(policy, RulePolicy))

    def predict(self, tracker: DialogueStateTracker) -> tuple[str, dict]:
        """The next action, and what Rasa records with it."""
        rule_only = self._rule_policy._get_rule_only_data()
        predictions = [
            policy.predict_action_probabilities(tracker, self.domain, rule_only_data=rule_only)
            for policy in self._policies
        ]
        best = self._ensemble.combine_predictions(predictions, tracker, self.domain)
        name = self.domain.action_names_or_texts[best.max_confidence_index]
        return name, {"policy": best.policy_name, "confidence": best.max_confidence, "hidden": best.hide_rule_turn}

    def first_wrong_turn(self, story: DialogueStateTracker, hide: bool = True) -> WrongTurn | None:
        """Plays a test story; None when every action was predicted.

        Rasa's server hides turns that rules alone decide (small talk) from the stories; `rasa test` does not (`hide`).
        """
        events = list(story.events)
        tracker = DialogueStateTracker.from_events(story.sender_id, events[:1], self.domain.slots)
        for event in events[1:]:
            if not isinstance(event, ActionExecuted):
                tracker.update(event)
                continue
            name, made = self.predict(tracker)
            if name != event.action_name:
                return WrongTurn(story.sender_id, event.action_name, name)
            tracker.update(
                ActionExecuted(name, made["policy"], made["confidence"], hide_rule_turn=hide and made["hidden"]),
                self.domain,
            )
        return None


def _configured_policies() -> list[dict]:
    return rasa.shared.utils.io.read_config_file(str(ROOT / "config.yml"))["policies"]
