"""Okta's factors, policies and log events in our words: as documented, and as nobody would expect (M4, E, X9)."""

from datetime import datetime, timedelta, timezone

import pytest

from account_access.connectors.base import (
    Account,
    FactorKind,
    PasswordRules,
    SignInOutcome,
    Status,
    TemporarilyUnavailable,
)
from account_access.connectors.okta_factors import factors_of
from account_access.connectors.okta_history import filter_for, history_of
from account_access.connectors.okta_policies import rules_for
from tests.account_access.connectors.okta_server import event, policy


def factor(kind: str, provider: str = "OKTA", status: str = "ACTIVE", factor_id: str = "f1", **profile) -> dict:
    return {
        "id": factor_id,
        "factorType": kind,
        "provider": provider,
        "status": status,
        "created": "2026-01-02T03:04:05.000Z",
        "profile": profile,
    }


FACTORS = [
    (factor("push", name="Dana's iPhone"), FactorKind.OKTA_VERIFY_PUSH, "Dana's iPhone"),
    (factor("token:software:totp", credentialId="dana@acme.example"), FactorKind.OKTA_VERIFY_CODE, None),
    (factor("signed_nonce", name="MacBook"), FactorKind.OKTA_FASTPASS, "MacBook"),
    (factor("token:software:totp", "GOOGLE"), FactorKind.GOOGLE_AUTHENTICATOR, None),
    (factor("token:hotp", "CUSTOM"), FactorKind.AUTHENTICATOR_APP, None),
    (factor("token", "SYMANTEC"), FactorKind.AUTHENTICATOR_APP, None),
    (factor("push", "CUSTOM", name="Acme Pass"), FactorKind.PUSH_APP, "Acme Pass"),
    (factor("sms", phoneNumber="+1-555-415-1337"), FactorKind.SMS, "••• 1337"),
    (factor("sms", phoneNumber="+1555"), FactorKind.SMS, "••• 55"),
    (factor("sms", phoneNumber="1"), FactorKind.SMS, None),
    (factor("sms", phoneNumber=None), FactorKind.SMS, None),
    (factor("sms", phoneNumber=14155550142), FactorKind.SMS, None),
    (factor("call", phoneNumber="+493055500173"), FactorKind.CALL, "••• 0173"),
    (factor("email", email="dana@acme.example"), FactorKind.EMAIL, "d•••@acme.example"),
    (factor("email", email="nonsense"), FactorKind.EMAIL, None),
    (factor("webauthn", "FIDO", authenticatorName="YubiKey 5C"), FactorKind.SECURITY_KEY, "YubiKey 5C"),
    (factor("u2f", "FIDO"), FactorKind.SECURITY_KEY, None),
    (factor("question", question="favorite_toy", questionText="Toy?"), FactorKind.QUESTION, None),
    (factor("token", "RSA"), FactorKind.HARDWARE_TOKEN, None),
    (factor("token:hardware", "YUBICO"), FactorKind.HARDWARE_TOKEN, None),
    (factor("web", "DUO"), FactorKind.DUO, None),
    (factor("telepathy", "OKTA"), FactorKind.OTHER, None),
    (factor("push", {"a": 1}), FactorKind.PUSH_APP, None),
    (factor("push", name="x" * 900 + "\x1b]0;\n"), FactorKind.OKTA_VERIFY_PUSH, "x" * 100),
]


@pytest.mark.parametrize(("told", "kind", "name"), FACTORS, ids=lambda value: getattr(value, "value", None))
def test_m4_kinds_and_names(told, kind, name):
    (found,) = factors_of([told])
    assert (found.kind, found.name, found.id) == (kind, name, "f1")
    assert found.enrolled_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("told", "at"),
    [
        ({"lastUpdated": "2026-01-02T03:04:05.000Z"}, "2026-01-02T03:04:05+00:00"),
        ({"lastUpdated": "2026-11-24T08:00:00.000Z"}, "2026-11-24T08:00:00+00:00"),
        ({"lastUpdated": None}, "2026-01-02T03:04:05+00:00"),
        ({"created": None, "lastUpdated": "2026-11-24T08:00:00.000Z"}, "2026-11-24T08:00:00+00:00"),
    ],
)
def test_m7_an_enrolment_left_pending_for_days_is_as_young_as_its_completion(told, at):
    (found,) = factors_of([factor("token:software:totp", "GOOGLE") | told])
    assert found.enrolled_at.isoformat() == at


