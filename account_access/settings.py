"""settings.yml, read and checked at start: every error names the file, the key and the remedy.

Each process loads only the sections it needs, so that `${NAME}` values (its secrets) are expanded for those alone
(law 3). Keys and defaults are documented on the fields below; docs/settings.md is checked against them.
"""

import os
import re
from collections.abc import Iterable, Mapping
from datetime import time
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, Field, SecretStr, StrictBool, ValidationError, validator
from pydantic.error_wrappers import ErrorWrapper
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from account_access import pace, plain_yaml, setting_values, zones
from account_access.connectors.base import CODE_KINDS, SENT_CODES, FactorKind
from account_access.policy import VERIFICATIONS
from account_access.spelling import did_you_mean

CENTURY = 876_600  # hours
SECRET_KEYS = frozenset({"token", "secret", "client_secret", "cookie_secret", "link_secret", "password", "api_key"})
_NOT_JOINED = (
    "{first}, the first system, is what accounts of the others are joined to, by its directory; "
    "delete joined_by, or put a system of type okta first"
)
_VARIABLE = re.compile(r"^\$\{([A-Z][A-Z0-9_]*)\}$")


class SettingsError(Exception):
    """What is wrong with a settings file: one line an error, each with file, key and remedy."""

    def __init__(self, lines: Iterable[str]):
        self.lines = list(lines)
        super().__init__("\n".join(self.lines))


class Section(BaseModel):
    class Config:
        extra = "forbid"


class ClockSection(Section):
    offset_file: Path | None = Field(
        None, description="Rehearsals only: a file with the seconds by which every process is ahead of the time."
    )


class StoreSection(Section):
    url: str = Field(
        "sqlite:///var/store.db",
        description="SQLAlchemy address of the store; a password in it only by ${…}.",
    )

    @validator("url")
    def _database_address(cls, value: str) -> str:
        try:
            make_url(value)
        except ArgumentError:
            # The value may hold a password: it is not repeated.
            raise ValueError("is not a database address; write e.g. sqlite:///var/store.db")
        return value


class SignInSection(Section):
    issuer: str = Field(
        ...,
        description="The organisation's OpenID Connect issuer, exactly as it names itself.",
    )
    client_id: str = Field(..., description="Our client at that issuer.")
    client_secret: SecretStr = Field(..., description="Its secret, as ${NAME}.")
    scopes: list[str] = Field(["openid", "profile", "email"], description="Scopes asked for.")
    max_hours: float = Field(
        12,
        gt=0,
        le=24,
        description="Hours after sign-in at which a chat session ends at the latest; at most 24.",
    )

    @validator("issuer")
    def _protected(cls, value: str) -> str:
        return setting_values.web_address(value)


class DoorSection(Section):
    listen: str = Field("127.0.0.1:8000", description="Address and port of the only public listener.")
    url: str = Field("http://127.0.0.1:8000", description="What people type into the browser.")
    organisation: str = Field("Acme", description="Shown in the page's header.")
    rasa_url: str = Field("http://127.0.0.1:5005", description="Rasa, on loopback or an internal network.")
    secret: SecretStr = Field(..., description="Shared by door and Rasa's channel, as ${NAME}.")
    cookie_secret: SecretStr = Field(..., description="Signs the short sign-in cookie, as ${NAME}.")
    actions_url: str = Field(
        "http://127.0.0.1:5055",
        description="The action server, on loopback or an internal network; mints links and checks codes.",
    )
    link_secret: SecretStr | None = Field(
        None,
        description="Shared with the action server (its LINK_SECRET) to mint links and check codes, as ${NAME}.",
    )
    sign_in: SignInSection

    @validator("url")
    def _protected(cls, value: str) -> str:
        return setting_values.web_address(value)

    @validator("listen")
    def _host_and_port(cls, value: str) -> str:
        return setting_values.host_and_port(value, "127.0.0.1:8000")


