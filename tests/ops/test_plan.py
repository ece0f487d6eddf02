"""What is planned before anything starts: each process its own variables, ports that move, settings refused."""

from pathlib import Path

import pytest
import yaml

from account_access import settings as settings_file
from ops import moved, plan
from ops.console import CannotContinue

ROOT = Path(__file__).resolve().parents[2]
RETAIL = "sandbox-retail"
MODEL = ROOT / "models" / "a.tar.gz"
SECRETS = {
    "DOOR_SECRET",
    "SCHEDULER_SECRET",
    "ACTION_SECRET",
    "JWT_SECRET",
    "COOKIE_SECRET",
    "LINK_SECRET",
    "OIDC_CLIENT_SECRET",
    "OKTA_TOKEN",
    "RETAIL_OKTA_TOKEN",
}
# Each secret is shared by those alone who need it (law 3).
HOLDERS = {
    "door": {"DOOR_SECRET", "COOKIE_SECRET", "OIDC_CLIENT_SECRET", "LINK_SECRET"},
    "actions": {"ACTION_SECRET", "LINK_SECRET", "OKTA_TOKEN", "RETAIL_OKTA_TOKEN"},
    "rasa": {"DOOR_SECRET", "SCHEDULER_SECRET", "ACTION_SECRET", "JWT_SECRET"},
    "schedulers": {"SCHEDULER_SECRET", "OKTA_TOKEN", "RETAIL_OKTA_TOKEN"},
    "sandbox": {"OIDC_CLIENT_SECRET", "OKTA_TOKEN"},
    "sandbox-retail": {"OIDC_CLIENT_SECRET", "OKTA_TOKEN"},
}


@pytest.fixture
def home(tmp_path):
    (tmp_path / "run").mkdir()
    return tmp_path


def make(home: Path, given=None, ports_from=None, path=ROOT / "settings.yml") -> plan.Plan:
    return plan.make(path, home, {"PATH": "/usr/bin", **(given or {})}, ports_from, MODEL)


def by_name(made: plan.Plan) -> dict[str, plan.Process]:
    return {process.name: process for process in made.processes}


@pytest.mark.parametrize("name", HOLDERS)
def test_a_process_holds_its_own_secrets_and_no_others(home, name):
    environment = by_name(make(home))[name].environment
    assert SECRETS & set(environment) == HOLDERS[name]


def test_the_door_hears_which_proxy_it_may_believe(home):
    door = by_name(make(home, {"FORWARDED_ALLOW_IPS": "10.0.0.7"}))["door"]
    assert door.environment["FORWARDED_ALLOW_IPS"] == "10.0.0.7"


def test_secrets_are_made_anew_each_time_and_shared_where_they_must_be(home):
    one, other = make(home), make(home)
    for secret in SECRETS:
        values = {p.environment[secret] for p in one.processes if secret in p.environment and p.name != RETAIL}
        assert values == {one.variables[secret]}
        assert len(one.variables[secret]) >= 40
        assert one.variables[secret] != other.variables[secret]


def test_two_organisations_have_each_its_own_secrets(home):
    """They are the same program, and call theirs the same."""
    made = make(home)
    first, second = by_name(made)["sandbox"].environment, by_name(made)[RETAIL].environment
    assert second["OKTA_TOKEN"] == made.variables["RETAIL_OKTA_TOKEN"] != first["OKTA_TOKEN"]
    assert second["OIDC_CLIENT_SECRET"] != first["OIDC_CLIENT_SECRET"]
    assert second["SANDBOX_DB"] != first["SANDBOX_DB"] and second["SANDBOX_CLOCK"] == first["SANDBOX_CLOCK"]
    assert (first.get("SANDBOX_COMPANY"), second["SANDBOX_COMPANY"]) == (None, "retail")


def test_each_organisation_tells_who_is_there(home):
    made = make(home, ports_from=18000)
    assert made.people == (("http://127.0.0.1:18003/control/api/state", "http://127.0.0.1:18003/"),)
    assert made.pages == ((RETAIL, "http://127.0.0.1:18004/"),)


def test_a_secret_that_is_set_is_kept(home):
    assert (
        by_name(make(home, {"OKTA_TOKEN": "from the vault"}))["actions"].environment["OKTA_TOKEN"] == "from the vault"
    )


def test_no_secret_stands_on_a_command_line_or_in_the_moved_settings(home):
    made = make(home, ports_from=18000)
    texts = [" ".join(p.command + p.health_command) for p in made.processes] + [
        (home / "run" / "settings.yml").read_text()
    ]
    values = {p.environment[name] for p in made.processes for name in SECRETS & set(p.environment)}
    assert not [value for value in values if any(value in text for text in texts)]


def test_what_the_caller_exports_stays_with_the_caller(home):
    given = {"AWS_SECRET_ACCESS_KEY": "x", "PYTHONDONTWRITEBYTECODE": "1", "PIP_CERT": "x", "LANG": "C.UTF-8"}
    for process in make(home, given).processes:
        assert set(given) & set(process.environment) == {"LANG"}


