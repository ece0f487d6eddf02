"""Who a notice is for: both halves of a rule in every combination, and the reason of whoever is left out (C11, E14)."""

import itertools
from dataclasses import replace

import pytest

from account_access.cadence.audience import Audience
from account_access.cadence.directory import DirectoryEntry
from account_access.settings import LockoutSection, PasswordSection

ANN = DirectoryEntry(
    "Ann@acme.example",
    title="Internal Auditor",
    department="Sales",
    worker_type="Contractor",
    groups=("Staff", "Pilot"),
)
# What names her, and what only looks like it.
HITS = {
    "logins": " ann@ACME.example ",
    "groups": "pilot",
    "titles": "internal auditor",
    "departments": "SALES",
    "worker_types": "contractor ",
}
MISSES = {
    "logins": "ann",
    "groups": "Pilots",
    "titles": "Intern",
    "departments": "Sales EMEA",
    "worker_types": "employee",
}


def audience(include=None, exclude=None) -> Audience:
    return Audience("password", PasswordSection(include=include or {}, exclude=exclude or {}))


@pytest.mark.parametrize("key", HITS)
def test_c11_a_value_is_compared_whole_and_without_case(key):
    assert audience(exclude={key: [HITS[key]]}).reason(ANN).startswith("excluded by ")
    assert audience(exclude={key: [MISSES[key]]}).reason(ANN) is None
    assert audience(include={key: [HITS[key]]}).reason(ANN) is None
    assert audience(include={key: [MISSES[key]]}).reason(ANN).startswith("not in the audience: ")


HALVES = {"names nobody": {}, "names her": {"departments": ["Sales"]}, "names others": {"departments": ["Retail"]}}
IN = {
    ("names nobody", "names nobody"): True,
    ("names nobody", "names her"): False,
    ("names nobody", "names others"): True,
    ("names her", "names nobody"): True,
    ("names her", "names her"): False,
    ("names her", "names others"): True,
    ("names others", "names nobody"): False,
    ("names others", "names her"): False,
    ("names others", "names others"): False,
}


@pytest.mark.parametrize(("include", "exclude"), itertools.product(HALVES, repeat=2))
def test_e14_no_inclusion_is_everybody_and_exclusion_beats_inclusion(include, exclude):
    rule = audience(HALVES[include], HALVES[exclude])
    assert (rule.reason(ANN) is None) is IN[include, exclude]


@pytest.mark.parametrize(("hit", "miss"), itertools.permutations(HITS, 2))
def test_one_value_of_any_key_is_enough(hit, miss):
    both = {hit: [HITS[hit]], miss: [MISSES[miss]]}
    assert audience(include=both).reason(ANN) is None
    assert audience(exclude=both).reason(ANN) is not None


REASONS = [
    ({"departments": ["Retail", "Support"]}, "department is Sales; password.include.departments names Retail, Support"),
    ({"groups": ["Beta"]}, "in no such group; password.include.groups names Beta"),
    ({"logins": ["bob"]}, "login is Ann@acme.example; password.include.logins names bob"),
    ({"titles": list("ABCDEFG")}, "title is Internal Auditor; password.include.titles names A, B, C, D, E and 2 more"),
    (
        {"departments": ["IT"], "worker_types": ["Intern"]},
        "department is Sales, worker type is Contractor; password.include.departments names IT; "
        "password.include.worker_types names Intern",
    ),
]


@pytest.mark.parametrize(("include", "reason"), REASONS)
def test_who_is_not_in_the_audience_is_told_of_what_they_have_and_what_the_rule_names(include, reason):
    assert audience(include).reason(ANN) == f"not in the audience: {reason}"


def test_what_somebody_does_not_have_is_in_no_rule():
    nobody = DirectoryEntry("bob")
    assert audience({"titles": ["Clerk"], "departments": ["IT"]}).reason(nobody) == (
        "not in the audience: no title, no department; password.include.titles names Clerk; "
        "password.include.departments names IT"
    )
    assert audience(exclude={"titles": [" "], "departments": [""]}).reason(nobody) is None
    assert audience({"worker_types": ["employee"]}).reason(nobody) is None


