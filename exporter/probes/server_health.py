"""The health of a database on a server, and the user's SQL on it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Protocol

import structlog

from exporter.config import DatabaseSection
from exporter.probes import databases as metrics
from exporter.probes.base import Measured
from exporter.probes.database_faults import DatabaseFault, Fault, faults
from exporter.probes.rows import COUNTED_LIMIT, Cell, Rows
from exporter.probes.server_connection import Dialect, Server, Session
from exporter.probes.server_mysql import MySql
from exporter.probes.server_postgresql import PostgreSql

FAULTS = (
    Fault.UNREACHABLE,
    Fault.LOGIN,
    Fault.MISSING,
    Fault.DENIED,
    Fault.FULL,
    Fault.GONE,
    Fault.TIMEOUT,
    Fault.LOCKED,
    Fault.CORRUPT,
    Fault.OTHER,
)
"""What may be wrong with a server."""
BATCH_ROWS = 1000

_log = structlog.stdlib.get_logger("exporter.probes")


class HealthDialect(Dialect, Protocol):
    """A dialect that knows where its server's health is read from."""

    def health(self, session: Session) -> Iterator[Measured]:
        """What is told of a server that answers."""


def dialect_of(section: DatabaseSection) -> HealthDialect:
    """The dialect of a server."""
    return PostgreSql() if section.kind == "postgresql" else MySql()


class ServerHealth:
    """One database on a server, as a probe: a connection, a few small questions, and it hangs up."""

    def __init__(self, section: DatabaseSection, dialect: HealthDialect | None = None) -> None:
        self.name = section.name
        self.labels: Mapping[str, str] = {"database": section.name}
        self._dialect = dialect or dialect_of(section)
        self._server = Server(section, self._dialect)
        self._timeout_s = section.timeout_s
        self._told: Fault | None = None

    def __repr__(self) -> str:
        return f"<ServerHealth {self._server!r}>"

    def measure(self) -> Sequence[Measured]:
        """See `exporter.probes.base.Probe`."""
        measured: list[Measured] = []
        fault: DatabaseFault | None = None
        try:
            with self._server.session(timeout_s=self._timeout_s) as session:
                measured.append(Measured(metrics.CONNECT, session.connect_s))
                measured.append(Measured(metrics.QUERY, session.timed("SELECT 1")))
                measured.extend(self._dialect.health(session))
        except DatabaseFault as found:
            fault = found
        self._tell(fault)
        listed = None if fault is None else fault.fault if fault.fault in FAULTS else Fault.OTHER
        return [Measured(metrics.UP, int(fault is None)), *faults(metrics.FAILURE, listed, FAULTS), *measured]

    def silent(self) -> Sequence[Measured]:
        """See `exporter.probes.base.Probe`."""
        return [Measured(metrics.UP, 0), *faults(metrics.FAILURE, Fault.TIMEOUT, FAULTS)]

    def _tell(self, fault: DatabaseFault | None) -> None:
        """Log a change."""
        reason = fault.fault if fault is not None else None
        if reason is self._told:
            return
        self._told = reason
        if fault is None:
            _log.info("database.recovered", database=self.name)
        else:
            _log.warning("database.failed", database=self.name, reason=fault.fault.value, error=str(fault))


class ServerRows:
    """Runs statements on one server, as `exporter.probes.rows.Database`; each on a connection of its own."""

    def __init__(self, section: DatabaseSection) -> None:
        self._dialect = dialect_of(section)
        self._server = Server(section, self._dialect)

    def __repr__(self) -> str:
        return f"<ServerRows {self._server!r}>"

    def rows(self, sql: str, *, timeout_s: float, limit: int) -> Rows:
        """See `exporter.probes.rows.Database`. Rows come in batches, so that a million of them need little memory."""
        with self._server.session(timeout_s=timeout_s) as session, session.reading() as connection:
            options = {"no_parameters": True, "stream_results": True, "max_row_buffer": BATCH_ROWS}
            self._dialect.limit_rows(connection, limit + COUNTED_LIMIT)
            with closing(connection.execution_options(**options).exec_driver_sql(sql)) as result:
                if not result.returns_rows:
                    raise DatabaseFault(Fault.SQL, "gives no rows")
                batches = result.partitions(BATCH_ROWS)
                return Rows.taken(result.keys(), self._in_time(batches, session), limit)

    def _in_time(
        self, batches: Iterator[Sequence[Sequence[Cell]]], session: Session
    ) -> Iterator[Sequence[Cell]]:
        for batch in batches:
            yield from batch
            session.check_time()
