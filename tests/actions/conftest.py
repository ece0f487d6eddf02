"""The fixtures of tests/account_access/world.py, and a stage to run actions on."""

from tests.account_access.world import clock, migrated, settings, store, store_url, world
from tests.actions.stage import stage

__all__ = ["clock", "migrated", "settings", "stage", "store", "store_url", "world"]
