"""OktaConnector while Okta is down, slow, limited, senseless or hostile (laws 4 and 5, N10)."""

import re
import time
import traceback

import pytest

from account_access.connectors import http
from account_access.connectors.base import (
    AccountNotFound,
    OutcomeUnknown,
    PermissionRefused,
    StateRefused,
    SystemFailure,
    TemporarilyUnavailable,
)
from account_access.connectors.okta import HISTORY_PAGE, MAX_HISTORY_PAGES, OktaConnector
from account_access.settings import SystemSection
from tests.account_access.connectors.okta_server import Answer, connector_to, error, event, serving
from tests.account_access.world import START

USER = "GET /api/v1/users/00udana"
UNLOCK = "POST /api/v1/users/00udana/lifecycle/unlock"
LOGS = "GET /api/v1/logs"


def requests_seen(okta) -> list[str]:
    return [f"{seen.method} {seen.path}" for seen in okta.seen]


NONSENSE = [
    ("not JSON", Answer(200, b"<html>maintenance</html>")),
    ("broken off", Answer(200, b'{"id": "00udana", "status": ')),
    ("a list", Answer(200, [])),
    ("nothing in it", Answer(200, {})),
    ("no status", Answer(200, {"id": "00udana", "profile": {"login": "dana"}})),
    ("status no text", Answer(200, {"id": "00udana", "status": 7, "profile": {"login": "dana"}})),
    ("no profile", Answer(200, {"id": "00udana", "status": "ACTIVE"})),
    (
        "no instant",
        Answer(200, {"id": "00udana", "status": "ACTIVE", "statusChanged": "soon", "profile": {"login": "dana"}}),
    ),
    ("cut", Answer(200, {"id": "00udana", "status": "ACTIVE"}, cut=9)),
    ("no answer", Answer(closed=True)),
    ("redirect", Answer(302, {}, {"Location": "http://elsewhere.example/"})),
    ("teapot", Answer(418, {})),
    ("brackets without end", Answer(200, b"[" * 200_000)),
    (
        "an instant beyond the calendar",
        Answer(
            200,
            {
                "id": "00udana",
                "status": "LOCKED_OUT",
                "statusChanged": "9999-12-31T23:59:59-14:00",
                "profile": {"login": "dana"},
            },
        ),
    ),
]


@pytest.mark.parametrize("answer", [case[1] for case in NONSENSE], ids=[case[0] for case in NONSENSE])
def test_nonsense_is_not_believed(okta, connector, answer):
    okta.next_answers(USER, answer)
    with pytest.raises(TemporarilyUnavailable):
        connector.account("00udana")


def test_redirect_is_not_followed_with_the_token(okta, connector):
    with serving() as elsewhere:
        okta.next_answers(USER, Answer(302, {}, {"Location": f"{elsewhere.url}/api/v1/users/00udana"}))
        with pytest.raises(TemporarilyUnavailable):
            connector.account("00udana")
        assert elsewhere.seen == []


@pytest.mark.parametrize("read", ["people", "locked_accounts", "lockouts_since"])
def test_link_to_another_origin_is_not_followed_with_the_token(okta, connector, read):
    with serving() as elsewhere:
        path = "/api/v1/logs" if read == "lockouts_since" else "/api/v1/users"
        body = [{"target": []}] if read == "lockouts_since" else []
        okta.next_answers(f"GET {path}", Answer(200, body, {"Link": f'<{elsewhere.url}{path}?after=1>; rel="next"'}))
        with pytest.raises(TemporarilyUnavailable, match="another origin"):
            connector.lockouts_since(None, START) if read == "lockouts_since" else list(getattr(connector, read)())
        assert elsewhere.seen == []


def test_log_without_a_next_link_is_no_log(okta, connector):
    okta.next_answers(LOGS, Answer(200, []))
    with pytest.raises(TemporarilyUnavailable, match="next link"):
        connector.lockouts_since(None, START)


