"""settings.yml: every mistake is one line with file, key and remedy, and no process sees another's secrets (law 3)."""

import pytest

from account_access import settings
from account_access.settings import SettingsError

SECRETS = {
    "OKTA_TOKEN": "token",
    "DOOR_SECRET": "door",
    "COOKIE_SECRET": "cookie",
    "OIDC_CLIENT_SECRET": "client",
    "SCHEDULER_SECRET": "scheduler",
    "STORE_URL": "sqlite:///elsewhere.db",
}
GOOD = """\
store:
  url: ${STORE_URL}
door:
  secret: ${DOOR_SECRET}
  cookie_secret: ${COOKIE_SECRET}
  sign_in:
    issuer: https://acme.example
    client_id: chat
    client_secret: ${OIDC_CLIENT_SECRET}
systems:
  okta:
    name: Okta
    url: https://acme.example
    token: ${OKTA_TOKEN}
schedulers:
  secret: ${SCHEDULER_SECRET}
"""


@pytest.fixture
def file(tmp_path):
    """Writes a settings file and returns its path."""

    def write(text: str):
        path = tmp_path / "settings.yml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def lines_of(path, process: str, environment=SECRETS) -> list[str]:
    with pytest.raises(SettingsError) as raised:
        settings.load(path, process, environment)
    return raised.value.lines


def test_good_file_loads_for_every_process(file):
    path = file(GOOD)
    for process in settings.SECTIONS:
        assert settings.load(path, process, SECRETS).store.url == "sqlite:///elsewhere.db"
    assert settings.check(path, SECRETS).store.url == SECRETS["STORE_URL"]


