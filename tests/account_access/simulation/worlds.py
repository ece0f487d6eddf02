"""Random organisations and what they do, from a seed: people, actions, settings and a period, all on quarter hours."""

from datetime import date, datetime, time, timedelta, timezone
from random import Random
from zoneinfo import ZoneInfo

QUARTER = timedelta(minutes=15)
ZONES = (
    "America/Los_Angeles", "Europe/Berlin", "Asia/Tokyo", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia",
    "Asia/Kolkata", "Africa/Casablanca", "America/St_Johns", "UTC",
)  # fmt: skip
# In front of clock changes (both ways, north and south), leap days, and nothing of the kind.
DAYS = ("2027-03-08", "2027-10-29", "2028-02-22", "2027-03-22", "2027-10-01", "2027-04-02", "2027-06-01", "2026-12-20")
ANSWERS = {
    "password_reminder": ("already_updated", "remind_later", "do_not_remind", "open_ticket", "link_click"),
    "password_expired": ("open_ticket", "link_click"),
    "contractor": ("how_to_extend", "how_to_terminate", "understood", "show_more"),
}
TITLES, DEPARTMENTS = ("Clerk", "Intern", "internal auditor", ""), ("Sales", "IT", "")
GROUPS, WORKERS = ("Kiosk", "Everyone", "Interns"), ("", "employee", "contractor", "Intern")


