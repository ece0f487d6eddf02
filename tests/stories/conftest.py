"""Quiet, and trained once: Rasa logs every prediction and shows bars for every tracker."""

import logging

import pytest
import structlog
from rasa.shared.core.domain import Domain

from tests.stories.dialogue import ROOT, Dialogue, steps_in, trackers_of


@pytest.fixture(scope="session", autouse=True)
def quiet():
    """No log lines and no progress bars from Rasa."""
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setenv("LOG_LEVEL", "ERROR")
    monkeypatch.setenv("TQDM_DISABLE", "1")
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    yield
    structlog.configure(**before)
    monkeypatch.undo()


@pytest.fixture(scope="session")
def domain(quiet):
    """The real domain."""
    return Domain.load(str(ROOT / "domain.yml"))


@pytest.fixture(scope="session")
def training_steps(domain):
    """All rules and stories."""
    return steps_in(ROOT / "data" / "rules", domain) + steps_in(ROOT / "data" / "stories", domain)


@pytest.fixture(scope="session")
def dialogue(domain, training_steps):
    """The policies trained on all of them."""
    return Dialogue(training_steps, domain)


@pytest.fixture(scope="session")
def conversations(domain):
    """The test stories below this folder."""
    return trackers_of(steps_in(ROOT / "tests" / "stories", domain), domain)