JOINED_BY = "systems.okta.joined_by"
INSTRUCTIONS = """\
  vpn: {type: instructions, name: VPN}
  x: {type: instructions, name: X, joined_by: employee_number}
"""
# (what is changed in the good file, process, key named, part of the remedy)
MISTAKES = [
    (("store:", "stroe:"), "actions", "stroe", "did you mean store?"),
    (("store:", "qwertz:"), "actions", "qwertz", "known are"),
    (("    name: Okta", "    nme: Okta"), "actions", "systems.okta.nme", "did you mean name?"),
    (("    name: Okta", "    nme: Okta"), "actions", "systems.okta.name", "is missing; see docs/settings.md"),
    (("    issuer: https://acme.example\n", ""), "door", "door.sign_in.issuer", "is missing"),
    (("  secret: ${DOOR_SECRET}\n", ""), "door", "door.secret", "is missing"),
    (("${OKTA_TOKEN}", "00abcdef"), "actions", "systems.okta.token", "given in clear; put it into a variable"),
    (("${OKTA_TOKEN}", "12345"), "actions", "systems.okta.token", "given in clear"),
    (("${DOOR_SECRET}", "hush"), "door", "door.secret", "write ${NAME}"),
    (("${OIDC_CLIENT_SECRET}", "hush"), "door", "door.sign_in.client_secret", "given in clear"),
    (("${OKTA_TOKEN}", "${OTHER_TOKEN}"), "actions", "systems.okta.token", "set OTHER_TOKEN and start again"),
    (("https://acme.example\n    token", "https://${HOST}/\n    token"), "actions", "systems.okta.url", "stay literal"),
    (("${STORE_URL}", "postgresql://aa:hush@db/aa"), "actions", "store.url", "password in clear"),
    (("${STORE_URL}", "not an address"), "actions", "store.url", "is not a database address"),
    (("    token: ${OKTA_TOKEN}\n", ""), "actions", "systems.okta.token", "add token: ${OKTA_TOKEN}"),
    (("    url: https://acme.example\n    token", "    token"), "actions", "systems.okta.url", "https://YOUR-ORG.okta"),
    (("    name: Okta", "    name: Okta\n    type: ldap"), "actions", "systems.okta.type", "okta or instructions"),
    (("    name: Okta", "    name: Okta\n    unlock: maybe"), "actions", "systems.okta.unlock", "'maybe' is not known"),
    (("    name: Okta", "    name: Okta\n    workers: many"), "actions", "systems.okta.workers", "valid integer"),
    (("    name: Okta", "    name: Okta\n    read_timeout: 30"), "actions", "systems.okta.read_timeout", "equal to 8"),
    (("    name: Okta", "    name: Okta\n    joined_by: email"), "actions", JOINED_BY, "write employee_number"),
    (("    name: Okta", "    name: Okta\n    joined_by: employee_number"), "actions", JOINED_BY, "delete joined_by"),
    (
        ("systems:\n", f"systems:\n{INSTRUCTIONS}"),
        "schedulers",
        "systems.x.joined_by",
        "vpn, the first system, is what",
    ),
    (("  secret: ${DOOR", "  listen: somewhere\n  secret: ${DOOR"), "door", "door.listen", "write e.g. 127.0.0.1:8000"),
    (("store:", "time_zone: Mars/Base\nstore:"), "channel", "time_zone", "write e.g. America/Los_Angeles"),
    (("store:", "unlock:\n  max_per_window: -1\nstore:"), "actions", "unlock.max_per_window", "greater than or equal"),
    (("store:", "mfa:\n  mode: some\nstore:"), "actions", "mfa.mode", "write both or all or one_by_one"),
    (("store:", "mfa:\n  verification: hope\nstore:"), "schedulers", "mfa.verification", "write automatic or"),
    (("store:", "mfa:\n  verification_by_group: {A: x}\nstore:"), "actions", "mfa.verification_by_group", "'x' is not"),
    (("store:", "mfa:\n  resettable: [sms, pager]\nstore:"), "actions", "mfa.resettable.1", "'pager' is not known"),
    *[
        (
            ("secret: ${SCHEDULER", f"per_minute: {given}\n  secret: ${{SCHEDULER"),
            "schedulers",
            "schedulers.per_minute",
            told,
        )
        for given, told in (
            ("{fax: 3}", "write web or mail"),
            ("{mail: 0}", "at least 1, or none"),
            ("30", "write e.g. {mail: 30}"),
        )
    ],
    (("store:", "desk:\n  type: paper\nstore:"), "schedulers", "desk.type", "write local"),
    (("store:", "lockout:\nstore:"), "schedulers", "lockout", "none is not an allowed value"),
    (("store:", "lockout: often\nstore:"), "schedulers", "lockout", "not a valid dict"),
    (("store:", "time_zone: America\nstore:"), "channel", "time_zone", "'America' is not a time zone"),
]


@pytest.mark.parametrize(("change", "process", "key", "remedy"), MISTAKES)
def test_mistake_is_one_line_with_file_key_and_remedy(file, change, process, key, remedy):
    text = GOOD.replace(*change)
    assert text != GOOD
    path = file(text)
    line = next(line for line in lines_of(path, process) if line.startswith(f"{path}: {key}: "))
    assert remedy in line and "\n" not in line


def test_every_mistake_is_named_at_once(file):
    path = file(GOOD.replace("${OKTA_TOKEN}", "clear").replace("    name: Okta\n", "").replace("store:", "stroe:"))
    assert {line.split(": ")[1] for line in lines_of(path, "actions")} == {
        "systems.okta.token",
        "systems.okta.name",
        "stroe",
    }


@pytest.mark.parametrize("section", ["door", "schedulers"])
@pytest.mark.parametrize("left", ["absent", "empty"])
def test_section_that_a_process_cannot_do_without_is_missed(file, section, left):
    before, _, rest = GOOD.partition(f"{section}:\n")
    after = rest[rest.index("systems:") :] if section == "door" else ""
    path = file(before + (f"{section}:\n" if left == "empty" else "") + after)
    assert f"{path}: {section}: is missing; copy the section from docs/settings.md" in lines_of(path, section)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("store: {url: [\n", "settings.yml:2: line: not YAML"),
        (
            "a: b\n  c: d\n",
            "settings.yml:2: line: not YAML (mapping values are not allowed here); check the indentation",
        ),
        ("lockout:\n  gap_hours: 1\n  gap_hours: 2\n", "settings.yml:3: gap_hours: is there twice; keep one of them"),
        ("- a\n- b\n", "settings.yml: is not a list of `key: value` sections; see docs/settings.md"),
    ],
)
def test_what_is_no_yaml_mapping_is_refused_with_its_line(file, content, expected):
    assert expected in lines_of(file(content), "actions")[0]


