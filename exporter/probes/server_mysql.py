"""MySQL and MariaDB: how they are dialled and bounded, what their errors mean, and where their health is read from."""

import contextlib
import socket
import ssl
from collections.abc import Iterator
from typing import Final, cast

import pymysql
from pymysql.constants import CR, ER
from sqlalchemy.engine import Connection
from sqlalchemy.engine.interfaces import DBAPIConnection

from exporter.config import DatabaseSection
from exporter.probes import databases as metrics
from exporter.probes.base import Measured
from exporter.probes.database_faults import DatabaseFault, Fault
from exporter.probes.server_connection import APPLICATION, Dialled, Session

_READ_ONLY_TRANSACTION: Final = 1792
_MARIADB_TIMEOUT: Final = 1969
_MYSQL_TIMEOUT: Final = 3024

_FAULTS: Final[dict[int, tuple[Fault, str]]] = {
    ER.ACCESS_DENIED_ERROR: (Fault.LOGIN, "the user or the password is not accepted"),
    ER.HOST_NOT_PRIVILEGED: (Fault.LOGIN, "this user may not log in from here"),
    ER.HOST_IS_BLOCKED: (Fault.LOGIN, "the server has locked this address out"),
    ER.DBACCESS_DENIED_ERROR: (Fault.DENIED, "the user may not use this database"),
    ER.TABLEACCESS_DENIED_ERROR: (Fault.DENIED, "the user may not do that to this table"),
    ER.COLUMNACCESS_DENIED_ERROR: (Fault.DENIED, "the user may not read this column"),
    ER.SPECIFIC_ACCESS_DENIED_ERROR: (Fault.DENIED, "the user lacks a right"),
    ER.BAD_DB_ERROR: (Fault.MISSING, "there is no such database"),
    ER.CON_COUNT_ERROR: (Fault.FULL, "the server takes no more connections"),
    ER.USER_LIMIT_REACHED: (Fault.FULL, "the user may have no more connections"),
    ER.TOO_MANY_USER_CONNECTIONS: (Fault.FULL, "the user may have no more connections"),
    _READ_ONLY_TRANSACTION: (Fault.WRITE_REFUSED, "the transaction is read-only"),
    ER.OPTION_PREVENTS_STATEMENT: (Fault.WRITE_REFUSED, "the server is read-only"),
    ER.LOCK_WAIT_TIMEOUT: (Fault.LOCKED, "locked by another session"),
    ER.QUERY_INTERRUPTED: (Fault.TIMEOUT, "broken off"),
    _MARIADB_TIMEOUT: (Fault.TIMEOUT, "broken off: it took too long"),
    _MYSQL_TIMEOUT: (Fault.TIMEOUT, "broken off: it took too long"),
    ER.SERVER_SHUTDOWN: (Fault.GONE, "the server is shutting down"),
    CR.CR_SERVER_GONE_ERROR: (Fault.GONE, "the connection was lost"),
    CR.CR_SERVER_LOST: (Fault.GONE, "the connection was lost"),
    CR.CR_CONNECTION_ERROR: (Fault.UNREACHABLE, "no connection to the server"),
    CR.CR_CONN_HOST_ERROR: (Fault.UNREACHABLE, "no connection to the server"),
    CR.CR_UNKNOWN_HOST: (Fault.UNREACHABLE, "the server's name is not known"),
}


