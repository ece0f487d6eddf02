"""Links of ours: whose they are, how long they can be clicked, how long they lead on (P5, E10)."""

from datetime import timedelta

import pytest

from account_access import links
from account_access.store import tables
from tests.account_access.world import START

DAYS, MINUTES = timedelta(days=3), timedelta(minutes=5)


def made(world, key="cause-1", **options):
    values = dict(kind=links.PASSWORD, system="okta", target="https://acme.example/forgot", expires_at=START + DAYS)
    values |= dict(renewed_for=DAYS, good_for=MINUTES) | options
    with world.store.begin() as connection:
        return links.make(connection, world.clock.now(), key, world.person().id, **values)


def click(world, link):
    with world.store.begin() as connection:
        return links.click(connection, world.clock.now(), link)


def audited(world, act):
    return [row for row in world.rows(tables.audit) if row["act"] == act]


def test_p5_retry_finds_the_link_it_made(world):
    first, again = made(world), made(world)
    assert first == again and len(world.rows(tables.links)) == len(audited(world, "make_link")) == 1


def test_p5_address_is_ours(world):
    link = made(world)
    assert link.path == f"/go/{link.id}"


@pytest.mark.parametrize(
    ("after", "state"),
    [(timedelta(0), "ready"), (DAYS - timedelta(seconds=1), "ready"), (DAYS, "expired"), (2 * DAYS, "expired")],
)
def test_p5_three_days_to_be_clicked(world, after, state):
    link = made(world)
    world.clock.move(seconds=after.total_seconds())
    assert link.state_at(world.clock.now()) == state
    assert (click(world, link) is not None) == (state == "ready")


@pytest.mark.parametrize(
    ("after", "state"),
    [(timedelta(0), "ready"), (MINUTES - timedelta(seconds=1), "ready"), (MINUTES, "expired"), (DAYS, "expired")],
)
def test_p5_five_minutes_after_the_click(world, after, state):
    clicked = click(world, made(world))
    world.clock.move(seconds=after.total_seconds())
    assert clicked.state_at(world.clock.now()) == state
    again = click(world, clicked)
    assert (again is not None) == (state == "ready")


def test_p5_clicked_in_the_last_minute_it_leads_on_beyond_the_third_day(world):
    link = made(world)
    world.clock.move(seconds=(DAYS - timedelta(minutes=1)).total_seconds())
    clicked = click(world, link)
    world.clock.move(seconds=timedelta(minutes=4).total_seconds())
    assert clicked.state_at(world.clock.now()) == "ready" and click(world, clicked)


def test_e10_reminders_link_leads_on_until_that_expiry(world):
    link = made(world, kind="password_reminder", good_for=None, renewed_for=None)
    click(world, link)
    world.clock.move(seconds=(DAYS - timedelta(seconds=1)).total_seconds())
    assert click(world, link)
    world.clock.move(seconds=timedelta(seconds=1).total_seconds())
    assert click(world, link) is None


def test_e10_first_click_is_kept_with_what_it_means(world):
    expiry = {"expires_at": "2026-12-01T10:00:00+00:00"}
    link = made(world, kind="password_reminder", good_for=None, renewed_for=None, facts=expiry)
    made(world, "another", kind="password_reminder", good_for=None, renewed_for=None)
    click(world, link)
    world.clock.move(seconds=MINUTES.total_seconds())
    click(world, link)
    with world.store.reading() as connection:
        (clicked,) = links.clicked(connection, world.person().id, "password_reminder")
        assert links.clicked(connection, world.person("eli").id, "password_reminder") == []
    assert (clicked.clicked_at, clicked.facts) == (START, expiry)
    assert len(audited(world, "open_link")) == 1


def test_p5_fresh_link_is_as_the_old_one_was(world):
    old = made(world, facts={"a": 1})
    world.clock.move(seconds=(2 * DAYS).total_seconds())
    with world.store.begin() as connection:
        fresh = links.renew(connection, world.clock.now(), old, "fresh-1")
    same = ("person_id", "kind", "way", "system", "target", "facts", "good_for_seconds", "renewed_for_seconds")
    assert [getattr(fresh, name) for name in same] == [getattr(old, name) for name in same]
    assert fresh.id != old.id and fresh.expires_at == world.clock.now() + DAYS and fresh.clicked_at is None


def test_e10_reminders_link_has_no_fresh_one(world):
    link = made(world, renewed_for=None)
    with world.store.begin() as connection, pytest.raises(ValueError, match="not renewed"):
        links.renew(connection, world.clock.now(), link, "fresh-1")