class AttributesSection(Section):
    """Which attributes of the system's profiles tell what; where an attribute is missing, nothing is known."""

    worker_type: str = Field("userType", description="The attribute with the kind of worker: Contractor, Intern …")
    manager: str = Field(
        "managerId",
        description="The attribute that names a person's manager: by id, login, address or employee number.",
    )
    contract_end: str = Field(
        "contractEndDate", description="The attribute with the last day of a contract, YYYY-MM-DD (C3)."
    )
    employee_number: str = Field(
        "employeeNumber",
        description="The attribute with the employee number; nobody may write it but administrators (`joined_by`).",
    )


class SystemSection(Section):
    """One identity system."""

    type: str = Field(
        "okta",
        description="Which connector: okta, or instructions (no connector, people get an article).",
    )
    name: str = Field(..., description="What people call it.")
    url: str | None = Field(None, description="Its address, without a path.")
    token: SecretStr | None = Field(None, description="Its API token, as ${NAME}.")
    portal_url: str | None = Field(None, description="Where people go by browser.")
    aliases: list[str] = Field([], description="What else people call it, e.g. [SSO]; compared without case.")
    password_url: str | None = Field(
        None, description="Where a forgotten password is made anew, if not at portal_url (P2)."
    )
    password_reset: str = Field(
        "portal",
        description="portal: a link to it; minted: a one-time link, at the owner's press; or instructions (P2, P5).",
    )
    enrolment_url: str | None = Field(None, description="Where people set up MFA; without it, portal_url (M3).")
    unlock: str = Field(
        "automated",
        description="automated, or instructions: tell people how, do not act (I1, I2).",
    )
    mfa: str = Field("automated", description="automated, or instructions: tell people how, do not act (M5).")
    connect_timeout: float = Field(2, gt=0, le=8, description="Seconds until a connection has to stand; at most 8.")
    read_timeout: float = Field(6, gt=0, le=8, description="Seconds until an answer has to come; at most 8.")
    workers: int = Field(8, ge=1, le=64, description="At most so many calls at once to this system.")
    protected_groups: frozenset[str] = Field(
        frozenset({"Okta Administrators"}),
        description="Groups whose members always go to a human, by their whole names.",
    )
    attributes: AttributesSection = AttributesSection()
    joined_by: str | None = Field(
        None,
        description="employee_number: an account is the person's who alone has its number in the first system; "
        "without it, each is a person of its own, who cannot sign in (U9).",
    )
    service_types: list[str] = Field(
        ["Service"], description="Kinds of worker that are service accounts: nobody reads what they are sent (E14)."
    )

    @validator("type")
    def _known_type(cls, value: str) -> str:
        return setting_values.one_of(value, ("okta", "instructions"))

    @validator("joined_by")
    def _known_attribute(cls, value: str | None) -> str | None:
        return setting_values.one_of(value, ("employee_number",)) if value is not None else value

    @validator("unlock", "mfa")
    def _known_mode(cls, value: str) -> str:
        return setting_values.one_of(value, ("automated", "instructions"))

    @validator("password_reset")
    def _known_way(cls, value: str) -> str:
        return setting_values.one_of(value, ("portal", "minted", "instructions"))

    @validator("aliases", pre=True)
    def _texts(cls, value: Any) -> list[str]:
        return setting_values.texts(value)

    @validator("portal_url", "password_url")
    def _web_address(cls, value: str | None) -> str | None:
        return setting_values.web_address(value) if value else value

    @validator("url", always=True)
    def _address(cls, value, values):
        if values.get("type") == "okta" and not value:
            raise ValueError("is needed by a system of type okta; add url: https://YOUR-ORG.okta.com")
        return setting_values.web_address(value) if value else value

    @validator("token", always=True)
    def _credential(cls, value, values):
        if values.get("type") == "okta" and value is None:
            raise ValueError("is needed by a system of type okta; add token: ${OKTA_TOKEN}")
        return value


class LinksSection(Section):
    """How long a link that the assistant gave leads to the page where a password is made (P5)."""

    days: float = Field(3, gt=0, le=30, description="Days within which it has to be clicked.")
    minutes: float = Field(5, gt=0, le=1440, description="Minutes for which it leads on after the first click.")


class KnowledgeSection(Section):
    """Articles with instructions (docs/articles.md)."""

    folder: str | None = Field(
        None, description="Folder of Markdown files, from where the processes are started; none: no articles."
    )
    words: dict[str, str] = Field(
        {}, description="The organisation's own words: an article's {help_desk} becomes the value of help_desk."
    )


