"""Fewer messages, please; and back again. Never more than the settings say (N6)."""

from types import SimpleNamespace

import pytest

from account_access import preferences
from account_access.preferences import FEWER, USUAL, Limits
from account_access.store import tables


def change(world, way, cause=None, name="dana"):
    cause = cause or f"cause-{len(world.rows(tables.audit))}"
    with world.store.begin() as connection:
        person = world.person(name).id
        return preferences.change(connection, world.clock.now(), person, way, world.settings.lockout, cause)


def limits(world, name="dana", section=None):
    with world.store.reading() as connection:
        return preferences.limits_of(connection, world.person(name).id, section or world.settings.lockout)


@pytest.mark.parametrize(
    ("words", "way"),
    [
        ("fewer messages please", FEWER),
        ("Stop sending me these messages!", FEWER),
        ("no more lockout messages", FEWER),
        ("don't write to me again", FEWER),
        ("mute", FEWER),
        ("turn off notifications", FEWER),
        ("only once a day please", FEWER),
        ("I don't want these alerts any more", FEWER),
        ("you're spamming me", FEWER),
        ("turn notifications back on", USUAL),
        ("undo that", USUAL),
        ("as usual please", USUAL),
        ("I'd like to be told every time again", USUAL),
        ("write to me as before", USUAL),
        ("unmute", USUAL),
        ("change my notification settings", None),
        ("how do I change how often you write", None),
    ],
)
def test_n6_which_way(words, way):
    assert preferences.wanted(words) == way


class TestChanging:
    def test_n6_step_by_step_down_to_one_a_week(self, world):
        steps = [change(world, FEWER) for _ in range(4)]
        assert [(after.max_notifications, after.window_hours, changed) for after, changed in steps] == [
            (2, 24, True),
            (1, 24, True),
            (1, 168, True),
            (1, 168, False),
        ]

    def test_n6_undone_at_once(self, world):
        change(world, FEWER)
        change(world, FEWER)
        assert change(world, USUAL) == (Limits(4, 24, 6), True)
        assert change(world, USUAL) == (Limits(4, 24, 6), False)

    def test_law_5_replayed_message_goes_one_step(self, world):
        first = change(world, FEWER, "inbound-1")
        assert change(world, FEWER, "inbound-1") == first

    def test_only_for_oneself(self, world):
        change(world, FEWER)
        assert limits(world, "eli") == Limits(4, 24, 6)

    @pytest.mark.parametrize(
        ("section", "expected"),
        [
            (dict(max_notifications=1, window_hours=24, gap_hours=6), Limits(1, 24, 6)),
            (dict(max_notifications=0, window_hours=24, gap_hours=6), Limits(0, 24, 6)),
            (dict(max_notifications=9, window_hours=240, gap_hours=12), Limits(2, 240, 12)),
        ],
    )
    def test_n6_never_more_than_the_settings_say_by_now(self, world, section, expected):
        change(world, FEWER)
        assert limits(world, section=SimpleNamespace(**section)) == expected

    def test_x7_is_audited(self, world):
        change(world, FEWER)
        (record,) = world.rows(tables.audit)
        assert (record["act"], record["object"], record["result"]) == (
            "change_notifications",
            "fewer",
            "2 in 24 hours",
        )
