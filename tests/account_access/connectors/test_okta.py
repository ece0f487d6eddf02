"""OktaConnector against a server that speaks as Okta documents."""

import json
from datetime import timezone

import pytest
from pydantic import SecretStr

from account_access.connectors.base import (
    FactorKind,
    OutcomeUnknown,
    PermissionRefused,
    StateRefused,
    TemporarilyUnavailable,
)
from account_access.connectors.okta import LOCKOUT_EVENTS
from tests.account_access.connectors.contract import Contract, Organisation, Trouble
from tests.account_access.connectors.okta_server import Answer, error
from tests.account_access.world import START

USER = "GET /api/v1/users/00udana"
UNLOCK = "POST /api/v1/users/00udana/lifecycle/unlock"
LOGS = "GET /api/v1/logs"


OKTA_S = {
    FactorKind.OKTA_VERIFY_PUSH: ("push", "OKTA", "name"),
    FactorKind.SMS: ("sms", "OKTA", "phoneNumber"),
    FactorKind.SECURITY_KEY: ("webauthn", "FIDO", "authenticatorName"),
    FactorKind.GOOGLE_AUTHENTICATOR: ("token:software:totp", "GOOGLE", "name"),
}


@pytest.fixture
def organisation(okta, connector):
    def enrol(user_id: str, kind: FactorKind, name: str) -> None:
        factor_type, provider, key = OKTA_S[kind]
        okta.enrol(user_id, factor_type, provider, **{key: name})

    def code(user_id: str) -> str:
        (factor,) = okta.factors[user_id]
        return okta.codes.setdefault(factor["id"], "135790")

    def trouble(kind: str) -> None:
        okta.trouble = kind

    okta.users["00udana"]["profile"]["managerId"] = okta.users["00ueli"]["profile"]["login"]
    okta.users["00ugone"] = {**okta.users["00umona"], "id": "00ugone", "status": "DEPROVISIONED"}
    names = ("00udana", "00ueli", "00umona", "00ugone")
    return Organisation(connector, *names, 4, okta.lock, enrol, okta.fail, code, trouble)


class TestContract(Contract):
    pass


class TestTrouble(Trouble):
    pass


class TestWhatIsSent:
    def test_token_goes_in_the_header_alone(self, okta, connector):
        connector.account("00udana")
        connector.unlock("00udana")
        for seen in okta.seen:
            assert seen.headers["Authorization"] == "SSWS a-token"
            assert seen.headers["Accept"] == "application/json"
            assert "a-token" not in seen.path + str(seen.query)

    def test_locked_accounts_are_searched_by_the_server(self, okta, connector):
        list(connector.locked_accounts())
        assert okta.seen[0].query == {"search": 'status eq "LOCKED_OUT"', "limit": "200"}

    def test_first_look_into_the_log_starts_at_the_instant_and_later_ones_at_the_cursor(self, okta, connector):
        page = connector.lockouts_since(None, START)
        assert okta.seen[0].query == {
            "since": "2026-11-24T17:00:00.000Z",
            "filter": LOCKOUT_EVENTS,
            "sortOrder": "ASCENDING",
            "limit": "1000",
        }
        connector.lockouts_since(page.cursor, START)
        assert okta.seen[-1].query == {"after": "0"}

    def test_proxy_and_netrc_of_the_machine_do_not_get_the_token(self, okta, connector, monkeypatch):
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        assert connector.account("00udana").login == "dana@acme.example"


