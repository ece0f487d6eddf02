"""The two configurations differ in the sentence encoder and in how sure the assistant has to be."""

import yaml

from tests.nlu_components.conftest import ROOT

ENCODER = "nlu.sentence_featurizer.SentenceFeaturizer"


def read(name):
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def without_confidences(pipeline):
    """The components with their settings, but for how sure they have to be."""
    sure = ("threshold", "ambiguity_threshold", "yes_from", "begin_from")
    return [{name: value for name, value in component.items() if name not in sure} for component in pipeline]


def test_the_sparse_configuration_is_the_other_without_the_encoder():
    full, sparse = read("config.yml"), read("config.sparse.yml")
    assert ENCODER in [component["name"] for component in full["pipeline"]]
    full["pipeline"] = [component for component in full["pipeline"] if component["name"] != ENCODER]
    for config in (full, sparse):
        config["pipeline"] = without_confidences(config["pipeline"])
    assert sparse == full


def test_answers_are_resolved_last_and_no_policy_guesses():
    config = read("config.yml")
    assert config["pipeline"][-1]["name"] == "nlu.answers.AnswerResolver"
    assert [policy["name"] for policy in config["policies"]] == ["RulePolicy", "AugmentedMemoizationPolicy"]
    assert config["assistant_id"] == "account-access"
