"""`python -m account_access`: the audit trail and the tickets, for admins (X7, X14)."""

import json
from datetime import timedelta

import pytest

from account_access import audit, breaker, freezes, sessions, tickets
from account_access.__main__ import main
from account_access.desks.local import LocalDesk
from account_access.store import tables
from account_access.verification import Verification


@pytest.fixture
def told(world, tmp_path, monkeypatch, store_url):
    """Dana was unlocked, and the desk has heard of it."""
    text = f"store: {{url: '${{STORE_URL}}'}}\nclock: {{offset_file: {tmp_path / 'offset'}}}\n"
    (tmp_path / "settings.yml").write_text(text)
    monkeypatch.setenv("SETTINGS", str(tmp_path / "settings.yml"))
    monkeypatch.setenv("STORE_URL", store_url)
    world.lock()
    world.unlocks.execute(world.system, world.confirmed())
    desk = LocalDesk(world.store, world.clock, "AA")
    for event in tickets.due_events(world.store, world.clock):
        tickets.event_sent(world.store, world.clock, event, desk.take(event))
    return world


ALL = ["--days", "100000"]


def lines(capsys) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_audit_names_people_by_login(told, capsys):
    assert main(["audit", "--json", *ALL]) == 0
    records = lines(capsys)
    assert [r["act"] for r in records][:2] == ["confirm_unlock", "decide_unlock"]
    assert {r["person"] for r in records} == {"dana@acme.example"} == {r["actor"] for r in records}
    assert records[0]["at"] == "2026-11-24T17:00:00Z"


@pytest.mark.parametrize(("person", "found"), [("dana@acme.example", True), ("eli@acme.example", False)])
@pytest.mark.parametrize("what", ["audit", "tickets"])
def test_of_one_person(told, capsys, what, person, found):
    assert main([what, "--json", "--person", person, *ALL]) == 0
    assert bool(lines(capsys)) is found


def test_tickets_with_their_history(told, capsys):
    assert main(["tickets", "--json", *ALL]) == 0
    assert [(r["reference"], r["event"]) for r in lines(capsys)] == [("AA-1001", "open")]


def test_as_a_table_for_people(told, capsys):
    assert main(["tickets", *ALL]) == 0
    assert "AA-1001" in capsys.readouterr().out


def test_m7_check_names_a_provider_that_does_not_date_sign_ins(told, capsys):
    ends = told.clock.now() + timedelta(hours=12)
    about = (told.person().id, "https://idp.example", "sub", None)
    assert main(["check"]) == 0 and "nothing found" in capsys.readouterr().out
    for signed_in in (told.clock.now(), sessions.UNDATED, sessions.UNDATED):
        sessions.create(told.store, told.clock, *about, signed_in, ends)
    assert main(["check", "--json"]) == 0
    (found,) = lines(capsys)
    assert "no auth_time in 2 of 3 sign-ins" in found["problem"] and "mfa.verification" in found["remedy"]


def test_nothing_in_the_period(told, tmp_path, capsys):
    (tmp_path / "offset").write_text("1e9")
    assert main(["tickets", "--days", "0"]) == 0
    assert "no tickets in this period" in capsys.readouterr().out


@pytest.mark.parametrize("what", ["audit", "tickets"])
def test_what_people_wrote_is_shown_as_written(told, capsys, what):
    """Neither markup, which would end the command or forge a link, nor codes for the terminal."""
    odd = "[/b] [link=https://x.example]IT[/link] \x1b]0;x\x07"
    with told.store.begin() as connection:
        person, now = told.person().id, told.clock.now()
        audit.write(connection, now, f"person:{person}", "click", odd, "refused", person)
        tickets.open_ticket(connection, now, person, "odd", "odd", odd)
    for event in tickets.due_events(told.store, told.clock):
        LocalDesk(told.store, told.clock, "AA").take(event)
    assert main([what, *ALL]) == 0
    shown = "".join(capsys.readouterr().out.split())
    assert "[/b]" in shown and "[link=https" in shown and "\x1b" not in shown and "\x07" not in shown


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [("SETTINGS", "/nowhere.yml", "/nowhere.yml: not found"), ("STORE_URL", "sqlite:////nowhere.db", "/nowhere.db")],
)
def test_what_is_wrong_is_one_sentence(told, monkeypatch, capsys, variable, value, sentence):
    monkeypatch.setenv(variable, value)
    assert main(["audit"]) == 2
    errors = capsys.readouterr().err
    assert sentence in errors and len(errors.splitlines()) == 1


