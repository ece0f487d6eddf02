"""A second organisation, Acme Retail: the same program with other people, other passwords, other ids."""

import dataclasses

import pytest

from sandbox.app import create_app
from sandbox.config import Config, ConfigError
from sandbox.people import ACME, COMPANIES
from sandbox.sign_in import SignInRefused, password_of, sign_in
from tests.sandbox.conftest import Organisation, configured

RETAIL = COMPANIES["retail"]
ENVIRONMENT = {"OKTA_TOKEN": "t", "OIDC_CLIENT_SECRET": "s"}


@pytest.fixture
def retail(tmp_path):
    config = dataclasses.replace(configured(tmp_path), company=RETAIL, database=tmp_path / "retail.db", port=8090)
    app = create_app(config)
    yield Organisation(app, config)
    app.state.sandbox.database.close()


def test_it_says_who_it_is(retail):
    for path in ("/", "/signin", "/control"):
        page = retail.browser().get(path).text
        assert "Acme Retail" in page
    assert retail.browser().get("/.well-known/openid-configuration").json()["issuer"] == "http://127.0.0.1:8090"


@pytest.mark.parametrize("person", RETAIL.people, ids=lambda person: person.name)
def test_its_people_sign_in_with_their_own_passwords(retail, person):
    assert sign_in(retail.browser(), person.name, password_of(person.login)).url.path == "/portal"
    acme = next((each for each in ACME.people if each.number == person.number), None)
    if acme:
        assert acme.password != person.password and acme.login != person.login
        with pytest.raises(SignInRefused):
            sign_in(retail.browser(), person.name, acme.password)


def test_a_lockout_there_is_none_here(retail, organisation):
    retail.control("lock", login="dwhitfield")
    assert (retail.user("dwhitfield")["status"], organisation.user()["status"]) == ("LOCKED_OUT", "ACTIVE")
    assert retail.user("dwhitfield")["id"] != organisation.user()["id"]


def test_u9_the_employee_number_alone_tells_who_is_the_same_person(retail, organisation):
    """Dana's login and address are others there; Grace's are the same, but nobody has written her number down."""
    profiles = {login: retail.user(login)["profile"] for login in ("dwhitfield", "grace", "sofia")}
    dana = organisation.user()["profile"]
    assert profiles["dwhitfield"]["employeeNumber"] == dana["employeeNumber"] == "1001"
    assert profiles["dwhitfield"]["email"] != dana["email"]
    assert profiles["grace"]["email"] == organisation.user("grace")["profile"]["email"]
    assert profiles["grace"]["employeeNumber"] is None
    here = [person.number for person in ACME.people]
    assert len(set(here)) == len(here) and profiles["sofia"]["employeeNumber"] not in here


def test_sessions_in_both_go_side_by_side_in_one_browser(retail, organisation):
    """Browsers send a host's cookies to all its ports."""
    browser = organisation.browser()
    sign_in(browser, "dana")
    there = retail.browser()
    sign_in(there, "sofia")
    for name, value in there.cookies.items():
        browser.cookies.set(name, value)
    assert "Dana" in browser.get("/portal").text


def test_generated_people_are_of_its_domain(retail):
    assert retail.control("people", count=1)["logins"] == ["load0001@retail.acme.example"]


@pytest.mark.parametrize("value, company", [(None, ACME), ("acme", ACME), ("retail", RETAIL)])
def test_the_environment_chooses(value, company):
    environment = {**ENVIRONMENT, **({"SANDBOX_COMPANY": value} if value else {})}
    assert Config.from_environment(environment).company is company


def test_an_unknown_one_is_refused_with_a_sentence():
    with pytest.raises(ConfigError, match="SANDBOX_COMPANY is 'evil': set it to acme or retail"):
        Config.from_environment({**ENVIRONMENT, "SANDBOX_COMPANY": "evil"})


def test_an_organisation_of_an_earlier_version_is_founded_anew_and_keeps_its_key(organisation):
    database = organisation.app.state.sandbox.database
    keys = organisation.browser().get("/oauth2/v1/keys").json()
    organisation.control("lock", login="dana")
    with database.write() as connection:
        connection.execute("ALTER TABLE users RENAME COLUMN source TO something_older")
        connection.execute("DELETE FROM factors")
    connection = database._take()
    connection.execute("PRAGMA user_version=1")
    database._idle.put(connection)
    app = create_app(organisation.config)
    anew = Organisation(app, organisation.config)
    assert anew.user()["status"] == "ACTIVE" and len(anew.api("GET", "/users/dana/factors").json()) == 4
    assert anew.browser().get("/oauth2/v1/keys").json() == keys
    app.state.sandbox.database.close()