class TestTrying:
    """A read is repeated a few times; an act only where the system surely did not take it."""

    def test_brief_trouble_of_a_read_is_not_noticed(self, okta, connector):
        okta.next_answers(USER, Answer(503), Answer(500))
        assert connector.account("00udana").login == "dana@acme.example"
        assert requests_seen(okta) == [USER] * 3

    def test_longer_trouble_is(self, okta, connector):
        okta.next_answers(USER, *[Answer(503)] * 3)
        with pytest.raises(TemporarilyUnavailable):
            connector.account("00udana")
        assert len(okta.seen) == http.ATTEMPTS

    @pytest.mark.parametrize("trouble", [Answer(500), Answer(503), Answer(closed=True), Answer(delay=0.6)])
    def test_act_without_an_answer_is_never_repeated_blindly(self, okta, connector, trouble):
        okta.lock("00udana")
        okta.next_answers(UNLOCK, trouble)
        with pytest.raises(OutcomeUnknown):
            connector.unlock("00udana")
        assert requests_seen(okta) == [UNLOCK]

    @pytest.mark.parametrize(
        ("headers", "waits"),
        [
            ({"Retry-After": "0"}, True),
            ({}, True),
            ({"Retry-After": "2"}, False),
            ({"Retry-After": "Wed, 25 Nov 2099 00:00:00 GMT"}, False),
            ({"X-Rate-Limit-Reset": "4102444800"}, False),
            ({"X-Rate-Limit-Reset": "soon"}, True),
        ],
    )
    def test_n10_limited_system_is_asked_again_only_if_it_is_soon(self, okta, connector, headers, waits):
        for request in (USER, UNLOCK):
            okta.next_answers(request, Answer(429, error("E0000047", "API call exceeded rate limit"), headers))
        okta.lock("00udana")
        for call in (connector.account, connector.unlock):
            if waits:
                call("00udana")
            else:
                with pytest.raises(TemporarilyUnavailable) as raised:
                    call("00udana")
                assert raised.value.retry_after >= 2 and not isinstance(raised.value, OutcomeUnknown)
        assert len(okta.seen) == (4 if waits else 2)

    def test_slow_read_ends_with_its_timeout_and_is_not_repeated(self, okta, connector):
        okta.next_answers(USER, Answer(delay=2))
        began = time.monotonic()
        with pytest.raises(TemporarilyUnavailable, match="no answer within"):
            connector.account("00udana")
        assert time.monotonic() - began < 1.5 and len(okta.seen) == 1

    def test_nobody_listening(self):
        with serving() as gone:
            url = gone.url
        with pytest.raises(TemporarilyUnavailable) as raised:
            connector_to(url).unlock("00udana")
        assert not isinstance(raised.value, OutcomeUnknown), "it was surely not sent"


class TestRefusals:
    @pytest.mark.parametrize("status", [401, 403])
    def test_refused_permission_names_okta_s_reason_and_no_token(self, okta, connector, status):
        okta.next_answers(USER, Answer(status, error("E0000006", "You do not have permission")))
        with pytest.raises(PermissionRefused, match="You do not have permission") as raised:
            connector.account("00udana")
        assert "a-token" not in str(raised.value)

    def test_wrong_token(self, okta):
        section = SystemSection(name="Okta", url=okta.url, token="another")
        with pytest.raises(PermissionRefused, match="Invalid token"):
            OktaConnector("okta", section).account("00udana")

    @pytest.mark.parametrize("status", [400, 403])
    def test_refused_unlock_is_an_error_only_while_the_account_is_locked(self, okta, connector, status):
        refusal = Answer(status, error("E0000032", "Unlock is not allowed for this user."))
        okta.next_answers(UNLOCK, refusal)
        connector.unlock("00udana")
        okta.lock("00udana")
        okta.next_answers(UNLOCK, refusal)
        with pytest.raises(SystemFailure):
            connector.unlock("00udana")

    def test_deleted_user(self, okta, connector):
        del okta.users["00udana"]
        with pytest.raises(AccountNotFound):
            connector.account("00udana")


