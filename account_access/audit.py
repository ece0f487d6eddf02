"""The audit trail: who did what to whose account, why, and how it ended (X7). Append-only, by a trigger."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Connection

from account_access.store import Store, tables


def write(
    connection: Connection,
    at: datetime,
    actor: str,
    act: str,
    object: str,
    result: str,
    person_id: str | None = None,
    reason: str | None = None,
    detail: dict[str, Any] | None = None,
    key: str | None = None,
) -> None:
    """Adds a record in the caller's transaction, so that the act and its record stand or fall together.

    With a `key`, a record that is already there stays the only one. Never put a secret into `detail`.
    """
    if key and connection.execute(select(tables.audit.c.id).where(tables.audit.c.key == key)).first():
        return
    connection.execute(
        tables.audit.insert().values(
            at=at,
            key=key,
            actor=actor,
            person_id=person_id,
            act=act,
            object=object,
            result=result,
            reason=reason,
            detail=detail,
        )
    )


def about(store: Store, person_id: str) -> list[dict[str, Any]]:
    """Every record that concerns a person, oldest first."""
    query = select(tables.audit).where(tables.audit.c.person_id == person_id).order_by(tables.audit.c.id)
    with store.reading() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]
