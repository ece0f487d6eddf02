"""U9: two directories are read, and a person's accounts in both become theirs; never the other way round."""

import json
import threading
import time

import pytest

from account_access import notices, people
from account_access.connectors.registry import System
from account_access.store import tables
from schedulers import __main__ as command
from schedulers import directory, lockouts
from tests.account_access.fake_system import FakeSystem
from tests.account_access.world import directory_person


def in_the_store(name: str, number: str | None):
    login = f"{name}@store.example"
    return directory_person(name, external_id=f"s-{name}", login=login, email=login, employee_number=number)


@pytest.fixture
def store_okta(service, world) -> FakeSystem:
    """A second organisation, whose accounts are joined; Dana is called Dee there."""
    fake = FakeSystem(world.clock, "store")
    fake.add("s-dee", "dee@store.example")
    fake.directory = [[in_the_store("dee", "1042")]]
    section = world.settings.systems["okta"].copy(update={"name": "Store Okta", "joined_by": "employee_number"})
    service.systems["store"] = System("store", section, fake, world.system.pool)
    world.fake.directory = [[directory_person(n, employee_number=e) for n, e in (("dana", "1042"), ("eli", "7"))]]
    world.fake.directory[0].append(directory_person("mona"))
    return fake


def accounts_of(world, name="dana"):
    with world.store.reading() as connection:
        return people.accounts_of(connection, world.person(name).id)


BOTH = {"okta": "00u-dana", "store": "s-dee"}


def test_u9_reading_both_joins(service, world, store_okta, caplog):
    caplog.set_level("INFO")
    assert directory.sync(service) == 4
    assert accounts_of(world) == BOTH
    assert "Store Okta: 1 accounts joined, 0 split, 0 cannot be" in caplog.text
    assert "1042" not in caplog.text


def test_u9_main_directory_that_was_down_at_the_first_start_joins_later(service, world, store_okta):
    world.fake.down = True
    directory.sync(service)
    assert accounts_of(world) == {"okta": "00u-dana"}
    world.fake.down = False
    directory.sync(service)
    assert accounts_of(world) == BOTH


def test_u9_directory_that_never_was_read_to_its_end_joins_nobody(service, world, store_okta):
    """Somebody on a later page may have the same number."""
    store_okta.directory.append([in_the_store("twin", "1042")])
    pages = store_okta.people

    def cut_short():
        yield next(pages())
        raise directory.SystemFailure("cut short")

    store_okta.people = cut_short
    directory.sync(service)
    assert accounts_of(world) == {"okta": "00u-dana"}
    store_okta.people = pages
    directory.sync(service)
    assert accounts_of(world) == {"okta": "00u-dana"}
    del store_okta.directory[1]
    directory.sync(service)
    world.clock.move(minutes=15)
    directory.sync(service)
    assert accounts_of(world) == BOTH


def test_u9_main_directory_that_never_was_read_to_its_end_joins_nobody(service, world, store_okta):
    """Eli, on a page that did not come, has the same number."""
    world.fake.directory = [[directory_person("dana", employee_number="1042")], [directory_person("eli")]]
    pages = world.fake.people

    def cut_short():
        yield next(pages())
        raise directory.SystemFailure("cut short")

    world.fake.people = cut_short
    directory.sync(service)
    assert accounts_of(world) == {"okta": "00u-dana"}


def test_u9_people_of_the_second_directory_cannot_sign_in(service, world, store_okta):
    store_okta.directory[0].append(in_the_store("sofia", None))
    directory.sync(service)
    with pytest.raises(people.UnknownPerson):
        people.link(world.store, world.clock, "https://acme.example", "x", "sofia@store.example", True)


def test_u9_without_the_setting_each_account_is_a_person_of_its_own(service, world, store_okta):
    service.systems["store"].settings.joined_by = None
    directory.sync(service)
    assert accounts_of(world) == {"okta": "00u-dana"}
    assert people.by_login(world.store, "dee@store.example")[0].active


def test_u9_second_directory_writes_nothing_of_a_person(service, world, store_okta):
    directory.sync(service)
    before = world.rows(tables.people, id=world.person().id)
    store_okta.directory = [[directory_person("dana", external_id="s-dee", employee_number="1042", active=False)]]
    service.systems = {"okta": world.system, "store": service.systems["store"]}
    world.fake.down = True
    directory.sync(service)
    assert world.rows(tables.people, id=world.person().id) == before


def test_u9_lockout_in_the_second_organisation_is_told_in_the_one_conversation(service, world, store_okta):
    directory.sync(service)
    since = store_okta.lock("s-dee")
    assert lockouts.poll(service) == 1
    (notice,) = world.rows(tables.notices, kind=notices.LOCKOUT)
    assert notice["person_id"] == world.person().id
    assert notice["facts"] == {"system": "store", "external_id": "s-dee", "locked_at": since.isoformat()}


def test_law_4_slow_organisation_keeps_the_other_ones_lockouts_and_directory_from_nobody(service, world, store_okta):
    directory.sync(service)
    store_okta.held = threading.Event()
    world.lock()
    told = command.jobs(service)
    waiting = [threading.Thread(target=told[name][0], args=[service]) for name in ("lockouts store", "directory store")]
    for thread in waiting:
        thread.start()
    try:
        assert told["lockouts okta"][0](service) == 1
        world.fake.directory[0][2] = directory_person("mona", given_name="Moni")
        main = threading.Thread(target=told["directory okta"][0], args=[service])
        main.start()
        waiting.append(main)
        eventually(lambda: world.person("mona").given_name == "Moni")
        assert all(thread.is_alive() for thread in waiting[:2])
    finally:
        store_okta.held.set()
        for thread in waiting:
            thread.join(10)
    assert not any(thread.is_alive() for thread in waiting) and accounts_of(world) == BOTH


def eventually(ask) -> None:
    deadline = time.monotonic() + 5
    while not ask():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def test_u9_status_names_whom_nobody_can_join(service, world, store_okta, capsys):
    store_okta.directory[0] += [in_the_store(f"twin{n:02}", "7") for n in range(12)]
    directory.sync(service)
    command.status(world.store, world.clock)
    told = capsys.readouterr().out
    assert "store: 1 accounts joined to their people" in told
    assert "not one person's alone: twin00@store.example, " in told and "twin09@store.example and 2 more" in told
    command.status(world.store, world.clock, as_json=True)
    assert len(json.loads(capsys.readouterr().out)["joins"]["store"]["ambiguous"]) == 12