class TestHostile:
    """A system that lies costs nobody else anything, and gets no more of the token than its own addresses do."""

    def test_trickling_answer_ends_with_the_timeout(self, okta, connector):
        okta.next_answers(USER, Answer(200, {"id": "00udana", "pad": "x" * 40}, trickle=0.1))
        began = time.monotonic()
        with pytest.raises(TemporarilyUnavailable):
            connector.account("00udana")
        assert time.monotonic() - began < 1.5

    def test_trickling_answer_to_an_act_leaves_its_outcome_unknown(self, okta, connector):
        okta.next_answers(UNLOCK, Answer(200, {"pad": "x" * 40}, trickle=0.1))
        with pytest.raises(OutcomeUnknown):
            connector.unlock("00udana")

    def test_giant_answer_is_not_read_to_its_end(self, okta, connector, monkeypatch):
        monkeypatch.setattr(http, "LARGEST_ANSWER_BYTES", 100_000)
        okta.next_answers(USER, Answer(200, {"id": "00udana", "pad": "x" * 1_000_000}))
        with pytest.raises(TemporarilyUnavailable):
            connector.account("00udana")

    @pytest.mark.parametrize("read", ["people", "locked_accounts"])
    def test_pages_that_go_round_in_a_circle_end(self, okta, connector, read):
        link = f'<{okta.url}/api/v1/users?after=0>; rel="next"'
        okta.next_answers("GET /api/v1/users", *[Answer(200, [], {"Link": link})] * 10)
        with pytest.raises(TemporarilyUnavailable, match="circle"):
            list(getattr(connector, read)())
        assert len(okta.seen) == 2

    @pytest.mark.parametrize(
        "link", ["http://[::1/x", "http://127.0.0.1:99999999/x", "file:///etc/passwd", "//x.example/"]
    )
    def test_link_that_is_no_address_of_ours(self, okta, connector, link):
        okta.next_answers("GET /api/v1/users", Answer(200, [], {"Link": f'<{link}>; rel="next"'}))
        with pytest.raises(TemporarilyUnavailable):
            list(connector.people())
        assert len(okta.seen) == 1

    def test_groups_of_every_page_count(self, okta, connector):
        """Law 6: a protected group on the second page protects as well."""
        more = f'<{okta.url}/api/v1/users/00udana/groups?after=1>; rel="next"'
        groups = "GET /api/v1/users/00udana/groups"
        okta.next_answers(groups, Answer(200, [{"profile": {"name": "Everyone"}}], {"Link": more}))
        okta.next_answers(groups, Answer(200, [{"profile": {"name": "Okta Administrators"}}]))
        assert connector.groups("00udana") == {"Everyone", "Okta Administrators"}

    def test_cursor_to_another_origin_is_never_kept(self, okta, connector):
        okta.next_answers(LOGS, Answer(200, [], {"Link": '<http://elsewhere.example/x>; rel="next"'}))
        with pytest.raises(TemporarilyUnavailable, match="another origin"):
            connector.lockouts_since(None, START)

    @pytest.mark.parametrize("status", [400, 404])
    def test_log_is_read_again_after_a_cursor_that_leads_nowhere(self, okta, connector, status):
        okta.lock("00udana")
        for cursor in ("http://elsewhere.example/x", f"{okta.url}/api/v1/logs?after=gone"):
            if cursor.startswith(okta.url):
                okta.next_answers(LOGS, Answer(status, error("E0000007", "Not found")))
            assert connector.lockouts_since(cursor, START).external_ids == ("00udana",)

    @pytest.mark.parametrize("pause", ["9" * 30, "\xb2", "nan", "Tue, 99 Nov 2099 00:00:00 GMT"])
    def test_pause_asked_for_is_bounded(self, okta, connector, pause):
        limited = Answer(429, error("E0000047", "limit"), {"Retry-After": pause, "X-Rate-Limit-Reset": "inf"})
        okta.next_answers(USER, *[limited] * http.ATTEMPTS)
        with pytest.raises(TemporarilyUnavailable) as raised:
            connector.account("00udana")
        assert (raised.value.retry_after or 0) <= http.LONGEST_WAIT_SECONDS

    def test_profile_people_wrote_themselves_spoils_nobody_s_directory(self, okta, connector):
        okta.add(
            "zoe", displayName="Z" * 900 + "\x1b]0;x\x07\n", firstName=["Zoe"], lastName=7, timezone={"a": 1}, email=5
        )
        read = {person.external_id: person for page in connector.people() for person in page}
        zoe = read["00uzoe"]
        assert (zoe.given_name, zoe.time_zone, zoe.email) == (None, None, None)
        assert zoe.name.isprintable() and len(zoe.name) == 200
        assert read["00udana"].name == "Dana Reed"


RESET = "POST /api/v1/users/00udana/lifecycle/reset_password"
SECRET = "s3cret-of-00udana"


