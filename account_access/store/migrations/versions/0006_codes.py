"""Codes"""

import sqlalchemy as sa
from alembic import op

from account_access.store.tables import Instant

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column(
        "inbound",
        sa.Column(
            "session_id",
            sa.String(length=64),
            nullable=True,
            comment="the session it came by; null where the surface has none",
        ),
    )
    op.add_column(
        "requests",
        sa.Column(
            "session_id",
            sa.String(length=64),
            nullable=True,
            comment="the chat's session that has to prove whose wish it is by a code",
        ),
    )
    op.add_column("requests", sa.Column("proven_at", Instant(), nullable=True))
    op.add_column(
        "requests",
        sa.Column("code_tries", sa.Integer(), server_default="0", nullable=False, comment="codes sent and codes typed"),
    )
