"""The input files: what they may hold, and every mistake told with its line, column, value and remedy."""

import pytest

from account_access.cadence.directory import DirectoryEntry
from account_access.simulation import actions_file, cells, people_file
from account_access.simulation.problems import Problems

HEADER = ",".join(cells.COLUMNS)
LOGINS = frozenset({"ann", "bob"})


def people(content: str | bytes) -> tuple[list[DirectoryEntry], list[str]]:
    """The entries, and what is wrong."""
    problems = Problems("people.csv")
    found, _ = people_file.read(content.encode() if isinstance(content, str) else content, problems)
    return list(found.values()), problems.lines


def actions(content: str | bytes, logins=LOGINS) -> tuple[list[actions_file.Action], list[str]]:
    problems = Problems("actions.jsonl")
    content = content.encode() if isinstance(content, str) else content
    return actions_file.read(content, logins, "people.csv", problems), problems.lines


def one_cell(column: str, text: str) -> str:
    return f'login,{column}\nann,"{text}"\n'


# People.


def test_a_file_with_logins_alone_means_everything_else_is_empty():
    assert people("login\n Ann \nbob") == ([DirectoryEntry("Ann"), DirectoryEntry("bob")], [])
    assert people(f"{HEADER}\nann,,,,,,,,,,,,,,\n") == ([DirectoryEntry("ann")], [])


def test_columns_in_any_order_bom_quotes_and_cells_over_several_lines():
    text = '\ufeffname,login,groups\r\n"Lee, ""Ann""\nJr.",ann," a;;B b ;"\r\n\r\nBob,bob,\r\n'
    found, wrong = people(text)
    assert (wrong, found[0].name, found[0].groups) == ([], 'Lee, "Ann"\nJr.', ("a", "B b"))
    assert found[1].login == "bob"


CELLS = [
    ("never_expires", "TRUE", True),
    ("never_expires", "False", False),
    ("manager_login", " boss ", "boss"),
    ("time_zone", "US/Pacific", "US/Pacific"),
    ("status", "locked", "locked"),
    ("account_type", "external", "external"),
    ("worker_type", "", "employee"),
]


@pytest.mark.parametrize(("column", "text", "value"), CELLS)
def test_cell_means(column, text, value):
    ((entry,), wrong) = people(one_cell(column, text))
    assert (getattr(entry, column), wrong) == (value, [])


@pytest.mark.parametrize("text", ["2027-03-14T10:00:00-07:00", "2027-03-14T17:00:00Z", "2027-03-15T02:00:00+09:00"])
def test_instants_are_the_same_whatever_their_offset(text):
    ((entry,), _) = people(one_cell("password_expires_at", text))
    assert entry.password_expires_at.isoformat() == "2027-03-14T17:00:00+00:00"


NOT_INSTANTS = [
    "2027-02-29", "2027-02-29T10:00:00Z", "2027-03-14T10:00:00", "2027-03-14 10:00:00Z", "2027-03-14T10:00Z",
    "2027-03-14T24:00:00Z", "2027-03-14T10:00:60Z", "2027-03-14T10:00:00.5Z", "2027-03-14T10:00:00+0100",
    "2027-03-14T10:00:00+24:00", "2027-3-14T10:00:00Z", "0001-01-01T00:00:00+01:00", "never", " ",
    "\uff12027-03-14T10:00:00Z",
]  # fmt: skip


@pytest.mark.parametrize("text", NOT_INSTANTS)
def test_not_an_instant(text):
    assert people(one_cell("password_expires_at", text))[1] == [
        f"people.csv:2: password_expires_at: {text!r} is not an instant; write e.g. 2027-02-28T17:00:00+00:00"
    ]


WRONG_CELLS = [
    ("contract_ends_on", "2027-02-30", "'2027-02-30' is not a date; write e.g. 2027-02-28"),
    ("contract_ends_on", "20270228", "'20270228' is not a date; write e.g. 2027-02-28"),
    ("time_zone", "America", "'America' is not a time zone; write e.g. America/Los_Angeles"),
    ("time_zone", "../etc/passwd", "'../etc/passwd' is not a time zone; write e.g. America/Los_Angeles"),
    ("status", "Active", "'Active' is not known; write active or locked or disabled"),
    ("account_type", "robot", "'robot' is not known; write person or service or external"),
    ("never_expires", "yes", "'yes' is neither true nor false; write one of them"),
    ("password_changed_at", "today", "'today' is not an instant; write e.g. 2027-02-28T17:00:00+00:00"),
    ("status", "x" * 200, f"'{'x' * 79}… is not known; write active or locked or disabled"),
    ("status", "a\nb", "'a\\nb' is not known; write active or locked or disabled"),
]


@pytest.mark.parametrize(("column", "text", "told"), WRONG_CELLS)
def test_wrong_cell_is_told_with_its_value_and_remedy(column, text, told):
    assert people(one_cell(column, text))[1] == [f"people.csv:2: {column}: {told}"]