class TestResetLink:
    """P5: the link is for its owner's eyes: nothing that is logged, raised or printed holds it."""

    def test_it_is_in_no_log(self, okta, connector, caplog):
        caplog.set_level(0)
        link = connector.mint_reset_link("00udana")
        assert SECRET in link.get_secret_value()
        assert SECRET not in caplog.text + repr(link) + str(link) + repr(connector.http.__dict__)

    @pytest.mark.parametrize(
        "answer",
        [
            Answer(200, {}),
            Answer(200, {"resetPasswordUrl": None}),
            Answer(200, b'{"resetPasswordUrl": "https://acme.example/s3cret-of-00udana'),
            Answer(200, {"resetPasswordUrl": "javascript:alert('s3cret-of-00udana')"}),
            Answer(200, {"resetPasswordUrl": "http://elsewhere.example/s3cret-of-00udana"}),
            Answer(200, {"resetPasswordUrl": "https://acme.example/s3cret-of-00udana\n"}),
            Answer(200, {"resetPasswordUrl": "https://acme.example/s3cret-of-00udana"}, cut=30),
            Answer(500, error("E0000009", "s3cret-of-00udana")),
        ],
    )
    def test_what_is_no_link_of_ours_leaves_the_outcome_unknown_and_nothing_of_it_in_the_error(
        self, okta, connector, caplog, answer
    ):
        caplog.set_level(0)
        okta.next_answers(RESET, answer)
        with pytest.raises(OutcomeUnknown) as raised:
            connector.mint_reset_link("00udana")
        told = "".join(traceback.format_exception(raised.value)) + caplog.text
        assert SECRET not in told
        assert requests_seen(okta) == [RESET], "an act is not repeated"
        chain, seen = raised.value, []
        while chain is not None:
            seen.append(repr(getattr(chain, "__dict__", {})))
            chain = chain.__cause__ or chain.__context__
        assert SECRET not in "".join(seen)

    def test_it_asks_for_no_mail(self, okta, connector):
        connector.mint_reset_link("00udana")
        assert okta.seen[-1].query == {"sendEmail": "false"}

    @pytest.mark.parametrize("code", ["E0000017", "E0000034", "E0000038"])
    def test_state_that_does_not_allow_it_is_no_matter_of_permission(self, okta, connector, code):
        okta.next_answers(RESET, Answer(403, error(code, "not in this state")))
        with pytest.raises(StateRefused, match="not in this state"):
            connector.mint_reset_link("00udana")


def test_history_is_read_page_by_page_up_to_a_limit(okta, connector):
    page = [event("user.session.start", "00udana", "LOCKED_OUT")] * HISTORY_PAGE
    more = f'<{okta.url}/api/v1/logs?after={{}}>; rel="next"'
    okta.next_answers(LOGS, *(Answer(200, page, {"Link": more.format(n)}) for n in range(MAX_HISTORY_PAGES + 3)))
    assert len(connector.sign_in_history("00udana", START)) == HISTORY_PAGE * MAX_HISTORY_PAGES
    assert len(okta.seen) == MAX_HISTORY_PAGES


@pytest.mark.parametrize("trick", ["../sessions", "..", ".", "", "a/b", "?x=1", "#"])
def test_factor_s_id_is_one_piece_of_the_address(okta, connector, trick):
    """A DELETE one step up would take the whole account out of service."""
    okta.enrol("00udana", "sms", phoneNumber="+14155550142")
    connector.remove_factor("00udana", trick)
    assert len(connector.factors("00udana")) == 1
    acts = [seen.path for seen in okta.seen if seen.method == "DELETE"]
    assert all(re.fullmatch(r"/api/v1/users/00udana/factors/[^/]+", path) for path in acts)


def test_policies_that_may_not_be_read_are_unknown_rules_and_groups_are_not_asked(okta, connector):
    account = connector.account("00udana")
    okta.next_answers("GET /api/v1/policies", Answer(403, error("E0000006", "You do not have permission")))
    assert connector.password_rules(account) is None
    okta.users["00udana"]["credentials"] = {"provider": {"type": "ACTIVE_DIRECTORY", "name": "acme.local"}}
    elsewhere = connector.account("00udana")
    assert elsewhere.password_elsewhere and connector.password_rules(elsewhere) is None
    assert not [seen for seen in okta.seen if seen.path.endswith("/groups")]
