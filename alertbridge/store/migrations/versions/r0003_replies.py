"""Replies: silences that operators asked for."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

Json = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
IS_WATCHED = sa.text("state IN ('wanted', 'standing')")


def upgrade() -> None:
    op.create_table(
        "reply_silences",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("episode_id", Id, nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=40), server_default="", nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("matchers", Json, nullable=False),
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("silence_id", sa.Text(), server_default="", nullable=False),
        sa.Column("made_at", sa.Float(precision=53), nullable=False),
        sa.Column("ends_at", sa.Float(precision=53), nullable=False),
        sa.Column("ended_at", sa.Float(precision=53)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reply_silences")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_reply_silences_watched",
        "reply_silences",
        ["state"],
        unique=False,
        sqlite_where=IS_WATCHED,
        postgresql_where=IS_WATCHED,
    )
    op.create_index("ix_reply_silences_episode_id", "reply_silences", ["episode_id"], unique=False)
    op.create_index("ix_reply_silences_ended_at", "reply_silences", ["ended_at"], unique=False)
