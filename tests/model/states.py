"""What is kept of a state to come back to it, and what of its questions tells it from another."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from tests.model.laws import TYPED_WITHIN
from tests.model.talk import Talk

# Of the fake system; all else about it is the same in every state.
REMEMBERED = (
    *("accounts", "memberships", "enrolled", "managers"),
    *("unlocked", "removed", "ended", "changed", "down", "lying"),
)


LEADS_ON = ("affirm", "choose_factor", "choose_system")


class Looks(NamedTuple):
    """An offer as far as it matters: two that look alike are answered alike.

    `act` is what a yes leads to, `yes` whether one answers it or leads on to an act, `current` whether it is about the
    lockout that stands, or factors that do, for each account that it is about.
    """

    act: str | None
    from_notice: bool
    yes: bool
    state: str
    typable: bool
    current: tuple[bool, ...]

    @property
    def matters(self) -> bool:
        return self.state == "open" and (self.act is not None or self.yes)


class Spoken(NamedTuple):
    """A message that was taken to Rasa: its row, what the classifier takes it for, and what it can rightly answer."""

    inbound_id: str
    intent: dict | None
    says: dict


@dataclass(frozen=True)
class Snapshot:
    """Everything that a later turn may depend on; picklable. `talk` is since the session's start."""

    rows: dict[str, list[tuple]]
    system: bytes
    now: datetime
    talk: Talk
    talk_before: Talk
    spoken_at: datetime
    last: Spoken | None
    lawful: frozenset[str]


def looks_of(row: dict, now: datetime, locked_since: Mapping[str, str | None], enrolled: set[str]) -> Looks:
    """How an offer of laws.offers_in looks now; when each system's account was locked, and what factors there are."""
    state = "expired" if row["state"] == "open" and row["expires_at"] <= now else row["state"]
    if row["shown_at"] is None:
        state = "not shown"
    typable = state == "open" and row["shown_at"] > now - TYPED_WITHIN
    act = row["subject"].get("act")
    current = (act == "reset_mfa" and enrolled.issuperset(row["subject"].get("factor_ids", ())),)
    if act == "unlock":
        about = row["subject"].get("choices") or [row["subject"]]
        current = tuple(one["locked_at"] == locked_since[one["system"]] for one in about)
    yes = any(answer["intent"] in LEADS_ON for answer in row["answers"])
    return Looks(act, bool(row["from_notice"]) and act is not None, yes, state, typable, current)
