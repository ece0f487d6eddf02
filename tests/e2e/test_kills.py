"""Any process may be killed at any instant: each person is told once, each account unlocked once, each ticket once."""

import random
import time

import pytest

from tests.e2e.installation import eventually

# Where it dies → the process that is made to die there.
POINTS = {
    "request_row_written": "actions",
    "call_sent": "actions",
    "reply_lost": "actions",
    "before_inbox_row": "rasa",
    "after_inbox_row": "rasa",
    "before_tracker_saved": "rasa",
    "door_mid_turn": "door",
    "notice_claimed": "schedulers",
    "ticket_sent": "schedulers",
}
PATIENCE = 90  # a killed Rasa takes ten seconds to come back, and claims of dead workers have to run out
KILLABLE = ("rasa", "actions", "door", "schedulers")
INSTANTS = 10


def check_whole(stack, person) -> None:
    """Told once, unlocked once, one ticket, resolved here and at the desk; the audit trail tells the same."""
    eventually(lambda: not person.is_locked(), PATIENCE, f"{person.login} stayed locked")
    person.wait_for(lambda e: "unlocked" in e["text"], PATIENCE)
    eventually(
        lambda: at_the_desk(stack, person) == ["resolved"], PATIENCE, "the desk does not have one resolved ticket"
    )
    texts = [entry["text"] for entry in person.history() if entry["from"] == "assistant"]
    assert len([entry for entry in person.history() if entry["notice"] and "locked at" in entry["text"]]) == 1, texts
    assert len([text for text in texts if "is unlocked" in text]) == 1, texts
    assert stack.unlocks_at_okta(person.login) == 1
    assert [ticket["state"] for ticket in person.tickets()] == ["resolved"]
    requests = stack.rows("SELECT state, outcome FROM requests WHERE person_id = ?", person.person_id)
    assert requests == [{"state": "done", "outcome": "unlocked"}]
    done = [record["act"] for record in person.audited() if record["result"] in ("done", "unlocked")]
    assert done.count("open_ticket") == 1


def at_the_desk(stack, person) -> list[str]:
    login = stack.rows("SELECT login FROM people WHERE id = ?", person.person_id)[0]["login"]
    rows = stack.rows("SELECT state FROM desk_tickets WHERE requester = ?", login)
    return [row["state"] for row in rows]


@pytest.mark.parametrize("point", POINTS)
def test_kill_9_at_a_named_point(stack, person, point):
    marker = stack.plant(POINTS[point], point)
    person.lock()
    person.notice(PATIENCE)
    person.send("sure")
    check_whole(stack, person)
    assert marker.exists(), f"nobody came by {point}"


def test_m2_kill_9_once_the_factors_are_gone(stack, person):
    """Whoever takes the reset up again finds them gone: told once, recorded once, and nothing else is touched."""
    stack.control.post("add-factor", login=person.login, kind="key", name="YubiKey 5C")
    person.say("reset my mfa")
    confirm = person.say("yubikey 5c")
    marker = stack.plant("actions", "factors_removed")
    person.click(confirm, "Yes, reset MFA")
    person.wait_for(lambda e: e["text"].startswith("Reset complete!"), PATIENCE)
    assert marker.exists(), "nobody came by factors_removed"
    eventually(lambda: at_the_desk(stack, person) == ["resolved"], PATIENCE)
    left = next(p["factors"] for p in stack.control.state()["people"] if p["login"] == person.login)
    assert [factor["type"] for factor in left] == ["push"]
    assert len([e for e in person.history() if e["text"].startswith("Reset complete!")]) == 1
    requests = stack.rows("SELECT state, outcome FROM requests WHERE person_id = ?", person.person_id)
    assert requests == [{"state": "done", "outcome": "mfa_reset"}]
    assert [ticket["state"] for ticket in person.tickets()] == ["resolved"]
    assert len([record for record in person.audited() if record["act"] == "reset_mfa"]) == 1


def test_x8_kill_9_between_a_look_and_its_record(stack, person):
    person.lock()
    first = person.press(person.notice(PATIENCE), "Yes", PATIENCE)
    marker = stack.plant("schedulers", "check_looked")
    person.lock()
    stack.control.post("clock", minutes=2)
    told = person.wait_for(lambda e: e["notice"] and e["seq"] > first["seq"], PATIENCE)
    assert marker.exists(), "nobody came by check_looked"
    assert "again" in told["text"] and [ticket["state"] for ticket in person.tickets()] == ["open"]
    looks = [record["result"] for record in person.audited() if record["act"] == "verify_unlock"]
    assert looks == ["relapsed"], "one look, recorded once"
    notices = [e for e in person.history() if e["notice"] and e["seq"] > first["seq"]]
    assert len(notices) == 1


def test_law_11_kill_9_once_a_mail_is_taken(stack, person):
    """Nobody knows whether it was sent: an admin sees that, and the owner never gets it twice."""
    marker = stack.plant("schedulers", "mail_taken")
    person.lock()
    person.press(person.notice(PATIENCE), "Yes", PATIENCE)

    def settled() -> list[str]:
        query = "SELECT state FROM mails WHERE person_id = ?"
        states = [row["state"] for row in stack.rows(query, person.person_id)]
        return states if states and not {"waiting", "sending"} & set(states) else []

    states = eventually(settled, PATIENCE, "a mail was neither sent nor given up")
    assert marker.exists(), "nobody came by mail_taken"
    assert set(states) <= {"sent", "unsure"} and stack.rows("SELECT id FROM mails WHERE state = 'unsure'")
    taken = [mail["Message-ID"] for mail in stack.mails.mails]
    assert taken and len(taken) == len(set(taken))


def test_kill_9_at_random_instants(stack, somebody):
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    people = [somebody() for _ in range(INSTANTS)]
    for number, person in enumerate(people):
        person.lock()
        if number % 2:
            person.notice(PATIENCE)
            person.send("sure")
        time.sleep(chance.uniform(0, 1.5))  # the one place where letting time pass is the point
        stack.kill(KILLABLE[number % len(KILLABLE)])
    for number, person in enumerate(people):
        person.notice(PATIENCE)
        if not number % 2:
            person.send("sure")
    for person in people:
        check_whole(stack, person)
