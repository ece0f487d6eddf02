"""What every part of the sandbox shares: configuration, database and clock."""

from dataclasses import dataclass
from datetime import datetime

from account_access.clock import Clock
from sandbox import organisation
from sandbox.config import Config
from sandbox.database import Database


@dataclass(frozen=True)
class Sandbox:
    """The running sandbox."""

    config: Config
    database: Database
    clock: Clock

    def now(self) -> datetime:
        return self.clock.now()

    def settle(self) -> None:
        """Brings the organisation up to the present before anybody looks at it."""
        now = self.now()
        with self.database.read() as connection:
            if not organisation.anything_due(connection, now):
                return
        with self.database.write() as connection:
            organisation.settle(connection, now)


def of(request) -> Sandbox:
    """The sandbox that serves a request."""
    return request.app.state.sandbox