class WhoSection(Section):
    """People, by what the directory tells of them; every value is compared whole and without case."""

    logins: list[str] = Field([], description="Logins.")
    groups: list[str] = Field([], description="Names of groups.")
    titles: list[str] = Field([], description="Titles.")
    departments: list[str] = Field([], description="Departments.")
    worker_types: list[str] = Field([], description="Worker types; who has none is an employee.")

    @validator("*", pre=True)
    def _texts(cls, value: Any) -> list[str]:
        return setting_values.texts(value)


class IncludeSection(WhoSection):
    """Whoever one of its values names; everybody where there is none."""

    @validator("*")
    def _somebody(cls, value: list[str]) -> list[str]:
        # A rule that says nobody by mistake would be one that says everybody.
        if any(not text.strip() for text in value):
            raise ValueError(f"{value!r} has an empty value; write a name, or [] for everybody")
        return value


class Audienced(Section):
    """Base of what one kind of notice has settings for: who is told, and who never, whoever is told."""

    include: IncludeSection = Field(
        IncludeSection(), description="Who is told: whoever one of its values names; without any, everybody."
    )
    exclude: WhoSection = Field(
        WhoSection(), description="Who is left out: whoever one of its values names, also where `include` names them."
    )


class LockoutSection(Audienced):
    """Looking for lockouts; who is told of theirs unasked, and how often. Whoever is left out may still ask (U1)."""

    poll_seconds: float = Field(30, ge=1, le=3600, description="Seconds between two looks for locked accounts (N1).")
    overlap_seconds: float = Field(
        120, ge=0, description="Seconds: without a cursor, events are read from so long before the last look."
    )
    look_back_hours: float = Field(
        24, gt=0, description="Hours: after an outage, events are read from so far back at most."
    )
    max_notifications: int = Field(
        4, ge=0, description="Lockout notices to one person in the window, over all systems (N6); 0 turns them off."
    )
    window_hours: float = Field(24, gt=0, le=CENTURY, description="Hours of that rolling window.")
    gap_hours: float = Field(
        6, ge=0, le=CENTURY, description="Hours between two lockout notices to one person, at least (N6)."
    )

    repeat_hours: float = Field(
        0, ge=0, le=CENTURY, description="Hours after which a lockout that still stands is told again; 0: never (N9)."
    )
    no_silences: StrictBool = Field(
        True, description="Whether a No to a lockout notice silences that lockout for good (N4)."
    )

    @validator("max_notifications", pre=True)
    def _whole(cls, value: Any) -> int:
        return setting_values.whole_number(value)

    @validator("window_hours", "gap_hours", "repeat_hours", pre=True)
    def _number(cls, value: Any) -> float:
        return setting_values.number(value)


class PasswordSection(Audienced):
    """Reminders before a password expires, and the notice after it: both for the same people (E9)."""

    first_notification_day: int = Field(
        14,
        ge=1,
        le=365,
        description="Days before the expiry at which reminders begin; then half as many, and so on (E2).",
    )
    send_at: time = Field("10:00", description="When the daily run is, in the configured zone; HH:MM (E1).")
    weekend_reminders: StrictBool = Field(
        True,
        description="Whether to remind on Saturdays and Sundays; a last reminder then goes out on the Friday (E7).",
    )
    mode: str = Field(
        "automated",
        description="automated: a tracked link that resolves; or instructions: none, and 24 h between reminders (E11).",
    )
    follow_up: str = Field(
        "cadence", description="cadence; or, in instructions mode, daily: every day from the first notification day on."
    )
    do_not_remind: str = Field(
        "this_expiry", description="What Do not remind me again silences: this_expiry, or always (E5)."
    )
    expired_notice: str = Field(
        "next_run", description="When people hear that it has expired: next_run, or immediately (E9)."
    )

    @validator("first_notification_day", pre=True)
    def _whole(cls, value: Any) -> int:
        return setting_values.whole_number(value)

    @validator("send_at", pre=True, always=True)
    def _clock_time(cls, value: Any) -> time:
        return setting_values.time_of_day(value)

    @validator("mode", pre=True)
    def _known_mode(cls, value: Any) -> str:
        return setting_values.one_of(value, ("automated", "instructions"))

    @validator("follow_up", pre=True)
    def _known_follow_up(cls, value: Any) -> str:
        return setting_values.one_of(value, ("cadence", "daily"))

    @validator("do_not_remind", pre=True)
    def _known_silence(cls, value: Any) -> str:
        return setting_values.one_of(value, ("this_expiry", "always"))

    @validator("expired_notice", pre=True)
    def _known_moment(cls, value: Any) -> str:
        return setting_values.one_of(value, ("next_run", "immediately"))


