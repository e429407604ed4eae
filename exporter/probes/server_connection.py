"""One connection to a database server for one measurement: bounded in time, read-only, closed afterwards.

SQLAlchemy speaks to the drivers; the connection itself is made here, so that its making can be timed and so that a
server that falls silent in the middle can be hung up on: the drivers would wait for ever.
"""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import sqlalchemy
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from exporter.config import DatabaseSection
from exporter.probes.database_faults import DatabaseFault, Fault

APPLICATION = "tikwatch"
"""How the connection calls itself in the server's list of sessions."""
HANG_UP_MARGIN_S = 1.0
"""The server ends a statement at its limit; when it does not, the connection is cut this much later."""


@dataclass(frozen=True, slots=True)
class Dialled:
    """What a driver gave: its connection, and the descriptor of its socket."""

    connection: DBAPIConnection
    descriptor: int


class Dialect(Protocol):
    """What differs between servers."""

    @property
    def url(self) -> str:
        """SQLAlchemy's word for dialect and driver, such as ``postgresql+psycopg``."""

    def dial(self, section: DatabaseSection, *, timeout_s: float) -> Dialled:
        """A new connection."""

    def begin(self, connection: Connection, *, timeout_s: float) -> None:
        """Makes the transaction read-only, its statements bounded. Nothing of it outlives the transaction."""

    def limit_rows(self, connection: Connection, rows: int) -> None:
        """Asks the server for no more than `rows`, where a driver would have to read the rest to be rid of it."""

    def fault_of(self, error: BaseException) -> DatabaseFault:
        """What an error of the driver means."""


@dataclass(slots=True)
class Session:
    """A connection in use, made within `connect_s`."""

    connection: Connection
    connect_s: float
    _dialect: Dialect = field(repr=False)
    _until_s: float

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A read-only transaction of its own, rolled back at its end. Raises DatabaseFault."""
        left_s = self.check_time()
        try:
            with self.connection.begin() as transaction:
                self._dialect.begin(self.connection, timeout_s=left_s)
                yield self.connection
                transaction.rollback()
        except (SQLAlchemyError, OSError) as error:
            raise _fault_of(
                error, self._dialect, self._until_s
            ) from None  # the chain may quote the statement or the login

    def check_time(self) -> float:
        """Seconds that are left. Raises DatabaseFault when none are."""
        left_s = self._until_s - time.monotonic()
        if left_s <= 0:
            raise DatabaseFault(Fault.TIMEOUT, "broken off: it took too long")
        return left_s

    def timed(self, sql: str) -> float:
        """How long (seconds) a statement of ours takes."""
        with self.reading() as connection:
            began_s = time.monotonic()
            connection.exec_driver_sql(sql).all()
            return time.monotonic() - began_s

    def value(self, sql: str) -> object:
        """The first column of the first row of a statement of ours; None without a row."""
        with self.reading() as connection:
            row = connection.exec_driver_sql(sql).first()
            return row[0] if row is not None else None


class Server:
    """One database on a server."""

    def __init__(self, section: DatabaseSection, dialect: Dialect) -> None:
        self.section = section
        self.dialect = dialect

    def __repr__(self) -> str:
        return f"<Server {self.section.name} {self.section.kind}>"

    @contextlib.contextmanager
    def session(self, *, timeout_s: float) -> Iterator[Session]:
        """A connection for what takes `timeout_s` at most, all of it. Raises DatabaseFault."""
        until_s = time.monotonic() + timeout_s
        began_s = time.monotonic()
        try:
            dialled = self.dialect.dial(self.section, timeout_s=timeout_s)
        except Exception as error:  # noqa: BLE001  the edge to a driver: whatever it raises, there is no connection
            raise self.dialect.fault_of(error) from None  # drivers quote what they dialled with
        connect_s = time.monotonic() - began_s
        with _hung_up_on(dialled.descriptor, until_s + HANG_UP_MARGIN_S):
            engine = self._engine(dialled.connection)
            try:
                with engine.connect() as connection:
                    yield Session(connection, connect_s, self.dialect, until_s)
            except (SQLAlchemyError, OSError) as error:
                raise _fault_of(error, self.dialect, until_s) from None
            finally:
                with contextlib.suppress(Exception):  # closing what is broken already
                    dialled.connection.close()
                engine.dispose()

    def _engine(self, connection: DBAPIConnection) -> Engine:
        return sqlalchemy.create_engine(
            f"{self.dialect.url}://", creator=lambda: connection, poolclass=NullPool, hide_parameters=True
        )


def _fault_of(error: BaseException, dialect: Dialect, until_s: float) -> DatabaseFault:
    """What an error means; a connection that was lost when the time was up is one that we have hung up on."""
    fault = dialect.fault_of(_cause(error))
    if fault.fault is Fault.GONE and time.monotonic() >= until_s:
        return DatabaseFault(Fault.TIMEOUT, "the server fell silent")
    return fault


def _cause(error: BaseException) -> BaseException:
    """The driver's own error inside one of SQLAlchemy's."""
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error


@contextlib.contextmanager
def _hung_up_on(descriptor: int, at_s: float) -> Iterator[None]:
    """Meanwhile the socket is shut down when the time comes, so that whoever waits on it is told that it ended."""
    end = socket.socket(fileno=os.dup(descriptor))
    timer = threading.Timer(max(0.0, at_s - time.monotonic()), _shut_down, [end])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        end.close()


def _shut_down(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
