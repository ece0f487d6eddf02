"""`python -m sandbox.year FOLDER`: an invented year for `schedulers simulate`: people.csv and actions.jsonl.

Always the same one: passwords that most make anew after a reminder or two and some forget, contracts that are extended
or end, now and then a lockout.
"""

import csv
import json
import random
import sys
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path

PEOPLE, CONTRACTORS = 300, 45
FIRST, LAST = date(2027, 1, 1), date(2027, 12, 31)
MAX_AGE = timedelta(days=90)
COLUMNS = ("login", "name", "password_expires_at", "manager_login", "worker_type", "contract_ends_on")
# How many days before its expiry a password is made anew: most people need a reminder or two.
EARLY = (13.9, 13.8, 13.6, 6.9, 6.8, 6.7, 3.9, 3.8, 1.9, 0.9, 0.8, -0.4, -1.5)


def main() -> int:
    """Writes both files; 2 without a folder."""
    if len(sys.argv) != 2:
        print("python -m sandbox.year FOLDER", file=sys.stderr)
        return 2
    folder, chance = Path(sys.argv[1]), random.Random(2027)  # noqa: S311 - nobody's secret
    folder.mkdir(parents=True, exist_ok=True)
    people, actions = [], []
    for n in range(PEOPLE):
        login = f"person{n:03d}"
        expires_at = _instant(FIRST + timedelta(days=chance.randrange(90)), chance.randrange(24 * 60))
        contract = FIRST + timedelta(days=chance.randrange(10, 330)) if n < CONTRACTORS else None
        manager = f"person{CONTRACTORS + n % 12:03d}"
        kind = "contractor" if contract else ""
        ends = contract.isoformat() if contract else ""
        people.append((login, f"Person {n:03d}", _told(expires_at), manager, kind, ends))
        actions += _passwords(login, expires_at, chance)
        actions += _contract(login, contract, chance) if contract else []
        actions += _lockouts(login, chance)
    with open(folder / "people.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *people])
    lines = [json.dumps(action) for action in sorted(actions, key=lambda action: action["at"])]
    (folder / "actions.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


def _passwords(login: str, expires_at: datetime, chance: random.Random) -> list[dict]:
    """A new password each time, a while before the old one expires or just after."""
    made = []
    while expires_at.date() <= LAST:
        changed = expires_at - timedelta(days=chance.choice(EARLY))
        expires_at = changed + MAX_AGE
        expiry = {"action": "password_changed", "password_expires_at": _told(expires_at)}
        made.append({"at": _told(changed), "login": login, **expiry})
    return made


def _contract(login: str, ends: date, chance: random.Random) -> list[dict]:
    """Two in three are extended some days before their end, the others' accounts are closed."""
    made = []
    while ends <= LAST:
        at = _told(_instant(ends - timedelta(days=chance.randrange(1, 12)), 22 * 60))
        if chance.random() < 1 / 3:
            closed = _told(_instant(ends + timedelta(days=1), 60))
            return [*made, {"at": closed, "login": login, "action": "update", "set": {"status": "disabled"}}]
        ends += timedelta(days=chance.choice((90, 180)))
        made.append({"at": at, "login": login, "action": "update", "set": {"contract_ends_on": ends.isoformat()}})
    return made


def _lockouts(login: str, chance: random.Random) -> list[dict]:
    made = []
    for _ in range(chance.choice((0, 0, 1, 2))):
        at = _instant(FIRST + timedelta(days=chance.randrange(365)), 15 * 60 + chance.randrange(9 * 60))
        made.append({"at": _told(at), "login": login, "action": "locked_out", "system": "okta"})
        over = _told(at + timedelta(minutes=chance.randrange(3, 40)))
        made.append({"at": over, "login": login, "action": "unlocked", "system": "okta"})
    return made


def _instant(day: date, minutes: int) -> datetime:
    """So many minutes after midnight, UTC."""
    return datetime.combine(day, time(), timezone.utc) + timedelta(minutes=minutes)


def _told(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


if __name__ == "__main__":
    sys.exit(main())
