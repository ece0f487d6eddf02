"""One trained language side for all tests that ask it."""

import asyncio
from pathlib import Path

import pytest
from rasa.core.agent import Agent
from rasa.core.channels.channel import UserMessage

from nlu.evaluation.examples import read_examples
from ops.train import train

ROOT = Path(__file__).resolve().parents[2]
# Seconds that a test may take which trains, or waits for whoever trains, on a busy machine.
TRAINING = 1500


def pytest_collection_modifyitems(items):
    """The first test that asks for the model may have to wait for its training."""
    for item in items:
        if "model_file" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(TRAINING))


@pytest.fixture(scope="session")
def model_file():
    """The model of the present ingredients, as `make train` leaves it: trained now only if it is not there."""
    return train()


@pytest.fixture(scope="session")
def understand(model_file):
    """Parses a text as Rasa's server does: a function from text (and metadata) to intent, entities and ranking."""
    agent = Agent.load(str(model_file))
    return lambda text, **metadata: asyncio.run(
        agent.processor.parse_message(UserMessage(text, metadata=metadata or None))
    )


@pytest.fixture(scope="session")
def holdout():
    """(text, intent) of the messages that were never trained on."""
    examples = read_examples(ROOT / "tests" / "nlu_components" / "holdout.yml", ROOT)
    return [(example.text, example.intent) for example in examples]