class ContractorSection(Audienced):
    """Reminders to managers that a contract ends; their days, 14, 7, 4, 2 and 1, are fixed (C1).

    `include` and `exclude` are of workers, not of managers (C11).
    """

    send_at: time = Field("11:00", description="When the daily run is, in the configured zone; HH:MM (C2).")
    max_shown: int | str = Field(
        4, description="Workers shown at first and after each Show more: 1 or more, or all (C9)."
    )
    admins: list[str] = Field(
        [], description="Logins of those who hear of workers whose manager is gone (C13); without any, the log tells."
    )

    @validator("send_at", pre=True, always=True)
    def _clock_time(cls, value: Any) -> time:
        return setting_values.time_of_day(value)

    @validator("max_shown", pre=True)
    def _shown(cls, value: Any) -> int | str:
        if value != "all" and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
            raise ValueError(f"{value!r} is not a number of workers; write 1 or more, or all")
        return value


class UnlockSection(Section):
    max_per_window: int = Field(
        3, ge=0, description="Self-service unlocks of one person and system in the window (U10)."
    )
    window_hours: float = Field(24, gt=0, description="Hours of that rolling window.")


class BreakerSection(Section):
    """When self-service stops for everybody on one system (X11)."""

    max_lockouts: int = Field(50, ge=1, description="Lockouts in the window that one system may have.")
    max_acts: int = Field(20, ge=1, description="Self-service acts in the window that one system may have.")
    window_minutes: float = Field(10, gt=0, le=1440, description="Minutes of that rolling window.")
    quiet_minutes: float = Field(
        30, gt=0, le=CENTURY, description="Minutes below both limits after which self-service begins again by itself."
    )


class MailSection(Section):
    """Telling the owner of an account by mail what was done to it."""

    server: str | None = Field(None, description="SMTP server as HOST:PORT; without one no mail is sent.")
    security: str = Field("starttls", description="starttls, tls, or none: only for a server on this machine.")
    sender: str | None = Field(None, description="The address that mails come from; needed with a server.")
    user: str | None = Field(None, description="User name at the server, if it wants one.")
    password: SecretStr | None = Field(None, description="Its password, as ${NAME}.")

    @validator("server")
    def _host_and_port(cls, value: str | None) -> str | None:
        return setting_values.host_and_port(value, "smtp.example.com:587") if value else value

    @validator("security")
    def _protected(cls, value: str, values) -> str:
        setting_values.one_of(value, ("starttls", "tls", "none"))
        host = (values.get("server") or "localhost").rpartition(":")[0] or "localhost"
        if value == "none" and not setting_values.is_loopback(host):
            raise ValueError("would send mails in clear; write starttls or tls")
        return value

    @validator("sender", always=True)
    def _needed(cls, value: str | None, values) -> str | None:
        if values.get("server") and not value:
            raise ValueError("is needed with mail.server; write e.g. account-access@example.com")
        return value