def test_unknown_person(told, capsys):
    assert main(["audit", "--person", "nobody"]) == 2 and "nobody has the login 'nobody'" in capsys.readouterr().err


class TestClosing:
    """X10: security closes its ticket, and nothing else allows self-service again."""

    @pytest.fixture
    def frozen(self, told):
        with told.store.begin() as connection:
            freezes.report(connection, told.clock.now(), told.person(), "inbound", "A lockout.")
        return told

    def stands(self, world):
        with world.store.reading() as connection:
            return freezes.standing(connection, world.person().id) is not None

    @pytest.mark.parametrize("number", ["1002", "AA-1002"])
    def test_x10_securitys_ticket_lifts_the_freeze(self, frozen, capsys, number):
        assert self.stands(frozen)
        assert main(["tickets", "close", number, "--by", "ann"]) == 0
        assert "allowed again" in capsys.readouterr().out and not self.stands(frozen)
        closed = [r for r in audit.about(frozen.store, frozen.person().id) if r["actor"] == "admin:ann"]
        assert [(r["act"], r["result"]) for r in closed] == [("resolve_ticket", "done"), ("freeze", "lifted")]
        assert [e["event"] for e in frozen.rows(tables.desk_outbox)][-1] == "resolve"

    def test_x10_another_ticket_lifts_nothing(self, frozen, capsys):
        assert main(["tickets", "close", "1001"]) == 0
        assert "as it was" in capsys.readouterr().out and self.stands(frozen)

    @pytest.mark.parametrize("number", ["7", "AA-", "x"])
    def test_no_such_ticket(self, frozen, capsys, number):
        assert main(["tickets", "close", number]) == 2
        assert "there is no ticket" in capsys.readouterr().err and self.stands(frozen)


class TestBreaker:
    @pytest.fixture
    def tripped(self, told):
        with told.store.begin() as connection:
            limits = told.settings.breaker.copy(update={"max_lockouts": 0})
            told.lock()
            locked = [told.fake.accounts["00u-dana"]]
            assert breaker.observe(connection, told.clock.now(), "okta", locked, limits)
        return told

    def test_x11_is_shown(self, tripped, capsys):
        assert main(["breaker", "--json"]) == 0
        (line,) = lines(capsys)
        assert (line["system"], line["self-service"]) == ("okta", "stopped") and "1 lockouts" in line["reason"]

    def test_x11_an_admin_rearms_it(self, tripped, capsys):
        assert main(["breaker", "rearm", "okta", "--by", "ann"]) == 0
        assert [r["actor"] for r in tripped.rows(tables.audit, act="breaker")][-1] == "admin:ann"
        assert main(["breaker", "rearm", "okta"]) == 2
        assert "is not stopped" in capsys.readouterr().err

    def test_nothing_was_ever_counted(self, told, capsys):
        assert main(["breaker", "rearm", "vpn"]) == 2


class TestReport:
    def test_x8_claimed_and_verified(self, told, capsys):
        told.clock.move(minutes=10)
        checks = Verification(told.store, told.clock)
        checks.plan()
        for check, request in checks.due():
            checks.run(told.system, check, request)
        assert main(["report", "--json", *ALL]) == 0
        (line,) = lines(capsys)
        assert line == {
            "act": "unlock",
            "asked": 1,
            "done": 1,
            "claimed": 0,
            "verified": 1,
            "relapsed": 0,
            "not yet": 0,
            "unknown": 0,
        }

    def test_as_a_table_for_people(self, told, capsys):
        assert main(["report", *ALL]) == 0
        shown = capsys.readouterr().out
        assert "claimed" in shown and "verified" in shown and "0" in shown
