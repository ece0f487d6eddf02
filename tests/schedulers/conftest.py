"""The fixtures of tests/account_access/world.py, and the schedulers' service over them."""

import pytest
import requests

from account_access.desks.local import LocalDesk
from schedulers.service import Service
from tests.account_access.world import clock, migrated, settings, store, store_url, world
from tests.schedulers.fake_channel import serving

__all__ = ["channel", "clock", "migrated", "service", "settings", "store", "store_url", "world"]


@pytest.fixture
def channel(world):
    with serving(world) as running:
        world.settings.schedulers.rasa_url = running.url
        yield running


@pytest.fixture
def service(world):
    http = requests.Session()
    http.trust_env = False
    systems = {"okta": world.system}
    desk = LocalDesk(world.store, world.clock, "AA")
    acts = (world.unlocks, world.resets)
    yield Service(world.settings, world.store, world.clock, systems, *acts, desk, http)
    http.close()