def test_m7_what_nobody_dates_has_no_age():
    assert factors_of([factor("sms") | {"created": None}])[0].enrolled_at is None


@pytest.mark.parametrize(
    ("status", "usable"),
    [("ACTIVE", True), ("ENROLLED", True), ("PENDING_ACTIVATION", False), ("INACTIVE", False), ("EXPIRED", False),
     (None, False), (["ACTIVE"], False)],
)  # fmt: skip
def test_m8_an_enrolment_that_was_not_completed_is_told_but_not_usable(status, usable):
    assert [found.usable for found in factors_of([factor("sms", status=status)])] == [usable]


def test_what_is_not_set_up_is_no_factor():
    assert factors_of([factor("sms", status="NOT_SETUP")]) == ()


def test_m4_okta_verify_goes_as_a_whole():
    kinds = [("push", "OKTA"), ("token:software:totp", "OKTA"), ("signed_nonce", "OKTA"), ("push", "OKTA"),
             ("token:software:totp", "GOOGLE"), ("sms", "OKTA")]  # fmt: skip
    found = factors_of([factor(kind, by, factor_id=f"{n}") for n, (kind, by) in enumerate(kinds)])
    assert [set(each.takes_along) for each in found] == [
        {"1", "2", "3"},
        set(),
        {"0", "1", "3"},
        {"0", "1", "2"},
        set(),
        set(),
    ]


@pytest.mark.parametrize(
    "nonsense", [["x"], [{}], [{"id": 7, "factorType": "sms"}], [{"id": "f", "factorType": "sms", "profile": "x"}],
                 [{"id": "f", "factorType": "sms", "created": "soon"}]]
)  # fmt: skip
def test_nonsense_about_factors_is_not_believed(nonsense):
    with pytest.raises(TemporarilyUnavailable):
        factors_of(nonsense)


STAFF, SALES, EVERYBODY = policy(1, ["staff"], 30, 15), policy(2, ["sales"], 60), policy(9, [], 90)
POLICIES = [
    ("the first by priority", [EVERYBODY, SALES, STAFF], {"staff", "sales"}, 30),
    ("the next if it is for others", [STAFF, SALES, EVERYBODY], {"sales"}, 60),
    ("one for everybody", [STAFF, EVERYBODY], set(), 90),
    ("none is for them", [STAFF], {"sales"}, None),
    ("an inactive one is none", [{**STAFF, "status": "INACTIVE"}, EVERYBODY], {"staff"}, 90),
    (
        "one for Active Directory",
        [{**STAFF, "conditions": {"authProvider": {"provider": "ACTIVE_DIRECTORY"}}}],
        set(),
        None,
    ),
    ("one for any", [{**STAFF, "conditions": {"authProvider": {"provider": "ANY"}}}], set(), 30),
    ("without conditions", [{**STAFF, "conditions": None}], set(), 30),
    ("a person left out", [{**STAFF, "conditions": {"people": {"users": {"exclude": ["00udana"]}}}}], set(), None),
    ("a group left out", [{**STAFF, "conditions": {"people": {"groups": {"exclude": ["staff"]}}}}], {"staff"}, None),
    ("a person named", [{**STAFF, "conditions": {"people": {"users": {"include": ["00udana"]}}}}], set(), 30),
    ("another person named", [{**STAFF, "conditions": {"people": {"users": {"include": ["00ueli"]}}}}], set(), None),
]


