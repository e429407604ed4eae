"""The tables of reports and of the dead man's switch. Times are Unix seconds unless told otherwise."""

from sqlalchemy import Column, Float, Integer, String, Table, Text

from alertbridge.store.schema_reply import metadata

__all__ = ["metadata"]

report_schedules = Table(
    "report_schedules",
    metadata,
    Column("report", Text, primary_key=True),  # name in the configuration
    Column("cron", Text, nullable=False),  # with the time zone: what `since` holds for
    Column("since", Float(53), nullable=False),  # occurrences before were nobody's to send
)

report_occurrences = Table(
    "report_occurrences",
    metadata,
    Column("report", Text, primary_key=True),
    Column("occurrence", String(20), primary_key=True),  # on the wall clock of its zone: 2026-11-23T09:00
    Column("outcome", String(12), nullable=False),  # report.schedule.Fate: sent, late, skipped
    Column("claimed_at", Float(53), nullable=False),
)
"""Written in the transaction that makes the notices: the primary key lets each occurrence be told once."""

watchdogs = Table(
    "watchdogs",
    metadata,
    Column("name", String(20), primary_key=True),
    Column("beats", Integer, nullable=False),  # grows with each arrival that is written, of whichever replica
    Column("arrived_at", Float(53)),
    Column("boot", String(64), nullable=False),  # the boot of the machine whose clock `boot_s` was read from
    Column("boot_s", Float(53), nullable=False),
    Column("state", String(10), nullable=False),  # deadman.State: up, down
    Column("lost_beats", Integer, nullable=False, server_default="0"),  # an arrival after it has more
    Column("lost_at", Float(53)),  # the last arrival before it was told to be down
    Column("lost_boot", String(64), nullable=False, server_default=""),
    Column("lost_boot_s", Float(53)),
)