WRONG_FILES = [
    ("login,expires\nann,\n", ["1: expires: unknown column; did you mean password_expires_at?"]),
    ("login,titel\nann,\n", ["1: titel: unknown column; did you mean title?"]),
    ("login,name,name\nann,,\n", ["1: name: column is there twice; keep one of them"]),
    ("email\nann\n", ["1: login: there is no such column; add it, each person needs one"]),
    ("", ["1: login: there is no such column; add it, each person needs one"]),
    ("login,name\n ,x\n", ["2: login: ' ' is no login; give each person one"]),
    ("login,name\nann,a\nbob,b\n Ann,c\n", ["4: login: ' Ann' is already on line 2; give each person one row"]),
    ("login,name\nann\n", ["2: line: 1 cells, the header has 2; quote cells with commas, write empty cells as ,,"]),
    ("login,name\nann,a,b\n", ["2: line: 3 cells, the header has 2; quote cells with commas, write empty cells as ,,"]),
    ('login,name\n"a"b,c\nbob,d\n', ["2: line: is no row of a CSV file (',' expected after '\"'); see RFC 4180"]),
    ('login,name\nann,"open\n\n', ["2: line: is no row of a CSV file (unexpected end of data); see RFC 4180"]),
    ("login,name\nann,\x00\n", ["2: line: is no row of a CSV file (line contains NUL); see RFC 4180"]),
    (b"login,name\nann,\xff\nbob,\xc3\xa9\n", ["2: line: is not UTF-8; save the file in this encoding"]),
    ("login,a\x1b[2J\nann,\n", ["1: 'a\\x1b[2J': unknown column; known are "]),
]


@pytest.mark.parametrize(("content", "told"), WRONG_FILES)
def test_wrong_file_is_told_with_its_line(content, told):
    lines = people(content)[1]
    assert len(lines) == len(told)
    assert all(line.startswith(f"people.csv:{start}") for line, start in zip(lines, told, strict=True))


def test_every_mistake_of_a_file_is_told_by_the_line_on_which_its_row_starts():
    text = 'login,status,name,x\nann,on,"two\nlines",\nANN,off,,\n,,,\nbob,active\n'
    assert [line.partition(": ")[0] + line.split(":")[2] for line in people(text)[1]] == [
        "people.csv:1 x",
        "people.csv:2 status",
        "people.csv:4 login",
        "people.csv:4 status",
        "people.csv:5 login",
        "people.csv:6 line",
    ]


# Actions.

AT = '"at": "2027-01-27T11:00:00-08:00", "login": "ann"'


@pytest.mark.parametrize(
    "line",
    [
        f'{{{AT}, "notice": "password_reminder", "action": "link_click"}}',
        f'{{{AT}, "notice": "password_expired", "action": "open_ticket"}}',
        f'{{{AT}, "notice": "contractor", "action": "show_more"}}',
        f'{{{AT}, "action": "password_changed", "password_expires_at": null}}',
        f'{{{AT}, "action": "update", "set": {{"status": "", "groups": "a;b"}}}}',
        f'{{{AT}, "action": "update", "set": {{}}}}',
        f'{{{AT}, "action": "locked_out", "system": "Okta"}}',
        f'{{{AT}, "action": "unlocked", "system": "Okta"}}'.replace('"ann"', '" ANN "'),
    ],
)
def test_good_line(line):
    found, wrong = actions(f"\ufeff{line}\r\n\n  \n")
    assert (wrong, [action.key for action in found], found[0].line) == ([], ["ann"], 1)


def test_actions_are_played_by_instant_then_by_line():
    lines = [
        f'{{"at": "{at}", "login": "ann", "action": "unlocked", "system": "s"}}'
        for at in ("2027-01-02T00:00:00Z", "2027-01-01T12:00:00-08:00", "2027-01-01T20:00:00Z")
    ]
    assert [action.line for action in actions("\n".join(lines))[0]] == [2, 3, 1]


