"""Recovery: runs, decisions, approvals and the audit."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

Json = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _runs()
    _of_runs()
    _decisions()
    _audit()


def _runs() -> None:
    op.create_table(
        "recovery_runs",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("episode_id", Id),
        sa.Column("fingerprint", sa.String(length=64), server_default="", nullable=False),
        sa.Column("alert", sa.Text(), nullable=False),
        sa.Column("severity", sa.String(length=10), nullable=False),
        sa.Column("labels", Json, nullable=False),
        sa.Column("summary", sa.Text(), server_default="", nullable=False),
        sa.Column("starts_at", sa.Float(precision=53), nullable=False),
        sa.Column("plan", Json, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("step", sa.Integer(), server_default="0", nullable=False),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("acted", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reason", sa.String(length=60), server_default="", nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("asks", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("requested_by", sa.Text(), server_default="", nullable=False),
        sa.Column("approved_by", sa.Text(), server_default="", nullable=False),
        sa.Column("lost", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("evidence", Json, nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.Float(precision=53), nullable=False),
        sa.Column("proposed_at", sa.Float(precision=53), nullable=False),
        sa.Column("next_at", sa.Float(precision=53)),
        sa.Column("acted_at", sa.Float(precision=53)),
        sa.Column("ended_at", sa.Float(precision=53)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_runs")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_recovery_runs_state", "recovery_runs", ["state"], unique=False)
    op.create_index("ix_recovery_runs_rule_episode_id", "recovery_runs", ["rule", "episode_id"], unique=False)


def _run(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_run_id_recovery_runs")
    return sa.ForeignKeyConstraint(["run_id"], ["recovery_runs.id"], name=name, ondelete="CASCADE")


def _of_runs() -> None:
    op.create_table(
        "recovery_targets",
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("run_id", Id, nullable=False),
        _run("recovery_targets"),
        sa.PrimaryKeyConstraint("target", name=op.f("pk_recovery_targets")),
    )
    op.create_index("ix_recovery_targets_run_id", "recovery_targets", ["run_id"], unique=False)
    op.create_table(
        "recovery_actions",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("run_id", Id, nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("at", sa.Float(precision=53), nullable=False),
        sa.Column("boot", sa.String(length=64), nullable=False),
        sa.Column("boot_s", sa.Float(precision=53), nullable=False),
        sa.Column("ended_at", sa.Float(precision=53)),
        sa.Column("outcome", sa.String(length=60), server_default="", nullable=False),
        _run("recovery_actions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_actions")),
    )
    op.create_index("ix_recovery_actions_rule", "recovery_actions", ["rule"], unique=False)
    op.create_index("ix_recovery_actions_run_id", "recovery_actions", ["run_id"], unique=False)
    op.create_index(
        "ix_recovery_actions_target_action", "recovery_actions", ["target", "action"], unique=False
    )
    op.create_table(
        "recovery_approvals",
        sa.Column("run_id", Id, autoincrement=False, nullable=False),
        sa.Column("salt", sa.String(length=32), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("bound_to", sa.Text(), server_default="", nullable=False),
        sa.Column("made_at", sa.Float(precision=53), nullable=False),
        sa.Column("boot", sa.String(length=64), nullable=False),
        sa.Column("boot_s", sa.Float(precision=53), nullable=False),
        sa.Column("valid_s", sa.Float(precision=53), nullable=False),
        sa.Column("answer", sa.String(length=10), server_default="", nullable=False),
        sa.Column("answered_by", sa.Text(), server_default="", nullable=False),
        sa.Column("answered_at", sa.Float(precision=53)),
        _run("recovery_approvals"),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_recovery_approvals")),
    )


def _decisions() -> None:
    op.create_table(
        "recovery_decisions",
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("episode_id", Id, autoincrement=False, nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("first_at", sa.Float(precision=53), nullable=False),
        sa.Column("last_at", sa.Float(precision=53), nullable=False),
        sa.Column("times", sa.Integer(), server_default="1", nullable=False),
        sa.Column("told_at", sa.Float(precision=53)),
        sa.PrimaryKeyConstraint("rule", "episode_id", "reason", name=op.f("pk_recovery_decisions")),
    )
    op.create_index("ix_recovery_decisions_last_at", "recovery_decisions", ["last_at"], unique=False)
    op.create_table(
        "recovery_switch",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.Float(precision=53), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_recovery_switch")),
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.Float(precision=53), nullable=False),
        sa.Column("run_id", Id),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_run_id", "audit", ["run_id"], unique=False)
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.bulk_insert(head, [{"id": 1, "count": 0, "hash": "0" * 64}])
