"""Databases: the metrics of their health. What fills them is in `sqlite_health` and `server_health`."""

from exporter.probes.base import counter, gauge, info
from exporter.samples import Family

UP = gauge(
    "tikwatch_database_up", "1 if the database was opened and read; 0 if not, see tikwatch_database_failure."
)
FAILURE = gauge(
    "tikwatch_database_failure", "1 for the reason why the database is not up, 0 for the others.", "reason"
)
CONNECT = gauge(
    "tikwatch_database_connect_duration_seconds",
    "Time to open the file, or to connect and log in to the server.",
)
QUERY = gauge("tikwatch_database_query_duration_seconds", "Time of one small query.")
SIZE = gauge("tikwatch_database_size_bytes", "Size of the file, or of the database on its server.")
INFO = info("tikwatch_database_info", "What kind of database it is.", "kind", "version", "journal_mode")

COMMON: tuple[Family, ...] = (UP, FAILURE, CONNECT, QUERY, SIZE, INFO)

WAL = gauge(
    "tikwatch_database_wal_bytes", "Size of the write-ahead log beside a SQLite file; absent without one."
)
FREE_LIST = gauge("tikwatch_database_free_list_bytes", "Pages of a SQLite file that hold nothing.")
PAGES = gauge("tikwatch_database_pages", "Pages of a SQLite file.")
SCHEMA = gauge(
    "tikwatch_database_schema_version", "Number that SQLite raises with each change of the schema."
)
USER_VERSION = gauge(
    "tikwatch_database_user_version", "Number that the application sets, by custom the version of its schema."
)
WRITTEN = gauge(
    "tikwatch_database_last_write_timestamp_seconds", "When a SQLite file or its log last changed."
)
LOCKED = gauge(
    "tikwatch_database_locked",
    "1 if another program held the write lock of a SQLite file for a quarter of a second on end, or kept it from "
    "being read that long, at the latest measurement.",
)
LOCKED_SEEN = counter(
    "tikwatch_database_locked_seen_total",
    "Measurements that found a SQLite file locked, since the exporter started.",
)
BACKUPS = gauge("tikwatch_database_backups", "Files that the pattern of backups finds.")
BACKUP_AT = gauge(
    "tikwatch_database_last_backup_timestamp_seconds",
    "When the newest backup was last written; absent without.",
)
BACKUP_SIZE = gauge("tikwatch_database_last_backup_bytes", "Size of the newest backup; absent without.")
DISK_FREE = gauge(
    "tikwatch_database_disk_free_bytes",
    "Free space where a SQLite file lies, as far as its owner may use it.",
)

FILE: tuple[Family, ...] = (
    WAL,
    FREE_LIST,
    PAGES,
    SCHEMA,
    USER_VERSION,
    WRITTEN,
    LOCKED,
    LOCKED_SEEN,
    BACKUPS,
    BACKUP_AT,
    BACKUP_SIZE,
    DISK_FREE,
)

CONNECTIONS = gauge("tikwatch_database_connections", "Connections of clients to the server, all databases.")
CONNECTIONS_LIMIT = gauge(
    "tikwatch_database_connections_limit", "Connections that ordinary users may have at once on the server."
)
LONGEST = gauge(
    "tikwatch_database_longest_transaction_seconds",
    "Age of the oldest transaction under way on the server, 0 without one; absent where the user may not see it.",
)
REPLICA = gauge("tikwatch_database_replica", "1 if the server is a replica, 0 if it is not.")
LAG = gauge(
    "tikwatch_database_replication_lag_seconds",
    "How far a replica is behind: this one, or on a primary each one that is connected, by the name it gives itself.",
    "replica",
)

SERVER: tuple[Family, ...] = (CONNECTIONS, CONNECTIONS_LIMIT, LONGEST, REPLICA, LAG)

CHECK_OK = gauge(
    "tikwatch_database_quick_check_success",
    "1 if the latest PRAGMA quick_check found nothing, 0 if it found the file corrupt; absent before the first.",
)
CHECK_PROBLEMS = gauge("tikwatch_database_quick_check_problems", "What the latest check found, 100 at most.")
CHECK_AT = gauge("tikwatch_database_quick_check_timestamp_seconds", "When the latest check came to its end.")
CHECK_DURATION = gauge(
    "tikwatch_database_quick_check_duration_seconds", "How long that check took, the copy included."
)
CHECK_FAILURE = gauge(
    "tikwatch_database_quick_check_failure",
    "1 for the reason why no check could be made the last time, 0 for the others.",
    "reason",
)

CHECK: tuple[Family, ...] = (CHECK_OK, CHECK_PROBLEMS, CHECK_AT, CHECK_DURATION, CHECK_FAILURE)