class MfaSection(Section):
    """Resetting one's own MFA."""

    mode: str = Field("both", description="What people may choose: one_by_one, all factors at once, or both (M4).")
    resettable: list[str] = Field(
        [kind.value for kind in FactorKind],
        description="Kinds of factors that may be reset; others go to a human (M4).",
    )
    verification: str = Field(
        "fresh_session",
        description="Who may: automatic, fresh_session, code, manager_approval, or human (M7, M9).",
    )
    verification_by_group: dict[str, str] = Field(
        {}, description="The same for members of these groups, by their exact names; the strictest one counts."
    )
    fresh_hours: float = Field(
        12, gt=0, le=CENTURY, description="Hours after its sign-in for which a session counts as fresh (M7)."
    )
    approval_minutes: float = Field(
        30, gt=0, le=1440, description="Minutes a manager has to approve a reset; at most a day (M9)."
    )
    code_factors: list[str] = Field(
        [kind.value for kind in CODE_KINDS if kind not in SENT_CODES],
        description="Kinds of factors whose code is believed; sms, call and email may be added.",
    )
    code_factor_hours: float = Field(
        24, ge=0, le=CENTURY, description="Hours that a factor must have been enrolled before its code is believed."
    )
    code_minutes: float = Field(10, gt=0, le=60, description="Minutes in which the code has to be entered; at most 60.")
    code_tries: int = Field(
        4, ge=1, le=20, description="Codes that one person may type or have sent in the window, right ones apart."
    )
    max_per_window: int = Field(
        2,
        ge=0,
        description="Self-service resets of one person and system in the window, and how often a manager may be asked "
        "for them in vain (M9).",
    )
    window_hours: float = Field(24, gt=0, le=CENTURY, description="Hours of that rolling window.")
    end_sessions: StrictBool = Field(
        False, description="Whether a reset ends every session of the account, that of the chat too (M7)."
    )

    @validator("mode")
    def _known_mode(cls, value: str) -> str:
        return setting_values.one_of(value, ("both", "all", "one_by_one"))

    @validator("resettable", each_item=True)
    def _known_kind(cls, value: str) -> str:
        return setting_values.one_of(value, tuple(kind.value for kind in FactorKind))

    @validator("code_factors", each_item=True)
    def _gives_codes(cls, value: str) -> str:
        return setting_values.one_of(value, tuple(kind.value for kind in CODE_KINDS))

    @validator("verification")
    def _known_way(cls, value: str) -> str:
        return setting_values.one_of(value, VERIFICATIONS)

    @validator("verification_by_group")
    def _known_ways(cls, value: dict[str, str]) -> dict[str, str]:
        return {group: setting_values.one_of(way, VERIFICATIONS) for group, way in value.items()}


class DeskSection(Section):
    type: str = Field("local", description="Where tickets go: local keeps them in the store.")
    prefix: str = Field("AA", description="Letters in front of a ticket's number.")

    @validator("type")
    def _known_type(cls, value: str) -> str:
        return setting_values.one_of(value, ("local",))


class ConversationSection(Section):
    turn_deadline_seconds: float = Field(
        8,
        gt=0,
        le=30,
        description="Seconds after which the person hears that we are still trying; at most 30.",
    )
    offer_hours: float = Field(
        24, gt=0, le=24, description="Hours for which a button answers a question, at most 24; a typed yes two (X12)."
    )


class SchedulersSection(Section):
    rasa_url: str = Field("http://127.0.0.1:5005", description="Rasa, on loopback or an internal network.")
    secret: SecretStr = Field(..., description="Shared by schedulers and Rasa's channel, as ${NAME}.")
    sync_minutes: float = Field(15, gt=0, description="Minutes between two readings of the directory's people.")
    concurrency: int = Field(8, ge=1, le=64, description="At most so many notices are delivered at once.")
    per_minute: dict[str, int | None] = Field(
        pace.DEFAULTS,
        description="At most so many go out a minute by each surface (web: the chat's notices; mail); none: no limit.",
    )

    @validator("per_minute", pre=True)
    def _surfaces(cls, value: Any) -> dict[str, int | None]:
        if not isinstance(value, dict):
            raise ValueError(f"{value!r} is no list of surfaces; write e.g. {{mail: 30}}")
        for surface, limit in value.items():
            setting_values.one_of(surface, pace.SURFACES)
            if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
                raise ValueError(f"{surface}: {limit!r} is no limit; write a whole number of at least 1, or none")
        # A surface that is not named keeps its default.
        return {**pace.DEFAULTS, **value}


class ProcessesSection(Section):
    """What `make run` starts beside Rasa, actions, door and schedulers."""

    sandbox: bool = Field(False, description="Also start the sandbox organisation; for trying things out.")


