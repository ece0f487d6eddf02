"""Writes of many turns in few transactions: each waits for the disk together with those that wait at the same time.

A reminder's turn writes an offer and an inbox row. On SQLite each of ten thousand such transactions would wait for the
disk, and for the one write lock that all processes share; together they wait some hundred times.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from queue import SimpleQueue
from typing import Any, TypeVar

from sqlalchemy.engine import Connection

Result = TypeVar("Result")
Write = tuple[Callable[[Connection], Any], Future]
# One transaction holds up everybody else for no more writes than these.
AT_ONCE = 50


class Together:
    """Runs functions of a connection in the order in which they come: all that wait in one transaction.

    If one of a transaction fails, all of it is undone and each is run alone, so that nobody's failure is another's; so
    a function may be run twice.
    """

    def __init__(self, begin: Callable[[], AbstractContextManager[Connection]]):
        self._begin = begin
        self._waiting: SimpleQueue[Write | None] = SimpleQueue()
        self._guard = threading.Lock()
        self._running = False

    def submit(self, function: Callable[[Connection], Result]) -> "Future[Result]":
        """The function's result once it is committed; or what it raised, with nothing of it written."""
        future: Future = Future()
        with self._guard:
            self._waiting.put((function, future))
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name="writes", daemon=True).start()
        return future

    def close(self) -> None:
        """Ends its thread once everything before this is written."""
        with self._guard:
            if self._running:
                self._running = False
                self._waiting.put(None)

    def _run(self) -> None:
        while (first := self._waiting.get()) is not None:
            some, last = [first], False
            while len(some) < AT_ONCE and not self._waiting.empty():
                following = self._waiting.get()
                if following is None:
                    last = True
                    break
                some.append(following)
            self._write(some)
            if last:
                return

    def _write(self, waiting: list[Write]) -> None:
        # Whoever has gone meanwhile wants nothing written; from here on nobody can go.
        some = [one for one in waiting if one[1].running() or one[1].set_running_or_notify_cancel()]
        try:
            with self._begin() as connection:
                results = [function(connection) for function, _ in some]
        except BaseException as error:  # noqa: BLE001 - whoever waits hears of it
            if len(some) == 1:
                some[0][1].set_exception(error)
            else:
                for one in some:
                    self._write([one])
            return
        for (_, future), result in zip(some, results, strict=True):
            future.set_result(result)
