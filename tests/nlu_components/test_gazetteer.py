"""Names of systems, devices and factors, also misspelt; ordinary words are none."""

import pytest
import spacy
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.nlu.tokenizers.tokenizer import Token
from rasa.shared.nlu.constants import TEXT_TOKENS
from rasa.shared.nlu.training_data.loading import load_data
from rasa.shared.nlu.training_data.message import Message

from nlu.gazetteer import Gazetteer
from nlu.spelling import SpellingCorrector

LANGUAGE = spacy.blank("en")


@pytest.fixture(scope="module")
def find(tmp_path_factory):
    """Gives a message its names: corrector and gazetteer trained on the real data, stored, and read again."""
    storage, context = LocalModelStorage(tmp_path_factory.mktemp("names")), ExecutionContext(GraphSchema({}))
    data, loaded = load_data("data/nlu"), []
    for component in (SpellingCorrector, Gazetteer):
        config, resource = component.get_default_config(), Resource(component.__name__)
        component.create(config, storage, resource, context).train(data)
        loaded.append(component.load(config, storage, resource, context))

    def found(text, **data):
        tokens = [Token(token.text, token.idx) for token in LANGUAGE.make_doc(text)]
        messages = [Message(data={"text": text, TEXT_TOKENS: tokens, **data})]
        for component in loaded:
            component.process(messages)
        return messages[0].get("entities")

    return found


def names(find, text):
    entities = find(text)
    for entity in entities:
        assert text[entity["start"] : entity["end"]]
    return [(entity["entity"], entity["value"]) for entity in entities]


CASES = [
    ("I can't get into my Okta", [("system", "Okta")]),
    ("OKTA!!", [("system", "Okta")]),
    ("my otka is locked", [("system", "Okta")]),
    ("oktaa", [("system", "Okta")]),
    ("salesfroce and wrokday", [("system", "Salesforce"), ("system", "Workday")]),
    ("active directory", [("system", "Active Directory")]),
    ("okta verify on my new iphnoe", [("factor", "Okta Verify"), ("device", "iPhone")]),
    ("lost my yubikey", [("factor", "security key")]),
    ("the text message with the code", [("factor", "SMS")]),
    ("o365 on my cell phone", [("system", "Microsoft 365"), ("device", "phone")]),
    ("Touch ID, face id", [("factor", "Touch ID"), ("factor", "Face ID")]),
    ("single sign-on", [("system", "Okta")]),
    ("google authenticatr", [("factor", "Google Authenticator")]),
    ("gsuite login", [("system", "Google Workspace")]),
    ("box wont open, neither will notion", [("system", "Box"), ("system", "Notion")]),
    ("my AD password", [("system", "Active Directory")]),
    ("text codes instead of pushes", [("factor", "SMS"), ("factor", "push")]),
    ("okay", []),
    ("my room, my team, my back", []),
    ("the red box, the fuse box", []),
    ("a job ad for the website", []),
    ("who told you to text me? I'll push for it", []),
    ("I have no notion, so zoom in, and cut me some slack", []),
    ("the reset token expired", []),
    ("call me back", []),
    ("hello there", []),
    ("I had a bad day", []),
    ("", []),
]


@pytest.mark.parametrize("text, expected", CASES, ids=[case[0] or "empty" for case in CASES])
def test_names(find, text, expected):
    assert names(find, text) == expected


def test_entities_of_earlier_components_stay(find):
    earlier = {"entity": "x", "value": "y"}
    assert find("okta", entities=[earlier])[0] == earlier


def test_an_entity_stands_where_it_was_typed(find):
    (entity,) = find("my otka is locked")
    assert (entity["value"], entity["start"], entity["end"]) == ("Okta", 3, 7)
