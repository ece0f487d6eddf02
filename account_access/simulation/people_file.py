"""The directory as a CSV file: RFC 4180, UTF-8, a header line, columns in any order."""

import csv
import io
from collections.abc import Iterator

from account_access.cadence.directory import DirectoryEntry, folded
from account_access.simulation import cells
from account_access.simulation.problems import Problems, quoted
from account_access.spelling import did_you_mean

Row = tuple[int, list[str]]
# Many people have the same of these: each value is kept once.
_FEW = ("title", "department", "time_zone", "manager_login", "worker_type", "groups")


def read(content: bytes, problems: Problems) -> tuple[dict[str, DirectoryEntry], frozenset[str]]:
    """Everyone by `DirectoryEntry.key`, in the file's order, and the keys of all logins named, good rows or not."""
    rows = _rows(_text(content, problems), problems)
    columns = _header(next(rows, (1, [])), problems)
    people: dict[str, DirectoryEntry] = {}
    lines: dict[str, int] = {}
    same: dict = {}
    for line, row in rows:
        login = _login(columns, line, row, lines, problems)
        if len(row) != len(columns):
            text = f"{len(row)} cells, the header has {len(columns)}; quote cells with commas, write empty cells as ,,"
            problems.add(line, "line", text)
            continue
        values = _values(columns, line, row, problems)
        if login:
            values |= {name: same.setdefault(values[name], values[name]) for name in _FEW if name in values}
            people[folded(login)] = DirectoryEntry(**values)
    return people, frozenset(lines)


def _text(content: bytes, problems: Problems) -> str:
    """The text, with the lines told that are not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        for number, line in enumerate(content.split(b"\n"), 1):
            if not is_utf8(line):
                problems.add(number, "line", "is not UTF-8; save the file in this encoding")
        return content.decode("utf-8-sig", "replace")


def is_utf8(line: bytes) -> bool:
    """Whether it can be read at all."""
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _rows(text: str, problems: Problems) -> Iterator[Row]:
    """Each row with the line on which it starts; empty lines are none."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problems.add(line, "line", f"is no row of a CSV file ({error}); see RFC 4180, quotes in a cell are doubled")
            continue
        if row:
            yield line, row


def _header(row: Row, problems: Problems) -> list[str | None]:
    """The column of each cell; None for one that is not known, or known already."""
    line, names = row
    columns: list[str | None] = []
    for name in names:
        known = name in cells.COLUMNS
        if not known:
            problems.add(line, name, f"unknown column; {did_you_mean(name, cells.COLUMNS)}")
        elif name in columns:
            problems.add(line, name, "column is there twice; keep one of them")
        columns.append(name if known and name not in columns else None)
    if "login" not in columns:
        problems.add(line, "login", "there is no such column; add it, each person needs one")
    return columns


def _login(
    columns: list[str | None], line: int, row: list[str], lines: dict[str, int], problems: Problems
) -> str | None:
    """The row's login; None if it has none, or one that an earlier row has."""
    at = columns.index("login") if "login" in columns else None
    if at is None or at >= len(row) or not row[at].strip():
        return None
    key = folded(row[at])
    if key in lines:
        problems.add(line, "login", f"{quoted(row[at])} is already on line {lines[key]}; give each person one row")
        return None
    lines[key] = line
    return row[at].strip()


def _values(columns: list[str | None], line: int, row: list[str], problems: Problems) -> dict:
    values = {}
    for column, text in zip(columns, row, strict=True):
        if column is None:
            continue
        try:
            values[column] = cells.read(column, text)
        except ValueError as error:
            problems.add(line, column, str(error))
    return values
