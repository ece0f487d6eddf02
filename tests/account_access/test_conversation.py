"""What a person wrote and was told: accepted once, answered once, shown in one order (X3, X7)."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from account_access import conversation, notices, offers
from account_access.conversation import ForeignOffer, KeyReused
from account_access.store import tables


def text(world, key, words, name="dana"):
    return conversation.accept_text(world.store, world.clock, world.person(name).id, key, words)


def click(world, key, offer, answer="1", name="dana"):
    return conversation.accept_click(world.store, world.clock, world.person(name).id, key, offer.id, answer)


def entries(world, name="dana", **window):
    return conversation.entries(world.store, world.clock, world.person(name).id, **window)


def say(world, words, cause, part=0, name="dana", **options):
    with world.store.begin() as connection:
        return conversation.say(connection, world.clock.now(), world.person(name).id, cause, part, words, **options)


class TestAccepting:
    def test_same_key_is_the_same_message(self, world):
        first, again = text(world, "k1", "hello"), text(world, "k1", "hello")
        assert (again.id, again.seq, first.repeated, again.repeated) == (first.id, first.seq, False, True)

    def test_a_key_is_one_persons_own(self, world):
        assert text(world, "k1", "hello").id != text(world, "k1", "hello", "eli").id

    def test_same_key_for_something_else_is_the_clients_mistake(self, world):
        offer = world.offer(answers=(("Yes", "affirm"), ("No", "deny")))
        text(world, "k1", "hello")
        click(world, "k2", offer)
        for mistake in (
            lambda: text(world, "k1", "goodbye"),
            lambda: click(world, "k1", offer),
            lambda: click(world, "k2", offer, "2"),
            lambda: text(world, "k2", "Yes"),
        ):
            with pytest.raises(KeyReused):
                mistake()
        assert len(world.rows(tables.inbound)) == 2

    def test_two_sends_at_once_are_one_message(self, world):
        with ThreadPoolExecutor(4) as pool:
            accepted = list(pool.map(lambda _: text(world, "k1", "hello"), range(8)))
        assert len({a.id for a in accepted}) == 1 and sum(not a.repeated for a in accepted) == 1


class TestClicks:
    def test_same_click_from_two_tabs_is_one_message(self, world):
        offer = world.offer()
        first, second = click(world, "tab-1", offer), click(world, "tab-2", offer)
        assert second.id == first.id and second.repeated

    def test_clicks_at_once_from_many_tabs_are_one_message(self, world):
        offer = world.offer()
        with ThreadPoolExecutor(4) as pool:
            accepted = list(pool.map(lambda n: click(world, f"tab-{n}", offer), range(8)))
        assert len({a.id for a in accepted}) == 1

    def test_x3_same_click_after_the_answer_is_a_message_of_its_own(self, world):
        offer = world.offer()
        first = click(world, "k1", offer)
        conversation.mark_answered(world.store, world.clock, first.id)
        later = click(world, "k2", offer)
        assert later.id != first.id and not later.repeated

    @pytest.mark.parametrize("state", ["answered", "replaced", "overtaken", "expired"])
    def test_x3_click_that_comes_too_late_is_stored_and_will_hear_the_truth(self, world, state):
        offer = world.offer()
        if state == "expired":
            world.clock.move(hours=25)
        else:
            with world.store.begin() as connection:
                offers.close(connection, world.clock.now(), offer.id, state)
        accepted = click(world, "k1", offer)
        assert world.rows(tables.inbound, id=accepted.id)[0]["offer_id"] == offer.id

    @pytest.mark.parametrize("what", ["somebody else's", "unknown", "invented answer"])
    def test_law_2_foreign_or_invented_click_is_refused_and_audited(self, world, what):
        theirs = world.offer("eli")
        offer_id = {"somebody else's": theirs.id, "unknown": "no-such-offer"}.get(what) or world.offer("dana").id
        answer = "7" if what == "invented answer" else "1"
        with pytest.raises(ForeignOffer):
            conversation.accept_click(world.store, world.clock, world.person().id, "k1", offer_id, answer)
        assert world.rows(tables.inbound) == []
        (record,) = world.rows(tables.audit, act="click")
        assert (record["result"], record["person_id"]) == ("refused", world.person().id)


class TestOrder:
    def test_both_directions_share_one_order(self, world):
        text(world, "k1", "hello")
        say(world, "hi", "c1")
        text(world, "k2", "bye")
        assert [(e.sender, e.text, e.seq) for e in entries(world)] == [
            ("me", "hello", 1),
            ("assistant", "hi", 2),
            ("me", "bye", 3),
        ]

    def test_history_goes_back_page_by_page(self, world):
        for n in range(7):
            (text(world, f"k{n}", f"t{n}") if n % 2 else say(world, f"t{n}", f"c{n}"))
        last = entries(world, limit=3)
        before = entries(world, limit=3, before=last[0].seq)
        first = entries(world, limit=3, before=before[0].seq)
        assert [[e.text for e in page] for page in (first, before, last)] == [
            ["t0"],
            ["t1", "t2", "t3"],
            ["t4", "t5", "t6"],
        ]

    def test_stream_goes_on_after_the_cursor(self, world):
        for n in range(5):
            say(world, f"t{n}", f"c{n}")
        seen, cursor = [], 0
        while page := entries(world, after=cursor, limit=2):
            seen += [e.text for e in page]
            cursor = page[-1].cursor
        assert seen == [f"t{n}" for n in range(5)]

    def test_changed_offer_comes_again_with_its_seq_and_a_later_cursor(self, world):
        offer = world.offer(answers=(("Yes", "affirm"), ("No", "deny")))
        (shown,) = entries(world, after=0)
        assert shown.offer["state"] == "open" and shown.offer["chosen"] is None
        inbound = click(world, "k1", offer, "2")
        with world.store.begin() as connection:
            offers.close(connection, world.clock.now(), offer.id, offers.ANSWERED, "2", inbound.id)
        again = [e for e in entries(world, after=shown.cursor) if e.sender == "assistant"]
        assert [(e.seq, e.offer["state"], e.offer["chosen"]) for e in again] == [(shown.seq, "answered", "2")]
        assert again[0].cursor > inbound.seq
        assert entries(world, after=again[0].cursor) == []

    @pytest.mark.parametrize(
        ("end", "shown"), [("replaced", "closed"), ("overtaken", "closed"), ("answered", "answered"), (None, "expired")]
    )
    def test_state_of_an_offer_as_the_person_sees_it(self, world, end, shown):
        offer = world.offer()
        if end:
            with world.store.begin() as connection:
                offers.close(connection, world.clock.now(), offer.id, end)
        world.clock.move(hours=30)
        assert entries(world)[0].offer["state"] == shown

    def test_nobody_sees_anothers_conversation(self, world):
        say(world, "for dana", "c1")
        text(world, "k1", "from eli", "eli")
        assert [e.text for e in entries(world)] == ["for dana"]
        assert [e.text for e in entries(world, "eli")] == ["from eli"]

    def test_last_seqs_in_one_query(self, world):
        say(world, "one", "c1")
        say(world, "two", "c2")
        ids = {name: world.person(name).id for name in ("dana", "eli")}
        assert conversation.last_seqs(world.store, ids.values()) == {ids["dana"]: 2, ids["eli"]: 0}

    def test_entry_as_json_tells_no_intent_and_no_subject(self, world):
        world.offer(subject={"act": "unlock", "system": "okta", "external_id": "00u-dana"})
        entry = entries(world)[0].as_dict()
        assert entry == {
            "seq": 1,
            "from": "assistant",
            "text": "menu?",
            "at": "2026-11-24T17:00:00Z",
            "key": None,
            "notice": False,
            "link": None,
            "offer": {
                "id": entry["offer"]["id"],
                "state": "open",
                "chosen": None,
                "answers": [{"id": "1", "title": "Yes"}],
            },
        }


class TestSaying:
    def test_a_replayed_turn_says_nothing_twice(self, world):
        assert say(world, "one", "c1", 0) and say(world, "two", "c1", 1)
        assert not say(world, "one", "c1", 0) and not say(world, "two", "c1", 1)
        assert [e.text for e in entries(world)] == ["one", "two"]

    def test_a_notice_is_said_once_whatever_the_cause(self, world):
        with world.store.begin() as connection:
            person = world.person().id
            notice = notices.create(connection, world.clock.now(), "key", notices.LOCKOUT, person, {})
        assert say(world, "locked", notice, notice_id=notice)
        assert not say(world, "locked", "another-cause", notice_id=notice)
        assert [(e.text, e.notice) for e in entries(world)] == [("locked", True)]

    def test_link_goes_with_the_words(self, world):
        link = {"title": "Portal", "url": "https://acme.example"}
        say(world, "go there", "c1", link=link)
        assert entries(world)[0].as_dict()["link"] == link


class TestForwarding:
    """An accepted message is due until it is answered, whoever is killed in between."""

    def due(self, world):
        return [d.id for d in conversation.due(world.store, world.clock, 10)]

    def test_the_oldest_of_each_person_first(self, world):
        first = text(world, "k1", "one")
        world.clock.move(seconds=1)
        theirs = text(world, "k1", "uno", "eli")
        world.clock.move(seconds=1)
        second = text(world, "k2", "two")
        assert self.due(world) == [first.id, theirs.id]
        conversation.mark_answered(world.store, world.clock, first.id)
        assert self.due(world) == [theirs.id, second.id]
        assert conversation.pending(world.store, world.person().id)

    def test_a_claim_holds_for_its_time_and_blocks_the_persons_later_messages(self, world):
        first = text(world, "k1", "one")
        text(world, "k2", "two")
        assert conversation.claim(world.store, world.clock, first.id, 30)
        assert not conversation.claim(world.store, world.clock, first.id, 30)
        assert self.due(world) == []
        world.clock.move(seconds=30)
        assert self.due(world) == [first.id]
        assert conversation.claim(world.store, world.clock, first.id, 30)
        assert conversation.attempts(world.store, first.id) == 2

    def test_a_released_message_is_due_later(self, world):
        first = text(world, "k1", "one")
        conversation.claim(world.store, world.clock, first.id, 30)
        conversation.release(world.store, world.clock, first.id, 4)
        assert self.due(world) == []
        world.clock.move(seconds=4)
        assert self.due(world) == [first.id]

    def test_an_answered_message_is_never_taken_again(self, world):
        first = text(world, "k1", "one")
        conversation.mark_answered(world.store, world.clock, first.id)
        conversation.release(world.store, world.clock, first.id, 0)
        assert self.due(world) == [] and not conversation.claim(world.store, world.clock, first.id, 30)
        assert not conversation.pending(world.store, world.person().id)

    def test_of_many_forwarders_one_gets_the_claim(self, world):
        first = text(world, "k1", "one")
        with ThreadPoolExecutor(4) as pool:
            taken = list(pool.map(lambda _: conversation.claim(world.store, world.clock, first.id, 30), range(8)))
        assert sum(taken) == 1
