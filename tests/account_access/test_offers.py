"""Offers: a question with a closed set of answers, answered once, and only by what was shown in time (X2, X3, X12)."""

from datetime import timedelta

import pytest

from account_access import conversation, offers
from account_access.store import tables
from account_access.turns import answered, standing

TYPED = timedelta(hours=2)
TWO = (("Yes", "affirm"), ("No", "deny"))
TICKET = (("Open a ticket", "affirm"), ("Cancel", "cancel"))


def answerable(world, name="dana"):
    with world.store.reading() as connection:
        return offers.answerable(connection, world.clock.now(), world.person(name).id, TYPED)


def who_answers(world, inbound_id, intent="affirm"):
    """What the stored message answers, as the actions find it: (offer id, intent of the answer) or None."""
    with world.store.reading() as connection:
        found = answered(connection, conversation.find_inbound(connection, inbound_id), intent)
    return (found.offer.id, found.answer.intent) if found else None


def close(world, offer, state=offers.ANSWERED, by=None):
    with world.store.begin() as connection:
        return offers.close(connection, world.clock.now(), offer.id, state, "1", by)


def test_offer_is_answerable_once_it_is_shown(world):
    hidden = world.offer(question="menu", shown=False)
    assert answerable(world) == []
    shown = world.offer(question="help", from_notice=True)
    assert answerable(world) == [shown.id] and hidden.id != shown.id


def test_same_cause_finds_its_offer_again(world):
    first = world.offer(question="menu", cause="inbound-1")
    assert world.offer(question="menu", cause="inbound-1").id == first.id
    assert len(world.rows(tables.offers)) == 1


def test_own_question_replaces_the_earlier_one_but_not_a_notices(world):
    notice = world.offer(question="lockout", from_notice=True)
    own = world.offer(question="menu")
    later = world.offer(question="help")
    assert [world.state_of(o) for o in (notice, own, later)] == ["open", "replaced", "open"]
    another_notice = world.offer(question="lockout", from_notice=True)
    assert [world.state_of(o) for o in (notice, later, another_notice)] == ["open", "open", "open"]


@pytest.mark.parametrize(
    ("minutes", "typed", "button"),
    [(0, True, True), (119, True, True), (120, False, True), (24 * 60 - 1, False, True), (24 * 60, False, False)],
)
def test_x12_typed_answer_is_good_for_two_hours_and_a_button_for_a_day(world, minutes, typed, button):
    offer = world.offer(question="lockout", answers=TWO)
    world.clock.move(minutes=minutes)
    assert (who_answers(world, world.say("dana", "yes")) is not None) is typed
    assert (who_answers(world, world.click("dana", offer)) is not None) is button
    assert offers.get(world.store, offer.id).state_at(world.clock.now()) == ("open" if button else "expired")


def test_typed_answer_never_outlives_its_question(world):
    world.offer(question="lockout", answers=TWO, expires_in=timedelta(hours=1))
    world.clock.move(minutes=59)
    assert who_answers(world, world.say("dana", "yes")) is not None
    world.clock.move(minutes=1)
    assert who_answers(world, world.say("dana", "yes")) is None


def test_x12_question_that_is_shown_again_is_one_and_counts_from_then(world):
    first = world.offer(question="menu", answers=(("Reset MFA", "reset_mfa"),))
    last = world.offer(question="lockout", answers=TWO, from_notice=True)
    assert answerable(world) == [first.id, last.id]
    with world.store.begin() as connection:
        conversation.say(connection, world.clock.now(), world.person().id, "again", 0, "again", offer_id=first.id)
    assert answerable(world) == [last.id, first.id]
    inbound = world.say("dana", "yes")
    with world.store.reading() as connection:
        kept = standing(connection, conversation.find_inbound(connection, inbound))
    assert [offer.id for offer in kept] == [last.id, first.id]


def test_message_answers_what_was_shown_when_it_was_written_and_nothing_later(world):
    """Each message carries the offers that were answerable when it was stored (X12)."""
    world.offer(question="menu", answers=(("Reset MFA", "reset_mfa"),))
    early = world.say("dana", "yes")
    offer = world.offer(question="lockout", answers=TWO, from_notice=True)
    assert who_answers(world, early) is None
    assert who_answers(world, world.say("dana", "yes")) == (offer.id, "affirm")


def test_message_that_was_written_in_time_is_answered_however_late_rasa_hears_it(world):
    offer = world.offer(question="lockout", answers=TWO)
    click, typed = world.click("dana", offer), world.say("dana", "yes")
    world.clock.move(hours=48)
    assert who_answers(world, click) == who_answers(world, typed) == (offer.id, "affirm")


def test_closed_offer_is_answered_only_by_the_message_that_closed_it(world):
    """A turn that is replayed after a crash finds the very offer its first run answered (law 5)."""
    offer = world.offer(question="lockout", answers=TWO)
    first, second = world.say("dana", "yes"), world.say("dana", "yes please")
    assert close(world, offer, by=first)
    assert who_answers(world, first) == (offer.id, "affirm")
    assert who_answers(world, second) is None
    assert not close(world, offer, by=second)


