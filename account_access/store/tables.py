"""Every table of the store, with the unique keys that make retries harmless.

Instants are kept as UTC in `Instant` columns and come back aware.
"""

from datetime import datetime, timezone

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    true,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(TypeDecorator):
    """An aware UTC datetime; a naive one is a mistake and refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect):
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("only aware datetimes are stored")
        return value.astimezone(timezone.utc)

    def process_result_value(self, value: datetime | None, dialect):
        if value is None:
            return None
        return value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value.astimezone(timezone.utc)


def _person(**options) -> Column:
    return Column("person_id", String(36), ForeignKey("people.id"), nullable=False, **options)


# Who there is, read from the directories by the schedulers; `accounts` says which account in which system is whose.
people = Table(
    "people",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("login", String(320), nullable=False),
    Column("email", String(320)),
    Column("name", String(200)),
    Column("given_name", String(100)),
    Column("time_zone", String(64)),
    Column("active", Boolean, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("second_email", String(320), comment="another address of the owner, where acts are told as well (M7)"),
    Column(
        "main",
        Boolean,
        nullable=False,
        server_default=true(),
        comment="of the main system's directory: a first sign-in may be linked to them",
    ),
    Index("ix_people_email", "email"),
)
accounts = Table(
    "accounts",
    metadata,
    Column("system", String(64), primary_key=True),
    Column("external_id", String(200), primary_key=True),
    _person(index=True),
    Column("login", String(320), nullable=False),
    Column("active", Boolean, nullable=False, server_default=true(), comment="in its own directory, whoever's it is"),
    Column(
        "own_person_id",
        String(36),
        ForeignKey("people.id"),
        comment="the person of its own, waiting while it is joined to another; null while it is not",
    ),
    Column(
        "joined_number",
        String(100),
        comment="by which it was last joined; as long as it has it, that means joined_person_id alone",
    ),
    Column("joined_person_id", String(36), ForeignKey("people.id")),
)
# What the directory tells of an account beyond who it is: what reminders are planned from.
directory_facts = Table(
    "directory_facts",
    metadata,
    Column("system", String(64), primary_key=True),
    Column("external_id", String(200), primary_key=True),
    _person(index=True),
    Column("status", String(12), nullable=False, comment="active, locked or disabled"),
    Column("account_type", String(12), nullable=False, comment="person, service or external"),
    Column("title", String(200)),
    Column("department", String(200)),
    Column("worker_type", String(100)),
    Column("manager_login", String(320)),
    Column("contract_ends_on", Date),
    Column("groups", JSON, nullable=False, comment="of those that the settings ask for"),
    Column("password_changed_at", Instant),
    Column("password_expires_at", Instant, comment="null and not never_expires: nobody knows"),
    Column("never_expires", Boolean, nullable=False),
    Column("changed_at", Instant, nullable=False, comment="when we first read it so"),
    Column("employee_number", String(100)),
    Index("ix_directory_facts_system_password_expires_at", "system", "password_expires_at"),
    Index("ix_directory_facts_system_contract_ends_on", "system", "contract_ends_on"),
    Index("ix_directory_facts_system_employee_number", "system", "employee_number"),
)
identities = Table(
    "identities",
    metadata,
    Column("issuer", String(300), primary_key=True),
    Column("subject", String(300), primary_key=True),
    _person(index=True),
    Column("linked_at", Instant, nullable=False),
)
sessions = Table(
    "sessions",
    metadata,
    Column("id", String(64), primary_key=True, comment="sha256 of the cookie's token"),
    _person(index=True),
    Column("issuer", String(300), nullable=False),
    Column("subject", String(300), nullable=False),
    Column("provider_sid", String(300), index=True),
    Column("csrf", String(64), nullable=False),
    Column("auth_time", Instant, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("revoked_because", String(100)),
)

# One conversation a person; last_seq orders everything they see, in both directions.
conversations = Table(
    "conversations",
    metadata,
    Column("person_id", String(36), ForeignKey("people.id"), primary_key=True),
    Column("last_seq", Integer, nullable=False),
)
inbound = Table(
    "inbound",
    metadata,
    Column("id", String(36), primary_key=True),
    _person(),
    Column("seq", Integer, nullable=False),
    Column(
        "key",
        String(100),
        nullable=False,
        comment="the client's own, so that a repeated send is one message",
    ),
    Column("surface", String(20), nullable=False),
    Column("kind", String(10), nullable=False, comment="text or click"),
    Column(
        "text",
        Text,
        nullable=False,
        comment="as typed, redacted; for a click the button's title",
    ),
    Column("redacted", Boolean, nullable=False),
    Column("offer_id", String(36)),
    Column("answer_id", String(40)),
    Column(
        "click_of",
        String(80),
        unique=True,
        comment="offer and answer: the same click twice is one message",
    ),
    Column(
        "answerable",
        JSON,
        nullable=False,
        comment="ids of the offers a typed answer may concern (X12)",
    ),
    Column("auth_time", Instant, comment="when its session signed in; null where the surface cannot tell"),
    Column("session_id", String(64), comment="the session it came by; null where the surface has none"),
    Column("received_at", Instant, nullable=False),
    Column("state", String(10), nullable=False, comment="accepted, answered or failed"),
    Column("due_at", Instant, nullable=False),
    Column("claimed_until", Instant),
    Column("claimed_by", String(200)),
    Column("attempts", Integer, nullable=False),
    Column("answered_at", Instant),
    UniqueConstraint("person_id", "key"),
    UniqueConstraint("person_id", "seq"),
    Index("ix_inbound_state_due_at", "state", "due_at"),
)
inbox = Table(
    "inbox",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    _person(),
    Column("seq", Integer, nullable=False),
    Column(
        "cause",
        String(80),
        nullable=False,
        comment="the inbound message or notice that led to it",
    ),
    Column("part", Integer, nullable=False),
    Column(
        "notice_id",
        String(36),
        unique=True,
        comment="the acknowledgement of that notice",
    ),
    Column("offer_id", String(36), index=True),
    Column("text", Text, nullable=False),
    Column("link", JSON),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("cause", "part"),
    UniqueConstraint("person_id", "seq"),
)
offers = Table(
    "offers",
    metadata,
    Column("id", String(36), primary_key=True),
    _person(),
    Column("question", String(40), nullable=False),
    Column("subject", JSON, nullable=False),
    Column("answers", JSON, nullable=False),
    Column("cause", String(80), nullable=False),
    Column("from_notice", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column(
        "state",
        String(12),
        nullable=False,
        comment="open, answered, replaced or overtaken",
    ),
    Column("answer_id", String(40)),
    Column("answered_by", String(36)),
    Column("closed_at", Instant),
    Column("changed_seq", Integer, nullable=False),
    UniqueConstraint("cause", "question"),
    Index("ix_offers_person_id_state", "person_id", "state"),
)
notices = Table(
    "notices",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("key", String(300), nullable=False, unique=True),
    Column("kind", String(40), nullable=False),
    _person(index=True),
    Column("facts", JSON, nullable=False),
    Column(
        "state",
        String(12),
        nullable=False,
        comment="waiting, delivered, dropped or dead",
    ),
    Column("reason", String(200)),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("claimed_until", Instant),
    Column("claimed_by", String(200)),
    Column("attempts", Integer, nullable=False),
    Column("delivered_at", Instant),
    Column("seen_true_at", Instant, comment="when its account was last seen to be as it says, for many in one call"),
    Index("ix_notices_state_due_at", "state", "due_at"),
    Index("ix_notices_kind_state_due_at", "kind", "state", "due_at"),
    Index("ix_notices_kind_created_at", "kind", "created_at"),
)
# What people answered to reminders, and what the world did; nothing here is changed or deleted.
reminder_answers = Table(
    "reminder_answers",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    _person(),
    Column("system", String(64), nullable=False),
    Column("notice_id", String(36), index=True, comment="the notice that was answered, if one was"),
    Column("expires_at", Instant, comment="the expiry it belongs to (E13); null for contractors"),
    Column("answer", String(30), nullable=False),
    Column("at", Instant, nullable=False),
    Column("cause", String(300), nullable=False, unique=True, comment="a retry writes nothing twice"),
    Index("ix_reminder_answers_person_id_system", "person_id", "system"),
)
requests = Table(
    "requests",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("key", String(120), nullable=False, unique=True),
    Column("act", String(40), nullable=False),
    _person(),
    Column("system", String(64), nullable=False),
    Column("external_id", String(200), nullable=False),
    Column(
        "locked_at",
        Instant,
        comment="the lockout it may end; a later one is not its business",
    ),
    Column("factor_ids", JSON, comment="the factors it may remove; one enrolled since is not among them"),
    Column("approver_id", String(36), comment="the manager who was asked to approve it"),
    Column("approved_at", Instant),
    Column("session_id", String(64), comment="the chat's session that has to prove whose wish it is by a code"),
    Column("proven_at", Instant),
    Column("code_tries", Integer, nullable=False, server_default="0", comment="codes sent and codes typed"),
    Column("offer_id", String(36), nullable=False),
    Column("cause", String(80), nullable=False),
    Column("question", String(40), nullable=False),
    Column(
        "state",
        String(12),
        nullable=False,
        comment="awaiting approval or a code, confirmed, executing, done, failed, handed_over, refused, void",
    ),
    Column(
        "called",
        Boolean,
        nullable=False,
        comment="the system was asked to act, perhaps without an answer",
    ),
    Column("outcome", String(40)),
    Column("reason", Text),
    Column("confirmed_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("due_at", Instant),
    Column("claimed_until", Instant),
    Column("claimed_by", String(200)),
    Column("attempts", Integer, nullable=False),
    Column("follow_up_owed", Boolean, nullable=False, comment="the person was promised to hear how it ends"),
    Column("claimed_resolved_at", Instant),
    Index("ix_requests_state_due_at", "state", "due_at"),
    Index("ix_requests_person_id_system_finished_at", "person_id", "system", "finished_at"),
)

# Our own links into an organisation's pages, each for one person (P5); nothing minted is ever kept.
links = Table(
    "links",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("key", String(200), nullable=False, unique=True, comment="what it was made for, so that a retry finds it"),
    _person(index=True),
    Column("kind", String(40), nullable=False),
    Column("way", String(12), nullable=False, comment="portal: leads to the target; minted: a one-time link on POST"),
    Column("system", String(64), nullable=False),
    Column("target", Text, comment="null where it is minted"),
    Column("facts", JSON, nullable=False, comment="what a click means to whoever made it"),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, comment="until then it can be clicked"),
    Column("renewed_for_seconds", Integer, comment="how long a fresh one can be clicked; null: there is none"),
    Column("good_for_seconds", Integer, comment="how long it leads on after the first click; null: until expires_at"),
    Column("clicked_at", Instant, comment="the first click that led on"),
    Index("ix_links_kind_clicked_at", "kind", "clicked_at"),
)

# Tickets as we see them, and what the desk still has to hear; the local desk keeps its own two tables.
tickets = Table(
    "tickets",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("number", Integer, nullable=False, unique=True),
    Column("key", String(120), nullable=False, unique=True),
    _person(index=True),
    Column("request_id", String(36), index=True),
    Column("summary", String(200), nullable=False),
    Column("state", String(12), nullable=False, comment="open or resolved"),
    Column("remote_reference", String(100)),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column(
        "security",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="for security alone: no chat answer resolves or opens it again (X10)",
    ),
)
desk_outbox = Table(
    "desk_outbox",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", String(160), nullable=False, unique=True),
    Column("ticket_id", String(36), ForeignKey("tickets.id"), nullable=False, index=True),
    Column("event", String(12), nullable=False, comment="open, note, resolve or reopen"),
    Column("text", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("claimed_until", Instant),
    Column("claimed_by", String(200)),
    Column("attempts", Integer, nullable=False),
    Column("sent_at", Instant),
)
desk_tickets = Table(
    "desk_tickets",
    metadata,
    Column("reference", String(40), primary_key=True),
    Column("requester", String(320), nullable=False),
    Column("summary", String(200), nullable=False),
    Column("state", String(12), nullable=False),
    Column("changed_at", Instant, nullable=False),
)
desk_entries = Table(
    "desk_entries",
    metadata,
    Column("key", String(160), primary_key=True),
    Column(
        "reference",
        String(40),
        ForeignKey("desk_tickets.reference"),
        nullable=False,
        index=True,
    ),
    Column("event", String(12), nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Instant, nullable=False),
)

# Safety and honesty afterwards (X8, X10, X11, N6, X6): what holds self-service back, and what is looked at, sent or
# told later.
freezes = Table(
    "freezes",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("cause", String(80), nullable=False, unique=True, comment="the message that reported it"),
    _person(index=True),
    Column("ticket_id", String(36), ForeignKey("tickets.id"), nullable=False, index=True),
    Column("reported_at", Instant, nullable=False),
    Column("lifted_at", Instant),
    Column("lifted_by", String(80)),
)
breakers = Table(
    "breakers",
    metadata,
    Column("system", String(64), primary_key=True),
    Column("tripped_at", Instant, comment="null while acts are allowed"),
    Column("loud_at", Instant, comment="when a limit was last seen exceeded; quiet counts from here"),
    Column("rearmed_at", Instant, comment="by an admin: what was before this no longer counts"),
    Column("reason", String(200)),
    Column("ticket_id", String(36), ForeignKey("tickets.id")),
)
checks = Table(
    "checks",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("request_id", String(36), ForeignKey("requests.id"), nullable=False),
    Column("after_minutes", Integer, nullable=False),
    Column("state", String(12), nullable=False, comment="waiting or done"),
    Column("result", String(12), comment="verified, relapsed, unknown, or void after a relapse"),
    Column("reason", String(300)),
    Column("due_at", Instant, nullable=False),
    Column("claimed_until", Instant),
    Column("claimed_by", String(200)),
    Column("attempts", Integer, nullable=False),
    Column("checked_at", Instant),
    UniqueConstraint("request_id", "after_minutes"),
    Index("ix_checks_state_due_at", "state", "due_at"),
)
preferences = Table(
    "preferences",
    metadata,
    Column("person_id", String(36), ForeignKey("people.id"), primary_key=True),
    Column("cause", String(80), nullable=False, comment="the message that set it last"),
    Column("max_notifications", Integer, comment="null: as the settings say"),
    Column("window_hours", Float),
    Column("changed_at", Instant, nullable=False),
)
mails = Table(
    "mails",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("key", String(200), nullable=False, unique=True, comment="request and address"),
    _person(),
    Column("address", String(320), nullable=False),
    Column("response", String(80), nullable=False, comment="the words of domain.yml"),
    Column("facts", JSON, nullable=False),
    Column("state", String(12), nullable=False, comment="waiting, sending, sent or dead"),
    Column("reason", String(300)),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("claimed_until", Instant),
    Column("claimed_by", String(200)),
    Column("attempts", Integer, nullable=False),
    Column("sent_at", Instant),
    Index("ix_mails_state_due_at", "state", "due_at"),
)
outages = Table(
    "outages",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("cause", String(80), nullable=False, unique=True, comment="the message that met the silent system"),
    _person(),
    Column("system", String(64), nullable=False),
    Column("external_id", String(200), comment="null where the person has no account there"),
    Column("since", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("over_at", Instant),
    Index("ix_outages_over_at_due_at", "over_at", "due_at"),
)

# Append-only: a trigger refuses every change (migration 0001).
audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column(
        "key",
        String(200),
        unique=True,
        comment="given where a retry must not write twice",
    ),
    Column(
        "actor",
        String(80),
        nullable=False,
        comment="person:<id>, schedulers, supervisor",
    ),
    Column(
        "person_id",
        String(36),
        index=True,
        comment="whose account or conversation it concerns",
    ),
    Column("act", String(60), nullable=False),
    Column("object", String(300), nullable=False),
    Column("result", String(60), nullable=False),
    Column("reason", Text),
    Column("detail", JSON),
)
cursors = Table(
    "cursors",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("value", Text, nullable=False),
    Column("moved_at", Instant, nullable=False),
)
heartbeats = Table(
    "heartbeats",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("detail", Text),
)
