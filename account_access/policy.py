"""Policy decides before every act: capability x setting x group x risk → act, instructions, limited or human (law 6).

Pure: the facts come in, the decision and its reason in words (for the audit trail and the ticket) come out.
"""

from dataclasses import dataclass

ACT, INSTRUCTIONS, LIMITED, HUMAN = "act", "instructions", "limited", "human"
# What holds every act back, whatever its own policy says.
FROZEN, PAUSED = "frozen", "paused"


@dataclass(frozen=True)
class Decision:
    verdict: str
    reason: str


def hold(frozen_by: str | None, paused_because: str | None) -> Decision | None:
    """What keeps any act from being done now: the owner's own report (X10), or the breaker (X11); else None.

    `frozen_by` is the security ticket that holds the freeze, `paused_because` why the system's breaker is open.
    """
    if frozen_by:
        return Decision(FROZEN, f"its owner said that it was not them; security's ticket {frozen_by} is open")
    if paused_because:
        return Decision(PAUSED, f"self-service is stopped for everybody: {paused_because}")
    return None


@dataclass(frozen=True)
class UnlockFacts:
    """What the unlock of one account by its owner depends on."""

    can_unlock: bool
    mode: str
    groups: frozenset[str]
    protected_groups: frozenset[str]
    unlocks_in_window: int
    max_per_window: int
    window_hours: float


def decide_unlock(facts: UnlockFacts) -> Decision:
    """Whether this account may be unlocked by its owner in chat now (U10, I1, law 6)."""
    protected = sorted(facts.groups & facts.protected_groups)
    if protected:
        return Decision(HUMAN, f"member of the protected group {', '.join(protected)}")
    if not facts.can_unlock:
        return Decision(INSTRUCTIONS, "the system cannot unlock by itself")
    if facts.mode == INSTRUCTIONS:
        return Decision(INSTRUCTIONS, "the organisation wants instructions instead of an automated unlock")
    if facts.unlocks_in_window >= facts.max_per_window:
        return Decision(
            LIMITED,
            f"{facts.unlocks_in_window} self-service unlocks in {facts.window_hours:g} hours, "
            f"{facts.max_per_window} are allowed",
        )
    return Decision(
        ACT,
        f"self-service unlock {facts.unlocks_in_window + 1} of {facts.max_per_window} in {facts.window_hours:g} hours",
    )


def decide_mint(can_mint: bool, groups: frozenset[str], protected_groups: frozenset[str]) -> Decision:
    """Whether a one-time link to a new password may be minted for the account's owner now (P5, law 6)."""
    protected = sorted(groups & protected_groups)
    if protected:
        return Decision(HUMAN, f"member of the protected group {', '.join(protected)}")
    if not can_mint:
        return Decision(INSTRUCTIONS, "the system cannot mint a link")
    return Decision(ACT, "the owner's own press")