@pytest.mark.parametrize(("policies", "groups", "days"), [case[1:] for case in POLICIES], ids=[c[0] for c in POLICIES])
def test_e_which_policy_holds(policies, groups, days):
    rules = rules_for(policies, "00udana", groups)
    assert (rules and rules.max_age) == (timedelta(days=days) if days else None)


def test_x9_rules_say_when_a_lockout_ends_and_zero_is_never():
    assert rules_for([STAFF], "00udana", {"staff"}) == PasswordRules(10, timedelta(minutes=15), timedelta(days=30))
    nothing = {**STAFF, "settings": {"password": {"age": {"maxAgeDays": 0}, "lockout": {"maxAttempts": None}}}}
    assert rules_for([nothing], "00udana", {"staff"}) == PasswordRules(None, None, None)


@pytest.mark.parametrize("days", [-1, "ninety", True, [90]])
def test_nonsense_about_policies_is_not_believed(days):
    broken = {**STAFF, "settings": {"password": {"age": {"maxAgeDays": days}}}}
    with pytest.raises(TemporarilyUnavailable):
        rules_for([broken], "00udana", {"staff"})


CHANGED = datetime(2026, 11, 1, tzinfo=timezone.utc)
LOCKED = datetime(2026, 11, 24, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("changes", "expires", "unlocks"),
    [
        ({}, CHANGED + timedelta(days=90), LOCKED + timedelta(minutes=5)),
        ({"status": Status.ACTIVE}, CHANGED + timedelta(days=90), None),
        ({"password_changed": None}, None, LOCKED + timedelta(minutes=5)),
        ({"password_elsewhere": True}, None, LOCKED + timedelta(minutes=5)),
        ({"status_since": None}, CHANGED + timedelta(days=90), None),
    ],
)
def test_e_x9_instants_that_follow_from_the_rules(changes, expires, unlocks):
    values = dict(external_id="1", login="d", status=Status.LOCKED, status_since=LOCKED, password_changed=CHANGED)
    account = Account(**{**values, **changes})
    rules = PasswordRules(5, timedelta(minutes=5), timedelta(days=90))
    assert (rules.expires_at(account), rules.unlocks_at(account)) == (expires, unlocks)


def seen(kind: str = "user.session.start", reason: str | None = "INVALID_CREDENTIALS", **changes) -> dict:
    return {**event(kind, "00udana", reason), **changes}


OUTCOMES = [
    (seen(), SignInOutcome.FAILED),
    (seen(reason="LOCKED_OUT"), SignInOutcome.REFUSED),
    (seen(reason=None), SignInOutcome.SUCCEEDED),
    (seen("user.authentication.auth_via_mfa"), SignInOutcome.FAILED),
    (seen("user.authentication.auth_via_mfa", None), None),
    (seen("user.authentication.auth_via_richclient"), SignInOutcome.FAILED),
    (seen("user.account.lock"), SignInOutcome.LOCKED),
    (seen("user.account.unlock", None), SignInOutcome.UNLOCKED),
    (seen("user.account.unlock_by_admin", None), SignInOutcome.UNLOCKED),
    (seen(outcome={"result": "CHALLENGE"}), None),
    (seen(outcome=None), None),
    (seen("user.account.reset_password", None), None),
]


@pytest.mark.parametrize(("told", "outcome"), OUTCOMES)
def test_x9_what_an_event_says(told, outcome):
    assert [found.outcome for found in history_of([told])] == ([outcome] if outcome else [])


CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/131.0"
CLIENTS = [
    ({"rawUserAgent": CHROME, "os": "Windows 10", "browser": "CHROME"}, "Chrome on Windows 10", False),
    ({"rawUserAgent": CHROME, "os": "Unknown", "browser": "CHROME"}, "Chrome", False),
    ({"rawUserAgent": "curl/8", "os": "Unknown", "browser": "UNKNOWN"}, "curl/8", False),
    (
        {"rawUserAgent": "Android-Mail/2 IMAP", "os": "Android", "browser": "UNKNOWN"},
        "an Android phone or tablet (mail app)",
        True,
    ),
    (
        {"rawUserAgent": "Apple-iPhone15C2/2107.93 (iPhone; iOS 18.1) Exchange ActiveSync", "os": "iOS"},
        "an iPhone (mail app)",
        True,
    ),
    ({"rawUserAgent": "Apple-iPad14C1/2201.24 Exchange ActiveSync"}, "an iPad (mail app)", True),
    ({"rawUserAgent": "SAMSUNG-SM-S911B/101.14 ActiveSync"}, "a Samsung phone or tablet (mail app)", True),
    (
        {"rawUserAgent": "iOS/18.1 (22B83) dataaccessd/1.0", "os": "iOS"},
        "an iPhone or iPad (mail or calendar app)",
        True,
    ),
    ({"rawUserAgent": "Mac OS X/14.7 (23H124) CalDAV accountsd/160"}, "a Mac (calendar app)", True),
    ({"rawUserAgent": "Outlook-iOS-Android/1.0 imap"}, "Outlook on a phone or tablet", True),
    ({"rawUserAgent": "Some-iPhone-Game/3"}, "Some-iPhone-Game/3", False),
    ({"rawUserAgent": "Microsoft Office/16.0 Outlook", "browser": None}, "Microsoft Office/16.0 Outlook", True),
    (
        {"rawUserAgent": "Microsoft Office/16.0.17328 (Windows NT 10.0; Pro)"},
        "a Windows computer (Microsoft Office)",
        True,
    ),
    ({"rawUserAgent": "Security: call +1-555-0199 now (imap)", "os": "iOS"}, "iOS", True),
    ({"rawUserAgent": "Helpdesk 5550199 imap"}, "Helpdesk", True),
    ({"rawUserAgent": "Helpdesk/15550199 imap"}, None, True),
    ({"rawUserAgent": "evil.example/fix imap"}, None, True),
    ({"rawUserAgent": "https://evil.example imap"}, None, True),
    ({"rawUserAgent": "please give your password to Eli outlook"}, "please give your", True),
    ({"rawUserAgent": 7, "os": "iOS"}, "iOS", False),
    (None, None, False),
]


@pytest.mark.parametrize(("agent", "client", "unattended"), CLIENTS)
def test_x9_client_as_people_know_it(agent, client, unattended):
    (found,) = history_of([seen(client={"userAgent": agent, "ipAddress": "192.0.2.1"})])
    assert (found.client, found.unattended, found.ip, found.city) == (client, unattended, "192.0.2.1", None)


def test_x9_rich_client_signs_in_by_itself_whatever_it_is_called():
    told = seen(
        "user.authentication.auth_via_richclient", client={"userAgent": {"rawUserAgent": "x", "browser": "CHROME"}}
    )
    assert history_of([told])[0].unattended


def test_x9_two_records_of_one_attempt_count_once_and_order_is_by_time():
    twice = [seen(transaction={"id": "t1"}), seen("user.authentication.auth_via_mfa", transaction={"id": "t1"})]
    later = seen(published="2026-11-24T07:51:55.000Z", transaction={"id": "t2"})
    found = history_of([later, *twice])
    assert [each.at.second for each in found] == [54, 55]


@pytest.mark.parametrize(
    "nonsense", ["x", {}, {"eventType": "user.account.lock"}, seen(client="x"), seen(actor=1, published=3)]
)
def test_nonsense_in_the_log_is_not_believed(nonsense):
    with pytest.raises(TemporarilyUnavailable):
        history_of([nonsense])


def test_id_in_the_log_s_filter_is_one_value():
    assert filter_for('a" or actor.id pr').endswith(
        r'and (actor.id eq "a\" or actor.id pr" or target.id eq "a\" or actor.id pr")'
    )
