"""/prove/<id>: the page for a code; whose it is, what it says, and that the code is nowhere else (M7, law 6, law 7)."""

import re

import pytest
from sqlalchemy import select

from account_access import sessions
from account_access.store import tables
from tests.door.fake_actions import WAITING

PATH = "/prove/3f0c1b6e-request"
CODE = "135790"


@pytest.fixture
def dana(house):
    client = house.signed_in("dana")
    client.follow_redirects = False
    return client


def form(answer, **changes):
    return {"csrf": re.search(r'name="csrf" value="([^"]+)"', answer.text).group(1), "factor": "app", **changes}


def prover(house, client, name="dana"):
    session = sessions.find(house.store, house.clock, client.cookies["account_access_session"])
    return {"request": PATH.removeprefix("/prove/"), "person": house.person(name).id, "session": session.id}


class TestLooking:
    def test_m7_page_names_the_factors_and_changes_nothing(self, house, dana):
        answer = dana.get(PATH)
        assert answer.status_code == 200 and "A code from Google Authenticator" in answer.text
        assert "This will be removed: Security key (YubiKey)." in answer.text
        assert "Send me a code" not in answer.text and 'autocomplete="one-time-code"' in answer.text
        assert house.actions.proofs == [("look", prover(house, dana))]
        assert answer.headers["cache-control"] == "no-store"

    def test_m7_what_gets_its_code_sent_has_a_button_for_it(self, house, dana):
        sms = {"id": "sms", "kind": "sms", "name": "••• 0142", "sent": True}
        house.actions.proof["look"] = {**WAITING, "factors": [sms]}
        assert "Send me a code" in dana.get(PATH).text

    def test_law7_head_asks_nothing(self, house, dana):
        assert dana.head(PATH).status_code == 200 and house.actions.proofs == []

    def test_law4_looking_is_limited(self, house, dana):
        answers = [dana.get(PATH) for _ in range(7)]
        assert [answer.status_code for answer in answers] == [200] * 6 + [429]
        assert len(house.actions.proofs) == 6 and "One moment" in answers[-1].text

    def test_law1_signed_out_signs_in_first(self, house, dana):
        answer = house.browser().get(PATH, follow_redirects=False)
        assert answer.status_code == 302 and answer.headers["location"].startswith("/signin?next=%2Fprove%2F")
        assert house.actions.proofs == []

    def test_law1_the_session_alone_says_who_it_is(self, house, dana):
        eli = house.signed_in("eli")
        eli.get(f"{PATH}?person={house.person().id}&session=other")
        assert house.actions.proofs == [("look", prover(house, eli, "eli"))]

    @pytest.mark.parametrize(
        ("outcome", "status", "said"),
        [
            ("over", 410, "no longer good"),
            ("proven", 200, "It is you"),
            ("held", 403, "Self-service is stopped"),
            ("none", 403, "no other factor"),
            ("down", 503, "did not work just now"),
            ("invented", 503, "did not work just now"),
        ],
    )
    def test_m7_ends_are_told(self, house, dana, outcome, status, said):
        house.actions.proof["look"] = {"outcome": outcome, "factors": [], "going": []}
        answer = dana.get(PATH)
        assert (answer.status_code, said in answer.text) == (status, True)
        assert 'name="code"' not in answer.text

    @pytest.mark.parametrize("body", [{}, {"outcome": None}, [], "waiting"])
    def test_action_server_talking_nonsense(self, house, dana, body):
        house.actions.proof["look"] = body
        assert dana.get(PATH).status_code == 503

    def test_names_of_factors_are_text(self, house, dana):
        evil = {"id": '"><script>x</script>', "kind": "sms", "name": "<b>x</b>", "sent": True}
        house.actions.proof["look"] = {**WAITING, "factors": [evil], "going": [evil]}
        text = dana.get(PATH).text
        assert "<script>x" not in text and "<b>x" not in text


