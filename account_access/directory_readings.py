"""What is known of the last whole reading of a system's directory: when it was, and of which groups it told.

Facts are as good as the reading that told them: one that did not ask for a group says nothing of who is in it.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.engine import Connection

from account_access.cadence.directory import folded
from account_access.store import cursors, tables


@dataclass(frozen=True)
class Reading:
    """`began`: from when on (UTC) it tells how things were. `asked`: the groups it asked for, as they are compared.

    `absent`: those that the directory does not have, as they were asked for, each with the name that is nearest to it.
    """

    began: datetime
    asked: frozenset[str]
    absent: Mapping[str, str | None]

    def tells_of(self, groups: Collection[str]) -> bool:
        """Whether it says who is in these groups."""
        return self.asked.issuperset(map(folded, groups))


def last(connection: Connection, system: str) -> Reading | None:
    """The last reading of that system's directory to its end, None if there was none."""
    table = tables.cursors
    query = select(table.c.value, table.c.moved_at).where(table.c.name == _name(system))
    row = connection.execute(query).first()
    if row is None:
        return None
    # Earlier releases wrote a word here, and asked for other groups.
    told = json.loads(row.value) if row.value.startswith("{") else {"asked": [], "absent": {}}
    return Reading(row.moved_at, frozenset(told["asked"]), told["absent"])


def note(
    connection: Connection, system: str, began: datetime, asked: Collection[str], absent: Mapping[str, str | None]
) -> None:
    """The directory was read to its end, as it was from `began` (UTC) on."""
    value = json.dumps({"asked": sorted(set(map(folded, asked))), "absent": dict(absent)})
    cursors.move(connection, _name(system), value, began)


def absent_everywhere(connection: Connection, systems: Iterable[str]) -> dict[str, str | None]:
    """The groups asked for that none of these directories has, each with the nearest name that one of them has."""
    told = [reading.absent for system in systems if (reading := last(connection, system))]
    names = set.intersection(*map(set, told)) if told else set()
    return {name: next((found for absent in told if (found := absent[name])), None) for name in names}


def no_such_group(name: str, meant: str | None) -> str:
    """What is said of a group that settings name and the directory does not have."""
    return f"no group is called {name}; " + (f"did you mean {meant}?" if meant else "correct it in the settings")


def _name(system: str) -> str:
    return f"directory:{system}"
