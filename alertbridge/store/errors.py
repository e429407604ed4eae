"""What can be wrong with the store, by what the caller must do next, and how the drivers' errors become that."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout


class Unavailable(Enum):
    """Why the store cannot be used just now; the values are words for metrics and logs."""

    LOCKED = "locked"  # another process holds it for longer than the busy time-out
    DISK_FULL = "disk_full"
    IO_ERROR = "io_error"
    READ_ONLY = "read_only"  # file system, file or standby server
    NOT_OPENED = "not_opened"  # the file or its folder cannot be opened or made
    CONNECTION_LOST = "connection_lost"  # or could not be made
    OVERLOADED = "overloaded"  # no connection or memory left, or a statement took too long
    CONFLICT = "conflict"  # deadlock or serialisation failure: the same transaction again will do


class StoreError(Exception):
    """Something is wrong with the store. The message is a sentence for people and holds no secret."""


class StoreUnavailable(StoreError):
    """The transaction did not happen, or nobody knows (CONNECTION_LOST while committing). Try again later."""

    def __init__(self, reason: Unavailable, detail: str) -> None:
        super().__init__(f"the store is not available ({reason.value}): {detail}")
        self.reason = reason
        self.detail = detail


class StoreCorrupt(StoreError):
    """The file's structure is broken. Open the store again: a broken file is set aside then."""


class StoreTooNew(StoreError):
    """A newer program has migrated the store; this one would misread it."""


class StoreInUse(StoreError):
    """Another bridge already works on this SQLite file."""


class StoreForeign(StoreError):
    """The SQLite file belongs to another program."""


class StoreOutdated(StoreError):
    """The store waits for a migration, which only the bridge itself and `migrate` do."""


_SQLITE = {
    sqlite3.SQLITE_BUSY: Unavailable.LOCKED,
    sqlite3.SQLITE_LOCKED: Unavailable.LOCKED,
    sqlite3.SQLITE_PROTOCOL: Unavailable.LOCKED,
    sqlite3.SQLITE_FULL: Unavailable.DISK_FULL,
    sqlite3.SQLITE_IOERR: Unavailable.IO_ERROR,
    sqlite3.SQLITE_NOLFS: Unavailable.IO_ERROR,
    sqlite3.SQLITE_READONLY: Unavailable.READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: Unavailable.NOT_OPENED,
    sqlite3.SQLITE_PERM: Unavailable.NOT_OPENED,
    sqlite3.SQLITE_AUTH: Unavailable.NOT_OPENED,
    sqlite3.SQLITE_NOMEM: Unavailable.OVERLOADED,
    sqlite3.SQLITE_INTERRUPT: Unavailable.OVERLOADED,
}
_SQLITE_BROKEN = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

_SQLSTATES = {
    "53100": Unavailable.DISK_FULL,
    "58030": Unavailable.IO_ERROR,
    "25006": Unavailable.READ_ONLY,
    "55P03": Unavailable.LOCKED,
    "57014": Unavailable.OVERLOADED,
    "40001": Unavailable.CONFLICT,
    "40P01": Unavailable.CONFLICT,
    # SQLSTATE classes, asked when the whole code is not above
    "08": Unavailable.CONNECTION_LOST,
    "25": Unavailable.CONNECTION_LOST,  # idle in transaction for too long
    "28": Unavailable.CONNECTION_LOST,  # the login is refused
    "3D": Unavailable.CONNECTION_LOST,  # no such database
    "53": Unavailable.OVERLOADED,
    "57": Unavailable.CONNECTION_LOST,  # the server shuts down, starts, or ended the connection
    "58": Unavailable.IO_ERROR,
}
_SQLSTATES_BROKEN = frozenset({"XX001", "XX002"})


def explained(error: BaseException) -> StoreError | None:
    """What `error` of a driver means; None when it is a fault of the statement, such as a violated constraint."""
    if isinstance(error, PoolTimeout):
        return StoreUnavailable(Unavailable.OVERLOADED, "every connection is busy")
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        return _of_sqlite(cause)
    if isinstance(cause, psycopg.Error):
        return _of_postgresql(cause)
    return None


def _of_sqlite(error: sqlite3.Error) -> StoreError | None:
    code = getattr(error, "sqlite_errorcode", None)  # not set where Python itself raises
    if code is None:
        closed = isinstance(error, sqlite3.OperationalError)
        return StoreUnavailable(Unavailable.CONNECTION_LOST, str(error)) if closed else None
    if code & 0xFF in _SQLITE_BROKEN:
        return StoreCorrupt(f"the file of the store is corrupt: {error}")
    reason = _SQLITE.get(code & 0xFF)
    return None if reason is None else StoreUnavailable(reason, f"{error} ({error.sqlite_errorname})")


def _of_postgresql(error: psycopg.Error) -> StoreError | None:
    state = error.sqlstate
    text = " ".join(str(error).split())
    if state is None:
        lost = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
        return StoreUnavailable(Unavailable.CONNECTION_LOST, text) if lost else None
    if state in _SQLSTATES_BROKEN:
        return StoreCorrupt(f"the server says that its data is corrupt: {text}")
    reason = _SQLSTATES.get(state) or _SQLSTATES.get(state[:2])
    return None if reason is None else StoreUnavailable(reason, f"{text} (SQLSTATE {state})")


@contextmanager
def errors_explained() -> Iterator[None]:
    """Drivers' errors that are not the statement's fault leave as StoreError."""
    try:
        yield
    except (DBAPIError, PoolTimeout, sqlite3.Error, psycopg.Error) as error:
        told = explained(error)
        if told is None:
            raise
        raise told from error
