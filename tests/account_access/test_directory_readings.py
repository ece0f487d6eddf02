"""What the last reading of a directory told of: when, and of which groups."""

from datetime import timedelta

from account_access import directory_readings
from account_access.store import tables
from tests.account_access.world import START


def last(world):
    with world.store.reading() as connection:
        return directory_readings.last(connection, "okta")


def test_none_before_the_first_and_then_the_latest(world):
    assert last(world) is None
    for minutes, groups in ((0, ["Kiosks"]), (5, ["Pilot ", "BETA"])):
        with world.store.begin() as connection:
            began = START + timedelta(minutes=minutes)
            directory_readings.note(connection, "okta", began, groups, {groups[0]: "Kiosk", "Xyz": None})
    reading = last(world)
    assert (reading.began, reading.absent) == (START + timedelta(minutes=5), {"Pilot ": "Kiosk", "Xyz": None})
    assert reading.tells_of([]) and reading.tells_of(["pilot", "Beta "]) and not reading.tells_of(["Pilot", "Kiosks"])


def test_what_an_earlier_release_wrote_tells_of_no_group(world):
    with world.store.begin() as connection:
        row = {"name": "directory:okta", "value": "read", "moved_at": START}
        connection.execute(tables.cursors.insert().values(**row))
    assert last(world).tells_of([]) and not last(world).tells_of(["Pilot"])


def test_a_group_is_absent_if_no_directory_has_it(world):
    with world.store.begin() as connection:
        directory_readings.note(connection, "okta", START, ["A", "Betta", "C"], {"A": "B", "Betta": None, "C": None})
        assert directory_readings.absent_everywhere(connection, ["okta", "vpn"]) == {"A": "B", "Betta": None, "C": None}
        directory_readings.note(connection, "vpn", START, ["A", "Betta", "C"], {"Betta": "Beta", "C": None})
        assert directory_readings.absent_everywhere(connection, ["okta", "vpn"]) == {"Betta": "Beta", "C": None}