def test_missing_file_says_where_to_point(tmp_path):
    path = tmp_path / "nowhere.yml"
    assert lines_of(path, "actions") == [f"{path}: not found; create it or point SETTINGS at yours"]


def test_file_that_is_no_text_is_one_line(tmp_path):
    path = tmp_path / "settings.yml"
    path.write_bytes(b"\xff\xfe\x00")
    (line,) = lines_of(path, "actions")
    assert line.startswith(f"{path}: cannot be read") and "UTF-8" in line


def test_empty_file_needs_nothing_but_its_sections(file):
    path = file("")
    assert settings.load(path, "channel", {}).store.url == "sqlite:///var/store.db"
    assert lines_of(path, "door") == [f"{path}: door: is missing; copy the section from docs/settings.md"]


@pytest.mark.parametrize(
    ("process", "needs"),
    [
        ("door", {"STORE_URL", "DOOR_SECRET", "COOKIE_SECRET", "OIDC_CLIENT_SECRET"}),
        ("actions", {"STORE_URL", "OKTA_TOKEN"}),
        ("schedulers", {"STORE_URL", "OKTA_TOKEN", "SCHEDULER_SECRET"}),
        ("channel", {"STORE_URL"}),
    ],
)
def test_law_3_each_process_expands_its_own_sections_alone(file, process, needs):
    path = file(GOOD)
    settings.load(path, process, {name: SECRETS[name] for name in needs})
    for name in needs:
        without = {key: SECRETS[key] for key in needs - {name}}
        assert [f"set {name} and start again" in line for line in lines_of(path, process, without)] == [True]


def test_check_names_the_mistakes_of_all_processes_once(file):
    path = file(GOOD.replace("${DOOR_SECRET}", "clear").replace("${SCHEDULER_SECRET}", "clear"))
    with pytest.raises(SettingsError) as raised:
        settings.check(path, SECRETS)
    assert [line.split(": ")[1] for line in raised.value.lines] == ["door.secret", "schedulers.secret"]


def test_secrets_are_not_printed(file):
    loaded = settings.load(file(GOOD), "actions", {**SECRETS, "OKTA_TOKEN": "very-secret"})
    assert "very-secret" not in repr(loaded) and "very-secret" not in str(loaded.dict())
    assert loaded.systems["okta"].token.get_secret_value() == "very-secret"


def test_system_of_instructions_needs_neither_address_nor_token(file):
    path = file("systems:\n  vpn:\n    type: instructions\n    name: VPN\n")
    assert settings.load(path, "actions", {}).systems["vpn"].name == "VPN"


