"""Policy decides before every act, and says why (law 6, U10, I1)."""

import pytest

from account_access.policy import UnlockFacts, decide_unlock

ADMINS = frozenset({"Okta Administrators", "Break glass"})


def facts(**changes) -> UnlockFacts:
    usual = dict(
        can_unlock=True,
        mode="automated",
        groups=frozenset({"Everyone"}),
        protected_groups=ADMINS,
        unlocks_in_window=0,
        max_per_window=3,
        window_hours=24.0,
    )
    return UnlockFacts(**{**usual, **changes})


CASES = [
    ("an ordinary person", {}, "act", "self-service unlock 1 of 3 in 24 hours"),
    ("the last one allowed", {"unlocks_in_window": 2}, "act", "self-service unlock 3 of 3 in 24 hours"),
    ("one too many", {"unlocks_in_window": 3}, "limited", "3 self-service unlocks in 24 hours, 3 are allowed"),
    ("far too many", {"unlocks_in_window": 9}, "limited", "9 self-service unlocks in 24 hours, 3 are allowed"),
    ("none allowed", {"max_per_window": 0}, "limited", "0 self-service unlocks in 24 hours, 0 are allowed"),
    ("half a day", {"window_hours": 1.5}, "act", "self-service unlock 1 of 3 in 1.5 hours"),
    ("an administrator", {"groups": frozenset({"Okta Administrators"})}, "human", "protected group Okta Admin"),
    ("protected twice", {"groups": ADMINS}, "human", "protected group Break glass, Okta Administrators"),
    ("nothing protected", {"groups": ADMINS, "protected_groups": frozenset()}, "act", "unlock 1 of 3"),
    ("instructions wanted", {"mode": "instructions"}, "instructions", "wants instructions"),
    ("a system that cannot", {"can_unlock": False}, "instructions", "cannot unlock by itself"),
    ("protected before all else", {"groups": ADMINS, "can_unlock": False}, "human", "protected group"),
    ("protected before the limit", {"groups": ADMINS, "unlocks_in_window": 9}, "human", "protected group"),
    ("instructions before the limit", {"mode": "instructions", "unlocks_in_window": 9}, "instructions", "instead"),
]


@pytest.mark.parametrize(("changes", "verdict", "reason"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_decision(changes, verdict, reason):
    decision = decide_unlock(facts(**changes))
    assert decision.verdict == verdict and reason in decision.reason
