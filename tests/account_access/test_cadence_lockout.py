"""N6: so many lockout notices in a rolling window, with a gap between two; against an oracle that only counts."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from account_access.cadence.lockout import next_allowed
from tests.account_access.world import START

MINUTE = timedelta(minutes=1)


def allowed_at(sent, at, most, window, gap) -> bool:
    """Word by word: fewer than `most` in the window that ends now, and the last one at least the gap ago."""
    recent = [moment for moment in sent if at - window < moment <= at]
    return len(recent) < most and all(at - moment >= gap for moment in sent)


def oracle(sent, now, most, window, gap):
    """The first minute from now on that is allowed, by trying every minute."""
    if most < 1:
        return None
    at = now
    while not allowed_at(sent, at, most, window, gap):
        at += MINUTE
    return at


minutes = st.integers(0, 300)


@given(sent=st.lists(minutes, max_size=8), most=st.integers(0, 5), window=st.integers(1, 200), gap=st.integers(0, 90))
def test_n6_first_allowed_instant_is_the_oracles(sent, most, window, gap):
    times = [START - minute * MINUTE for minute in sent]
    arguments = (times, START, most, window * MINUTE, gap * MINUTE)
    assert next_allowed(*arguments) == oracle(*arguments)


@given(
    most=st.integers(1, 5), window=st.integers(10, 200), gap=st.integers(0, 90), waits=st.lists(minutes, max_size=25)
)
def test_n6_who_waits_until_it_is_allowed_never_breaks_the_limit(most, window, gap, waits):
    sent, now = [], START
    for wait in waits:
        now = max(now + wait * MINUTE, next_allowed(sent, now, most, window * MINUTE, gap * MINUTE))
        assert allowed_at(sent, now, most, window * MINUTE, gap * MINUTE)
        sent.append(now)


HOUR = timedelta(hours=1)
DEFAULTS = [
    ("the first one", [], 0),
    ("five hours after one", [5], 1),
    ("exactly six hours after one", [6], 0),
    ("four in a day, the first exactly a day ago", [24, 18, 12, 6], 0),
    ("four in 23 hours", [23, 17, 11, 6], 1),
    ("out of order", [6, 23, 11, 17], 1),
]


@pytest.mark.parametrize(("hours_ago", "wait"), [case[1:] for case in DEFAULTS], ids=[case[0] for case in DEFAULTS])
def test_n6_with_the_defaults(hours_ago, wait):
    sent = [START - ago * HOUR for ago in hours_ago]
    assert next_allowed(sent, START, 4, 24 * HOUR, 6 * HOUR) == START + wait * HOUR


def test_no_notice_at_all_where_none_is_allowed():
    assert next_allowed([], START, 0, 24 * HOUR, 6 * HOUR) is None