# (what the file says, the key named, how the line goes on)
PLANNING_MISTAKES = [
    ("password: {send_at: 25:00}", "password.send_at", "'25:00' is not a time; write HH:MM"),
    ("password: {send_at: 600}", "password.send_at", "600 is not a time; write HH:MM"),
    ("password: {send_at: '9:30'}", "password.send_at", "'9:30' is not a time; write HH:MM"),
    ("contractor: {send_at: '11:00:00'}", "contractor.send_at", "'11:00:00' is not a time"),
    ("password: {first_notification_day: 0}", "password.first_notification_day", "0 is not allowed: ensure"),
    ("password: {first_notification_day: 366}", "password.first_notification_day", "366 is not allowed: ensure"),
    ("password: {first_notification_day: 14.5}", "password.first_notification_day", "14.5 is not a whole number"),
    ("password: {first_notification_day: '14'}", "password.first_notification_day", "'14' is not a whole number"),
    ("password: {first_notification_day: true}", "password.first_notification_day", "True is not a whole number"),
    ("password: {weekend_reminders: maybe}", "password.weekend_reminders", "'maybe' is not allowed: value"),
    ("password: {weekend_reminders: 1}", "password.weekend_reminders", "1 is not allowed: value"),
    ("password: {mode: manual}", "password.mode", "'manual' is not known; write automated or instructions"),
    ("password: {follow_up: weekly}", "password.follow_up", "'weekly' is not known; write cadence or daily"),
    ("password: {do_not_remind: never}", "password.do_not_remind", "'never' is not known; write this_expiry or always"),
    ("password: {expired_notice: later}", "password.expired_notice", "'later' is not known; write next_run or imm"),
    ("password: {exclude: {groups: Kiosks}}", "password.exclude.groups", "'Kiosks' is not a list; write e.g."),
    ("password: {exclude: {logins: [7]}}", "password.exclude.logins", "7 is not text; write it in quotes"),
    ("password: {exclude: {group: []}}", "password.exclude.group", "unknown key; did you mean groups?"),
    ("password: {include: {group: []}}", "password.include.group", "unknown key; did you mean groups?"),
    ("password: {inclde: {}}", "password.inclde", "unknown key; did you mean include?"),
    ("lockout: {include: {departments: IT}}", "lockout.include.departments", "'IT' is not a list; write e.g."),
    ("lockout: {exclude: {department: [IT]}}", "lockout.exclude.department", "unknown key; did you mean departments?"),
    ("contractor: {include: {titles: [' ']}}", "contractor.include.titles", "[' '] has an empty value; write a name,"),
    ("password: {first_day: 14}", "password.first_day", "unknown key; did you mean first_notification_day?"),
    ("password: 14", "password", "14 is not allowed: value is not a valid dict"),
    ("contractor: {max_shown: 0}", "contractor.max_shown", "0 is not a number of workers; write 1 or more, or all"),
    ("contractor: {max_shown: some}", "contractor.max_shown", "'some' is not a number of workers"),
    ("contractor: {max_show: 4}", "contractor.max_show", "unknown key; did you mean max_shown?"),
    ("lockout: {max_notifications: 2.5}", "lockout.max_notifications", "2.5 is not a whole number"),
    ("lockout: {gap_hours: -1}", "lockout.gap_hours", "-1 is not allowed: ensure this value is greater"),
    ("lockout: {gap_hours: .nan}", "lockout.gap_hours", "nan is not allowed: ensure"),
    ("lockout: {window_hours: .inf}", "lockout.window_hours", "inf is not allowed: ensure"),
    ("lockout: {window_hours: '24'}", "lockout.window_hours", "'24' is not a number; write e.g. 6"),
    ("time_zone: PST8", "time_zone", "'PST8' is not a time zone; write e.g. America/Los_Angeles"),
    ("pasword: {}", "pasword", "unknown key; did you mean password?"),
]


@pytest.mark.parametrize(("text", "key", "told"), PLANNING_MISTAKES)
def test_mistake_in_what_planning_reads_is_told_with_its_value(file, text, key, told):
    path = file(text)
    with pytest.raises(SettingsError) as raised:
        settings.load_planning(path, {})
    (line,) = raised.value.lines
    assert line.startswith(f"{path}: {key}: {told}")


def test_planning_needs_no_secret_and_reads_no_other_section(file):
    path = file(GOOD + "time_zone: Europe/Berlin\n")
    assert settings.load_planning(path, {}).time_zone == "Europe/Berlin"
    assert settings.load_planning(file("systems: nonsense\nstore: {url: '${NOWHERE}'}\n"), {}).systems == {}


@pytest.mark.parametrize("written", ["10:30", "'10:30'", '"10:30"'])
def test_time_of_day_needs_no_quotes(file, written):
    loaded = settings.load_planning(file(f"password:\n  send_at: {written}\n"), {})
    assert (loaded.password.send_at.hour, loaded.password.send_at.minute) == (10, 30)


def test_launcher_is_told_what_planning_would_be(file):
    with pytest.raises(SettingsError, match=r"password\.send_at: 'noon' is not a time"):
        settings.check(file(GOOD + "password: {send_at: noon}\n"), SECRETS)
