"""Named points at which a process can be made to die, so that "any process may be killed at any instant" is tested.

Set `FAULT_POINT=<name>:<marker file>`: the first process that reaches the point writes the marker (its pid) and is
killed as by `kill -9`; once the marker exists nothing happens any more, so the restarted process goes on. Unset, a
point costs one look into a dictionary.
"""

import os
import signal

POINTS = (
    "request_row_written",
    "call_sent",
    "reply_lost",
    "before_inbox_row",
    "after_inbox_row",
    "before_tracker_saved",
    "door_mid_turn",
    "notice_claimed",
    "ticket_sent",
    "check_looked",
    "mail_taken",
    "factors_removed",
    "reminders_made",
    "contractors_made",
)


def point(name: str) -> None:
    """Dies here if FAULT_POINT names this point and its marker is not there yet."""
    setting = os.environ.get("FAULT_POINT")
    if not setting:
        return
    wanted, _, marker = setting.partition(":")
    if wanted != name:
        return
    try:
        handle = os.open(marker, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return
    os.write(handle, f"{os.getpid()}\n".encode())
    os.fsync(handle)
    os.kill(os.getpid(), signal.SIGKILL)
