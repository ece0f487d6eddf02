"""Plays a period from rows and lines as they stand in the files, through the product's own readers and writer."""

import csv
import io
import json
from datetime import date

from account_access.settings import Settings
from account_access.simulation import actions_file, cells, people_file
from account_access.simulation.play import Period, Simulation
from account_access.simulation.problems import Problems
from account_access.simulation.records import Writer


def csv_of(people: list[dict]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, cells.COLUMNS, restval="")
    writer.writeheader()
    writer.writerows(people)
    return text.getvalue().encode()


def json_lines_of(actions: list[dict]) -> bytes:
    return "".join(json.dumps(action) + "\n" for action in actions).encode()


def play(people: list[dict], actions=(), settings=None, first="2027-01-01", days=365, warnings=None) -> list[dict]:
    """The lines of the output as dictionaries; `warnings` gets (line, text) of each."""
    problems = Problems("people.csv")
    entries, logins = people_file.read(csv_of(people), problems)
    done = actions_file.read(json_lines_of(list(actions)), logins, "people.csv", problems)
    assert not problems.lines
    warned = warnings if warnings is not None else []
    simulation = Simulation(
        Settings(**(settings or {})),
        entries.values(),
        Period(date.fromisoformat(first), days),
        lambda line, text: warned.append((line, text)),
    )
    writer = Writer(simulation.calendar, simulation.contractors)
    return [json.loads(line) for line in writer.lines(simulation.run(done))]
