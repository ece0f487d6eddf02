"""First schema"""

import sqlalchemy as sa
from alembic import op

from account_access.store.tables import Instant

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column(
            "key",
            sa.String(length=200),
            nullable=True,
            comment="given where a retry must not write twice",
        ),
        sa.Column(
            "actor",
            sa.String(length=80),
            nullable=False,
            comment="person:<id>, schedulers, supervisor",
        ),
        sa.Column(
            "person_id",
            sa.String(length=36),
            nullable=True,
            comment="whose account or conversation it concerns",
        ),
        sa.Column("act", sa.String(length=60), nullable=False),
        sa.Column("object", sa.String(length=300), nullable=False),
        sa.Column("result", sa.String(length=60), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("detail", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sa.UniqueConstraint("key", name=op.f("uq_audit_key")),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_person_id"), ["person_id"], unique=False)

    op.create_table(
        "cursors",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("moved_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_cursors")),
    )
    op.create_table(
        "desk_tickets",
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("requester", sa.String(length=320), nullable=False),
        sa.Column("summary", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("reference", name=op.f("pk_desk_tickets")),
    )
    op.create_table(
        "heartbeats",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_heartbeats")),
    )
    op.create_table(
        "people",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("login", sa.String(length=320), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=True),
        sa.Column("given_name", sa.String(length=100), nullable=True),
        sa.Column("time_zone", sa.String(length=64), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
    )
    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.create_index("ix_people_email", ["email"], unique=False)

    op.create_table(
        "accounts",
        sa.Column("system", sa.String(length=64), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("login", sa.String(length=320), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_accounts_person_id")),
        sa.PrimaryKeyConstraint("system", "external_id", name=op.f("pk_accounts")),
    )
    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_accounts_person_id"), ["person_id"], unique=False)

    op.create_table(
        "conversations",
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_conversations_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_conversations")),
    )
    op.create_table(
        "desk_entries",
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("event", sa.String(length=12), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["reference"],
            ["desk_tickets.reference"],
            name=op.f("fk_desk_entries_reference"),
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_desk_entries")),
    )
    with op.batch_alter_table("desk_entries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_desk_entries_reference"), ["reference"], unique=False)

    op.create_table(
        "identities",
        sa.Column("issuer", sa.String(length=300), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("linked_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_identities_person_id")),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_identities")),
    )
    with op.batch_alter_table("identities", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_identities_person_id"), ["person_id"], unique=False)

    op.create_table(
        "inbound",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column(
            "key",
            sa.String(length=100),
            nullable=False,
            comment="the client's own, so that a repeated send is one message",
        ),
        sa.Column("surface", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False, comment="text or click"),
        sa.Column(
            "text",
            sa.Text(),
            nullable=False,
            comment="as typed, redacted; for a click the button's title",
        ),
        sa.Column("redacted", sa.Boolean(), nullable=False),
        sa.Column("offer_id", sa.String(length=36), nullable=True),
        sa.Column("answer_id", sa.String(length=40), nullable=True),
        sa.Column(
            "click_of",
            sa.String(length=80),
            nullable=True,
            comment="offer and answer: the same click twice is one message",
        ),
        sa.Column(
            "answerable",
            sa.JSON(),
            nullable=False,
            comment="ids of the offers a typed answer may concern (X12)",
        ),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column(
            "state",
            sa.String(length=10),
            nullable=False,
            comment="accepted, answered or failed",
        ),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("claimed_until", Instant(), nullable=True),
        sa.Column("claimed_by", sa.String(length=200), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_inbound_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound")),
        sa.UniqueConstraint("click_of", name=op.f("uq_inbound_click_of")),
        sa.UniqueConstraint("person_id", "key", name=op.f("uq_inbound_person_id_key")),
        sa.UniqueConstraint("person_id", "seq", name=op.f("uq_inbound_person_id_seq")),
    )
    with op.batch_alter_table("inbound", schema=None) as batch_op:
        batch_op.create_index("ix_inbound_state_due_at", ["state", "due_at"], unique=False)

    op.create_table(
        "inbox",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column(
            "cause",
            sa.String(length=80),
            nullable=False,
            comment="the inbound message or notice that led to it",
        ),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column(
            "notice_id",
            sa.String(length=36),
            nullable=True,
            comment="the acknowledgement of that notice",
        ),
        sa.Column("offer_id", sa.String(length=36), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("link", sa.JSON(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_inbox_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
        sa.UniqueConstraint("cause", "part", name=op.f("uq_inbox_cause_part")),
        sa.UniqueConstraint("notice_id", name=op.f("uq_inbox_notice_id")),
        sa.UniqueConstraint("person_id", "seq", name=op.f("uq_inbox_person_id_seq")),
    )
    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_inbox_offer_id"), ["offer_id"], unique=False)

    op.create_table(
        "notices",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("key", sa.String(length=300), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column(
            "state",
            sa.String(length=12),
            nullable=False,
            comment="waiting, delivered, dropped or dead",
        ),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("claimed_until", Instant(), nullable=True),
        sa.Column("claimed_by", sa.String(length=200), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("delivered_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_notices_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("key", name=op.f("uq_notices_key")),
    )
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notices_person_id"), ["person_id"], unique=False)
        batch_op.create_index("ix_notices_state_due_at", ["state", "due_at"], unique=False)

    op.create_table(
        "offers",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("question", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.JSON(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("cause", sa.String(length=80), nullable=False),
        sa.Column("from_notice", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column(
            "state",
            sa.String(length=12),
            nullable=False,
            comment="open, answered, replaced or overtaken",
        ),
        sa.Column("answer_id", sa.String(length=40), nullable=True),
        sa.Column("answered_by", sa.String(length=36), nullable=True),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("changed_seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_offers_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offers")),
        sa.UniqueConstraint("cause", "question", name=op.f("uq_offers_cause_question")),
    )
    with op.batch_alter_table("offers", schema=None) as batch_op:
        batch_op.create_index("ix_offers_person_id_state", ["person_id", "state"], unique=False)

    op.create_table(
        "requests",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("act", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("system", sa.String(length=64), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=False),
        sa.Column(
            "locked_at",
            Instant(),
            nullable=True,
            comment="the lockout it may end; a later one is not its business",
        ),
        sa.Column("offer_id", sa.String(length=36), nullable=False),
        sa.Column("cause", sa.String(length=80), nullable=False),
        sa.Column("question", sa.String(length=40), nullable=False),
        sa.Column(
            "state",
            sa.String(length=12),
            nullable=False,
            comment="confirmed, executing, done, failed, handed_over, refused, void",
        ),
        sa.Column(
            "called",
            sa.Boolean(),
            nullable=False,
            comment="the system was asked to act, perhaps without an answer",
        ),
        sa.Column("outcome", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("confirmed_at", Instant(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.Column("due_at", Instant(), nullable=True),
        sa.Column("claimed_until", Instant(), nullable=True),
        sa.Column("claimed_by", sa.String(length=200), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column(
            "follow_up_owed",
            sa.Boolean(),
            nullable=False,
            comment="the person was promised to hear how it ends",
        ),
        sa.Column("claimed_resolved_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_requests_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requests")),
        sa.UniqueConstraint("key", name=op.f("uq_requests_key")),
    )
    with op.batch_alter_table("requests", schema=None) as batch_op:
        batch_op.create_index(
            "ix_requests_person_id_system_finished_at",
            ["person_id", "system", "finished_at"],
            unique=False,
        )
        batch_op.create_index("ix_requests_state_due_at", ["state", "due_at"], unique=False)

    op.create_table(
        "sessions",
        sa.Column(
            "id",
            sa.String(length=64),
            nullable=False,
            comment="sha256 of the cookie's token",
        ),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("issuer", sa.String(length=300), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("provider_sid", sa.String(length=300), nullable=True),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("auth_time", Instant(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.Column("revoked_because", sa.String(length=100), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_sessions_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sessions_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sessions_provider_sid"), ["provider_sid"], unique=False)

    op.create_table(
        "tickets",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("request_id", sa.String(length=36), nullable=True),
        sa.Column("summary", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False, comment="open or resolved"),
        sa.Column("remote_reference", sa.String(length=100), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_tickets_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tickets")),
        sa.UniqueConstraint("key", name=op.f("uq_tickets_key")),
        sa.UniqueConstraint("number", name=op.f("uq_tickets_number")),
    )
    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tickets_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_tickets_request_id"), ["request_id"], unique=False)

    op.create_table(
        "desk_outbox",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("ticket_id", sa.String(length=36), nullable=False),
        sa.Column(
            "event",
            sa.String(length=12),
            nullable=False,
            comment="open, note, resolve or reopen",
        ),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("claimed_until", Instant(), nullable=True),
        sa.Column("claimed_by", sa.String(length=200), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_desk_outbox_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_outbox")),
        sa.UniqueConstraint("key", name=op.f("uq_desk_outbox_key")),
    )
    with op.batch_alter_table("desk_outbox", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_desk_outbox_ticket_id"), ["ticket_id"], unique=False)

    _refuse_changes_to_audit()


def _refuse_changes_to_audit() -> None:
    """The audit trail is append-only in the database itself, whoever holds the connection."""
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_refuses_{change.lower()} BEFORE {change} ON audit "
                "BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END"
            )
        # INSERT OR REPLACE takes a row away without a DELETE that a trigger would see.
        op.execute(
            "CREATE TRIGGER audit_refuses_replace BEFORE INSERT ON audit "
            "WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id OR key = NEW.key) "
            "BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END"
        )
        return
    op.execute(
        "CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'audit is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_refuses_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()"
    )
