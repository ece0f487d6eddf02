"""The fixtures of tests/account_access/world.py."""

from tests.account_access.world import clock, migrated, settings, store, store_url, world

__all__ = ["clock", "migrated", "settings", "store", "store_url", "world"]