def test_all_ports_move_together(home):
    made = make(home, ports_from=18000)
    assert {p.name: p.listens_on[1] for p in made.processes if p.listens_on} == {
        "door": 18000,
        "rasa": 18001,
        "actions": 18002,
        "sandbox": 18003,
        RETAIL: 18004,
    }
    systems = settings_file.load(home / "run" / "settings.yml", "actions", made.variables).systems
    assert [systems[key].url for key in ("okta", "retail")] == ["http://127.0.0.1:18003", "http://127.0.0.1:18004"]
    door = settings_file.load(home / "run" / "settings.yml", "door", made.variables).door
    assert (door.url, door.sign_in.issuer) == ("http://127.0.0.1:18000", "http://127.0.0.1:18003")
    assert door.rasa_url == "http://127.0.0.1:18001"
    assert by_name(made)["sandbox"].environment["DOOR_URL"] == "http://127.0.0.1:18000"
    assert by_name(made)["rasa"].environment["ACTIONS_WEBHOOK"] == "http://127.0.0.1:18002/webhook"


def test_another_home_holds_everything_that_is_written(home):
    made = by_name(make(home))
    assert made["actions"].environment["STORE_URL"] == f"sqlite:///{home}/store.db"
    assert made["rasa"].environment["TRACKERS_DB"] == f"{home}/trackers.db"
    assert made["sandbox"].environment["SANDBOX_DB"] == f"{home}/sandbox.db"
    assert made[RETAIL].environment["SANDBOX_DB"] == f"{home}/sandbox-retail.db"
    assert made["sandbox"].environment["SANDBOX_CLOCK"] == f"{home}/clock-offset"
    settings = settings_file.load(made["door"].environment["SETTINGS"], "channel", made["door"].environment)
    assert settings.clock.offset_file == home / "clock-offset"


def without_companion(home: Path) -> Path:
    raw = yaml.safe_load((ROOT / "settings.yml").read_text())
    del raw["processes"], raw["systems"]["retail"]
    raw["systems"]["okta"]["url"] = "https://acme.okta.example"
    raw["door"]["sign_in"]["issuer"] = "https://acme.okta.example"
    path = home / "mine.yml"
    path.write_text(yaml.safe_dump(raw))
    return path


def test_without_the_companion_its_secrets_must_be_given(home):
    with pytest.raises(CannotContinue) as told:
        make(home, path=without_companion(home))
    assert "mine.yml: systems.okta.token: ${OKTA_TOKEN} is not set in the environment" in str(told.value)
    assert "OIDC_CLIENT_SECRET" in str(told.value)


def test_without_the_companion_all_else_is_planned_as_before(home):
    made = make(home, {"OKTA_TOKEN": "t", "OIDC_CLIENT_SECRET": "s"}, path=without_companion(home))
    assert [p.name for p in made.processes] == ["actions", "rasa", "door", "schedulers"]
    assert made.people == made.pages == ()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"processes": {"nobody": True}}, "processes.nobody: there is no nobody/process.yml"),
        ({"time_zone": "Moon"}, "time_zone: 'Moon' is not a time zone"),
        ({"dooor": {}}, "dooor: unknown key; did you mean door?"),
    ],
    ids=["unknown companion", "wrong value", "misspelt section"],
)
def test_wrong_settings_are_refused_by_file_and_key(home, change, told):
    path = home / "settings.yml"
    path.write_text(yaml.safe_dump(yaml.safe_load((ROOT / "settings.yml").read_text()) | change))
    with pytest.raises(CannotContinue) as problem:
        make(home, path=path)
    assert told in str(problem.value)
    assert "run/settings.yml" not in str(problem.value)


def test_only_whole_addresses_move(tmp_path):
    raw = {
        "a": "http://127.0.0.1:8000/x",
        "b": "127.0.0.1:80001",
        "c": "1127.0.0.1:8000",
        "d": ["127.0.0.1:8000", 8000],
    }
    moved.write(raw, {"127.0.0.1:8000": "127.0.0.1:1"}, tmp_path, tmp_path / "out.yml")
    assert yaml.safe_load((tmp_path / "out.yml").read_text()) == {
        "a": "http://127.0.0.1:1/x",
        "b": "127.0.0.1:80001",
        "c": "1127.0.0.1:8000",
        "d": ["127.0.0.1:1", 8000],
    }


def test_e7_settings_that_keep_people_from_hearing_in_time_are_warned_of(home, tmp_path):
    assert make(home).warnings == ()
    path = tmp_path / "late.yml"
    path.write_text((ROOT / "settings.yml").read_text() + "\npassword: {send_at: '23:55'}\n")
    (warning,) = make(home, path=path).warnings
    assert warning.startswith(f"{path}: password.send_at: 23:55 leaves 5 minutes of the day: ")