class World:
    def __init__(self, seed: int, people: int = 12, days: int = 40, actions: int = 6):
        self.random = Random(seed)
        self.days = days
        self.first = self.random.choice(DAYS)
        self.settings = self._settings()
        self.begin = datetime.combine(date.fromisoformat(self.first), time(), timezone.utc)
        self.logins = [f"{'P' if n % 3 else 'p'}{n}@Acme.example" for n in range(people)]
        self.people = [self._person(login) for login in self.logins]
        # Expiries that come up again, so that they are moved away and back.
        self.expiries = [self._instant() for _ in range(4)]
        self.actions = [a for login in self.logins for a in self._actions(login, self.random.randrange(actions + 1))]
        self.random.shuffle(self.actions)

    def _settings(self) -> dict:
        one_of = self.random.choice
        return {
            "time_zone": one_of(ZONES),
            "password": {
                "first_notification_day": one_of((1, 2, 3, 5, 9, 14, 21, 30)),
                "send_at": one_of(("10:00", "10:00", "02:30", "01:45", "00:00", "23:30")),
                "weekend_reminders": one_of((True, False)),
                "mode": one_of(("automated", "instructions")),
                "follow_up": one_of(("cadence", "daily")),
                "do_not_remind": one_of(("this_expiry", "always")),
                "expired_notice": one_of(("next_run", "immediately")),
                "include": self._people(0.2),
                "exclude": self._people(0.4),
            },
            "contractor": {
                "send_at": one_of(("11:00", "02:15", "23:45")),
                "max_shown": one_of((1, 2, 4, "all")),
                "include": self._people(0.2),
                "exclude": self._people(0.4),
            },
            "lockout": {
                "include": self._people(0.2),
                "exclude": self._people(0.3),
                "max_notifications": one_of((0, 1, 2, 4)),
                "window_hours": one_of((1, 12, 24)),
                "gap_hours": one_of((0, 0.25, 1.5, 6)),
            },
        }

    def _people(self, chance: float) -> dict:
        """Half of a rule, which names anybody with that chance."""
        if self.random.random() >= chance:
            return {}
        return {
            key: [value]
            for key, value in {
                "logins": " p3@ACME.example ",
                "groups": "interns",
                "titles": "intern",
                "departments": "it",
                "worker_types": "INTERN",
            }.items()
            if self.random.random() < 0.3
        }

    def _instant(self) -> str:
        return self._told(self.begin + QUARTER * self.random.randrange(-4 * 24 * 3, 4 * 24 * (self.days + 10)))

    def _told(self, instant: datetime) -> str:
        """The instant as somebody somewhere would write it."""
        zone = ZoneInfo(self.random.choice(ZONES))
        if self.random.random() < 0.2:
            return f"{instant:%Y-%m-%dT%H:%M:%SZ}"
        return instant.astimezone(zone).isoformat()

    def _date(self) -> str:
        return (self.begin + timedelta(days=self.random.randrange(-2, self.days + 16))).date().isoformat()

    def _cells(self) -> dict:
        one_of = self.random.choice
        return {
            "name": one_of(("", "Ann Ölmüş")),
            "title": one_of(TITLES),
            "department": one_of(DEPARTMENTS),
            "time_zone": one_of(("", *ZONES)),
            "status": one_of(("", "active", "active", "active", "locked", "disabled")),
            "account_type": one_of(("", "", "", "person", "person", "service", "external")),
            "password_expires_at": one_of(("", *(self._instant() for _ in range(6)))),
            "never_expires": one_of(("", "", "", "False", "TRUE")),
            "manager_login": one_of(("", "nobody@acme.example", *(login.upper() for login in self.logins))),
            "worker_type": one_of(WORKERS),
            "contract_ends_on": one_of(("", self._date(), self._date())),
            "groups": ";".join(self.random.sample(GROUPS, self.random.randrange(3))),
        }

    def _person(self, login: str) -> dict:
        return {"login": login, **self._cells()}

    def _actions(self, login: str, count: int) -> list[dict]:
        return [self._action(self.random.choice((login, login.upper()))) for _ in range(count)]

    def _action(self, login: str) -> dict:
        at = self.begin + QUARTER * self.random.randrange(-4 * 24 * 2, 4 * 24 * (self.days + 1))
        if self.random.random() < 0.3:
            # At the hour of a run, or soon after it.
            local = datetime.combine(at.date(), time.fromisoformat(self.settings["password"]["send_at"]))
            zone = ZoneInfo(self.settings["time_zone"])
            at = local.replace(tzinfo=zone).astimezone(timezone.utc) + QUARTER * self.random.choice((0, 0, 1, 4, 8))
        line = {"at": self._told(at), "login": login}
        chance = self.random.random()
        if chance < 0.55:
            notice = self.random.choice(("password_reminder", "password_reminder", "contractor", "password_expired"))
            return {**line, "notice": notice, "action": self.random.choice(ANSWERS[notice])}
        if chance < 0.7:
            expiry = self.random.choice((None, self._instant(), *self.expiries))
            return {**line, "action": "password_changed", "password_expires_at": expiry}
        if chance < 0.85:
            cells = {**self._cells(), "password_expires_at": self.random.choice(self.expiries)}
            column = self.random.choice(list(cells))
            return {**line, "action": "update", "set": {column: cells[column]}}
        system = self.random.choice(("okta", "ad"))
        return {**line, "action": self.random.choice(("locked_out", "locked_out", "unlocked")), "system": system}

    def react(self, sent: list[dict]) -> None:
        """Adds answers and new passwords soon after what was sent, so that most of them belong to something."""
        for one in sent:
            if one["login"] and one["kind"] in ANSWERS and self.random.random() < 0.5:
                hours = self.random.choice((0, 0.25, 0.5, 1, 5, 12.75, 13, 14, 23.75, 24, 24.25, 30, 60))
                at = datetime.fromisoformat(one["sent_at"]).astimezone(timezone.utc) + timedelta(hours=hours)
                line = {"at": self._told(at), "login": one["login"].lower()}
                if self.random.random() < 0.3:
                    expiry = self.random.choice((one.get("expires_at"), self._instant(), None))
                    self.actions.append({**line, "action": "password_changed", "password_expires_at": expiry})
                elif self.random.random() < 0.15:
                    change = {"password_expires_at": self.random.choice((one.get("expires_at", ""), self._instant()))}
                    self.actions.append({**line, "action": "update", "set": change})
                else:
                    answer = self.random.choice(ANSWERS[one["kind"]])
                    self.actions.append({**line, "notice": one["kind"], "action": answer})
        self.random.shuffle(self.actions)
