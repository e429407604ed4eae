"""PostgreSQL: how it is dialled and bounded, what its errors mean, and where its health is read from."""

import ssl
from collections.abc import Iterator
from typing import Any, Final, cast

import psycopg
from psycopg import errors
from sqlalchemy.engine import Connection
from sqlalchemy.engine.interfaces import DBAPIConnection

from exporter.config import DatabaseSection
from exporter.probes import databases as metrics
from exporter.probes.base import Measured
from exporter.probes.database_faults import DatabaseFault, Fault
from exporter.probes.server_connection import APPLICATION, Dialled, Session

_KEEPALIVE = {"keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3}

_FAULTS: Final[tuple[tuple[type[psycopg.Error], Fault], ...]] = (
    (errors.QueryCanceled, Fault.TIMEOUT),
    (errors.LockNotAvailable, Fault.LOCKED),
    (errors.ReadOnlySqlTransaction, Fault.WRITE_REFUSED),
    (errors.InsufficientPrivilege, Fault.DENIED),
    (errors.TooManyConnections, Fault.FULL),
    (errors.AdminShutdown, Fault.GONE),
    (errors.CrashShutdown, Fault.GONE),
    (errors.CannotConnectNow, Fault.UNREACHABLE),
    (errors.InvalidCatalogName, Fault.MISSING),
    (errors.InvalidPassword, Fault.LOGIN),
    (errors.InvalidAuthorizationSpecification, Fault.LOGIN),
    (errors.DataCorrupted, Fault.CORRUPT),
    (errors.IndexCorrupted, Fault.CORRUPT),
    (errors.ConnectionTimeout, Fault.TIMEOUT),
)
_LOST: Final = (
    "closed the connection",
    "connection is lost",
    "connection is closed",
    "ssl syscall",
    "no connection to",
)
_BY_TEXT: Final = (
    ("password authentication failed", Fault.LOGIN, "the user or the password is not accepted"),
    ("no password supplied", Fault.LOGIN, "the server wants a password"),
    ("peer authentication failed", Fault.LOGIN, "the server takes the user for another"),
    ("pg_hba.conf", Fault.LOGIN, "pg_hba.conf lets this user not in from here"),
    ("role ", Fault.LOGIN, "the user does not exist or may not log in"),
    ("permission denied for database", Fault.DENIED, "the user may not connect to this database"),
    ("does not exist", Fault.MISSING, "there is no such database"),
    ("too many", Fault.FULL, "the server takes no more connections"),
    ("remaining connection slots", Fault.FULL, "the server takes no more connections"),
    ("certificate", Fault.UNREACHABLE, "the server's certificate is not accepted"),
    ("ssl", Fault.UNREACHABLE, "no agreement on TLS"),
    ("timeout", Fault.TIMEOUT, "no answer in time"),
    ("starting up", Fault.UNREACHABLE, "the server is starting up"),
    ("shutting down", Fault.UNREACHABLE, "the server is shutting down"),
)
"""For failures to connect, which bear no code: words of the message. The message itself is not shown."""


class _Cursor(psycopg.ServerCursor[Any]):
    """A cursor that may be let go of without a complaint: SQLAlchemy closes none whose connection was lost."""

    def __del__(self, *_: object) -> None:
        pass


class PostgreSql:
    """The dialect of PostgreSQL."""

    url = "postgresql+psycopg"

    def dial(self, section: DatabaseSection, *, timeout_s: float) -> Dialled:
        """See `exporter.probes.server_connection.Dialect`."""
        options: dict[str, Any] = dict(_KEEPALIVE)
        if section.ca_file is not None:
            options |= {"sslmode": "verify-full", "sslrootcert": str(section.ca_file)}
        connection = psycopg.connect(
            host=section.address,
            port=section.effective_port,
            dbname=section.database,
            user=section.username,
            password=section.password.get_secret_value() if section.password is not None else None,
            application_name=APPLICATION,
            connect_timeout=max(2, round(timeout_s)),  # libpq takes whole seconds, two at least
            tcp_user_timeout=round(timeout_s * 1000),
            **options,
        )
        connection.server_cursor_factory = _Cursor
        return Dialled(cast("DBAPIConnection", connection), connection.fileno())

    def begin(self, connection: Connection, *, timeout_s: float) -> None:
        """SET LOCAL ends with the transaction, so that a pooler between us and the server hands nothing on."""
        milliseconds = max(1, round(timeout_s * 1000))
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {milliseconds}")
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {milliseconds}")

    def limit_rows(self, connection: Connection, rows: int) -> None:
        """A cursor on the server sends what it is asked for; what is not, it forgets."""

    def fault_of(self, error: BaseException) -> DatabaseFault:
        """See `exporter.probes.server_connection.Dialect`."""
        if isinstance(error, errors.FeatureNotSupported) and "data-modifying" in _primary(error):
            return DatabaseFault(Fault.WRITE_REFUSED, "the statement may only read")
        for kind, fault in _FAULTS:
            if isinstance(error, kind):
                return DatabaseFault(fault, _primary(error) or "no answer in time")
        if isinstance(error, ssl.SSLError):
            return DatabaseFault(Fault.UNREACHABLE, "no agreement on TLS")
        if isinstance(error, psycopg.OperationalError) and error.sqlstate is None:
            text = str(error).lower()
            if any(words in text for words in _LOST):
                return DatabaseFault(Fault.GONE, "the connection was lost")
            for words, fault, message in _BY_TEXT:
                if words in text:
                    return DatabaseFault(fault, message)
            return DatabaseFault(Fault.UNREACHABLE, "no connection to the server")
        if isinstance(error, psycopg.OperationalError):
            return DatabaseFault(Fault.OTHER, _primary(error))
        if isinstance(error, psycopg.Error):
            return DatabaseFault(Fault.SQL, _primary(error) or type(error).__name__)
        return DatabaseFault(Fault.OTHER, type(error).__name__)

    def health(self, session: Session) -> Iterator[Measured]:
        """What is told of a server that answers. What the user may not see is left out."""
        with session.reading() as connection:
            row = connection.exec_driver_sql(_HEALTH).one()
        size_bytes, connections, limit, longest_s, hidden, replica, lag_s, version = row
        yield Measured(metrics.SIZE, float(size_bytes))
        yield Measured(metrics.CONNECTIONS, float(connections))
        yield Measured(metrics.CONNECTIONS_LIMIT, float(limit))
        if not hidden:
            yield Measured(metrics.LONGEST, float(longest_s))
        yield Measured(metrics.REPLICA, int(replica))
        if replica and lag_s is not None:
            yield Measured(metrics.LAG, float(lag_s))
        yield Measured(metrics.INFO, 1, {"kind": "postgresql", "version": str(version)})
        if not replica:
            with session.reading() as connection:
                for name, behind_s in connection.exec_driver_sql(_REPLICAS):
                    yield Measured(metrics.LAG, float(behind_s), {"replica": str(name)})


def _primary(error: BaseException) -> str:
    """The server's message without its details, which may quote data."""
    told = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return told or ""


_HEALTH = """
SELECT pg_database_size(current_database()),
       (SELECT sum(numbackends) FROM pg_stat_database),
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
       coalesce((SELECT max(extract(epoch FROM clock_timestamp() - xact_start)) FROM pg_stat_activity
                 WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'), 0),
       EXISTS (SELECT FROM pg_stat_activity
               WHERE datid IS NOT NULL AND query = '<insufficient privilege>'),
       pg_is_in_recovery(),
       CASE WHEN pg_is_in_recovery() THEN
         CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
         ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END
       END,
       current_setting('server_version')
"""

_REPLICAS = """
SELECT coalesce(nullif(application_name, ''), host(client_addr), pid::text),
       max(coalesce(extract(epoch FROM replay_lag), 0))
FROM pg_stat_replication WHERE state IS NOT NULL GROUP BY 1
"""
