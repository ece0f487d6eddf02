"""How often a person hears of lockouts: at most so many in a rolling window, with a gap between them (N6)."""

from collections.abc import Iterable
from datetime import datetime, timedelta


def next_allowed(
    sent: Iterable[datetime], now: datetime, max_notifications: int, window: timedelta, gap: timedelta
) -> datetime | None:
    """The first instant, not before `now`, at which the person may get another lockout notice.

    `sent` are the instants of those really sent, over all systems. Exactly the gap after the last one another may go;
    one exactly as old as the window no longer counts. None where the settings allow no notice at all.
    """
    if max_notifications < 1:
        return None
    times = sorted(sent)
    allowed = now
    if times:
        allowed = max(allowed, times[-1] + gap)
    if len(times) >= max_notifications:
        allowed = max(allowed, times[-max_notifications] + window)
    return allowed
