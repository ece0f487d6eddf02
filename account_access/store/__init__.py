"""The one SQL store: what was asked, told, done and said, so that nothing is lost when a process dies."""

from account_access.store.engine import Store, migrate

__all__ = ["Store", "migrate"]
