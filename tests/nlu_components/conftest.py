"""One trained language side for all tests that ask it."""

import asyncio
from pathlib import Path

import pytest
import yaml
from rasa.core.agent import Agent
from rasa.core.channels.channel import UserMessage

from nlu.evaluation import models

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def model_file(tmp_path_factory):
    """The language side, trained from nothing."""
    folder = tmp_path_factory.mktemp("model")
    return models.train(ROOT / "config.yml", ROOT / "data" / "nlu", ROOT / "domain.yml", folder)[0]


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
    blocks = yaml.safe_load((ROOT / "tests" / "nlu_components" / "holdout.yml").read_text(encoding="utf-8"))["nlu"]
    return [(line[2:].strip(), block["intent"]) for block in blocks for line in block["examples"].splitlines()]
