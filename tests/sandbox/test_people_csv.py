"""The organisation as a directory file for simulations."""

import csv
import io
import subprocess
import sys
from pathlib import Path

from sandbox.people import PEOPLE

ROOT = Path(__file__).parents[2]


def printed(*arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "sandbox.people_csv", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)


def test_everyone_as_on_the_day_of_the_founding():
    rows = {row["login"]: row for row in csv.DictReader(io.StringIO(printed("2027-03-01").stdout))}
    assert list(rows) == [person.login for person in PEOPLE]
    assert rows["walt@acme.example"]["status"] == "disabled"
    assert [login for login in rows if rows[login]["account_type"] == "external"] == ["nadia@acme.example"]
    jonas = rows["jonas@acme.example"]
    assert (jonas["contract_ends_on"], jonas["worker_type"]) == ("2027-03-15", "contractor")
    assert (jonas["manager_login"], jonas["groups"]) == ("priya@acme.example", "Contingent Workers")
    # Changed 88 days before, good for 90.
    assert rows["lena@acme.example"]["password_expires_at"] == "2027-03-03T12:00:00Z"


def test_without_a_day_it_says_what_to_name():
    done = printed("today")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "sandbox.people_csv: name the day of the founding, e.g. 2027-01-01\n"
