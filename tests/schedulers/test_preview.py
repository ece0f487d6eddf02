"""Admins see what would go out and why, try it on some people, and find what could not be delivered."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from account_access import notices, reminders
from account_access.connectors.base import PasswordRules
from account_access.store import tables
from schedulers import __main__ as command
from schedulers import directory
from tests.account_access.world import START

# The day of a first reminder in January, and of none.
ON, QUIET = "2027-01-02", "2027-01-03"


@pytest.fixture
def installed(world, service, tmp_path, monkeypatch, store_url):
    """Dana's password expires on January 16; the commands ask the store alone, and no secret is set."""
    (tmp_path / "settings.yml").write_text('store: {url: "${STORE_URL}"}\ncontractor: {max_shown: 2}\n')
    (tmp_path / "other.yml").write_text("password: {first_notification_day: 30}\n")
    monkeypatch.setenv("SETTINGS", str(tmp_path / "settings.yml"))
    monkeypatch.setenv("STORE_URL", store_url)
    world.fake.rules = PasswordRules(5, None, timedelta(days=90))
    for name, age in (("dana", 37), ("eli", 0), ("mona", 0)):
        account = world.fake.accounts[f"00u-{name}"]
        world.fake.accounts[f"00u-{name}"] = replace(account, password_changed=START - timedelta(days=age))
    directory.sync(service)
    world.folder = tmp_path
    return world


def asked(capsys, *arguments: str) -> list[dict]:
    assert command.main([*arguments, "--json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_preview_tells_who_would_be_told_what_and_why(installed, capsys):
    (line,) = asked(capsys, "preview", "--on", ON)
    assert (line["login"], line["notice"]) == ("dana@acme.example", "password_reminder")
    assert line["at"] == "2027-01-02T10:00-08:00" and line["reason"] == "a day of the cadence"
    assert asked(capsys, "preview", "--on", QUIET) == []
    assert installed.rows(tables.notices) == []


def test_preview_explains_why_a_person_is_not_told(installed, capsys):
    (line,) = asked(capsys, "preview", "--on", QUIET, "--person", "Dana@acme.example")
    assert (line["notice"], line["reason"]) == (None, "not a day of the cadence")


def test_preview_counts_what_was_answered(installed, capsys):
    expires = START + timedelta(days=53)
    with installed.store.begin() as connection:
        reminders.record_for_expiry(
            connection, START, installed.person().id, "okta", "do_not_remind", "a-turn", None, expires
        )
    (line,) = asked(capsys, "preview", "--on", ON, "--person", "dana@acme.example")
    assert line["reason"] == "stopped by do_not_remind"


def test_preview_shows_what_other_rules_change(installed, capsys):
    other = str(installed.folder / "other.yml")
    assert [line["change"] for line in asked(capsys, "preview", "--on", ON, "--settings", other, "--diff")] == ["-"]
    assert asked(capsys, "preview", "--on", QUIET, "--settings", other, "--diff") == []
    assert len(asked(capsys, "preview", "--on", "2026-12-17", "--settings", other)) == 1


WRONG = [
    (("preview", "--on", "tomorrow"), "--on: 'tomorrow' is not a date; write YYYY-MM-DD"),
    (("preview", "--person", "dana"), "nobody has the login 'dana'; write it whole"),
    (("preview", "--diff"), "name others by --settings"),
    (("preview", "--settings", "absent.yml"), "absent.yml: not found"),
    (("send", "--only", "nobody"), "nobody has the login 'nobody'"),
    (("dead-letters", "--again", "x"), "no dead letter has the id 'x'"),
]


@pytest.mark.parametrize(("arguments", "sentence"), WRONG)
def test_mistakes_are_one_sentence_and_exit_code_2(installed, capsys, arguments, sentence):
    assert command.main(list(arguments)) == 2
    told = capsys.readouterr()
    assert sentence in told.err and told.out == ""


def test_a_page_to_read(installed, capsys):
    assert command.main(["preview", "--on", ON]) == 0
    page = capsys.readouterr().out
    assert "dana@acme.example" in page and "password_reminder" in page
    assert command.main(["preview", "--on", QUIET]) == 0
    assert "nobody is told anything on that day" in capsys.readouterr().out


def test_send_makes_the_notices_of_some_people_once(installed, capsys):
    # The command has the machine's own time; the expiries are brought there.
    now = command.SystemClock().now()
    with installed.store.begin() as connection:
        connection.execute(tables.directory_facts.update().values(password_expires_at=now + timedelta(days=7)))
    (row,) = asked(capsys, "send", "--only", "eli@acme.example")
    assert row == {"login": "eli@acme.example", "notice": "password_expiry", "made": "now"}
    (notice,) = installed.rows(tables.notices)
    assert notice["person_id"] == installed.person("eli").id and notice["facts"]["any_hour"]
    assert asked(capsys, "send", "--only", "eli@acme.example")[0]["made"] == "before"


def test_dead_letters_are_listed_and_put_back(installed, capsys):
    with installed.store.begin() as connection:
        made = notices.create(connection, START, "a-key", reminders.PASSWORD_EXPIRY, installed.person().id, {})
    installed.settle(made, notices.DEAD, "not delivered in 50 tries")
    (letter,) = asked(capsys, "dead-letters")
    assert (letter["id"], letter["login"], letter["reason"]) == (made, "dana@acme.example", "not delivered in 50 tries")
    assert command.main(["status"]) == 1 and "dead letters: 1" in capsys.readouterr().out
    assert command.main(["dead-letters", "--again", made]) == 0
    assert installed.rows(tables.notices)[0]["state"] == "waiting"
    assert [row["actor"] for row in installed.rows(tables.audit, act="notice_again")] == ["admin"]


def test_status_for_programs(installed, capsys):
    assert command.main(["status", "--json"]) == 1
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["alive"] is False and told["runs"] == {}
