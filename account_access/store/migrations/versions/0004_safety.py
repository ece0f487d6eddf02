"""Freezes, breakers, verification, preferences, mails, outages"""

import sqlalchemy as sa
from alembic import op

from account_access.store.tables import Instant

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "mails",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False, comment="request and address"),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("response", sa.String(length=80), nullable=False, comment="the words of domain.yml"),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False, comment="waiting, sending, sent or dead"),
        sa.Column("reason", sa.String(length=300), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("claimed_until", Instant(), nullable=True),
        sa.Column("claimed_by", sa.String(length=200), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_mails_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mails")),
        sa.UniqueConstraint("key", name=op.f("uq_mails_key")),
    )
    with op.batch_alter_table("mails", schema=None) as batch_op:
        batch_op.create_index("ix_mails_state_due_at", ["state", "due_at"], unique=False)

    op.create_table(
        "outages",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("cause", sa.String(length=80), nullable=False, comment="the message that met the silent system"),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("system", sa.String(length=64), nullable=False),
        sa.Column(
            "external_id", sa.String(length=200), nullable=True, comment="null where the person has no account there"
        ),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("over_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_outages_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outages")),
        sa.UniqueConstraint("cause", name=op.f("uq_outages_cause")),
    )
    with op.batch_alter_table("outages", schema=None) as batch_op:
        batch_op.create_index("ix_outages_over_at_due_at", ["over_at", "due_at"], unique=False)

    op.create_table(
        "preferences",
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("cause", sa.String(length=80), nullable=False, comment="the message that set it last"),
        sa.Column("max_notifications", sa.Integer(), nullable=True, comment="null: as the settings say"),
        sa.Column("window_hours", sa.Float(), nullable=True),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_preferences_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_preferences")),
    )
    op.create_table(
        "breakers",
        sa.Column("system", sa.String(length=64), nullable=False),
        sa.Column("tripped_at", Instant(), nullable=True, comment="null while acts are allowed"),
        sa.Column(
            "loud_at", Instant(), nullable=True, comment="when a limit was last seen exceeded; quiet counts from here"
        ),
        sa.Column("rearmed_at", Instant(), nullable=True, comment="by an admin: what was before this no longer counts"),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("ticket_id", sa.String(length=36), nullable=True),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_breakers_ticket_id")),
        sa.PrimaryKeyConstraint("system", name=op.f("pk_breakers")),
    )
    op.create_table(
        "checks",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("request_id", sa.String(length=36), nullable=False),
        sa.Column("after_minutes", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False, comment="waiting or done"),
        sa.Column(
            "result",
            sa.String(length=12),
            nullable=True,
            comment="verified, relapsed, unknown, or void after a relapse",
        ),
        sa.Column("reason", sa.String(length=300), nullable=True),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("claimed_until", Instant(), nullable=True),
        sa.Column("claimed_by", sa.String(length=200), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("checked_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name=op.f("fk_checks_request_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checks")),
        sa.UniqueConstraint("request_id", "after_minutes", name=op.f("uq_checks_request_id_after_minutes")),
    )
    with op.batch_alter_table("checks", schema=None) as batch_op:
        batch_op.create_index("ix_checks_state_due_at", ["state", "due_at"], unique=False)

    op.create_table(
        "freezes",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("cause", sa.String(length=80), nullable=False, comment="the message that reported it"),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("ticket_id", sa.String(length=36), nullable=False),
        sa.Column("reported_at", Instant(), nullable=False),
        sa.Column("lifted_at", Instant(), nullable=True),
        sa.Column("lifted_by", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_freezes_person_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_freezes_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_freezes")),
        sa.UniqueConstraint("cause", name=op.f("uq_freezes_cause")),
    )
    with op.batch_alter_table("freezes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_freezes_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_freezes_ticket_id"), ["ticket_id"], unique=False)

    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.create_index("ix_notices_kind_created_at", ["kind", "created_at"], unique=False)

    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "second_email",
                sa.String(length=320),
                nullable=True,
                comment="another address of the owner, where acts are told as well (M7)",
            )
        )

    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "security",
                sa.Boolean(),
                server_default=sa.false(),
                nullable=False,
                comment="for security alone: no chat answer resolves or opens it again (X10)",
            )
        )
