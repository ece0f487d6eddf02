"""The local desk: tickets in the store's own tables, for organisations without a help desk and for a first look."""

from sqlalchemy import select, update

from account_access import people
from account_access.clock import Clock
from account_access.store import Store, tables
from account_access.tickets import DeskEvent

STATES = {"open": "open", "reopen": "open", "resolve": "resolved"}


class LocalDesk:
    """Takes each event once by its key, whatever is repeated after a crash."""

    def __init__(self, store: Store, clock: Clock, prefix: str):
        self.store = store
        self.clock = clock
        self.prefix = prefix

    def take(self, event: DeskEvent) -> str:
        """Records the event and returns the desk's reference."""
        reference = event.ticket.reference(self.prefix)
        with self.store.begin() as connection:
            entries, desk = tables.desk_entries, tables.desk_tickets
            if connection.execute(select(entries.c.key).where(entries.c.key == event.key)).first():
                return reference
            now = self.clock.now()
            if event.event == "open":
                person = people.find(connection, event.ticket.person_id)
                connection.execute(
                    desk.insert().values(
                        reference=reference,
                        requester=person.login,
                        summary=event.ticket.summary,
                        state="open",
                        changed_at=now,
                    )
                )
            elif event.event in STATES:
                connection.execute(
                    update(desk).where(desk.c.reference == reference).values(state=STATES[event.event], changed_at=now)
                )
            connection.execute(
                entries.insert().values(key=event.key, reference=reference, event=event.event, text=event.text, at=now)
            )
        return reference