class TestCodes:
    """M7: only one answer means that a code was right."""

    VERIFY = "POST /api/v1/users/00udana/factors/factor0tok/verify"

    @pytest.fixture
    def check(self, okta, connector):
        okta.enrol("00udana", "token:software:totp", "GOOGLE")
        return lambda: connector.code_is_right("00udana", "factor0tok", SecretStr("135790"))

    def test_code_goes_in_the_body_alone(self, okta, check, caplog):
        caplog.set_level("DEBUG")
        check()
        seen = okta.seen[-1]
        assert json.loads(seen.body) == {"passCode": "135790"} and seen.query == {}
        assert "135790" not in seen.path + str(seen.headers) + caplog.text

    @pytest.mark.parametrize(
        "result", ["FAILED", "EXPIRED", "REJECTED", "TIMEOUT", "TIME_WINDOW_EXCEEDED", "PASSCODE_REPLAYED", "WAITING"]
    )
    def test_any_other_result_is_a_no(self, okta, check, result):
        okta.next_answers(self.VERIFY, Answer(200, {"factorResult": result}))
        assert check() is False

    @pytest.mark.parametrize("body", [{}, {"factorResult": None}])
    def test_an_answer_without_a_result_is_a_no(self, okta, check, body):
        okta.next_answers(self.VERIFY, Answer(200, body))
        assert check() is False

    def test_used_code_is_a_no(self, okta, check):
        okta.next_answers(self.VERIFY, Answer(403, error("E0000082", "Each code can only be used once.")))
        assert check() is False

    @pytest.mark.parametrize(
        ("answer", "raised"),
        [
            (Answer(403, error("E0000006", "You do not have permission")), PermissionRefused),
            (Answer(403, error("E0000069", "User Locked")), StateRefused),
            (Answer(500, error("E0000009", "Internal Server Error")), OutcomeUnknown),
            (Answer(429, error("E0000109", "An SMS message was recently sent."), {"Retry-After": "30"}), Exception),
            (Answer(200, b"<html>"), TemporarilyUnavailable),
        ],
    )
    def test_no_answer_is_neither(self, okta, check, answer, raised):
        okta.next_answers(self.VERIFY, answer)
        with pytest.raises(raised) as problem:
            check()
        assert "135790" not in f"{problem.value!r} {problem.value.__cause__!r}"

    def test_law_5_a_code_is_sent_once(self, okta, check):
        okta.next_answers(self.VERIFY, Answer(500, error("E0000009", "Internal Server Error")))
        with pytest.raises(OutcomeUnknown):
            check()
        assert len(okta.seen) == 1


class TestWhatIsRead:
    def test_instant_is_utc(self, okta, connector):
        okta.lock("00udana")
        locked_at = connector.account("00udana").locked_at
        assert locked_at.tzinfo == timezone.utc and locked_at.isoformat() == "2026-11-24T07:51:54+00:00"

    @pytest.mark.parametrize(
        ("status", "active"),
        [
            ("ACTIVE", True),
            ("LOCKED_OUT", True),
            ("PASSWORD_EXPIRED", True),
            ("RECOVERY", True),
            ("SUSPENDED", False),
            ("DEPROVISIONED", False),
            ("STAGED", False),
        ],
    )
    def test_who_may_sign_in_to_chat(self, okta, connector, status, active):
        okta.add("zoe", status, timezone="Europe/Vienna", displayName="Zoe R.")
        zoe = next(person for page in connector.people() for person in page if person.external_id == "00uzoe")
        assert (zoe.active, zoe.name, zoe.time_zone) == (active, "Zoe R.", "Europe/Vienna")

    @pytest.mark.parametrize(
        ("value", "number"),
        [
            ("E-1042", "E-1042"),
            ("  1042 ", "1042"),
            ("10  42", "10  42"),
            (1042, "1042"),
            ("", None),
            ("   ", None),
            (None, None),
            (True, None),
            (["1042"], None),
            ("10\n42", None),
            ("1" * 100, "1" * 100),
            ("1" * 101, None),
        ],
    )
    def test_u9_employee_number_is_whole_or_none(self, okta, connector, value, number):
        """Accounts are joined by it: what was cut or cleaned up could be somebody else's."""
        connector.attributes.employee_number = "hr_id"
        okta.add("zoe", hr_id=value, employeeNumber="another")
        zoe = next(person for page in connector.people() for person in page if person.external_id == "00uzoe")
        assert zoe.employee_number == number

    def test_empty_page_with_a_next_link_is_not_the_end(self, okta, connector):
        more = f'<{okta.url}/api/v1/users?after=0&search=x>; rel="next"'
        okta.next_answers("GET /api/v1/users", Answer(200, [], {"Link": more}))
        assert len([person for page in connector.people() for person in page]) == 3

    def test_event_names_its_user_by_target_else_by_actor(self, okta, connector):
        user = {"id": "00ueli", "type": "User"}
        okta.events += [
            {"target": None, "actor": user},
            {"target": [{"id": "app", "type": "AppInstance"}, {"id": "00udana", "type": "User"}], "actor": {}},
            {"target": [], "actor": {"id": "sys", "type": "SystemPrincipal"}},
        ]
        assert connector.lockouts_since(None, START).external_ids == ("00ueli", "00udana")

    def test_long_log_is_read_page_by_page_and_each_name_told_once(self, okta, connector):
        for _ in range(3):
            for user in ("00udana", "00ueli", "00umona"):
                okta.lock(user)
        assert connector.lockouts_since(None, START).external_ids == ("00udana", "00ueli", "00umona")

    def test_forgotten_cursor_starts_again_at_the_instant(self, okta, connector):
        okta.lock("00udana")
        okta.next_answers(LOGS, Answer(400, error("E0000031", "Invalid search criteria.")))
        page = connector.lockouts_since(f"{okta.url}/api/v1/logs?after=gone", START)
        assert page.external_ids == ("00udana",) and "since" in okta.seen[1].query