class MySql:
    """The dialect of MySQL and MariaDB."""

    url = "mysql+pymysql"

    def dial(self, section: DatabaseSection, *, timeout_s: float) -> Dialled:
        """See `exporter.probes.server_connection.Dialect`."""
        end = _dialled(section, timeout_s)
        descriptor = end.fileno()
        connection = pymysql.connect(
            host=section.address,  # the name that the certificate must bear
            database=section.database,
            user=section.username,
            password=section.password.get_secret_value() if section.password is not None else "",
            read_timeout=timeout_s + 1,
            write_timeout=timeout_s + 1,
            charset="utf8mb4",
            program_name=APPLICATION,
            ssl=ssl.create_default_context(cafile=str(section.ca_file)) if section.ca_file else None,
            defer_connect=True,
        )
        connection.connect(end)
        return Dialled(cast("DBAPIConnection", connection), descriptor)

    def begin(self, connection: Connection, *, timeout_s: float) -> None:
        """A transaction that only reads; SQLAlchemy's own is ended, since an open one cannot be made read-only."""
        maria = bool(getattr(connection.dialect, "is_mariadb", False))
        limit = (
            f"max_statement_time = {timeout_s:.3f}"
            if maria
            else f"max_execution_time = {round(timeout_s * 1000)}"
        )
        connection.exec_driver_sql(f"SET SESSION {limit}")
        connection.exec_driver_sql(f"SET SESSION innodb_lock_wait_timeout = {max(1, round(timeout_s))}")
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("START TRANSACTION READ ONLY")

    def limit_rows(self, connection: Connection, rows: int) -> None:
        """The driver reads every row that a statement gives, also those that nobody wants."""
        connection.exec_driver_sql(f"SET SESSION sql_select_limit = {rows}")

    def fault_of(self, error: BaseException) -> DatabaseFault:
        """See `exporter.probes.server_connection.Dialect`."""
        if isinstance(error, pymysql.MySQLError):
            code, text = _told(error)
            if code in (CR.CR_CONN_HOST_ERROR, CR.CR_SERVER_LOST) and "timed out" in text:
                return DatabaseFault(Fault.TIMEOUT, "no answer in time")
            if code in _FAULTS:
                return DatabaseFault(*_FAULTS[code])
            if isinstance(error, pymysql.ProgrammingError):
                return DatabaseFault(Fault.SQL, text)
            return DatabaseFault(Fault.SQL if code else Fault.OTHER, text or "no answer")
        if isinstance(error, TimeoutError):
            return DatabaseFault(Fault.TIMEOUT, "no answer in time")
        if isinstance(error, OSError):
            return DatabaseFault(Fault.UNREACHABLE, "no connection to the server")
        return DatabaseFault(Fault.OTHER, type(error).__name__)

    def health(self, session: Session) -> Iterator[Measured]:
        """What is told of a server that answers. What the user may not see is left out."""
        size_bytes = session.value(_SIZE)
        yield Measured(metrics.SIZE, float(str(size_bytes or 0)))
        with session.reading() as connection:
            (connections,) = connection.exec_driver_sql(_CONNECTIONS).one()[1:]
        yield Measured(metrics.CONNECTIONS, float(connections))
        yield Measured(metrics.CONNECTIONS_LIMIT, float(str(session.value("SELECT @@max_connections"))))
        yield Measured(metrics.INFO, 1, {"kind": "mysql", "version": str(session.value("SELECT VERSION()"))})
        with _unless_denied():
            yield Measured(metrics.LONGEST, float(str(session.value(_LONGEST))))
        with _unless_denied():
            yield from _replication(session)


def _dialled(section: DatabaseSection, timeout_s: float) -> socket.socket:
    """A socket to the server. The driver does not close its own when nobody listens."""
    address = section.address or ""
    if not address.startswith("/"):
        return socket.create_connection((address, section.effective_port), timeout=timeout_s)
    end = socket.socket(socket.AF_UNIX)
    try:
        end.settimeout(timeout_s)
        end.connect(address)
    except OSError:
        end.close()
        raise
    return end


def _told(error: pymysql.MySQLError) -> tuple[int, str]:
    """Number and text of an error, 0 and nothing where it has none."""
    code, text = (*error.args, None, None)[:2]
    return (code if isinstance(code, int) else 0), str(text or "")


@contextlib.contextmanager
def _unless_denied() -> Iterator[None]:
    """Leaves out what the user has no right to see."""
    try:
        yield
    except DatabaseFault as fault:
        if fault.fault is not Fault.DENIED:
            raise


def _replication(session: Session) -> Iterator[Measured]:
    """As a replica: one row per source, with how far behind it is (NULL while nothing is replayed)."""
    maria = bool(getattr(session.connection.dialect, "is_mariadb", False))
    with session.reading() as connection:
        rows = (
            connection.exec_driver_sql("SHOW ALL SLAVES STATUS" if maria else "SHOW REPLICA STATUS")
            .mappings()
            .all()
        )
    yield Measured(metrics.REPLICA, int(bool(rows)))
    behind = [row.get("Seconds_Behind_Source", row.get("Seconds_Behind_Master")) for row in rows]
    known = [float(seconds) for seconds in behind if seconds is not None]
    if known and len(known) == len(behind):
        yield Measured(metrics.LAG, max(known))


_SIZE = """
SELECT coalesce(sum(data_length + index_length), 0) FROM information_schema.tables
WHERE table_schema = DATABASE()
"""
_CONNECTIONS = "SHOW GLOBAL STATUS LIKE 'Threads_connected'"
_LONGEST = """
SELECT coalesce(max(timestampdiff(MICROSECOND, trx_started, now(6))) / 1e6, 0)
FROM information_schema.innodb_trx WHERE trx_mysql_thread_id <> connection_id()
"""
