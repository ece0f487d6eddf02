"""/go/<id>: only the owner's own step or press leads on; nothing else changes anything (P5, E10, law 7)."""

import re
from datetime import timedelta

import pytest

from account_access import links
from account_access.store import tables

PORTAL = "https://acme.example/forgot?from=chat"
# What a browser says of a click in the chat, of another program's page, of a prefetch.
CLICK = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-User": "?1"}
CLICK |= {"Sec-Fetch-Site": "same-origin"}
NOT_A_STEP = {
    "nothing said": {},
    "a script": {**CLICK, "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
    "an image": {**CLICK, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
    "a frame": {**CLICK, "Sec-Fetch-Dest": "iframe"},
    "a prefetch": {**CLICK, "Sec-Purpose": "prefetch"},
    "a prerender": {**CLICK, "Sec-Purpose": "prefetch;prerender"},
    "an old prefetch": {**CLICK, "Purpose": "prefetch"},
    "another site without a click": {**CLICK, "Sec-Fetch-User": "", "Sec-Fetch-Site": "cross-site"},
}


@pytest.fixture
def dana(house):
    client = house.signed_in("dana")
    client.follow_redirects = False
    return client


def make(house, name="dana", key="cause", **options):
    now, days = house.clock.now(), timedelta(days=3)
    values = dict(kind="password", system="okta", target=PORTAL, expires_at=now + days, renewed_for=days)
    values |= dict(good_for=timedelta(minutes=5)) | options
    with house.store.begin() as connection:
        return links.make(connection, now, key, house.person(name).id, **values)


def minted(house):
    return make(house, target=None, way=links.MINTED)


def clicked_at(house, link):
    with house.store.reading() as connection:
        return links.find(connection, link.id).clicked_at


def form(answer, **changes):
    return {"csrf": re.search(r'name="csrf" value="([^"]+)"', answer.text).group(1), **changes}


def count(house, table):
    with house.store.reading() as connection:
        return len(connection.execute(table.select()).all())


class TestLeadingOn:
    def test_p2_owners_click_leads_to_the_portal(self, house, dana):
        link = make(house)
        answer = dana.get(link.path, headers=CLICK)
        assert (answer.status_code, answer.headers["location"]) == (303, PORTAL)
        assert clicked_at(house, link) is not None

    def test_p2_click_on_a_link_in_another_program(self, house, dana):
        answer = dana.get(make(house).path, headers={**CLICK, "Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 303

    @pytest.mark.parametrize("why", NOT_A_STEP)
    def test_law7_what_is_no_step_of_a_person_gets_a_button(self, house, dana, why):
        link = make(house)
        answer = dana.get(link.path, headers=NOT_A_STEP[why])
        assert answer.status_code == 200 and PORTAL not in answer.text
        assert clicked_at(house, link) is None
        pressed = dana.post(link.path, data=form(answer))
        assert pressed.status_code == 200 and f'href="{PORTAL}"' in pressed.text
        assert clicked_at(house, link) is not None

    def test_law7_head_changes_nothing(self, house, dana):
        link = make(house)
        assert dana.head(link.path, headers=CLICK).status_code == 200
        assert clicked_at(house, link) is None

    def test_p5_signed_out_signs_in_first_and_comes_back(self, house, dana):
        link = make(house)
        answer = house.browser().get(link.path, headers=CLICK, follow_redirects=False)
        assert answer.status_code == 302 and answer.headers["location"] == f"/signin?next=%2Fgo%2F{link.id}"
        assert clicked_at(house, link) is None
        house.provider.user = {"sub": "00u-dana", "email": "dana@acme.example", "email_verified": True}
        browser = house.browser()
        back = browser.get(answer.headers["location"])
        assert back.url.path == link.path and "take me there" in back.text

    def test_p5_five_minutes_after_the_click_it_is_over(self, house, dana):
        link = make(house)
        dana.get(link.path, headers=CLICK)
        house.move_clock(299)
        assert dana.get(link.path, headers=CLICK).status_code == 303
        house.move_clock(1)
        assert dana.get(link.path, headers=CLICK).status_code == 410

    def test_e10_reminders_link_leads_on_until_it_expires(self, house, dana):
        link = make(house, kind="password_reminder", good_for=None, renewed_for=None)
        for _ in range(2):
            assert dana.get(link.path, headers=CLICK).status_code == 303
            house.move_clock(1000)


class TestOthers:
    def test_law1_somebody_elses_link_is_unknown_and_audited(self, house, dana):
        link = make(house, "eli")
        theirs, invented = dana.get(link.path, headers=CLICK), dana.get("/go/nothing", headers=CLICK)
        assert (theirs.status_code, theirs.text) == (404, invented.text) and invented.status_code == 404
        assert clicked_at(house, link) is None
        with house.store.reading() as connection:
            rows = connection.execute(tables.audit.select()).mappings().all()
        assert [row["result"] for row in rows if row["act"] == "open_link"] == ["refused"]

    def test_law1_nobody_presses_somebody_elses_button(self, house, dana):
        link, mine = make(house, "eli"), make(house, key="mine")
        good = form(dana.get(mine.path))
        for path in (link.path, f"{link.path}/fresh"):
            assert dana.post(path, data=good).status_code == 404
        assert clicked_at(house, link) is None and count(house, tables.links) == 2


class TestPressing:
    @pytest.mark.parametrize(
        ("data", "headers"),
        [
            ({}, {}),
            ({"csrf": "invented"}, {}),
            (None, {"Sec-Fetch-Site": "cross-site"}),
            (None, {"Sec-Fetch-Site": "same-site"}),
        ],
    )
    @pytest.mark.parametrize("fresh", ["", "/fresh"])
    def test_law7_press_of_another_site_is_refused(self, house, dana, data, headers, fresh):
        link = make(house)
        data = form(dana.get(link.path)) if data is None else data
        answer = dana.post(link.path + fresh, data=data, headers=headers)
        assert answer.status_code == 403 and "no longer valid" in answer.text
        assert clicked_at(house, link) is None and count(house, tables.links) == 1

    def test_signed_out_press_is_refused(self, house, dana):
        link = make(house)
        assert house.browser().post(link.path, data={"csrf": "x"}).status_code == 401

    def test_too_many_presses_wait(self, house, dana):
        link = make(house)
        data = form(dana.get(link.path))
        answers = [dana.post(link.path, data=data) for _ in range(8)]
        assert answers[-1].status_code == 429 and int(answers[-1].headers["Retry-After"]) > 0
        assert "One moment" in answers[-1].text


class TestFresh:
    @pytest.mark.parametrize("after", [timedelta(days=3), timedelta(days=9)])
    def test_p5_expired_link_says_so_and_offers_a_fresh_one(self, house, dana, after):
        link = make(house)
        house.move_clock(after.total_seconds())
        dana = house.signed_in("dana")
        dana.follow_redirects = False
        answer = dana.get(link.path, headers=CLICK)
        assert answer.status_code == 410 and PORTAL not in answer.text and "three days" in answer.text
        assert dana.post(link.path, data=form(answer)).status_code == 410
        fresh = dana.post(f"{link.path}/fresh", data=form(answer))
        path = re.search(r'href="(/go/[^"]+)"', fresh.text).group(1)
        assert path != link.path and dana.get(path, headers=CLICK).headers["location"] == PORTAL

    def test_e10_expired_reminder_has_no_fresh_one(self, house, dana):
        link = make(house, renewed_for=None)
        data = form(dana.get(link.path))
        with house.store.begin() as connection:
            connection.execute(tables.links.update().values(expires_at=house.clock.now()))
        answer = dana.get(link.path, headers=CLICK)
        assert answer.status_code == 410 and "/fresh" not in answer.text
        assert dana.post(f"{link.path}/fresh", data=data).status_code == 404


class TestMinting:
    def test_law7_no_get_mints(self, house, dana):
        link = minted(house)
        answer = dana.get(link.path, headers=CLICK)
        assert answer.status_code == 200 and "your old password stops working" in answer.text
        assert house.actions.asked == [] and clicked_at(house, link) is None

    def test_p5_owners_press_mints_and_the_link_is_theirs_alone(self, house, dana, caplog):
        caplog.set_level("DEBUG")
        link = minted(house)
        pressed = dana.post(link.path, data=form(dana.get(link.path)))
        assert house.actions.asked == [{"link": link.id, "person": house.person().id}]
        assert 'href="https://acme.example/reset/one-time"' in pressed.text
        assert pressed.headers["cache-control"] == "no-store" and pressed.headers["referrer-policy"] == "no-referrer"
        assert "one-time" not in caplog.text
        rows = [connection_rows(house, table) for table in tables.metadata.sorted_tables]
        assert "one-time" not in str(rows)

    @pytest.mark.parametrize(
        ("answer", "status", "said"),
        [
            ({"outcome": "password_human"}, 403, "Only IT can do this"),
            ({"outcome": "no_account"}, 403, "I cannot find your account"),
            ({"outcome": "instructions"}, 403, "This cannot be done from here"),
            ({"outcome": "down"}, 503, "did not work just now"),
            ({"outcome": "minted", "target": "javascript:alert(1)"}, 503, "did not work just now"),
            ({}, 503, "did not work just now"),
        ],
    )
    def test_p5_refusal_and_trouble_are_told(self, house, dana, answer, status, said):
        link = minted(house)
        house.actions.answer = answer
        pressed = dana.post(link.path, data=form(dana.get(link.path)))
        assert pressed.status_code == status and said in pressed.text and "javascript:" not in pressed.text

    def test_p5_action_server_in_trouble(self, house, dana):
        link = minted(house)
        house.actions.status = 500
        pressed = dana.post(link.path, data=form(dana.get(link.path)))
        assert pressed.status_code == 503 and "Try again" in pressed.text
        house.actions.status = 200
        assert "one-time" in dana.post(link.path, data=form(pressed)).text


def connection_rows(house, table):
    with house.store.reading() as connection:
        return [dict(row) for row in connection.execute(table.select()).mappings()]


class TestArticles:
    def test_m6_article_is_a_page_for_the_signed_in(self, house, dana):
        answer = dana.get("/articles/vpn")
        assert answer.status_code == 200 and "<ol>" in answer.text
        signed_out = house.browser().get("/articles/vpn", follow_redirects=False)
        assert signed_out.headers["location"] == "/signin?next=%2Farticles%2Fvpn"

    def test_html_in_an_article_is_text(self, house, dana):
        text = dana.get("/articles/vpn").text
        assert "<script>x" not in text and "<b>it" not in text and "&lt;new&gt;" in text

    def test_unknown_article(self, house, dana):
        assert dana.get("/articles/none").status_code == 404
