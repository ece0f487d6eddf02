"""`python -m schedulers simulate`: what is read, what is written where, and every mistake told at once."""

import json
import os
import re
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest

from account_access.clock import ManualClock
from schedulers import __main__ as command
from schedulers import simulate

ROOT = Path(__file__).parents[2]
PEOPLE = "login,name,password_expires_at\nAnn,Ann Lee,2027-01-10T17:00:00-08:00\nbob,,2027-01-16T17:00:00-08:00\n"
ACTIONS = '{"at": "2027-01-03T12:00:00-08:00", "login": "ann", "notice": "password_reminder", "action": "link_click"}\n'


@pytest.fixture(autouse=True)
def room(tmp_path, monkeypatch):
    """An empty folder as the current one, with a people's file and an actions' file in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SETTINGS", raising=False)
    Path("people.csv").write_text(PEOPLE)
    Path("actions.jsonl").write_text(ACTIONS)
    Path("settings.yml").write_text("password: {first_notification_day: 7}\n")
    return tmp_path


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    """(exit code, stdout, stderr)."""
    code = command.main(["simulate", *arguments])
    return code, *capsys.readouterr()


JANUARY = ("--people", "people.csv", "--from", "2027-01-01", "--days", "20")


def test_json_lines_to_stdout_and_nothing_else_there(capsys):
    code, out, err = run(capsys, *JANUARY, "--actions", "actions.jsonl", "--output", "-")
    lines = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [(line["sent_at"][:10], line["login"], line["days_before"]) for line in lines] == [
        ("2027-01-03", "Ann", 7),
        ("2027-01-09", "bob", 7),
        ("2027-01-11", "Ann", -1),
        ("2027-01-12", "bob", 4),
        ("2027-01-14", "bob", 2),
        ("2027-01-15", "bob", 1),
        ("2027-01-17", "bob", -1),
    ]
    assert lines[0]["resolved_by"] == "link_click" and lines[1]["name"] is None
    assert err.splitlines() == ["people: 2, actions: 1, days: 20, the first 2027-01-01", "notifications: 7"]


def test_the_bytes_of_a_line(capsys):
    Path("people.csv").write_text(PEOPLE.replace("Ann Lee", "Änne Ølsen"))
    assert run(capsys, *JANUARY, "--output", "-")[1].splitlines()[0] == (
        '{"sent_at": "2027-01-03T10:00:00-08:00", "kind": "password_reminder", "login": "Ann", "name": "Änne Ølsen", '
        '"days_before": 7, "expires_at": "2027-01-10T17:00:00-08:00", "resolved_by": null}'
    )


def test_a_file_gets_the_same_bytes_and_stdout_nothing(capsys):
    _, out, _ = run(capsys, *JANUARY, "--output", "-")
    assert run(capsys, *JANUARY, "--output", "out.jsonl")[:2] == (0, "")
    assert Path("out.jsonl").read_bytes() == out.encode()


def test_without_output_a_page_to_read(capsys):
    code, out, _ = run(capsys, *JANUARY, "--actions", "actions.jsonl")
    assert code == 0
    assert "2027-01-01 to 2027-01-20 (America/Los_Angeles): 2 people, 7 notifications" in out
    assert "Sun 2027-01-03  10:00 PST  password reminder  Ann (in 7 days, 2027-01-10T17:00:00-08:00)" in out
    assert [line.split() for line in out.splitlines() if line.startswith("password")] == [
        ["password", "reminder", "5", "2", "1", "link_click"],
        ["password", "expired", "2", "2"],
    ]
    assert not any(line.endswith(" ") for line in out.splitlines())


def test_the_page_counts_whom_it_does_not_name_and_keeps_the_terminal_safe(capsys):
    rows = "".join(f"p{n}\x1b[2J,,2027-01-10T17:00:00-08:00\n" for n in range(9))
    Path("people.csv").write_text("login,name,password_expires_at\n" + rows)
    out = run(capsys, *JANUARY)[1]
    assert "and 6 more" in " ".join(out.split()) and "\x1b" not in out


def test_a_period_without_notices(capsys):
    assert run(capsys, "--people", "people.csv", "--from", "2027-03-01", "--days", "1")[1].splitlines() == [
        "2027-03-01 to 2027-03-01 (America/Los_Angeles): 2 people, 0 notifications"
    ]
    assert run(capsys, "--people", "people.csv", "--from", "2027-03-01", "--output", "-")[1] == ""


def test_from_is_today_in_the_configured_zone_and_days_are_365():
    options = command.parser().parse_args(["simulate", "--people", "people.csv"])
    # In Los Angeles it is still the last of the year.
    _, period, _, _ = simulate.read_inputs(options, ManualClock(datetime(2027, 1, 1, 7, 59, tzinfo=timezone.utc)))
    assert (period.first.isoformat(), period.days) == ("2026-12-31", 365)


def test_settings_are_those_named_or_of_the_environment_or_here_or_the_defaults(capsys, monkeypatch):
    def first_day(*arguments) -> int:
        return json.loads(run(capsys, *JANUARY, *arguments, "--output", "-")[1].splitlines()[0])["days_before"]

    Path("other.yml").write_text("password: {first_notification_day: 5}\n")
    Path("third.yml").write_text("password: {first_notification_day: 3}\n")
    assert first_day() == 7
    monkeypatch.setenv("SETTINGS", "other.yml")
    assert first_day() == 5
    assert first_day("--settings", "third.yml") == 3
    monkeypatch.delenv("SETTINGS")
    Path("settings.yml").unlink()
    # The first day of 14 is before the period: 14 days before the 16th is the 2nd.
    assert first_day() == 14


def test_a_setting_without_effect_is_warned_of(capsys):
    Path("settings.yml").write_text("password: {follow_up: daily}\n")
    code, _, err = run(capsys, *JANUARY, "--output", "-")
    assert code == 0 and "settings.yml: password.follow_up: daily has a meaning in instructions mode only" in err


def test_an_answer_to_nothing_is_warned_of(capsys):
    Path("actions.jsonl").write_text("\n" + ACTIONS.replace("01-03", "01-02"))
    code, _, err = run(capsys, *JANUARY, "--actions", "actions.jsonl", "--output", "-")
    assert code == 0 and "actions.jsonl:2: notice: no password_reminder was sent to 'Ann' before; ignored" in err


def test_every_mistake_of_every_file_and_option_is_told_and_nothing_is_written(capsys):
    Path("people.csv").write_text("login,expires\nann,\nann,\n")
    Path("actions.jsonl").write_text(ACTIONS.replace('"ann"', '"anne"').replace("link_click", "click"))
    Path("settings.yml").write_text("password: {send_at: '25:00'}\nlockout: {gap_hour: 1}\n")
    Path("out.jsonl").write_text("as it was")
    files = ("--people", "people.csv", "--actions", "actions.jsonl", "--output", "out.jsonl")
    code, out, err = run(capsys, *files, "--from", "2027-02-29", "--days", "0")
    assert (code, out, Path("out.jsonl").read_text()) == (2, "", "as it was")
    assert err.splitlines() == [
        "settings.yml: password.send_at: '25:00' is not a time; write HH:MM",
        "settings.yml: lockout.gap_hour: unknown key; did you mean gap_hours?",
        "--from: '2027-02-29' is not a date; write e.g. 2027-02-28",
        "--days: '0' is not a number of days from 1 to 36525; write e.g. 365",
        "people.csv:1: expires: unknown column; did you mean password_expires_at?",
        "people.csv:3: login: 'ann' is already on line 2; give each person one row",
        "actions.jsonl:1: action: 'click' does not fit password_reminder; write already_updated or remind_later or "
        "do_not_remind or open_ticket or link_click",
        "actions.jsonl:1: login: 'anne' is not in people.csv; correct it or add the person",
    ]


FAR = "is too far away; write a date from 1970-01-01 to 9000-01-01"
WRONG_OPTIONS = [
    (("--people", "nowhere.csv"), "nowhere.csv: not found; check --people"),
    (("--people", "."), ".: cannot be read (Is a directory); check --people and its permissions"),
    ((*JANUARY, "--actions", "no.jsonl"), "no.jsonl: not found; check --actions"),
    ((*JANUARY, "--settings", "no.yml"), "no.yml: not found; create it or point SETTINGS at yours"),
    ((*JANUARY, "--from", "tomorrow"), "--from: 'tomorrow' is not a date; write e.g. 2027-02-28"),
    ((*JANUARY, "--from", "0001-01-01"), f"--from: '0001-01-01' {FAR}"),
    ((*JANUARY, "--from", "9999-12-31"), f"--from: '9999-12-31' {FAR}"),
    ((*JANUARY, "--days", "ten"), "--days: 'ten' is not a number of days from 1 to 36525"),
    ((*JANUARY, "--days", "-1"), "--days: '-1' is not a number of days from 1 to 36525"),
    ((*JANUARY, "--days", "9" * 5000), f"--days: '{'9' * 79}… is not a number of days from 1 to 36525"),
    ((*JANUARY, "--picture", "no/where.png"), "no/where.png: cannot be drawn (No such file or directory); name a file"),
    ((*JANUARY, "--picture", "year.doc"), "year.doc: cannot be drawn (Format 'doc' is not supported"),
    ((*JANUARY[:4], "--days", "801", "--picture", "x.png"), "--picture: 801 days are too many for one picture; write"),
    ((*JANUARY, "--output", "no/where"), "no/where: cannot be written (No such file or directory); check --output"),
]


@pytest.mark.parametrize(("arguments", "told"), WRONG_OPTIONS, ids=[told for _, told in WRONG_OPTIONS])
def test_what_cannot_be_read_or_meant_is_one_line(capsys, arguments, told):
    code, out, err = run(capsys, *arguments)
    wrong = [line for line in err.splitlines() if line.startswith(told)]
    assert (code, out, len(wrong)) == (2, "", 1)
    assert "Traceback" not in err


def test_people_that_are_not_there_do_not_make_everybody_unknown(capsys):
    err = run(capsys, "--people", "nowhere.csv", "--actions", "actions.jsonl")[2]
    assert err.splitlines() == ["nowhere.csv: not found; check --people"]


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_the_calendar_as_a_picture_the_same_each_time(capsys, kind):
    for name in ("one", "two"):
        code, out, _ = run(capsys, *JANUARY, "--picture", f"{name}.{kind}", "--output", "-")
        assert code == 0 and len(out.splitlines()) == 10
    one, two = (Path(f"{name}.{kind}").read_bytes() for name in ("one", "two"))
    assert one == two and len(one) > 1000


def test_the_picture_tells_how_many_of_each_kind(capsys):
    run(capsys, *JANUARY, "--picture", "january.svg", "--output", "-")
    comments = Path("january.svg").read_text()
    for told in ("password reminder: 8", "password expired: 2", "lockout: 0", "2 people, 10 notifications"):
        assert told in comments


def test_an_unknown_option_is_usage(capsys):
    with pytest.raises(SystemExit) as stopped:
        run(capsys, "--peple", "x")
    assert stopped.value.code == 2


def test_without_people_the_organisation_that_is_there_for_trials(capsys):
    code, out, _ = run(capsys, "--from", "2027-01-01", "--days", "30", "--output", "-")
    lines = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert {line["kind"] for line in lines} == {"password_reminder", "password_expired", "contractor"}
    assert lines == [
        json.loads(line)
        for line in run(capsys, "--from", "2027-01-01", "--days", "30", "--output", "-")[1].splitlines()
    ]


def test_without_people_and_without_such_an_organisation(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(simulate, "ROOT", tmp_path)
    assert run(capsys)[::2] == (
        2,
        "--people: not given, and there is no organisation to try things out on here; name a CSV file\n",
    )


def test_an_organisation_that_cannot_list_its_people_is_told(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(simulate, "ROOT", tmp_path)
    Path("sandbox").mkdir()
    Path("sandbox/process.yml").write_text("x: {directory: [-c, 'raise SystemExit(\"closed on {day}\")']}\n")
    assert run(capsys, "--from", "2027-01-01")[2] == (
        "--people: sandbox could not list its people (closed on 2027-01-01); mend it or name a CSV file\n"
    )


def by_itself(*arguments: str, environment: dict[str, str] | None = None, **more) -> subprocess.CompletedProcess:
    """As from a fresh shell: no variable but what Python needs."""
    return subprocess.run(
        [sys.executable, "-m", "schedulers", "simulate", *arguments],
        cwd=ROOT, env={"PATH": os.environ["PATH"], **(environment or {})}, capture_output=True, timeout=60, **more,
    )  # fmt: skip


def test_it_needs_no_secret_no_store_and_no_server_and_speaks_utf8_whatever_the_locale(room):
    (room / "people.csv").write_text(PEOPLE.replace("Ann Lee", "Änne"), encoding="utf-8")
    arguments = ("--people", str(room / "people.csv"), "--from", "2027-01-01", "--days", "20")
    for locale in ({}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}):
        done = by_itself(*arguments, "--output", "-", environment=locale)
        assert (done.returncode, done.stdout.count(b"\n")) == (0, 11)
        assert "Änne".encode() in done.stdout
        assert by_itself(*arguments, environment=locale).returncode == 0


def test_who_reads_no_further_ends_it_quietly(room):
    """As `| head -1` does: the reader is gone before the last line is written."""
    rows = "".join(f"p{n},,2027-01-10T17:00:00-08:00\n" for n in range(3000))
    (room / "people.csv").write_text("login,name,password_expires_at\n" + rows)
    arguments = ["-m", "schedulers", "simulate", "--people", str(room / "people.csv"), "--from", "2027-01-01"]
    process = subprocess.Popen(
        [sys.executable, *arguments, "--output", "-"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.readline()
    process.stdout.close()
    err = process.stderr.read().decode()
    assert (process.wait(30), "Error" in err) == (0, False)
    process.stderr.close()


def test_the_admins_page_shows_what_its_own_files_give(capsys):
    document = (ROOT / "docs" / "admins.md").read_text(encoding="utf-8")
    (people,) = re.findall(r"```csv\n(.*?)```", document, re.DOTALL)
    (actions,) = re.findall(r"```json\n(\{.*?)```", document, re.DOTALL)
    Path("people.csv").write_text(people)
    Path("actions.jsonl").write_text(actions)
    Path("settings.yml").unlink()
    (arguments,) = re.findall(r"-m schedulers simulate (--people people.csv .*)", document)
    out = run(capsys, *arguments.split())[1]
    assert "".join(f"    {line}\n" if line else "\n" for line in out.splitlines()) in document
