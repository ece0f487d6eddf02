"""Names of systems, devices and factors, also misspelt; ordinary words are none."""

import pytest
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.training_data.loading import load_data
from rasa.shared.nlu.training_data.message import Message

from nlu.gazetteer import Gazetteer


@pytest.fixture(scope="module")
def gazetteer(tmp_path_factory):
    """One trained on the real data, stored, and read again."""
    storage = LocalModelStorage(tmp_path_factory.mktemp("gazetteer"))
    resource, context = Resource("gazetteer"), ExecutionContext(GraphSchema({}))
    config = Gazetteer.get_default_config()
    Gazetteer.create(config, storage, resource, context).train(load_data("data/nlu"))
    return Gazetteer.load(config, storage, resource, context)


def names(gazetteer, text):
    message = gazetteer.process([Message(data={"text": text})])[0]
    for entity in message.get("entities"):
        assert text[entity["start"] : entity["end"]]
    return [(entity["entity"], entity["value"]) for entity in message.get("entities")]


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
    ("okay", []),
    ("my room, my team, my back", []),
    ("hello there", []),
    ("I had a bad day", []),
    ("", []),
]


@pytest.mark.parametrize("text, expected", CASES, ids=[case[0] or "empty" for case in CASES])
def test_names(gazetteer, text, expected):
    assert names(gazetteer, text) == expected


def test_entities_of_earlier_components_stay(gazetteer):
    earlier = {"entity": "x", "value": "y"}
    message = Message(data={"text": "okta", "entities": [earlier]})
    assert gazetteer.process([message])[0].get("entities")[0] == earlier
