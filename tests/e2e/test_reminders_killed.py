"""kill -9 of schedulers, Rasa and actions at random while a morning's reminders go out: everybody gets exactly one,
with two schedulers at it as well.

`--people 1000` for more of them, `--seed` to have the same kills again; both are printed, and what was hit.
"""

import random
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from tests.e2e.installation import Installation, eventually
from tests.e2e.test_reminders import LOS_ANGELES

KILLED = ("schedulers", "rasa", "actions")
# Each of them once, and so many more of those that are back soon.
MORE, SOON = 3, ("schedulers", "actions")
MAX_AGE_DAYS, FIRST_DAY = 90, 14
PATIENCE = 240
TOLD = "SELECT count(*) AS n FROM inbox JOIN notices ON notices.id = inbox.notice_id WHERE kind = 'password_expiry'"


@dataclass(frozen=True)
class Hit:
    """One kill: of what, and after how many reminders."""

    process: str
    pid: int
    told: int


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    settings = {"lockout": {"poll_seconds": 5}, "schedulers": {"sync_minutes": 60}}
    installation = Installation(tmp_path_factory.mktemp("killed"), settings).start()
    try:
        installation.control.post("rate-limits", **dict.fromkeys(("users", "user", "update", "logs", "other"), 6000))
        yield installation
    finally:
        installation.stop()


@pytest.fixture
def second(stack):
    """The pid of a second `schedulers run` over the same store, which nobody kills."""
    command = [sys.executable, "-m", "schedulers", "run"]
    with open(stack.home / "second.log", "w") as log:
        process = subprocess.Popen(
            command, cwd=stack.root, env=stack.environment_of("schedulers"), stdout=log, stderr=log
        )
    yield process.pid
    process.terminate()
    assert process.wait(20) == 0, (stack.home / "second.log").read_text()


def told(stack) -> int:
    return stack.rows(TOLD)[0]["n"]


def tomorrow_at_ten(stack) -> int:
    """Seconds until then in Los Angeles."""
    now = stack.now().astimezone(LOS_ANGELES)
    day = (now + timedelta(days=1)).date()
    return round((datetime(day.year, day.month, day.day, 10, 0, 2, tzinfo=LOS_ANGELES) - now).total_seconds())


def kill_at_random(stack, chance: random.Random, people: int) -> list[Hit]:
    """Kills one after another, each when so many were told as it happens, and not before the one before is back."""
    victims = [*KILLED, *chance.choices(SOON, k=MORE)]
    chance.shuffle(victims)
    moments = sorted(chance.randrange(people) for _ in victims)
    hits = []
    for victim, moment in zip(victims, moments, strict=True):
        eventually(lambda moment=moment: told(stack) >= moment, PATIENCE, f"fewer than {moment} were reminded")
        time.sleep(chance.uniform(0, 0.2))
        hits.append(Hit(victim, stack.kill(victim), told(stack)))
    return hits


@pytest.mark.timeout(900)
def test_e1_law_11_killed_at_random_beside_a_second_scheduler_everybody_is_reminded_once(stack, second, request):
    people, seed = request.config.getoption("people"), request.config.getoption("seed")
    seed = random.randrange(10**6) if seed is None else seed
    logins = stack.control.post("people", count=people)["logins"]
    stack.control.post("password-age", logins=logins, days=MAX_AGE_DAYS - FIRST_DAY - 1)
    stack.control.post("clock", seconds=tomorrow_at_ten(stack))
    hits = kill_at_random(stack, random.Random(seed), people)
    print(f"--people {people} --seed {seed}: {hits}")
    assert {hit.process for hit in hits if hit.pid} == set(KILLED), "each was running when it was killed"

    query = "SELECT id FROM people WHERE login LIKE 'load%'"
    ids = {row["id"] for row in stack.rows(query)}
    assert len(ids) == people
    eventually(lambda: told(stack) >= people, PATIENCE, f"not everybody was reminded, after {hits}")
    stack.wait_until_healthy()
    each = stack.rows("SELECT person_id, count(*) AS n FROM inbox WHERE notice_id IS NOT NULL GROUP BY person_id")
    assert {row["person_id"]: row["n"] for row in each if row["person_id"] in ids} == dict.fromkeys(ids, 1)
    # Nor was anything else written twice: a row, a question and a link each, and one end.
    waiting = "SELECT count(*) AS n FROM notices WHERE state != 'delivered'"
    eventually(lambda: stack.rows(waiting)[0]["n"] == 0, 60, "notices were not ended")
    for table in ("inbox", "offers", "links"):
        rows = stack.rows(f"SELECT person_id, count(*) AS n FROM {table} GROUP BY person_id HAVING n > 1")
        assert [row for row in rows if row["person_id"] in ids] == [], table
    ends = stack.rows("SELECT object, count(*) AS n FROM audit WHERE act = 'notice_password_expiry' GROUP BY object")
    assert len(ends) >= people and {row["n"] for row in ends} == {1}
    claimed = stack.rows("SELECT DISTINCT claimed_by FROM notices WHERE claimed_by IS NOT NULL")
    assert len({row["claimed_by"] for row in claimed}) > 1
    assert f":{second}:" in " ".join(row["claimed_by"] for row in claimed), "the second one took its share"
