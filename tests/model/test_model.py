"""The model check finds what it is for: each defect put in leads to a way to an act that nobody may do."""

import logging

import pytest
import yaml
from sqlalchemy import select, update

from account_access import answers, approvals, conversation, offers, people, policy, requests, turns
from account_access.approvals import Approvals
from account_access.conversation import Accepted
from account_access.store import tables
from account_access.turns import Answered
from actions import runtime
from tests.model import story
from tests.model.house import OWNER
from tests.model.search import explore
from tests.model.talk import Rules

WHICH = "asked which of two to unlock"


@pytest.fixture(scope="module")
def rules():
    return Rules()


@pytest.fixture(autouse=True)
def put_back(monkeypatch):
    """What a house changes for itself."""
    monkeypatch.setattr(runtime, "_current", None)
    monkeypatch.setattr(requests, "READ_BACK_PAUSES", requests.READ_BACK_PAUSES)
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def without_policy(monkeypatch):
    def decide(self, system, request, groups):
        with self.store.begin() as connection:
            table = tables.requests
            connection.execute(update(table).where(table.c.id == request.id).values(called=True))
        return policy.Decision(policy.ACT, "nobody asked")

    monkeypatch.setattr(requests.Requests, "_decide_and_mark", decide)


def with_typed_answers_for_a_day(monkeypatch):
    monkeypatch.setattr(conversation, "TYPED_WITHIN", 12 * conversation.TYPED_WITHIN)


def with_anybodys_clicks(monkeypatch):
    def accept(store, clock, person_id, key, offer_id, answer_id, auth_time):
        values = dict(kind="click", text="Yes", redacted=False, answerable=[], offer_id=offer_id, answer_id=answer_id)
        values["auth_time"] = auth_time
        with store.begin() as connection:
            made: Accepted = conversation._insert(connection, clock.now(), person_id, key, "web", 0, **values)
        return made

    def current(connection, inbound, offer_id, answer_id):
        offer = offers.find(connection, offer_id)
        still = offer.state == offers.OPEN and offer.expires_at > inbound.received_at
        return Answered(offer, offer.answer(answer_id)) if still else None

    monkeypatch.setattr(conversation, "accept_click", accept)
    monkeypatch.setattr(turns, "_own_and_current", current)


def without_freezes_and_breaker(monkeypatch):
    monkeypatch.setattr(requests.Requests, "held", lambda *_: None)
    monkeypatch.setattr("account_access.breaker.guard", lambda *_: None)


def with_a_former_managers_word(monkeypatch):
    """Who the manager is by now makes no difference."""

    def approver(self, system, external_id):
        system.connector.manager(external_id)
        (owner,) = people.by_login(self.store, f"{OWNER}@acme.example")
        return owner

    monkeypatch.setattr(Approvals, "approver", approver)


def with_an_approval_that_nobody_gave(monkeypatch):
    """A request that is asked of the manager is under way at once."""
    monkeypatch.setattr(approvals, "AWAITING", "confirmed")
    monkeypatch.setattr(policy, "MANAGER_APPROVAL", "nothing")


def with_a_choice_by_the_classifier_alone(monkeypatch):
    """What is taken for a choice takes the first thing, whatever was said."""
    monkeypatch.setattr(answers, "THINGS", ())


def with_all_for_any_of_them(monkeypatch):
    """Who chooses one account gets all of the list."""
    monkeypatch.setattr(Answered, "about", property(lambda self: self.offer.subject["choices"][-1]))


def with_words_that_merely_contain_all(monkeypatch):
    monkeypatch.setattr(answers, "_means_all", lambda said: "yes" in said.split())


def with_accounts_that_are_theirs_no_longer(monkeypatch):
    monkeypatch.setattr(people, "owner_of", lambda connection, system, external_id: _owner(connection))


def _owner(connection):
    query = select(tables.people.c.id).where(tables.people.c.login == f"{OWNER}@acme.example")
    return connection.execute(query).scalar()


DEFECTS = [
    (without_policy, "asked whether to unlock", 1, "the audit trail has no decision to act on it"),
    (without_policy, "asked whether to reset MFA", 1, "the audit trail has no decision to act on it"),
    (with_typed_answers_for_a_day, "asked whether to unlock", 1, "neither a click nor an allowed typed answer"),
    (with_anybodys_clicks, "locked", 1, "its question was somebody else's"),
    (without_freezes_and_breaker, "locked and frozen", 2, "its owner said that it was not them"),
    (without_freezes_and_breaker, "asked whether to unlock", 1, "the breaker is open"),
    (with_a_former_managers_word, "asked to approve somebody's reset", 1, "is not the manager"),
    (with_a_choice_by_the_classifier_alone, WHICH, 1, "neither a click nor an allowed typed answer"),
    (with_all_for_any_of_them, WHICH, 1, "neither a click nor an allowed typed answer"),
    (with_words_that_merely_contain_all, "told of two lockouts", 1, "neither a click nor an allowed typed answer"),
    (with_accounts_that_are_theirs_no_longer, WHICH, 1, "is not its owner's any more"),
    (with_an_approval_that_nobody_gave, "asked to approve somebody's reset", 1, "without the manager's word"),
]


@pytest.mark.parametrize(("defect", "situation", "depth", "broken"), DEFECTS)
def test_x12_defect_that_is_put_in_leads_to_a_counterexample(monkeypatch, rules, defect, situation, depth, broken):
    defect(monkeypatch)
    found = explore(rules, depth, [situation])
    assert found.broken is not None
    assert any(broken in problem for problem in found.broken.broken), found.broken.broken


def test_x12_nothing_is_found_where_nothing_is_wrong(rules):
    found = explore(rules, 1, ["asked whether to unlock", "locked and frozen"])
    assert found.broken is None
    assert found.changes > 0 and found.visited[1] > found.visited[0]


def test_counterexample_is_a_test_story(monkeypatch, rules):
    with_typed_answers_for_a_day(monkeypatch)
    written = story.of(explore(rules, 1, ["asked whether to unlock"]).broken)
    steps = yaml.safe_load(written)["stories"][0]["steps"]
    assert steps[:2] == [{"intent": "affirm"}, {"slot_was_set": [{"question": "unlock"}]}]
    assert {"action": "action_unlock_account"} in steps
    assert "# turn 1: 3 hours later; yes" in written
