"""Reminders"""

import sqlalchemy as sa
from alembic import op

from account_access.store.tables import Instant

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "directory_facts",
        sa.Column("system", sa.String(length=64), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False, comment="active, locked or disabled"),
        sa.Column("account_type", sa.String(length=12), nullable=False, comment="person, service or external"),
        sa.Column("title", sa.String(length=200), nullable=True),
        sa.Column("department", sa.String(length=200), nullable=True),
        sa.Column("worker_type", sa.String(length=100), nullable=True),
        sa.Column("manager_login", sa.String(length=320), nullable=True),
        sa.Column("contract_ends_on", sa.Date(), nullable=True),
        sa.Column("groups", sa.JSON(), nullable=False, comment="of those that the settings ask for"),
        sa.Column("password_changed_at", Instant(), nullable=True),
        sa.Column("password_expires_at", Instant(), nullable=True, comment="null and not never_expires: nobody knows"),
        sa.Column("never_expires", sa.Boolean(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False, comment="when we first read it so"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_directory_facts_person_id")),
        sa.PrimaryKeyConstraint("system", "external_id", name=op.f("pk_directory_facts")),
    )
    with op.batch_alter_table("directory_facts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_directory_facts_person_id"), ["person_id"], unique=False)
        batch_op.create_index(
            "ix_directory_facts_system_password_expires_at", ["system", "password_expires_at"], unique=False
        )

    op.create_table(
        "reminder_answers",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("system", sa.String(length=64), nullable=False),
        sa.Column("notice_id", sa.String(length=36), nullable=True, comment="the notice that was answered, if one was"),
        sa.Column(
            "expires_at", Instant(), nullable=True, comment="the expiry it belongs to (E13); null for contractors"
        ),
        sa.Column("answer", sa.String(length=30), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("cause", sa.String(length=300), nullable=False, comment="a retry writes nothing twice"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_reminder_answers_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder_answers")),
        sa.UniqueConstraint("cause", name=op.f("uq_reminder_answers_cause")),
    )
    with op.batch_alter_table("reminder_answers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_reminder_answers_notice_id"), ["notice_id"], unique=False)
        batch_op.create_index("ix_reminder_answers_person_id_system", ["person_id", "system"], unique=False)
