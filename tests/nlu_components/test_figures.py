"""The figures of a report card, from messages and answers that were made up and counted by hand."""

import pytest

from nlu.evaluation import figures
from nlu.evaluation.examples import Annotation, Example, Names
from nlu.evaluation.metrics import Entity
from nlu.evaluation.models import Parsed, parsed

NAMES = Names(synonyms={"sso": "Okta"})


def example(intent, tag="nurse", text="text", annotations=()):
    return Example(text, intent, annotations, f"tests/{tag}.yml", 1)


def answer(intent, guess=None, confidence=0.9, entities=(), seconds=0.01):
    return Parsed(intent, guess or intent, confidence, entities, seconds)


def values(pairs, typos=None):
    report = figures.report([example(wanted) for wanted, _ in pairs], [answer(got) for _, got in pairs], NAMES, typos)
    return {one["key"]: one["value"] for one in report["metrics"]}


def test_account_intents_are_those_of_the_account():
    got = values([("reset_mfa", "reset_mfa"), ("unlock_account", "reset_mfa"), ("greet", "thank")])
    # reset_mfa: 1 of 2 right, all found: 2/3; unlock_account: 0; greet: 0
    assert got["account_macro_f1"] == pytest.approx(1 / 3)
    assert got["macro_f1"] == pytest.approx(2 / 9)
    assert got["accuracy"] == pytest.approx(1 / 3)
    assert got["reset_mfa_precision"] == 0.5
    assert got["unlock_account_precision"] is None
    assert got["reset_password_precision"] is None


def test_what_was_guessed_counts_apart_from_what_begins():
    examples = [example("reset_mfa"), example("reset_mfa"), example("greet")]
    found = [answer("reset_mfa"), answer("nlu_fallback", "reset_mfa"), answer("nlu_fallback", "reset_mfa")]
    got = {one["key"]: one["value"] for one in figures.report(examples, found, NAMES)["metrics"]}
    # one of two wishes began, and rightly; of three guesses two were right
    assert (got["reset_mfa_precision"], got["reset_mfa_precision_guessed"]) == (1.0, pytest.approx(2 / 3))
    assert got["account_macro_f1"] == pytest.approx(2 / 3)
    assert got["account_macro_f1_guessed"] == pytest.approx(4 / 5)


def test_every_account_skill_that_something_else_starts_counts():
    pairs = [("out_of_scope", intent) for intent in figures.ACCOUNT]
    pairs += [("other_it_request", intent) for intent in ("other_it_request", "out_of_scope", "greet", "nlu_fallback")]
    pairs += [("unlock_account", "unlock_account")]
    # ask_if_safe starts nothing: 9 of 14
    assert values(pairs)["out_of_scope_starts_skill"] == pytest.approx(9 / 14)


def test_falling_back_has_two_parts_and_is_about_what_is_ours():
    pairs = [("greet", "nlu_fallback"), ("greet", "out_of_scope"), ("greet", "other_it_request"), ("greet", "thank")]
    got = values([*pairs, ("out_of_scope", "nlu_fallback"), ("out_of_scope", "other_it_request")])
    assert (got["in_scope_falls_back"], got["in_scope_not_understood"], got["in_scope_sent_away"]) == (0.75, 0.25, 0.5)


def test_yes_and_no():
    got = values([("affirm", "deny"), ("affirm", "deny"), ("affirm", "affirm"), ("deny", "affirm"), ("deny", "cancel")])
    assert (got["yes_taken_for_no"], got["no_taken_for_yes"]) == (2, 1)
    assert values([("greet", "affirm")])["no_taken_for_yes"] is None


def test_a_typing_error_costs_what_is_lost_on_account_messages_alone():
    pairs = [("reset_mfa", "reset_mfa"), ("greet", "reset_mfa"), ("unlock_account", "unlock_account")]
    typos = [answer("reset_mfa"), answer("nlu_fallback")]
    # from 1 to the mean of 1 and 0; that greet is taken for reset_mfa is no account message
    assert values(pairs, typos)["typo_cost"] == pytest.approx(50)
    assert values(pairs)["typo_cost"] is None