@pytest.mark.parametrize("state", [offers.ANSWERED, offers.REPLACED, offers.OVERTAKEN])
def test_x3_click_on_a_closed_question_answers_nothing(world, state):
    offer = world.offer(question="lockout", answers=TWO)
    close(world, offer, state)
    assert who_answers(world, world.click("dana", offer)) is None


def test_offer_of_another_person_is_never_answered(world):
    """Law 1: whoever's offer a row names, only its owner answers it."""
    offer = world.offer("eli", question="lockout", answers=TWO)
    click = world.click("eli", offer)
    with world.store.begin() as connection:
        connection.execute(
            tables.inbound.update().where(tables.inbound.c.id == click).values(person_id=world.person("dana").id)
        )
    assert who_answers(world, click) is None


def test_closing_is_seen_by_open_streams(world):
    offer = world.offer(question="lockout")
    before = world.rows(tables.offers)[0]["changed_seq"]
    close(world, offer)
    assert world.rows(tables.offers)[0]["changed_seq"] > before


def test_overtaking_closes_the_questions_about_that_system_alone(world):
    about = {"act": "unlock", "system": "okta"}
    mine = world.offer(question="lockout", subject=about, from_notice=True)
    elsewhere = world.offer(question="lockout", subject={**about, "system": "vpn"}, from_notice=True)
    help_offer = world.offer(question="help", subject=about, from_notice=True)
    theirs = world.offer("eli", question="lockout", subject=about, from_notice=True)
    with world.store.begin() as connection:
        now, dana = world.clock.now(), world.person().id
        assert offers.overtake(connection, now, dana, "okta", ("unlock", "lockout")) == 1
    assert [world.state_of(o) for o in (mine, elsewhere, help_offer, theirs)] == ["overtaken", "open", "open", "open"]


@pytest.mark.parametrize("state", [offers.ANSWERED, offers.OVERTAKEN, "expired"])
@pytest.mark.parametrize("when", ["before it was written", "while it was on its way"])
def test_x2_number_never_falls_through_to_an_earlier_question(world, state, when):
    """Who types "1" under a list means that list: if it is over by then, no other question is answered (X12)."""
    earlier = world.offer(question="lockout", answers=TWO, from_notice=True)
    last = world.offer(question="reset_mfa", answers=TWO, expires_in=timedelta(minutes=10))

    def end(offer):
        return world.clock.move(minutes=10) if state == "expired" else close(world, offer, state)

    if when == "before it was written":
        end(last)
        assert who_answers(world, world.say("dana", "1")) is None
    else:
        written = world.say("dana", "1")
        end(last)
        assert who_answers(world, written) == ((last.id, "affirm") if state == "expired" else None)
    assert who_answers(world, world.say("dana", "yes")) == (earlier.id, "affirm")


class TestWhich:
    """X2: with several open, the person is asked which, and that answer reaches the question it stands for."""

    @pytest.fixture
    def asked(self, world):
        lockout = world.offer(question="lockout", answers=TWO, from_notice=True)
        help_offer = world.offer(question="help", answers=TICKET)
        targets = [(lockout.id, "1"), (help_offer.id, "1")]
        which = world.offer(question="which", answers=(("Yes", "affirm"), ("Open a ticket", "affirm")), targets=targets)
        return lockout, help_offer, which

    def test_the_questions_it_asks_about_stay_open(self, world, asked):
        assert [world.state_of(offer) for offer in asked] == ["open", "open", "open"]

    @pytest.mark.parametrize(("answer", "position"), [("1", 0), ("2", 1)])
    def test_click_answers_the_question_behind_it(self, world, asked, answer, position):
        assert who_answers(world, world.click("dana", asked[2], answer)) == (asked[position].id, "affirm")

    @pytest.mark.parametrize(("text", "position"), [("1", 0), ("2", 1), ("the second one", 1), ("open a ticket", 1)])
    def test_number_or_title_answers_the_question_behind_it(self, world, asked, text, position):
        assert who_answers(world, world.say("dana", text)) == (asked[position].id, "affirm")

    @pytest.mark.parametrize(("text", "question"), [("1", "lockout"), ("2", "help"), ("open a ticket", "help")])
    def test_rules_read_the_question_behind_it(self, asked, text, question):
        listed = [offer.as_open() for offer in asked]
        assert offers.resolve(text, "affirm", 1.0, listed, listed[-1].id).question == question

    def test_yes_alone_still_says_too_little(self, world, asked):
        assert who_answers(world, world.say("dana", "yes")) is None

    def test_yes_to_it_says_too_little_also_where_nothing_else_can_be_answered_by_words_any_more(self, world, asked):
        with world.store.begin() as connection:
            connection.execute(
                tables.inbox.update()
                .where(tables.inbox.c.offer_id != asked[2].id)
                .values(created_at=world.clock.now() - TYPED)
            )
        assert who_answers(world, world.say("dana", "yes")) is None
        assert who_answers(world, world.say("dana", "1")) == (asked[0].id, "affirm")

    def test_question_that_was_closed_meanwhile_is_not_answered(self, world, asked):
        close(world, asked[0], offers.OVERTAKEN)
        assert who_answers(world, world.click("dana", asked[2], "1")) is None
