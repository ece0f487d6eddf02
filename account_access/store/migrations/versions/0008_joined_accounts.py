"""Joined accounts: people of the main directory, and accounts of other systems that are theirs"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "main",
                sa.Boolean(),
                server_default=sa.true(),
                nullable=False,
                comment="of the main system's directory: a first sign-in may be linked to them",
            )
        )

    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "active",
                sa.Boolean(),
                server_default=sa.true(),
                nullable=False,
                comment="in its own directory, whoever's it is",
            )
        )
        batch_op.add_column(
            sa.Column(
                "own_person_id",
                sa.String(length=36),
                nullable=True,
                comment="the person of its own, waiting while it is joined to another; null while it is not",
            )
        )
        batch_op.add_column(
            sa.Column(
                "joined_number",
                sa.String(length=100),
                nullable=True,
                comment="by which it was last joined; as long as it has it, that means joined_person_id alone",
            )
        )
        batch_op.add_column(sa.Column("joined_person_id", sa.String(length=36), nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_accounts_own_person_id"), "people", ["own_person_id"], ["id"])
        batch_op.create_foreign_key(batch_op.f("fk_accounts_joined_person_id"), "people", ["joined_person_id"], ["id"])

    with op.batch_alter_table("directory_facts", schema=None) as batch_op:
        batch_op.create_index("ix_directory_facts_system_employee_number", ["system", "employee_number"], unique=False)

    # Who is gone was known of people alone.
    op.execute("UPDATE accounts SET active = (SELECT people.active FROM people WHERE people.id = accounts.person_id)")
