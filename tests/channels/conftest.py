"""The fixtures of tests/account_access/world.py, and the channel on a server."""

from tests.account_access.world import clock, migrated, settings, store, store_url, world
from tests.channels.rasa_around import channel

__all__ = ["channel", "clock", "migrated", "settings", "store", "store_url", "world"]