WRONG_LINES = [
    ("{", "line: is not JSON (Expecting property name enclosed in double quotes); write one object a line"),
    ("[" * 100_000, "line: is not JSON (too deep or too long); write one object a line"),
    ("9" * 5000, "line: is not JSON (too deep or too long); write one object a line"),
    ("[1]", "line: [1] is not an object; write {…}"),
    (f'{{{AT}, "login": "bob", "action": "unlocked", "system": "s"}}', "login: field is there twice; keep one of them"),
    (
        '{"login": "ann", "action": "unlocked", "system": "s"}',
        "at: missing; write an instant, e.g. 2027-02-28T17:00:00+00:00",
    ),
    (f'{{{AT}, "action": "unlocked"}}', "system: missing; write which system, as text"),
    (f'{{{AT}, "action": "update"}}', 'set: missing; write {"status": "disabled"} or the like'),
    (f'{{{AT}, "action": "password_changed"}}', "password_expires_at: missing; write an instant, or null for never"),
    (
        f'{{{AT}, "action": "link_click"}}',
        "notice: missing; write one of password_reminder, password_expired, contractor",
    ),
    (f'{{{AT}, "notice": "contractor"}}', "action: missing; write what was done"),
    (
        f'{{{AT}, "action": "unlocked", "system": "s", "notes": "x"}}',
        "notes: unknown field; known are action, at, login, system",
    ),
    (
        f'{{{AT}, "action": "unlocked", "sytem": "s"}}'.replace("{", '{"system": "s", '),
        "sytem: unknown field; did you mean system?",
    ),
    (f'{{{AT}, "action": "unlock", "system": "s"}}', "action: 'unlock' is not known; did you mean unlocked?"),
    (f'{{{AT}, "action": 7}}', "action: 7 is not known; write password_changed or update or "),
    (
        f'{{{AT}, "notice": "contractors", "action": "understood"}}',
        "notice: 'contractors' is not known; did you mean contractor?",
    ),
    (
        f'{{{AT}, "notice": ["contractor"], "action": "understood"}}',
        'notice: ["contractor"] is not known; write password_reminder or ',
    ),
    (
        f'{{{AT}, "notice": "password_expired", "action": "understood"}}',
        "action: 'understood' does not fit password_expired; write open_ticket or link_click",
    ),
    (
        f'{{{AT}, "notice": "contractor", "action": "password_changed"}}',
        "action: 'password_changed' does not fit contractor; write how_to_extend or ",
    ),
    (
        '{"at": "2027-01-27", "login": "ann", "action": "unlocked", "system": "s"}',
        "at: '2027-01-27' is not an instant; write e.g. 2027-02-28T17:00:00+00:00",
    ),
    ('{"at": 5, "login": "ann", "action": "unlocked", "system": "s"}', "at: 5 is not an instant; write e.g. "),
    (
        f'{{{AT}, "action": "password_changed", "password_expires_at": ""}}',
        "password_expires_at: '' is not an instant; write e.g. ",
    ),
    (
        f'{{{AT}, "action": "unlocked", "system": "s"}}'.replace('"ann"', '"anne"'),
        "login: 'anne' is not in people.csv; correct it or add the person",
    ),
    (
        f'{{{AT}, "action": "unlocked", "system": "s"}}'.replace('"ann"', "null"),
        "login: null is no login; write one of",
    ),
    (f'{{{AT}, "action": "locked_out", "system": 5}}', "system: 5 is no name of a system; write it in quotes"),
    (f'{{{AT}, "action": "update", "set": []}}', "set: [] is not an object; write "),
    (f'{{{AT}, "action": "update", "set": {{"stauts": ""}}}}', "set.stauts: unknown column; did you mean status?"),
    (f'{{{AT}, "action": "update", "set": {{"login": "b"}}}}', "set.login: 'b' cannot be set; leave login out"),
    (
        f'{{{AT}, "action": "update", "set": {{"password_changed_at": ""}}}}',
        "set.password_changed_at: '' cannot be set; leave password_changed_at out",
    ),
    (
        f'{{{AT}, "action": "update", "set": {{"never_expires": true}}}}',
        "set.never_expires: true is not text; write it in quotes, as in the CSV",
    ),
    (
        f'{{{AT}, "action": "update", "set": {{"status": "off"}}}}',
        "set.status: 'off' is not known; write active or locked or disabled",
    ),
    (f'{{{AT}, "action": "locked_out", "system": "\\ud800"}}', "line: has half a character"),
]


@pytest.mark.parametrize(("line", "told"), WRONG_LINES, ids=[told for _, told in WRONG_LINES])
def test_wrong_line_is_told_with_its_field_value_and_remedy(line, told):
    (wrong,) = actions(f"\n{line}\n")[1]
    assert wrong.startswith(f"actions.jsonl:2: {told}")
    assert "; " in wrong and "\n" not in wrong


def test_every_mistake_of_a_line_and_of_every_line_is_told():
    line = '{"at": "x", "login": "zoe", "action": "update", "sett": 1}'
    assert [wrong.split(": ")[0:2] for wrong in actions(f"{line}\nnothing\n")[1]] == [
        ["actions.jsonl:1", "sett"],
        ["actions.jsonl:1", "set"],
        ["actions.jsonl:1", "at"],
        ["actions.jsonl:1", "login"],
        ["actions.jsonl:2", "line"],
    ]


def test_a_line_that_is_not_utf8_is_told():
    assert actions(b'{"at": "\xff"}\n')[1] == ["actions.jsonl:1: line: is not UTF-8; save the file in this encoding"]


def test_without_people_nobody_is_called_unknown():
    assert actions(f'{{{AT}, "action": "unlocked", "system": "s"}}', logins=None)[1] == []
