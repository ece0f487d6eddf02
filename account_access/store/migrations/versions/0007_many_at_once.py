"""Many at once: notices seen to be true together, managers by number, contracts by their end"""

import sqlalchemy as sa
from alembic import op

from account_access.store.tables import Instant

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "seen_true_at",
                Instant(),
                nullable=True,
                comment="when its account was last seen to be as it says, for many in one call",
            )
        )
        batch_op.create_index("ix_notices_kind_state_due_at", ["kind", "state", "due_at"], unique=False)

    with op.batch_alter_table("directory_facts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("employee_number", sa.String(length=100), nullable=True))
        batch_op.create_index(
            "ix_directory_facts_system_contract_ends_on", ["system", "contract_ends_on"], unique=False
        )