def test_entities_are_told_by_their_canonical_value():
    marks = (Annotation("system", "SSO", 0, 3), Annotation("device", "phone", 8, 13))
    found = (Entity("system", "okta", 0, 3), Entity("device", "iphone", 8, 13))
    report = figures.report([example("greet", annotations=marks)], [answer("greet", entities=found)], NAMES)
    got = {one["key"]: one["value"] for one in report["metrics"]}
    assert (got["system_f1"], got["device_f1"], got["factor_f1"]) == (1.0, 0.0, None)
    (mistake,) = report["entity_mistakes"]
    assert (mistake["wanted"], mistake["got"]) == (["system okta", "device phone"], ["system okta", "device iphone"])


def test_latency_and_calibration():
    seconds = [0.001 * number for number in range(1, 102)]
    found = [answer("greet", confidence=0.8, seconds=one) for one in seconds]
    report = figures.report([example("greet")] * 101, found, NAMES, None, 12.5, 3.5)
    got = {one["key"]: one["value"] for one in report["metrics"]}
    assert (got["parse_p50"], got["parse_p95"]) == (pytest.approx(51), pytest.approx(96))
    assert got["calibration_error"] == pytest.approx(0.2)
    assert (got["training_seconds"], got["model_megabytes"]) == (12.5, 3.5)


def test_what_fell_back_is_calibrated_by_its_guess():
    report = figures.report([example("greet")], [answer("nlu_fallback", "greet", 0.25)], NAMES)
    (filled,) = [one for one in report["calibration"] if one["count"]]
    assert (filled["low"], filled["accuracy"]) == (0.2, 1.0)


def test_tags_intents_confusions_and_mistakes():
    examples = [example("greet", "nurse"), example("greet", "driver"), example("thank", "driver")]
    found = [answer("greet"), answer("nlu_fallback", "thank", 0.95), answer("greet", confidence=0.6)]
    report = figures.report(examples, found, NAMES)
    assert [(one["tag"], one["messages"], one["accuracy"]) for one in report["tags"]] == [
        ("nurse", 1, 1.0),
        ("driver", 2, 0.0),
    ]
    assert report["confusion"] == {
        "labels": ["greet", "nlu_fallback", "thank"],
        "rows": [[1, 1, 0], [0, 0, 0], [1, 0, 0]],
    }
    assert [(one["wanted"], one["got"], one["count"]) for one in report["confused"]] == [
        ("greet", "nlu_fallback", 1),
        ("thank", "greet", 1),
    ]
    # what was taken for something else comes before what was asked again, however sure the guess
    assert [one["got"] for one in report["mistakes"]] == ["greet", "nlu_fallback"]


def test_every_interval_holds_its_value():
    pairs = [("reset_mfa", "reset_mfa")] * 30 + [("unlock_account", "reset_mfa")] * 10 + [("out_of_scope", "greet")] * 5
    report = figures.report([example(wanted) for wanted, _ in pairs], [answer(got) for _, got in pairs], NAMES)
    for one in report["metrics"]:
        if one["interval"]:
            assert one["interval"][0] <= one["value"] <= one["interval"][1], one


def test_reading_of_what_rasa_answers():
    ranking = [{"name": "nlu_fallback", "confidence": 0.3}, {"name": "greet", "confidence": 0.25}]
    entities = [
        {"entity": "system", "value": "sso", "start": 3, "end": 6},
        {"entity": "question", "value": "none", "extractor": "AnswerResolver"},
    ]
    found = {"intent": ranking[0], "intent_ranking": ranking, "entities": entities}
    assert parsed(found, NAMES, 0.5) == Parsed("nlu_fallback", "greet", 0.25, (Entity("system", "okta", 3, 6),), 0.5)
    unranked = {"intent": {"name": "greet", "confidence": 1.0}}
    assert parsed(unranked, NAMES, 0.5) == Parsed("greet", "greet", 1.0, (), 0.5)
    nothing = {"intent": {"name": None, "confidence": 0.0}, "entities": []}
    assert parsed(nothing, NAMES, 0.5) == Parsed("nlu_fallback", "nlu_fallback", 0.0, (), 0.5)
