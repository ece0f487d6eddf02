"""Typing errors become the words that were meant; words that somebody may mean stay as they are."""

import pytest
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.nlu.tokenizers.tokenizer import Token
from rasa.shared.nlu.constants import TEXT_TOKENS
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.spelling import MEANT, Speller, SpellingCorrector, word_counts

TEXTS = ["I forgot my password", "my password is lost", "my account is locked", "lock the account", "the loft"]
COUNTS = word_counts(TEXTS, names=["Okta", "Okta Verify"])


CASES = [
    ("a letter too much", "passwword", "password"),
    ("a letter too few", "pasword", "password"),
    ("another letter", "psssword", "password"),
    ("two letters in the wrong order", "acocunt", "account"),
    ("a name", "otka", "okta"),
    ("the first letter, where nothing else is near", "qccount", "account"),
    ("two slips are too many to be sure", "pswrd", "pswrd"),
    ("capitals and marks stay", "PASWORD!! 1234 x@y.z", "password!! 1234 x@y.z"),
    ("an English word that no example has", "the harbour is locked", "the harbour is locked"),
    ("short words", "teh ok kk", "teh ok kk"),
    ("another alphabet", "пароль", "пароль"),
    ("nothing", "", ""),
]


@pytest.mark.parametrize("typed, meant", [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_reads(typed, meant):
    assert Speller(COUNTS, shortest=4).text(typed) == meant


def test_of_two_words_the_one_that_people_write_more_is_meant():
    counts = word_counts(["token"] * 3 + ["taken"] * 9, names=[])
    assert Speller(counts, shortest=4).word("tiken") == "taken"


def test_what_several_people_write_is_a_word():
    once, twice = word_counts(["my lockscreem"], []), word_counts(["my lockscreem", "lockscreem", "lockscreen"], [])
    assert Speller({**once, "lockscreen": 9}, shortest=4).word("lockscreem") == "lockscreen"
    assert Speller({**twice, "lockscreen": 9}, shortest=4).word("lockscreem") == "lockscreem"


@pytest.fixture
def corrector(tmp_path):
    """One trained on the texts, stored, and read again."""
    storage, resource = LocalModelStorage(tmp_path), Resource("speller")
    context, config = ExecutionContext(GraphSchema({})), SpellingCorrector.get_default_config()
    data = TrainingData([Message.build(text, "some_intent") for text in TEXTS])
    SpellingCorrector.create(config, storage, resource, context).train(data)
    return SpellingCorrector.load(config, storage, resource, context)


def test_the_message_stays_and_its_meaning_is_beside_it(corrector):
    message = Message(data={"text": "My Pasword", TEXT_TOKENS: [Token("My", 0), Token("Pasword", 3)]})
    corrector.process([message])
    assert (message.get("text"), message.get(MEANT)) == ("My Pasword", "My password")
    tokens = [(token.text, token.lemma, token.start) for token in message.get(TEXT_TOKENS)]
    assert tokens == [("My", "my", 0), ("Pasword", "password", 3)]


def test_a_message_without_text_means_nothing(corrector):
    message = Message(data={"text": ""})
    assert corrector.process([message]) == [message] and message.get(MEANT) == ""