class Settings(Section):
    """The whole file; a section that a process did not ask for is None."""

    time_zone: str = Field("America/Los_Angeles", description="Decides dates and send times; an IANA name.")
    processes: ProcessesSection = ProcessesSection()
    clock: ClockSection = ClockSection()
    store: StoreSection = StoreSection()
    conversation: ConversationSection = ConversationSection()
    knowledge: KnowledgeSection = KnowledgeSection()
    door: DoorSection | None = None
    systems: dict[str, SystemSection] = {}
    password: PasswordSection = PasswordSection()
    contractor: ContractorSection = ContractorSection()
    lockout: LockoutSection = LockoutSection()
    unlock: UnlockSection = UnlockSection()
    breaker: BreakerSection = BreakerSection()
    mail: MailSection = MailSection()
    links: LinksSection = LinksSection()
    mfa: MfaSection = MfaSection()
    desk: DeskSection = DeskSection()
    schedulers: SchedulersSection | None = None

    @validator("systems")
    def _joined_to_the_first(cls, value: dict[str, SystemSection]) -> dict[str, SystemSection]:
        first = next(iter(value), None)
        for key, section in value.items():
            if section.joined_by and (key == first or value[first].type != "okta"):
                problem = ValueError(_NOT_JOINED.format(first=first))
                raise ValidationError([ErrorWrapper(problem, loc=(key, "joined_by"))], cls)
        return value

    @validator("time_zone")
    def _known_zone(cls, value: str) -> str:
        if zones.find(value) is None:
            raise ValueError(f"{value!r} is not a time zone; write e.g. America/Los_Angeles")
        return value


ALWAYS = ("time_zone", "processes", "clock", "store", "conversation", "knowledge")
SECTIONS = {
    "door": ("door",),
    "actions": ("systems", "password", "contractor", "lockout", "unlock", "mfa", "links", "breaker", "desk"),
    "schedulers": (
        *("systems", "password", "contractor", "lockout", "unlock", "mfa", "links", "breaker", "mail", "desk"),
        "schedulers",
    ),
    "channel": (),
}
# What decides who is told what and when; no secret among them.
PLANNING = ("time_zone", "password", "contractor", "lockout")


def load(path: str | Path, process: str, environment: Mapping[str, str] = os.environ) -> Settings:
    """The checked settings for one process (`door`, `actions`, `schedulers` or `channel`).

    Raises SettingsError with every error of the file. Sections of other processes are checked by those.
    """
    raw = read(path)
    required = [name for name in SECTIONS[process] if name in ("door", "schedulers") and raw.get(name) is None]
    missing = [(name, "is missing; copy the section from docs/settings.md") for name in required]
    return _checked(path, raw, ALWAYS + SECTIONS[process], missing, environment)


