"""Policy decides before every act, and says why (law 6, U10, I1, M5, M7, M9)."""

from datetime import timedelta

import pytest

from account_access.policy import ResetFacts, UnlockFacts, decide_reset, decide_unlock

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
    ("protected in another case", {"groups": frozenset({"OKTA administrators"})}, "human", "group OKTA admin"),
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


def reset_facts(**changes) -> ResetFacts:
    usual = dict(
        can_reset=True,
        mode="automated",
        groups=frozenset({"Everyone"}),
        protected_groups=ADMINS,
        verification="fresh_session",
        verification_by_group={},
        signed_in_ago=timedelta(hours=1),
        fresh_for=timedelta(hours=12),
        approved=False,
        proven=False,
        code_tries=0,
        max_code_tries=4,
        resets_in_window=0,
        max_per_window=2,
        window_hours=24.0,
        undated=False,
    )
    return ResetFacts(**{**usual, **changes})


STALE = {"signed_in_ago": timedelta(hours=12, seconds=1)}
WANTS_APPROVAL = {"verification": "manager_approval"}
TWO_GROUPS = {
    "groups": frozenset({"Staff", "Contractors"}),
    "verification_by_group": {"Staff": "automatic", "Contractors": "manager_approval"},
}
RESETS = [
    ("an ordinary person", {}, "act", "fresh_session, self-service reset 1 of 2 in 24 hours"),
    ("signed in just within", {"signed_in_ago": timedelta(hours=12)}, "act", "fresh_session"),
    ("signed in too long ago", STALE, "sign_in_again", "not known to be fresh"),
    ("nobody can tell", {"signed_in_ago": None}, "sign_in_again", "not known to be fresh"),
    ("automatic needs no freshness", {"verification": "automatic", "signed_in_ago": None}, "act", "automatic"),
    ("an approval is wanted", WANTS_APPROVAL, "approval_needed", "manager's approval"),
    ("approved", {**WANTS_APPROVAL, "approved": True}, "act", "approved by the manager"),
    ("approved instead of signed in again", {**STALE, "approved": True}, "act", "approved by the manager"),
    ("a code is wanted", {"verification": "code"}, "code_needed", "a code of another factor"),
    ("a code was right", {"verification": "code", "proven": True}, "act", "code, self-service reset 1 of 2"),
    ("a code, fresh or not", {**STALE, "verification": "code"}, "code_needed", "a code of another factor"),
    ("the last code allowed", {"verification": "code", "code_tries": 3}, "code_needed", "a code of another factor"),
    ("too many codes", {"verification": "code", "code_tries": 4}, "code_failed", "4 codes tried in 24 hours"),
    ("too many codes, where none is wanted", {"code_tries": 9}, "act", "fresh_session"),
    ("a code is no approval", {**WANTS_APPROVAL, "proven": True}, "approval_needed", "manager's approval"),
    ("a code is no fresh session", {**STALE, "proven": True}, "sign_in_again", "not known to be fresh"),
    ("an approval is as good as a code", {"verification": "code", "approved": True}, "act", "approved by the manager"),
    ("an administrator with a code", {"groups": ADMINS, "verification": "code", "proven": True}, "human", "protected"),
    ("a human is wanted", {"verification": "human"}, "human", "wants a human"),
    ("a human is wanted, approved or not", {"verification": "human", "approved": True}, "human", "wants a human"),
    ("the strictest of two groups", TWO_GROUPS, "approval_needed", "manager's approval"),
    ("groups of others", {"verification_by_group": {"Staff": "human"}}, "act", "fresh_session"),
    ("an administrator", {"groups": ADMINS, "approved": True}, "human", "protected group"),
    ("one too many", {"resets_in_window": 2}, "limited", "2 self-service resets in 24 hours, 2 are allowed"),
    ("one too many, approved or not", {"resets_in_window": 2, "approved": True}, "limited", "2 are allowed"),
    ("a system that cannot", {"can_reset": False}, "instructions", "cannot remove factors"),
    ("instructions wanted", {"mode": "instructions"}, "instructions", "wants instructions"),
]


@pytest.mark.parametrize(("changes", "verdict", "reason"), [case[1:] for case in RESETS], ids=[c[0] for c in RESETS])
def test_m7_m9_decision_on_a_reset(changes, verdict, reason):
    decision = decide_reset(reset_facts(**changes))
    assert decision.verdict == verdict and reason in decision.reason
