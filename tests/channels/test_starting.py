"""The channel opens only with its secrets and a store; `rasa` commands in a clone work without (law 3)."""

import pytest
from sanic import Blueprint

from channels import failed_turn
from channels.inbox import ClosedInput, InboxInput

SECRETS = {"DOOR_SECRET": "a-secret-of-the-door-1", "SCHEDULER_SECRET": "a-secret-of-schedulers"}


@pytest.fixture
def start(tmp_path, monkeypatch, store_url):
    (tmp_path / "settings.yml").write_text("store:\n  url: ${STORE_URL}\n")
    monkeypatch.setattr(failed_turn, "install", lambda: None)

    def start(**changes):
        values = {**SECRETS, "SETTINGS": str(tmp_path / "settings.yml"), "STORE_URL": store_url, **changes}
        for name, value in values.items():
            monkeypatch.setenv(name, value) if value is not None else monkeypatch.delenv(name, raising=False)
        return InboxInput.from_credentials({})

    return start


def test_opens_with_everything(start):
    channel = start()
    assert isinstance(channel, InboxInput)
    channel.store.close()


@pytest.mark.parametrize(
    "changes",
    [
        {"DOOR_SECRET": None},
        {"SCHEDULER_SECRET": None},
        {"DOOR_SECRET": ""},
        {"DOOR_SECRET": "short"},
        {"STORE_URL": None},
        {"STORE_URL": "sqlite:////nowhere/store.db"},
        {"SETTINGS": "/nowhere/settings.yml"},
    ],
    ids=str,
)
def test_stays_closed_and_says_why(start, changes, caplog):
    channel = start(**changes)
    assert isinstance(channel, ClosedInput) and channel.name() == "inbox"
    assert "stays closed" in caplog.text


def test_closed_channel_answers_to_nobody():
    blueprint = ClosedInput().blueprint(None)
    assert isinstance(blueprint, Blueprint) and not blueprint._future_routes
