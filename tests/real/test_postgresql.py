"""The loop on PostgreSQL instead of SQLite: the address of the store alone decides (law 10)."""

from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from sandbox.sign_in import lock_out
from tests.e2e.installation import Installation, eventually
from tests.e2e.person import Person, titles
from tests.real.on_postgresql import private_server


class OnPostgreSQL(Installation):
    """Its rows are read from the server."""

    def rows(self, query: str, *values) -> list[dict]:
        engine = create_engine(self.environment["STORE_URL"], poolclass=NullPool)
        with engine.connect() as connection:
            found = connection.exec_driver_sql(query.replace("?", "%s"), values)
            return [dict(row) for row in found.mappings()]


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Iterator[OnPostgreSQL]:
    """All processes, with one database between them."""
    fast = {"lockout": {"poll_seconds": 1}, "schedulers": {"sync_minutes": 0.05}}
    with private_server() as address:
        home = tmp_path_factory.mktemp("on-postgresql")
        installation = OnPostgreSQL(home, fast, {"STORE_URL": address}).start()
        try:
            yield installation
        finally:
            installation.stop()


@pytest.fixture
def person(stack) -> Iterator[Person]:
    (login,) = stack.control.post("people", count=1)["logins"]
    somebody = Person(stack, login).sign_in()
    yield somebody
    somebody.browser.close()


def test_locked_out_told_sure_back_in(stack, person):
    with httpx.Client(base_url=stack.sandbox_url) as elsewhere:
        lock_out(elsewhere, person.login, start=f"{stack.sandbox_url}/signin")
    assert "Yes" in titles(person.notice())
    done = person.say("sure")
    assert "unlocked" in done["text"] and not person.is_locked()
    (ticket,) = person.tickets()
    assert ticket["state"] == "resolved" and f"AA-{ticket['number']}" in done["text"]
    assert [entry["notice"] for entry in person.history()].count(True) == 1
    assert [record for record in person.audited() if "unlock" in record["act"]]
    assert not (stack.home / "store.db").exists()


def test_what_was_accepted_is_answered_once_though_rasa_was_killed(stack, person):
    killed = stack.kill("rasa")
    person.send("what can you do?")
    stack.wait_until_healthy("rasa", unlike=killed)
    eventually(lambda: person.history()[-1]["from"] == "assistant", 30, "it was not answered")
    answers = [entry["text"] for entry in person.history() if entry["from"] == "assistant"]
    assert len(answers) == len(set(answers))
