"""How often one person may do something, so that nobody drowns the assistant or everybody else."""

import math
import time

from limits import RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from door.errors import ApiError

# One process serves everybody, so its own memory is the right place to count.
SENDING = (RateLimitItemPerMinute(20), RateLimitItemPerSecond(6, 5))
READING = (RateLimitItemPerMinute(240),)
SIGNING_IN = (RateLimitItemPerMinute(600),)


class Rates:
    """Counts by name and person in moving windows."""

    def __init__(self):
        self._storage = MemoryStorage()  # the limiter itself holds it by a weak reference only
        self._limiter = MovingWindowRateLimiter(self._storage)

    def check(self, items: tuple, name: str, who: str) -> None:
        """Counts one use. Raises ApiError 429 with Retry-After (seconds) when it is one too many."""
        for item in items:
            if not self._limiter.test(item, name, who):
                reset_at, _ = self._limiter.get_window_stats(item, name, who)
                wait = max(1, math.ceil(reset_at - time.time()))
                raise ApiError(
                    429,
                    "too_many",
                    f"That is more than can be handled at once. Please try again in {wait} seconds.",
                    {"Retry-After": str(wait)},
                )
        for item in items:
            self._limiter.hit(item, name, who)
