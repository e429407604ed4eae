"""Services: databases, and the machine."""

from typing import Final

from grafana.source import words
from grafana.source.limits import above, falling, rising
from grafana.source.overrides import Look
from grafana.source.panels import Text, graph, timeline
from grafana.source.queries import Query
from grafana.source.tables import Column, Label, Order, table
from grafana.source.units import Unit
from grafana.source.variables import DATABASE_IS

_NO_SERVER: Final = "no PostgreSQL or MySQL is watched"


def _base(metric: str) -> str:
    return f"{metric}{{{DATABASE_IS}}}"


DATABASES: Final = (
    timeline(
        "Up and down",
        "When each database could be read.",
        words.UP,
        Query(_base("tikwatch_database_up"), "{{database}}"),
        width=12,
        height=6,
    ),
    timeline(
        "Locked",
        Text("When another program held the write lock.", "Kapan database terkunci program lain."),
        {"0": ("Free", "green"), "1": ("Locked", "red")},
        Query(_base("tikwatch_database_locked"), "{{database}}"),
        width=12,
        height=6,
    ),
    graph(
        "Query and connect time",
        "Time of one small query, and to open the file or log in.",
        Unit.SECONDS,
        Query(_base("tikwatch_database_query_duration_seconds"), "{{database}} query"),
        Query(_base("tikwatch_database_connect_duration_seconds"), "{{database}} connect"),
        low=0,
        width=8,
    ),
    graph(
        "Write-ahead log",
        "A log that grows means that somebody reads without end, or that nobody may write it back; the lines are those "
        "of DatabaseWalLarge.",
        Unit.BYTES,
        Query(_base("tikwatch_database_wal_bytes"), "{{database}}"),
        limits=rising("wal", unit="bytes"),
        low=0,
        width=8,
    ),
    graph(
        "Size",
        "Size of each database, and what is free where it lies, as a broken line.",
        Unit.BYTES,
        Query(_base("tikwatch_database_size_bytes"), "{{database}}"),
        Query(_base("tikwatch_database_disk_free_bytes"), "{{database}} free"),
        looks=[Look(" free$", dashed=True)],
        low=0,
        width=8,
    ),
    table(
        "All databases",
        "State, size, backups and the last check of the structure.",
        [Label("database", "Database")],
        [
            Column("State", _base("tikwatch_database_up"), Unit.NONE, words=words.UP),
            Column("Size", _base("tikwatch_database_size_bytes"), Unit.BYTES),
            Column("Written", f"1000 * {_base('tikwatch_database_last_write_timestamp_seconds')}", Unit.AGO),
            Column(
                "Backup",
                _base("database:backup_age_seconds:max"),
                Unit.SECONDS,
                limits=rising("backup", unit="seconds"),
            ),
            Column("Its size", _base("tikwatch_database_last_backup_bytes"), Unit.BYTES),
            Column("Structure", _base("tikwatch_database_quick_check_success"), Unit.NONE, words=words.WORKS),
            Column(
                "Up, 24 h", _base("database:up:avg24h"), Unit.RATIO, limits=falling(warning="availability")
            ),
        ],
        order=Order("State"),
        width=16,
        height=6,
    ),
    table(
        "Queries",
        "Metrics that are made of SQL. One that fails is absent, and its reason is in the log.",
        [Label("database", "Database"), Label("query", "Query")],
        [
            Column("Works", _base("tikwatch_query_success"), Unit.NONE, words=words.WORKS),
            Column("Takes", _base("tikwatch_query_duration_seconds"), Unit.SECONDS),
        ],
        order=Order("Works"),
        width=8,
        height=6,
    ),
)

SERVERS: Final = (
    graph(
        "Connections",
        "Part of the connections that a server allows; the line is that of DatabaseConnectionsHigh.",
        Unit.RATIO,
        Query(_base("database:connections:ratio"), "{{database}}"),
        limits=rising(warning="database_connections"),
        without=_NO_SERVER,
        low=0,
        high=1,
        width=8,
    ),
    graph(
        "Replication lag",
        "How far replicas are behind.",
        Unit.SECONDS,
        Query(_base("tikwatch_database_replication_lag_seconds"), "{{database}} {{replica}}"),
        limits=rising(warning="replication_lag_seconds"),
        without="no server with a replica is watched",
        low=0,
        width=8,
    ),
    graph(
        "Longest transaction",
        "Age of the oldest transaction. One that never ends keeps old rows, and locks.",
        Unit.SECONDS,
        Query(_base("tikwatch_database_longest_transaction_seconds"), "{{database}}"),
        limits=rising(warning="transaction_seconds"),
        without=_NO_SERVER,
        low=0,
        width=8,
    ),
)

HOST: Final = (
    graph(
        "CPU and memory in use",
        "Of the machine that the exporter runs on; the lines are those of memory.",
        Unit.RATIO,
        Query("host:cpu_used:ratio_rate5m", "CPU"),
        Query("host:memory_used:ratio", "Memory"),
        limits=rising("host_memory"),
        low=0,
        high=1,
        width=8,
    ),
    graph(
        "Disk that is left",
        "Free part of each file system; the lines are those of HostDiskLow.",
        Unit.RATIO,
        Query("host_mount:disk_available:ratio", "{{mount}}"),
        limits=falling("host_disk_free"),
        low=0,
        high=1,
        width=8,
    ),
    graph(
        "Disk work",
        "Part of the time in which each disk had something to do.",
        Unit.RATIO,
        Query("rate(tikwatch_host_disk_busy_seconds_total[$__rate_interval])", "{{disk}}"),
        limits=above(0.9, "orange"),
        low=0,
        high=1,
        width=8,
    ),
)
