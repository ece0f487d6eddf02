"""A conversation's lock that is handed on promptly: stock Rasa's waiters look once a second."""

from rasa.core.lock_store import InMemoryLockStore

WAIT_SECONDS = 0.05


class PromptLockStore(InMemoryLockStore):
    """Rasa's in-memory lock store whose waiters look every 50 ms."""

    async def _acquire_lock(self, conversation_id, ticket, wait_time_in_seconds):
        return await super()._acquire_lock(conversation_id, ticket, min(wait_time_in_seconds, WAIT_SECONDS))
