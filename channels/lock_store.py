"""A conversation's lock that is handed on promptly: stock Rasa's waiters look once a second."""

from rasa.core.lock_store import InMemoryLockStore

WAIT_SECONDS = 0.05


class PromptLockStore(InMemoryLockStore):
    """Rasa's in-memory lock store whose waiters look every 50 ms."""

    def __init__(self, endpoint_config=None):
        """Rasa hands a custom lock store its section of endpoints.yml; this one has nothing to configure."""
        super().__init__()

    async def _acquire_lock(self, conversation_id, ticket, wait_time_in_seconds):
        return await super()._acquire_lock(conversation_id, ticket, min(wait_time_in_seconds, WAIT_SECONDS))
