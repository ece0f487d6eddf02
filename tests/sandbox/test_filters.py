"""Filter expressions: what each matches, and what is refused."""

import pytest

from sandbox.filters import LOG_FILTER, USER_FILTER, USER_SEARCH, InvalidFilter, parse

DANA = {
    "id": "00udana",
    "status": "LOCKED_OUT",
    "lastUpdated": "2026-11-24T09:00:00.000Z",
    "statusChanged": "2026-11-24T09:00:00.000Z",
    "lastLogin": None,
    "type": {"id": "oty1"},
    "profile": {"login": "dana@acme.example", "email": "dana@acme.example", "firstName": "Dana", "lastName": "Whit",
                "department": "Finance", "title": 'The "boss"', "level": 4, "remote": True, "tags": ["a", "b"]},
}  # fmt: skip
EVENT = {
    "eventType": "user.session.start",
    "published": "2026-11-24T09:00:00.500Z",
    "outcome": {"result": "FAILURE", "reason": "LOCKED_OUT"},
    "target": [{"id": "00u1", "type": "User"}, {"id": "0oa1", "type": "AppInstance"}],
    "actor": {"id": "00udana", "alternateId": "dana@acme.example"},
}
SEARCHES = [
    ('status eq "LOCKED_OUT"', True),
    ('status eq "locked_out"', True),
    ('status EQ "LOCKED_OUT"', True),
    ('status eq "ACTIVE"', False),
    ('status eq "ACTIVE" or status eq "LOCKED_OUT"', True),
    ('status eq "ACTIVE" and profile.department eq "Finance"', False),
    ('status eq "LOCKED_OUT" and profile.department eq "finance"', True),
    ('status eq "ACTIVE" or status eq "LOCKED_OUT" and profile.department eq "Sales"', False),
    ('(status eq "ACTIVE" or status eq "LOCKED_OUT") and profile.department eq "Finance"', True),
    ('((status eq "LOCKED_OUT"))', True),
    ('(status lt "STAGED" or status gt "STAGED")', True),
    ('profile.lastName sw "whi"', True),
    ('profile.lastName sw "hit"', False),
    ('profile.login co "@acme"', True),
    ('profile.title eq "The \\"boss\\""', True),
    ("profile.level eq 4", True),
    ("profile.level gt 3", True),
    ('profile.level eq "4"', False),
    ("profile.remote eq true", True),
    ('profile.tags eq "b"', True),
    ("profile.department pr", True),
    ("profile.nickName pr", False),
    ('profile.nickName eq "x"', False),
    ("profile.nickName eq null", True),
    ('type.id eq "oty1"', True),
    ('lastUpdated gt "2026-11-24T08:59:59.999Z"', True),
    ('lastUpdated gt "2026-11-24T09:00:00.000Z"', False),
    ('lastUpdated ge "2026-11-24T10:00:00.000+01:00"', True),
    ('lastUpdated lt "2026-11-25"', True),
    ('lastLogin lt "2026-11-25T00:00:00Z"', False),
    ('profile.lastName sw "whit" and status eq "LOCKED_OUT" and lastUpdated le "2026-11-24T09:00:00Z"', True),
]
REFUSED_SEARCHES = [
    "",
    "   ",
    "status",
    "status eq",
    "status eq LOCKED_OUT",
    'status ne "ACTIVE"',
    'status ew "OUT"',
    'not (status eq "ACTIVE")',
    'status eq "LOCKED_OUT" and',
    'status eq "LOCKED_OUT" status eq "ACTIVE"',
    '(status eq "LOCKED_OUT"',
    'status eq "LOCKED_OUT")',
    'status eq "LOCKED_OUT',
    'credentials.provider.type eq "OKTA"',
    'profile.department co "Fin"',
    'lastUpdated gt "yesterday"',
    "profile.lastName sw 4",
    "status like 'x'",
    "status eq 'LOCKED_OUT'",
]
FILTERS = [
    ('status eq "LOCKED_OUT"', True),
    ('status eq "locked_out"', False),
    ('profile.login eq "dana@acme.example" or id eq "x"', True),
    ('lastUpdated ge "2026-11-24T09:00:00.000Z"', True),
]
REFUSED_FILTERS = ['status gt "A"', 'profile.department eq "Finance"', 'profile.login sw "d"', 'status ne "ACTIVE"']
LOG_FILTERS = [
    (
        'eventType eq "user.account.lock" or (eventType eq "user.session.start" and outcome.reason eq "LOCKED_OUT")',
        True,
    ),
    ('eventType eq "user.account.lock"', False),
    ('eventType ne "user.account.lock"', True),
    ('not (eventType eq "user.account.lock")', True),
    ('not (eventType sw "user.session")', False),
    ('eventType ew ".start" and target.id eq "0oa1"', True),
    ('target.type eq "Group"', False),
    ('published gt "2026-11-24T09:00:00.499Z"', True),
    ('actor.alternateId co "acme" and outcome.reason pr', True),
]
REFUSED_LOG_FILTERS = ['nonsense eq "x"', "eventType eq", 'not eventType eq "x"']


@pytest.mark.parametrize("text, matches", SEARCHES)
def test_search_of_users(text, matches):
    assert parse(text, USER_SEARCH).matches(DANA) is matches


@pytest.mark.parametrize("text, matches", FILTERS)
def test_filter_of_users(text, matches):
    assert parse(text, USER_FILTER).matches(DANA) is matches


@pytest.mark.parametrize("text, matches", LOG_FILTERS)
def test_filter_of_the_log(text, matches):
    assert parse(text, LOG_FILTER).matches(EVENT) is matches


@pytest.mark.parametrize(
    "text, dialect",
    [(text, USER_SEARCH) for text in REFUSED_SEARCHES]
    + [(text, USER_FILTER) for text in REFUSED_FILTERS]
    + [(text, LOG_FILTER) for text in REFUSED_LOG_FILTERS],
)
def test_what_is_not_supported_is_refused(text, dialect):
    with pytest.raises(InvalidFilter):
        parse(text, dialect)


@pytest.mark.parametrize(
    "text, status",
    [
        ('status eq "LOCKED_OUT"', "LOCKED_OUT"),
        ('profile.login sw "d" and status eq "locked_out"', "LOCKED_OUT"),
        ('status eq "LOCKED_OUT" or profile.login sw "d"', None),
        ('status gt "A"', None),
    ],
)
def test_the_status_every_match_must_have_narrows_the_query(text, status):
    assert parse(text, USER_SEARCH).status == status


@pytest.mark.parametrize(
    "text, ids",
    [
        ('id eq "a" or id eq "b"', {"a", "b"}),
        ('(id eq "a" or id eq "b") and status eq "ACTIVE"', {"a", "b"}),
        ('id eq "a" or status eq "ACTIVE"', None),
        ('profile.login eq "a"', None),
    ],
)
def test_the_ids_every_match_must_have_narrow_the_query(text, ids):
    assert parse(text, USER_FILTER).ids == ids