class TestNotYetKnown:
    """Whether the rule can be followed while the directory has not told of an account, or of its groups."""

    FACTS = frozenset(HITS) - {"logins"}
    GROUPS = frozenset({"groups"})
    LOGIN_ALONE = DirectoryEntry("ann@acme.example")
    TABLE = [
        ("no rule", {}, {}, False, False),
        ("excluded by login", {}, {"logins": [HITS["logins"]], "groups": ["X"]}, False, False),
        ("others excluded by login", {}, {"logins": ["bob"]}, False, False),
        ("a group excluded", {}, {"groups": ["X"]}, True, True),
        ("a department excluded", {}, {"departments": ["IT"]}, True, False),
        ("included by login", {"logins": [HITS["logins"]], "groups": ["X"]}, {}, False, False),
        ("included by login, a group excluded", {"logins": [HITS["logins"]]}, {"groups": ["X"]}, True, True),
        ("others included by login", {"logins": ["bob"]}, {"groups": ["X"]}, False, False),
        ("a group included", {"groups": ["X"]}, {}, True, True),
        ("a department included", {"departments": ["IT"]}, {}, True, False),
        ("her department or a group included", {"departments": ["Sales"], "groups": ["X"]}, {}, True, False),
        ("every employee excluded", {}, {"worker_types": ["employee"]}, True, False),
    ]

    @pytest.mark.parametrize(("include", "exclude", "without_facts", "without_groups"), [row[1:] for row in TABLE],
                             ids=[row[0] for row in TABLE])  # fmt: skip
    def test_n1_open_is_only_what_the_rest_could_change(self, include, exclude, without_facts, without_groups):
        rule = Audience("lockout", LockoutSection(include=include, exclude=exclude))
        assert rule.is_open((self.LOGIN_ALONE, self.FACTS)) is without_facts
        assert rule.is_open((ANN, self.GROUPS)) is without_groups
        assert not rule.is_open((ANN, frozenset()))


ELSEWHERE = DirectoryEntry("ann", department="Retail", groups=("Kiosks",))
ACCOUNTS = [
    ({}, {}, None),
    ({"departments": ["Retail"]}, {}, None),
    ({"departments": ["Sales"]}, {}, None),
    ({"departments": ["IT"]}, {}, "not in the audience: department is Sales; password.include.departments names IT"),
    ({"departments": ["Sales"]}, {"groups": ["Kiosks"]}, "excluded by group Kiosks"),
]


@pytest.mark.parametrize(("include", "exclude", "reason"), ACCOUNTS)
def test_u9_of_a_person_with_several_accounts_each_may_be_named(include, exclude, reason):
    assert audience(include, exclude).reason(ANN, ELSEWHERE) == reason


def test_u9_open_while_one_account_is_not_known_and_could_change_it():
    rule = audience({"departments": ["Retail"]}, {"groups": ["Kiosks"]})
    assert rule.is_open((ANN, ()), (DirectoryEntry("ann"), ("departments",)))
    assert not rule.is_open((ANN, ()), (ELSEWHERE, ()))
    assert rule.is_open((replace(ELSEWHERE, groups=()), ("groups",)), (ANN, ()))
    assert not rule.is_open((ELSEWHERE, ("departments",)), (ANN, ("groups",)))


def test_a_rule_tells_which_groups_and_values_it_names():
    rule = audience({"groups": ["Pilot"]}, {"groups": ["Kiosks", " "], "titles": ["Clerk"]})
    assert rule.groups == {"Pilot", "Kiosks"}
    assert list(rule.named()) == [
        ("password.include.groups", "groups", "Pilot"),
        ("password.exclude.groups", "groups", "Kiosks"),
        ("password.exclude.titles", "titles", "Clerk"),
    ]
