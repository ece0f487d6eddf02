"""The rules of notices told once more, as plainly as can be: every tick of the period, everybody is looked at.

It takes the rows and lines of the files as dictionaries of text and returns the lines of the output as dictionaries.
Slow, and written from the rules alone: it shares no code with what it judges. Every instant given has to be on a tick.
"""

from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

TICK = timedelta(minutes=15)
MINUTE = timedelta(minutes=1)
DEFAULTS = {
    "time_zone": "America/Los_Angeles",
    "password": {
        "first_notification_day": 14,
        "send_at": "10:00",
        "weekend_reminders": True,
        "mode": "automated",
        "follow_up": "cadence",
        "do_not_remind": "this_expiry",
        "expired_notice": "next_run",
        "include": {},
        "exclude": {},
    },
    "contractor": {"send_at": "11:00", "max_shown": 4, "include": {}, "exclude": {}},
    "lockout": {"max_notifications": 4, "window_hours": 24, "gap_hours": 6, "include": {}, "exclude": {}},
}


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(timezone.utc)


def same(text: str) -> str:
    return text.strip().lower()


class Naive:
    def __init__(self, people: list[dict], actions: list[dict], settings: dict, first: date, days: int):
        self.settings = {
            key: {**value, **settings.get(key, {})} if isinstance(value, dict) else settings.get(key, value)
            for key, value in DEFAULTS.items()
        }
        self.zone = ZoneInfo(self.settings["time_zone"])
        self.people = {same(person["login"]): dict(person) for person in people}
        self.actions = sorted(enumerate(actions), key=lambda numbered: (instant(numbered[1]["at"]), numbered[0]))
        self.start = self.first_moment(first)
        self.stop = self.first_moment(first + timedelta(days=days))
        self.first, self.days = first, days
        self.sent: list[dict] = []
        self.received: dict[tuple, list[dict]] = {}
        self.told: set[tuple[str, datetime]] = set()
        self.silent_for_ever: set[str] = set()
        self.stopped: set[tuple[str, datetime]] = set()
        self.postponed: set[tuple[str, datetime]] = set()
        self.resolved: set[tuple[str, datetime]] = set()
        self.lockouts: list[dict] = []
        self.waiting: list[tuple[datetime, date, str, datetime]] = []

    # Clocks, by looking at one after another.

    def local(self, moment: datetime) -> datetime:
        return moment.astimezone(self.zone).replace(tzinfo=None)

    def day_of(self, moment: datetime) -> date:
        return self.local(moment).date()

    def first_moment(self, day: date) -> datetime:
        moment = datetime(day.year, day.month, day.day, tzinfo=timezone.utc) - timedelta(hours=18)
        while self.day_of(moment) != day:
            moment += TICK
        return moment

    def clock_shows(self, day: date, text: str) -> datetime:
        """The first moment at which the clock shows it; if none does, as much later as the clock jumped."""
        hour, minute = map(int, text.split(":"))
        wanted = datetime(day.year, day.month, day.day, hour, minute)
        moment = wanted.replace(tzinfo=timezone.utc) - timedelta(hours=18)
        while self.local(moment) != wanted:
            following = moment + TICK
            if self.local(moment) < wanted < self.local(following):
                jump = self.local(following) - self.local(moment) - TICK
                shown = wanted + jump
                while self.local(moment) != shown:
                    moment += MINUTE
                return moment
            moment = following
        return moment

    # Who.

    def cell(self, login: str, column: str) -> str:
        return self.people[login].get(column, "")

    def expiry(self, login: str) -> datetime | None:
        text = self.cell(login, "password_expires_at")
        return instant(text) if text else None

    def closed(self, login: str) -> bool:
        return self.cell(login, "status") == "disabled" or self.cell(login, "account_type") == "service"

    def left_out(self, login: str, section: str) -> bool:
        rules = self.settings[section]
        if self.named(login, rules["exclude"]):
            return True
        return any(rules["include"].values()) and not self.named(login, rules["include"])

    def named(self, login: str, rule: dict) -> bool:
        groups = [same(group) for group in self.cell(login, "groups").split(";")]
        return (
            login in map(same, rule.get("logins", []))
            or any(same(group) in groups for group in rule.get("groups", []))
            or same(self.cell(login, "title")) in map(same, rule.get("titles", []))
            or same(self.cell(login, "department")) in map(same, rule.get("departments", []))
            or same(self.cell(login, "worker_type") or "employee") in map(same, rule.get("worker_types", []))
        )

    def hears_of_passwords(self, login: str) -> bool:
        return (
            not self.closed(login)
            and self.cell(login, "account_type") != "external"
            and self.cell(login, "never_expires").lower() != "true"
            and self.expiry(login) is not None
            and not self.left_out(login, "password")
        )

    # The period.

    def play(self) -> list[dict]:
        rules = self.settings["password"]
        dates = [self.first + timedelta(days=n) for n in range(-2, self.days + 1)]
        password_runs = {self.clock_shows(day, rules["send_at"]): day for day in dates}
        contractor_runs = {self.clock_shows(day, self.settings["contractor"]["send_at"]): day for day in dates}
        last_run = max(run for run in password_runs if run < self.start)
        self.before(last_run)
        moment = self.start
        at = 0
        expiries = {person.get("password_expires_at") for person in self.people.values()}
        for _, action in self.actions:
            expiries |= {action.get("password_expires_at"), action.get("set", {}).get("password_expires_at")}
        expiries = {instant(text) for text in expiries if text}
        while moment < self.stop:
            news = moment in expiries
            while at < len(self.actions) and instant(self.actions[at][1]["at"]) <= moment:
                action = self.actions[at][1]
                if instant(action["at"]) == moment:
                    self.act(action, moment)
                    news = True
                at += 1
            if rules["expired_notice"] == "immediately" and news:
                self.tell_expired(moment)
            self.tell_lockouts(moment)
            if moment in password_runs:
                self.tell_expired(moment)
                for login in self.people:
                    self.remind(login, password_runs[moment], moment)
            for _, day, login, expiry in [one for one in self.waiting if one[0] == moment]:
                if self.expiry(login) == expiry:
                    self.remind(login, day, moment)
            if moment in contractor_runs:
                self.tell_managers(contractor_runs[moment], moment)
            moment += TICK
        return [self.line(one) for one in sorted(self.sent, key=self.place)]

    def before(self, last_run: datetime) -> None:
        """Play what happened before, minding who was told of what when it expired."""
        immediately = self.settings["password"]["expired_notice"] == "immediately"
        history = [action for _, action in self.actions if instant(action["at"]) < self.start]
        for action in [*history, None]:
            until = instant(action["at"]) if action else self.start
            for login in self.people:
                expiry = self.expiry(login)
                heard = immediately and self.hears_of_passwords(login)
                if expiry and expiry < until and (expiry <= last_run or heard):
                    self.told.add((login, expiry))
            if action and action["action"] in ("password_changed", "update"):
                self.act(action, until)

    def act(self, action: dict, moment: datetime) -> None:
        login = same(action["login"])
        if action["action"] == "update":
            self.people[login].update(action["set"])
        elif action["action"] == "password_changed":
            self.change_password(login, moment)
            self.people[login]["password_expires_at"] = action["password_expires_at"] or ""
        elif action["action"] == "locked_out":
            seen = [one for one in self.lockouts if (one["login"], one["system"]) == (login, action["system"])]
            if not any(one["at"] == moment for one in seen):
                for one in seen:
                    one["stands"] = False
                self.lockouts.append(
                    {"login": login, "system": action["system"], "at": moment, "stands": True, "told": False}
                )
        elif action["action"] == "unlocked":
            for one in self.lockouts:
                if (one["login"], one["system"]) == (login, action["system"]):
                    one["stands"] = False
        else:
            self.answer(login, action["notice"], action["action"], moment)

    def change_password(self, login: str, moment: datetime) -> None:
        expiry = self.expiry(login)
        if expiry is None:
            return
        self.stopped.add((login, expiry))
        reminders = self.reminders_of(login, expiry)
        if reminders and moment - reminders[-1]["at"] <= timedelta(hours=24):
            self.resolve(login, expiry, "password_changed")

    def answer(self, login: str, kind: str, answer: str, moment: datetime) -> None:
        received = self.received.get((login, kind))
        if not received:
            return
        latest = received[-1]
        if kind == "contractor" and answer != "show_more" and self.day_of(moment) == self.day_of(latest["at"]):
            latest["resolved_by"] = latest["resolved_by"] or answer
        if kind == "password_reminder":
            expiry = latest["expiry"]
            if self.expiry(login) != expiry or moment >= expiry:
                return
            tracked = self.settings["password"]["mode"] == "automated"
            if answer == "remind_later":
                self.postponed.add((login, expiry))
            if answer == "do_not_remind":
                self.stopped.add((login, expiry))
                if self.settings["password"]["do_not_remind"] == "always":
                    self.silent_for_ever.add(login)
            if answer == "already_updated" or (answer == "link_click" and tracked):
                self.stopped.add((login, expiry))
                self.resolve(login, expiry, answer)

    def resolve(self, login: str, expiry: datetime, by: str) -> None:
        reminders = self.reminders_of(login, expiry)
        if reminders and (login, expiry) not in self.resolved:
            self.resolved.add((login, expiry))
            reminders[-1]["resolved_by"] = by

    def reminders_of(self, login: str, expiry: datetime) -> list[dict]:
        return [one for one in self.received.get((login, "password_reminder"), []) if one["expiry"] == expiry]

    # What is sent.

    def send(self, moment: datetime, kind: str, to: str | None, **more) -> None:
        person = self.people[to] if to else {}
        names = {"login": person.get("login"), "name": person.get("name") or None, "zone": person.get("time_zone")}
        self.sent.append({"at": moment, "kind": kind, "to": to, "resolved_by": None, **names, **more})
        self.received.setdefault((to, kind), []).append(self.sent[-1])

    def tell_expired(self, moment: datetime) -> None:
        for login in self.people:
            expiry = self.expiry(login)
            if self.hears_of_passwords(login) and expiry <= moment and (login, expiry) not in self.told:
                self.told.add((login, expiry))
                self.send(moment, "password_expired", login, expiry=expiry)

    def remind(self, login: str, day: date, moment: datetime) -> None:
        if not self.hears_of_passwords(login):
            return
        rules = self.settings["password"]
        expiry = self.expiry(login)
        if expiry <= moment or (login, expiry) in self.stopped or login in self.silent_for_ever:
            return
        ends = self.day_of(expiry)
        last = ends - timedelta(days=1)
        if not rules["weekend_reminders"]:
            while last.strftime("%a") in ("Sat", "Sun"):
                last -= timedelta(days=1)
        if day != last:
            if (login, expiry) in self.postponed:
                return
            if (ends - day).days not in self.reminder_days():
                return
            if not rules["weekend_reminders"] and day.strftime("%a") in ("Sat", "Sun"):
                return
        earlier = self.reminders_of(login, expiry)
        if rules["mode"] == "instructions" and earlier:
            over = earlier[-1]["at"] + timedelta(hours=24)
            if moment < over < expiry and self.day_of(over) == self.day_of(moment):
                self.waiting.append((over, day, login, expiry))
                return
        self.send(moment, "password_reminder", login, expiry=expiry)

    def reminder_days(self) -> list[int]:
        rules = self.settings["password"]
        days = [rules["first_notification_day"]]
        while days[-1] > 1:
            if rules["mode"] == "instructions" and rules["follow_up"] == "daily":
                days.append(days[-1] - 1)
            else:
                days.append(int(days[-1] / 2 + 0.5))
        return days

    def tell_managers(self, day: date, moment: datetime) -> None:
        messages: dict[str | None, list] = {}
        for login in self.people:
            text = self.cell(login, "contract_ends_on")
            if not text or self.closed(login) or self.left_out(login, "contractor"):
                continue
            if (date.fromisoformat(text) - day).days in (14, 7, 4, 2, 1):
                manager = same(self.cell(login, "manager_login"))
                if manager not in self.people or self.closed(manager) or manager == login:
                    manager = None
                messages.setdefault(manager, []).append((text, login, self.people[login]["login"]))
        for manager, workers in messages.items():
            self.send(moment, "contractor", manager, workers=sorted(workers))

    def tell_lockouts(self, moment: datetime) -> None:
        rules = self.settings["lockout"]
        open_ones = [one for one in self.lockouts if one["stands"] and not one["told"]]
        for lockout in sorted(open_ones, key=lambda one: one["at"]):
            login = lockout["login"]
            if self.closed(login):
                continue
            times = [one["at"] for one in self.received.get((login, "lockout"), [])]
            recent = [time for time in times if moment - time < timedelta(hours=rules["window_hours"])]
            near = [time for time in times if moment - time < timedelta(hours=rules["gap_hours"])]
            if len(recent) < rules["max_notifications"] and not near:
                lockout["told"] = True
                if self.left_out(login, "lockout"):
                    continue
                self.send(moment, "lockout", login, system=lockout["system"], locked=lockout["at"])

    # How it is written.

    def place(self, one: dict):
        return one["at"], one["kind"], one["to"] or ""

    def stamp(self, moment: datetime, zone: ZoneInfo) -> str:
        return moment.astimezone(zone).isoformat()

    def line(self, one: dict) -> dict:
        line = {"sent_at": self.stamp(one["at"], self.zone), "kind": one["kind"]}
        line |= {"login": one["login"], "name": one["name"]}
        today = self.day_of(one["at"])
        if one["kind"] == "lockout":
            return {**line, "system": one["system"], "locked_at": self.stamp(one["locked"], self.zone)}
        if one["kind"] == "contractor":
            workers = [
                {"login": login, "contract_ends_on": ends, "days_before": (date.fromisoformat(ends) - today).days}
                for ends, _, login in one["workers"]
            ]
            pages, left, shown = [], len(workers), self.settings["contractor"]["max_shown"]
            while left > 0:
                pages.append(left if shown == "all" else min(shown, left))
                left -= pages[-1]
            soonest = min(worker["days_before"] for worker in workers)
            line |= {"days_before": soonest, "workers": workers, "pages": pages}
        else:
            line["days_before"] = (self.day_of(one["expiry"]) - today).days
            line["expires_at"] = self.stamp(one["expiry"], ZoneInfo(one["zone"]) if one["zone"] else self.zone)
        if one["kind"] != "password_expired":
            line["resolved_by"] = one["resolved_by"]
        return line
