"""Factor resets"""

import sqlalchemy as sa
from alembic import op

from account_access.store.tables import Instant

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column(
        "inbound",
        sa.Column(
            "auth_time",
            Instant(),
            nullable=True,
            comment="when its session signed in; null where the surface cannot tell",
        ),
    )
    op.add_column(
        "requests",
        sa.Column(
            "factor_ids",
            sa.JSON(),
            nullable=True,
            comment="the factors it may remove; one enrolled since is not among them",
        ),
    )
    op.add_column(
        "requests",
        sa.Column(
            "approver_id",
            sa.String(length=36),
            nullable=True,
            comment="the manager who was asked to approve it",
        ),
    )
    op.add_column("requests", sa.Column("approved_at", Instant(), nullable=True))
