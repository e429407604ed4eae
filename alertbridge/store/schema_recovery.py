"""The tables of recovery: runs and what they hold, decisions, approvals, the switch, and the audit's chain.

Times are Unix seconds unless told otherwise. Nothing here refers to `episodes` by a foreign key: what was done stays
known when retention takes the alert that caused it.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    text,
)

from alertbridge.store.schema import Id, Json, metadata

__all__ = ["metadata"]

recovery_runs = Table(
    "recovery_runs",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("rule", Text, nullable=False),
    Column("episode_id", Id),  # NULL: an operator asked for it
    Column("fingerprint", String(64), nullable=False, server_default=""),
    Column("alert", Text, nullable=False),
    Column("severity", String(10), nullable=False),
    Column("labels", Json, nullable=False),
    Column("summary", Text, nullable=False, server_default=""),
    Column("starts_at", Float(53), nullable=False),
    Column("plan", Json, nullable=False),  # [{action, settings, target}, ...]: rendered once, never again
    Column("state", String(16), nullable=False),  # recover.model.RunState
    Column("step", Integer, nullable=False, server_default="0"),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("acted", Integer, nullable=False, server_default="0"),
    Column("reason", String(60), nullable=False, server_default=""),
    Column("detail", Text, nullable=False, server_default=""),
    Column("asks", Boolean, nullable=False, server_default=text("false")),
    Column("requested_by", Text, nullable=False, server_default=""),
    Column("approved_by", Text, nullable=False, server_default=""),
    Column("lost", Boolean, nullable=False, server_default=text("false")),
    Column("evidence", Json, nullable=False),
    Column("owner", String(64), nullable=False),
    Column("fence", Integer, nullable=False),
    Column(
        "lease_until", Float(53), nullable=False
    ),  # PostgreSQL's clock; under SQLite the owner's monotonic one
    Column("proposed_at", Float(53), nullable=False),
    Column("next_at", Float(53)),
    Column("acted_at", Float(53)),
    Column("ended_at", Float(53)),
    Column("undoes", Id),  # the run that this one takes back; NULL: it takes none back
    Index("ix_recovery_runs_state", "state"),
    Index("ix_recovery_runs_rule_episode_id", "rule", "episode_id"),
    Index("ix_recovery_runs_undoes", "undoes"),
    sqlite_autoincrement=True,
)

recovery_targets = Table(
    "recovery_targets",
    metadata,
    Column("target", Text, primary_key=True),
    Column("run_id", Id, ForeignKey("recovery_runs.id", ondelete="CASCADE"), nullable=False),
    Index("ix_recovery_targets_run_id", "run_id"),
)
"""What runs under way hold: the primary key lets one run at a time have a target, whichever replica it is of."""

recovery_actions = Table(
    "recovery_actions",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("run_id", Id, ForeignKey("recovery_runs.id", ondelete="CASCADE"), nullable=False),
    Column("rule", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("at", Float(53), nullable=False),
    Column("boot", String(64), nullable=False),  # the boot of the machine whose clock `boot_s` was read from
    Column("boot_s", Float(53), nullable=False),
    Column("ended_at", Float(53)),
    Column("outcome", String(60), nullable=False, server_default=""),
    Column("changed", Boolean),  # NULL: nobody knows
    Column("undoes", Boolean, nullable=False, server_default=text("false")),  # it was taken back, not done
    Index("ix_recovery_actions_rule", "rule"),
    Index("ix_recovery_actions_target_action", "target", "action"),
    Index("ix_recovery_actions_run_id", "run_id"),
)
"""Every action that was begun, and every one that was taken back; cooldowns and caps are counted from here."""

recovery_decisions = Table(
    "recovery_decisions",
    metadata,
    Column("rule", Text, primary_key=True),
    Column("episode_id", Id, primary_key=True, autoincrement=False),
    Column("reason", String(40), primary_key=True),  # recover.model.Reason
    Column("detail", Text, nullable=False, server_default=""),
    Column("first_at", Float(53), nullable=False),
    Column("last_at", Float(53), nullable=False),
    Column("times", Integer, nullable=False, server_default="1"),
    Column("told_at", Float(53)),  # when a person was told of it
    Index("ix_recovery_decisions_last_at", "last_at"),
)

recovery_approvals = Table(
    "recovery_approvals",
    metadata,
    Column(
        "run_id",
        Id,
        ForeignKey("recovery_runs.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("salt", String(32), nullable=False),
    Column("code_hash", String(64), nullable=False),
    Column("bound_to", Text, nullable=False, server_default=""),  # the one operator who may; empty: any
    Column("made_at", Float(53), nullable=False),
    Column("boot", String(64), nullable=False),
    Column("boot_s", Float(53), nullable=False),
    Column("valid_s", Float(53), nullable=False),
    Column("answer", String(10), nullable=False, server_default=""),  # approved, rejected, expired
    Column("answered_by", Text, nullable=False, server_default=""),
    Column("answered_at", Float(53)),
)

recovery_switch = Table(
    "recovery_switch",
    metadata,
    Column("name", String(20), primary_key=True),
    Column("paused", Boolean, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Float(53), nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger(), primary_key=True, autoincrement=False),
    Column("at", Float(53), nullable=False),
    Column("run_id", Id),
    Column("entry", Text, nullable=False),  # canonical JSON, with the hash of the entry before
    Column("hash", String(64), nullable=False),  # SHA-256 of `entry`
    Index("ix_audit_run_id", "run_id"),
)
"""Only ever added to, and kept for good."""

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("count", BigInteger(), nullable=False),
    Column("hash", String(64), nullable=False),
)
"""One row: how long the chain is. Whoever writes recovery's tables locks it, so that replicas take turns."""
