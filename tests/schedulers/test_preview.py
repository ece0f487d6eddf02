"""Admins see what would go out and why, try it on some people, and find what could not be delivered."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from account_access import notices, reminders, settings
from account_access.connectors.base import PasswordRules
from account_access.store import tables
from schedulers import __main__ as command
from schedulers import directory
from tests.account_access.world import START, directory_person

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
    line, lockout = asked(capsys, "preview", "--on", QUIET, "--person", "Dana@acme.example")
    assert (line["notice"], line["reason"]) == (None, "not a day of the cadence")
    assert (lockout["notice"], lockout["at"], lockout["reason"]) == ("lockout", None, "told, within the limits")


def test_preview_counts_what_was_answered(installed, capsys):
    expires = START + timedelta(days=53)
    with installed.store.begin() as connection:
        reminders.record_for_expiry(
            connection, START, installed.person().id, "okta", "do_not_remind", "a-turn", None, expires
        )
    line, _ = asked(capsys, "preview", "--on", ON, "--person", "dana@acme.example")
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


class TestAudience:
    """Who is told and who is not, by which rule; Dana is in Finance and in the group Staff, and works on a contract."""

    @pytest.fixture
    def rules(self, installed, service, monkeypatch):
        facts = {"department": "Finance", "worker_type": "Contractor", "contract_ends_on": START.date() + timedelta(7)}
        dana = directory_person("dana", manager_login="mona@acme.example", **facts)
        installed.fake.directory = [[dana, *(directory_person(name, department="IT") for name in ("eli", "mona"))]]
        installed.fake.memberships["00u-dana"] = frozenset({"Staff"})

        def write(text: str, file: str = "settings.yml") -> str:
            path = installed.folder / file
            path.write_text('store: {url: "${STORE_URL}"}\n' + text)
            return str(path)

        def read(text: str) -> None:
            """The schedulers run with these settings, and read the directory."""
            loaded = settings.load_planning(write(text), {})
            service.settings.password, service.settings.lockout = loaded.password, loaded.lockout
            directory.sync(service)

        write.read = read
        read("")
        return write

    def lines(self, capsys, *arguments: str) -> list[tuple]:
        return [(line["notice"], line["reason"]) for line in asked(capsys, "preview", *arguments)]

    def test_one_person_is_explained_for_every_kind(self, rules, capsys):
        rules(
            "password: {include: {departments: [Retail, Support]}}\n"
            "contractor: {exclude: {worker_types: [contractor]}}\n"
            "lockout: {include: {departments: [finance]}}\n"
        )
        day = (START.date()).isoformat()
        assert self.lines(capsys, "--on", day, "--person", "dana@acme.example") == [
            (None, "not in the audience: department is Finance; password.include.departments names Retail, Support"),
            (None, "excluded by worker type Contractor"),
            ("lockout", "told, within the limits"),
        ]
        rules("lockout: {exclude: {departments: [finance]}}\n")
        assert self.lines(capsys, "--on", day, "--person", "dana@acme.example")[1:] == [
            (None, "their manager is told"),
            (None, "excluded by department Finance"),
        ]
        rules("lockout: {max_notifications: 0}\n")
        assert self.lines(capsys, "--person", "eli@acme.example")[-1] == (None, "lockout.max_notifications is 0")

    def test_all_are_counted_where_a_rule_names_anybody(self, rules, capsys):
        assert self.lines_of_rules(capsys) == []
        rules("password: {exclude: {departments: [finance]}}\nlockout: {include: {departments: [finance]}}\n")
        assert self.lines_of_rules(capsys) == [
            ("password", 2, 1, {"excluded by department Finance": 1}),
            ("lockout", 1, 2, {"not in the audience": 2}),
        ]

    def lines_of_rules(self, capsys) -> list[tuple]:
        return [
            (line["audience"], line["told"], line["left_out"], line["reasons"])
            for line in asked(capsys, "preview", "--on", QUIET)
            if "audience" in line
        ]

    def test_a_page_has_the_counts_too(self, rules, capsys):
        rules("lockout: {include: {departments: [finance]}}\n")
        assert command.main(["preview", "--on", QUIET]) == 0
        assert "not in the audience: 2" in capsys.readouterr().out

    def test_diff_tells_who_is_taken_in_and_left_out_on_whatever_day(self, rules, capsys):
        rules("password: {exclude: {departments: [it]}}\n")
        other = rules("password: {exclude: {departments: [finance]}}\n", "other.yml")
        changes = asked(capsys, "preview", "--on", ON, "--settings", other, "--diff")
        assert [(line["change"], line["login"], line["notice"], line["reason"]) for line in changes] == [
            ("-", "dana@acme.example", "password_reminder", "excluded by department Finance"),
            ("-", "dana@acme.example", "password_audience", "excluded by department Finance"),
            ("+", "eli@acme.example", "password_audience", "until now excluded by department IT"),
            ("+", "mona@acme.example", "password_audience", "until now excluded by department IT"),
        ]
        arguments = ("--on", QUIET, "--settings", other, "--diff", "--person", "eli@acme.example")
        assert [line["change"] for line in asked(capsys, "preview", *arguments)] == ["+"]

    WRONG = [
        ("password: {exclude: {departments: [Finanse]}}", "password.exclude.departments: nobody has the department "
         "Finanse; did you mean Finance?"),
        ("lockout: {include: {logins: [dana@acme.exampel]}}", "lockout.include.logins: nobody has the login "
         "dana@acme.exampel; did you mean dana@acme.example?"),
        ("contractor: {include: {worker_types: [Vendor]}}", "contractor.include.worker_types: nobody has the worker "
         "type Vendor; correct it in the settings"),
        ("lockout: {exclude: {titles: [Xyz]}}", "lockout.exclude.titles: nobody has the title Xyz; correct it"),
    ]  # fmt: skip

    @pytest.mark.parametrize(("text", "told"), WRONG)
    def test_a_value_that_nobody_has_is_told_with_the_nearest(self, rules, capsys, text, told):
        path = rules(text)
        assert command.main(["preview"]) == 0
        assert f"{path}: {told}" in capsys.readouterr().err

    def test_values_that_somebody_has_are_not_told(self, rules, capsys):
        rules("password: {exclude: {departments: [FINANCE], worker_types: [employee], logins: [Eli@acme.example]}}")
        command.main(["preview"])
        assert capsys.readouterr().err == ""

    def test_groups_are_told_of_as_the_last_reading_knows_them(self, rules, capsys):
        rules.read("password: {exclude: {groups: [Stafff, staff]}}\n")
        assert command.main(["preview"]) == 0
        assert "password.exclude.groups: no group is called Stafff; did you mean Staff?" in capsys.readouterr().err
        rules("password: {exclude: {groups: [staff, Pilot]}}\n")
        assert command.main(["preview"]) == 0
        err = capsys.readouterr().err
        assert "password.exclude.groups: who is in Pilot is not known yet" in err and len(err.splitlines()) == 1