class TestCodes:
    def press(self, dana, path=PATH, headers=None, **changes):
        return dana.post(path, data=form(dana.get(PATH), **{"code": CODE, **changes}), headers=headers or {})

    def test_m7_right_code(self, house, dana):
        answer = self.press(dana)
        assert answer.status_code == 200 and "It is you" in answer.text
        asked = {**prover(house, dana), "factor": "app", "code": CODE}
        assert house.actions.proofs[-1] == ("check", asked)

    @pytest.mark.parametrize("typed", ["135 790", " 135-790 "])
    def test_m7_as_phones_show_it(self, house, dana, typed):
        self.press(dana, code=typed)
        assert house.actions.proofs[-1][1]["code"] == CODE

    def test_law6_code_is_in_no_log_table_or_page(self, house, dana, caplog):
        caplog.set_level("DEBUG")
        for outcome in ("wrong", "down", "proven"):
            house.actions.proof["check"] = {"outcome": outcome}
            assert CODE not in self.press(dana).text
        assert CODE not in caplog.text
        with house.store.reading() as connection:
            kept = [connection.execute(select(table)).all() for table in tables.metadata.sorted_tables]
        assert CODE not in str(kept)

    @pytest.mark.parametrize(
        ("outcome", "status", "said", "again"),
        [
            ("wrong", 403, "was not right", True),
            ("choose", 409, "not there any more", True),
            ("too_many", 403, "Too many tries", False),
            ("over", 410, "no longer good", False),
            ("held", 403, "Self-service is stopped", False),
            ("down", 503, "did not work just now", False),
        ],
    )
    def test_m7_what_became_of_it(self, house, dana, outcome, status, said, again):
        house.actions.proof["check"] = {"outcome": outcome}
        answer = self.press(dana)
        assert (answer.status_code, said in answer.text, 'name="code"' in answer.text) == (status, True, again)

    @pytest.mark.parametrize("typed", ["", "123", "1234567890123", "12345\u0663", "<script>", "my password is x"])
    def test_m7_what_can_be_no_code_is_not_taken_on(self, house, dana, typed):
        answer = self.press(dana, code=typed)
        assert answer.status_code == 422 and "does not count" in answer.text
        assert {step for step, _ in house.actions.proofs} == {"look"}

    def test_m7_a_code_is_sent(self, house, dana):
        answer = self.press(dana, f"{PATH}/send")
        assert answer.status_code == 200 and "on its way" in answer.text
        assert ("send", {**prover(house, dana), "factor": "app"}) in house.actions.proofs

    @pytest.mark.parametrize("path", [PATH, f"{PATH}/send"])
    @pytest.mark.parametrize(
        ("data", "headers"),
        [({"csrf": ""}, {}), ({"csrf": "invented"}, {}), ({}, {"Sec-Fetch-Site": "cross-site"})],
    )
    def test_law7_press_of_another_site_is_refused(self, house, dana, path, data, headers):
        answer = self.press(dana, path, headers, **data)
        assert answer.status_code == 403 and "no longer valid" in answer.text
        assert {step for step, _ in house.actions.proofs} == {"look"}

    @pytest.mark.parametrize("path", [PATH, f"{PATH}/send"])
    def test_signed_out_press_is_refused(self, house, dana, path):
        assert house.browser().post(path, data={"csrf": "x", "code": CODE}).status_code == 401
        assert house.actions.proofs == []

    def test_too_many_presses_wait(self, house, dana):
        data = form(dana.get(PATH), code=CODE)
        answers = [dana.post(PATH, data=data) for _ in range(8)]
        assert answers[-1].status_code == 429 and int(answers[-1].headers["Retry-After"]) > 0

    @pytest.mark.parametrize("path", [PATH, f"{PATH}/send"])
    def test_action_server_in_trouble(self, house, dana, path):
        data = form(dana.get(PATH), code=CODE)
        house.actions.status = 500
        assert dana.post(path, data=data).status_code == 503