def load_planning(path: str | Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """The time zone and the sections that planning reads, the others at their defaults and unread.

    Raises SettingsError with every error of those, and every unknown section.
    """
    return _checked(path, read(path), PLANNING, [], environment)


def _checked(
    path: str | Path,
    raw: Mapping[str, Any],
    wanted: tuple[str, ...],
    missing: list[tuple[str, str]],
    environment: Mapping[str, str],
) -> Settings:
    expanded, problems = _expand({key: value for key, value in raw.items() if key in wanted}, (), environment)
    problems += _unknown(raw) + missing
    settings = None
    try:
        settings = Settings(**expanded)
    except ValidationError as error:
        failed = {key for key, _ in problems}
        problems += [p for p in (_problem(e, expanded) for e in error.errors()) if p[0] not in failed]
    if problems:
        raise SettingsError(f"{path}: {key}: {text}" for key, text in problems)
    return settings


def check(path: str | Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """Loads the file as every process would; raises SettingsError with all their errors. For the launcher."""
    lines: list[str] = []
    loaded = None
    # A process last: what it loads has the sections that every process has, the store's address among them.
    for process in (None, *SECTIONS):
        try:
            loaded = load(path, process, environment) if process else load_planning(path, environment)
        except SettingsError as error:
            lines += [line for line in error.lines if line not in lines]
    if lines:
        raise SettingsError(lines)
    return loaded


def read(path: str | Path) -> dict[str, Any]:
    """The file as it stands, nothing expanded. Raises SettingsError if it is absent or no mapping."""
    try:
        raw = plain_yaml.load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError([f"{path}: not found; create it or point SETTINGS at yours"])
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError([f"{path}: cannot be read ({error}); check its permissions and encoding (UTF-8)"])
    except plain_yaml.KeyTwice as error:
        raise SettingsError(
            [f"{path}:{error.problem_mark.line + 1}: {error.problem}: is there twice; keep one of them"]
        )
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f":{where.line + 1}: line" if where else ""
        raise SettingsError([f"{path}{line}: not YAML ({getattr(error, 'problem', error)}); check the indentation"])
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        raise SettingsError([f"{path}: is not a list of `key: value` sections; see docs/settings.md"])
    return raw


def _expand(value: Any, at: tuple[str, ...], environment: Mapping[str, str]):
    """Replaces whole-value `${NAME}`; returns the value and the problems found, as (key, text)."""
    if isinstance(value, dict):
        out, problems = {}, []
        for key, item in value.items():
            out[key], more = _expand(item, (*at, str(key)), environment)
            problems += more
        return out, problems
    if isinstance(value, list):
        pairs = [_expand(item, (*at, str(i)), environment) for i, item in enumerate(value)]
        return [v for v, _ in pairs], [p for _, ps in pairs for p in ps]
    if not isinstance(value, str):
        if _is_secret(at) and value is not None:
            return value, [
                (
                    ".".join(at),
                    "is given in clear; put it into a variable and write ${NAME}",
                )
            ]
        return value, []
    return _expand_text(value, at, environment)


def _is_secret(at: tuple[str, ...]) -> bool:
    """By the key's name; the section `password` is none, it is about other people's."""
    return len(at) > 1 and at[-1] in SECRET_KEYS


def _expand_text(value: str, at: tuple[str, ...], environment: Mapping[str, str]):
    key = ".".join(at)
    match = _VARIABLE.match(value)
    if match:
        name = match.group(1)
        if not environment.get(name):
            return value, [
                (
                    key,
                    f"${{{name}}} is not set in the environment; set {name} and start again",
                )
            ]
        return environment[name], []
    if "${" in value:
        return value, [
            (
                key,
                "${…} inside a longer text would stay literal; make the whole value one ${NAME}",
            )
        ]
    if _is_secret(at):
        return value, [(key, "is given in clear; put it into a variable and write ${NAME}")]
    if re.search(r"://[^/@\s:]+:[^/@\s]+@", value):
        return value, [
            (
                key,
                "has a password in clear; put the whole address into a variable and write ${NAME}",
            )
        ]
    return value, []


def _unknown(raw: Mapping[str, Any]) -> list[tuple[str, str]]:
    known = list(Settings.__fields__)
    return [(str(key), _unknown_key(str(key), known)) for key in raw if key not in known]


def _unknown_key(key: str, known: list[str]) -> str:
    return f"unknown key; {did_you_mean(key, known)}"


def _problem(error: Mapping[str, Any], given: Any) -> tuple[str, str]:
    """The key and what is wrong with it; `given` are the sections as they were given."""
    location = [str(part) for part in error["loc"]]
    key = ".".join(location)
    if error["type"] == "value_error.extra":
        return key, _unknown_key(location[-1], _fields_beside(location))
    if error["type"] == "value_error.missing":
        return key, "is missing; see docs/settings.md for what to write"
    message = error["msg"]
    return key, message if ";" in message else f"{_told(location, given)}{message}; see docs/settings.md"


def _told(location: list[str], given: Any) -> str:
    """The value at fault in front of a message that does not have it; never one that could be secret."""
    for part in location:
        given = given.get(part) if isinstance(given, dict) else None
    plain = isinstance(given, str | int | float) and location[0] in PLANNING
    return f"{given!r} is not allowed: " if plain else ""


def _fields_beside(location: list[str]) -> list[str]:
    """The keys that would be known where an unknown one stands."""
    model = Settings
    for part in location[:-1]:
        field = model.__fields__.get(part) if model else None
        if field is not None and isinstance(field.type_, type) and issubclass(field.type_, BaseModel):
            model = field.type_
    return list(model.__fields__)
