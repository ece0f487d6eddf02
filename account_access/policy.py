"""Policy decides before every act: capability x setting x group x risk → act, instructions, limited or human (law 6).

Pure: the facts come in, the decision and its reason in words (for the audit trail and the ticket) come out.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from account_access.connectors.base import Factor

ACT, INSTRUCTIONS, LIMITED, HUMAN = "act", "instructions", "limited", "human"
# What holds every act back, whatever its own policy says.
FROZEN, PAUSED = "frozen", "paused"
# The account is not that person's any more (U9).
STALE = "stale"


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


def _protected(groups: frozenset[str], protected_groups: frozenset[str]) -> Decision | None:
    """A human, for members of a protected group (law 6). A name in another case is no way round it."""
    kept = {name.casefold() for name in protected_groups}
    named = sorted(group for group in groups if group.casefold() in kept)
    return Decision(HUMAN, f"member of the protected group {', '.join(named)}") if named else None


def decide_unlock(facts: UnlockFacts) -> Decision:
    """Whether this account may be unlocked by its owner in chat now (U10, I1, law 6)."""
    protected = _protected(facts.groups, facts.protected_groups)
    if protected:
        return protected
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
    protected = _protected(groups, protected_groups)
    if protected:
        return protected
    if not can_mint:
        return Decision(INSTRUCTIONS, "the system cannot mint a link")
    return Decision(ACT, "the owner's own press")


# How strictly somebody has to be known before their factors go, the laxest first (M7, M9).
AUTOMATIC, FRESH_SESSION, CODE, MANAGER_APPROVAL = "automatic", "fresh_session", "code", "manager_approval"
VERIFICATIONS = (AUTOMATIC, FRESH_SESSION, CODE, MANAGER_APPROVAL, HUMAN)
SIGN_IN_AGAIN, PROOF, APPROVAL = "sign_in_again", "code_needed", "approval_needed"
# Codes were tried as often as they may be.
CODES_SPENT = "code_failed"


@dataclass(frozen=True)
class ResetFacts:
    """What the MFA reset of one account by its owner depends on.

    `signed_in_ago`: how long before the owner's word their session had signed in, None where nobody can tell, and
    `undated` where nobody could tell after another sign-in either. `proven`:
    a code of another factor was right; `code_tries` are those that were not, or were only sent, in the window.
    """

    can_reset: bool
    mode: str
    groups: frozenset[str]
    protected_groups: frozenset[str]
    verification: str
    verification_by_group: Mapping[str, str]
    signed_in_ago: timedelta | None
    undated: bool
    fresh_for: timedelta
    approved: bool
    proven: bool
    code_tries: int
    max_code_tries: int
    resets_in_window: int
    max_per_window: int
    window_hours: float


def decide_reset(facts: ResetFacts) -> Decision:
    """Whether this account's factors may be removed by its owner in chat now (M5, M7, M9, law 6)."""
    protected = _protected(facts.groups, facts.protected_groups)
    if protected:
        return protected
    if not facts.can_reset:
        return Decision(INSTRUCTIONS, "the system cannot remove factors by itself")
    if facts.mode == INSTRUCTIONS:
        return Decision(INSTRUCTIONS, "the organisation wants instructions instead of an automated reset")
    needed = verification_for(facts.groups, facts.verification, facts.verification_by_group)
    if needed == HUMAN:
        return Decision(HUMAN, "the organisation wants a human to reset this person's MFA")
    if facts.resets_in_window >= facts.max_per_window:
        return Decision(
            LIMITED,
            f"{facts.resets_in_window} self-service resets in {facts.window_hours:g} hours, "
            f"{facts.max_per_window} are allowed",
        )
    if facts.approved:
        return Decision(ACT, "approved by the manager")
    if needed == MANAGER_APPROVAL:
        return Decision(APPROVAL, "the organisation wants the manager's approval")
    if needed == CODE and not facts.proven:
        if facts.code_tries >= facts.max_code_tries:
            return Decision(CODES_SPENT, f"{facts.code_tries} codes tried in {facts.window_hours:g} hours")
        return Decision(PROOF, "the organisation wants a code of another factor")
    if needed == FRESH_SESSION and not is_fresh(facts.signed_in_ago, facts.fresh_for):
        if facts.undated:
            # To sign in again would lead here again, and the manager's session would be no better (M7).
            return Decision(HUMAN, "the organisation's sign-in does not tell when people signed in (auth_time)")
        return Decision(SIGN_IN_AGAIN, "the session is not known to be fresh")
    return Decision(
        ACT,
        f"{needed}, self-service reset {facts.resets_in_window + 1} of {facts.max_per_window} "
        f"in {facts.window_hours:g} hours",
    )


def verification_for(groups: frozenset[str], usual: str, by_group: Mapping[str, str]) -> str:
    """The strictest verification that the settings want of a member of these groups; else the usual one."""
    theirs = {group.casefold() for group in groups}
    wanted = [verification for group, verification in by_group.items() if group.casefold() in theirs]
    return max(wanted, key=VERIFICATIONS.index, default=usual)


def proving(
    factors: Iterable[Factor], going: Collection[str], kinds: Collection[str], enrolled_before: datetime
) -> tuple[Factor, ...]:
    """Those of an account's factors whose code may prove that a reset is its owner's wish (M7).

    Never one of those that go. `kinds` are those the settings trust; one that nobody can date, or that was enrolled
    since, might be an intruder's own.
    """
    return tuple(
        factor
        for factor in factors
        if factor.usable
        and factor.id not in going
        and factor.kind.value in kinds
        and factor.enrolled_at is not None
        and factor.enrolled_at <= enrolled_before
    )


def is_fresh(signed_in_ago: timedelta | None, fresh_for: timedelta) -> bool:
    """Whether a session that signed in so long before counts as fresh; one that nobody can date never does (M7)."""
    return signed_in_ago is not None and signed_in_ago <= fresh_for
