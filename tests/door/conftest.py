"""The fixtures of house.py, for every test of the door."""

from tests.door.house import clock, empty_store, house, house_without_rasa, store

__all__ = ["clock", "empty_store", "house", "house_without_rasa", "store"]
