"""Taking back: which run takes back which, and what each action changed."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("recovery_runs", sa.Column("undoes", Id))
    op.create_index("ix_recovery_runs_undoes", "recovery_runs", ["undoes"], unique=False)
    op.add_column("recovery_actions", sa.Column("changed", sa.Boolean()))
    op.add_column(
        "recovery_actions",
        sa.Column("undoes", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
