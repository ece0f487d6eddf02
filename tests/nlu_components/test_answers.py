"""The last component: what a typed message answers, and the question it always names (X2, P3)."""

import pytest
from rasa.shared.nlu.training_data.message import Message

from account_access.answers import OpenAnswer, OpenOffer
from nlu.answers import AnswerResolver

UNLOCK = OpenOffer(
    "o1",
    "unlock",
    "system:okta",
    (
        OpenAnswer("1", "Yes", "affirm"),
        OpenAnswer("2", "Get help", "contact_support"),
        OpenAnswer("3", "Cancel", "cancel"),
    ),
)
LOCKOUT = OpenOffer("o2", "lockout", "system:ad", (OpenAnswer("1", "Yes", "affirm"), OpenAnswer("2", "No", "deny")))


def resolve(text, intent, offers=(), confidence=0.99, **metadata):
    """What the component makes of a classified message, as (intent, question)."""
    listed = [offer.as_metadata() for offer in offers]
    metadata = {"offers": listed, "last_shown": listed[-1]["id"] if listed else None, **metadata}
    data = {"text": text, "intent": {"name": intent, "confidence": confidence}, "metadata": metadata}
    return outcome(Message(data=data))


def outcome(message):
    AnswerResolver(AnswerResolver.get_default_config()).process([message])
    questions = [entity["value"] for entity in message.get("entities") if entity["entity"] == "question"]
    assert len(questions) == 1
    return message.get("intent")["name"], questions[0]


CASES = [
    ("a yes, with one question open", "yep go ahead", "affirm", [UNLOCK], ("affirm", "unlock")),
    ("a no, where the offer says Cancel", "nah", "deny", [UNLOCK], ("cancel", "unlock")),
    ("a typed title", "get help", "ask_capabilities", [UNLOCK], ("contact_support", "unlock")),
    ("a number", "2", "choose_option", [UNLOCK], ("contact_support", "unlock")),
    ("a number of the last shown", "2", "choose_option", [UNLOCK, LOCKOUT], ("deny", "lockout")),
    ("a yes, with several open", "sure", "affirm", [UNLOCK, LOCKOUT], ("affirm", "several")),
    ("a yes, with none open", "sure", "affirm", [], ("affirm", "none")),
    ("something else", "why was I locked", "ask_why_locked", [UNLOCK], ("ask_why_locked", "none")),
]


@pytest.mark.parametrize(
    "text, intent, offers, expected", [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_resolves(text, intent, offers, expected):
    assert resolve(text, intent, offers) == expected


def test_only_a_clear_yes_is_one():
    assert resolve("?", "affirm", [UNLOCK], confidence=0.94) == ("nlu_fallback", "none")
    assert resolve("sure", "affirm", [UNLOCK], confidence=0.95) == ("affirm", "unlock")
    assert resolve("Yes", "affirm", [UNLOCK], confidence=0.4) == ("affirm", "unlock")
    assert resolve("nah", "deny", [UNLOCK], confidence=0.4) == ("cancel", "unlock")


@pytest.mark.parametrize("text", ["is that a yes or no question", "Yes... no, wait!", "yeah, nah", "NO? yep"])
def test_x12_who_says_yes_and_no_has_said_neither(text):
    assert resolve(text, "affirm", [UNLOCK], confidence=0.99) == ("nlu_fallback", "none")
    assert resolve("yes, nothing against it", "affirm", [UNLOCK], confidence=0.99) == ("affirm", "unlock")


@pytest.mark.parametrize("intent", ["unlock_account", "reset_password", "reset_mfa"])
def test_x5_a_wish_that_begins_an_act_has_to_be_clear(intent):
    assert resolve("something about my account", intent, confidence=0.89) == ("nlu_fallback", "none")
    assert resolve("something about my account", intent, confidence=0.9) == (intent, "none")


def test_a_redacted_message_is_a_secret_whatever_it_looked_like():
    assert resolve("yes it is ***", "affirm", [UNLOCK], redacted=True) == ("share_secret", "none")


@pytest.mark.parametrize("metadata", [None, {}, {"offers": None}], ids=["none", "empty", "no offers"])
def test_works_without_a_door_as_in_rasa_shell(metadata):
    data = {"text": "sure", "intent": {"name": "affirm", "confidence": 0.99}, "metadata": metadata}
    assert outcome(Message(data=data)) == ("affirm", "none")


def test_other_entities_stay_and_an_invented_question_does_not():
    entities = [{"entity": "system", "value": "Okta"}, {"entity": "question", "value": "unlock"}]
    message = Message(data={"text": "x", "intent": {"name": "greet", "confidence": 0.9}, "entities": entities})
    assert outcome(message) == ("greet", "none")
    assert message.get("entities")[0] == {"entity": "system", "value": "Okta"}


def test_a_message_without_text_names_no_question():
    assert outcome(Message(data={"text": "", "intent": {"name": None, "confidence": 0.0}})) == (None, "none")
