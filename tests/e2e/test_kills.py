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
