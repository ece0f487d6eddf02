"""`python -m sandbox.people_csv 2027-01-01`: the organisation as a CSV file, founded at noon UTC of that day."""

import csv
import sys
from datetime import datetime, time, timedelta, timezone

from sandbox.people import PEOPLE, Member
from sandbox.policies import MAX_AGE_DAYS

COLUMNS = (
    "login", "email", "name", "title", "department", "time_zone", "status", "account_type",
    "password_changed_at", "password_expires_at", "manager_login", "worker_type", "contract_ends_on", "groups",
)  # fmt: skip


def row(person: Member, founded: datetime) -> dict[str, str]:
    """One line of the file: times are ISO 8601 in UTC."""
    changed = founded - timedelta(days=person.password_age)
    ends = person.contract_ends_in
    return {
        "login": person.login,
        "email": person.email,
        "name": f"{person.first} {person.last}",
        "title": person.title,
        "department": person.department,
        "time_zone": person.time_zone,
        "status": "disabled" if person.status == "DEPROVISIONED" else "active",
        # Another directory holds the password: what Okta's policy says is not about it.
        "account_type": "person" if person.source == "OKTA" else "external",
        "password_changed_at": f"{changed:%Y-%m-%dT%H:%M:%SZ}",
        "password_expires_at": f"{changed + timedelta(days=MAX_AGE_DAYS):%Y-%m-%dT%H:%M:%SZ}",
        "manager_login": f"{person.manager}@{person.login.partition('@')[2]}" if person.manager else "",
        "worker_type": person.worker_type.lower(),
        "contract_ends_on": "" if ends is None else (founded + timedelta(days=ends)).date().isoformat(),
        "groups": ";".join(person.groups),
    }


def main() -> int:
    """Prints the file; 2 if the day is none."""
    try:
        founded = datetime.combine(datetime.fromisoformat(sys.argv[1]).date(), time(12), timezone.utc)
    except (IndexError, ValueError):
        print("sandbox.people_csv: name the day of the founding, e.g. 2027-01-01", file=sys.stderr)
        return 2
    writer = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(row(person, founded) for person in PEOPLE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
