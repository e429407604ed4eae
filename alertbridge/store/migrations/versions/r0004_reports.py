"""Reports and the dead man's switch."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "report_schedules",
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("cron", sa.Text(), nullable=False),
        sa.Column("since", sa.Float(precision=53), nullable=False),
        sa.PrimaryKeyConstraint("report", name=op.f("pk_report_schedules")),
    )
    op.create_table(
        "report_occurrences",
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("occurrence", sa.String(length=20), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("claimed_at", sa.Float(precision=53), nullable=False),
        sa.PrimaryKeyConstraint("report", "occurrence", name=op.f("pk_report_occurrences")),
    )
    op.create_table(
        "watchdogs",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("beats", sa.Integer(), nullable=False),
        sa.Column("arrived_at", sa.Float(precision=53)),
        sa.Column("boot", sa.String(length=64), nullable=False),
        sa.Column("boot_s", sa.Float(precision=53), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("lost_beats", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lost_at", sa.Float(precision=53)),
        sa.Column("lost_boot", sa.String(length=64), server_default="", nullable=False),
        sa.Column("lost_boot_s", sa.Float(precision=53)),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_watchdogs")),
    )
