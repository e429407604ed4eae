"""The user's SQL on a SQLite file: read-only, within a time, and never in the owner's way."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from exporter.probes.database_faults import DatabaseFault, Fault
from exporter.probes.rows import Cell, Rows
from exporter.probes.sqlite_copy import copied
from exporter.probes.sqlite_file import (
    LOCK_BUDGET_S,
    FileState,
    Opened,
    bounded,
    only_reading,
    read,
    translated,
)

COPY_LIMIT_BYTES = 256 * 1024 * 1024
"""Largest file that is copied for a statement that would keep its owner waiting."""


class SqliteRows:
    """Runs statements on one file, as `exporter.probes.rows.Database`."""

    def __init__(
        self,
        path: Path,
        *,
        copy_limit_bytes: int = COPY_LIMIT_BYTES,
        budget_s: float = LOCK_BUDGET_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._copy_limit_bytes = copy_limit_bytes
        self._budget_s = budget_s
        self._clock = clock

    def __repr__(self) -> str:
        return f"<SqliteRows {self._path.name}>"

    def rows(self, sql: str, *, timeout_s: float, limit: int) -> Rows:
        """See `exporter.probes.rows.Database`."""
        until_s = self._clock() + timeout_s
        return read(self._path, lambda opened: self._rows(opened, sql, until_s, limit))

    def _rows(self, opened: Opened, sql: str, until_s: float, limit: int) -> Rows:
        if not opened.blocks_writer:
            return self._run(opened.connection, sql, until_s, limit)
        try:
            return self._run(opened.connection, sql, min(until_s, self._clock() + self._budget_s), limit)
        except DatabaseFault as fault:
            if fault.fault is not Fault.TIMEOUT:
                raise
        opened.connection.set_authorizer(None)
        opened.connection.set_progress_handler(None, 0)
        if FileState.of(self._path).size_bytes > self._copy_limit_bytes:
            raise DatabaseFault(
                Fault.WOULD_BLOCK,
                "takes so long that the owner could not write, and the file is too large to be copied; "
                "WAL mode (PRAGMA journal_mode=WAL, once) lets both go on",
            )
        with copied(opened, until_s=until_s, clock=self._clock) as copy:
            return self._run(copy, sql, until_s, limit)

    def _run(self, connection: sqlite3.Connection, sql: str, until_s: float, limit: int) -> Rows:
        """`sql` on `connection`, broken off at `until_s`; the file is locked for reading until it returns."""
        bounded(connection, until_s, self._clock)
        connection.set_authorizer(only_reading)
        with translated():
            cursor = connection.execute(sql)
            try:
                columns = [column[0] for column in cursor.description or ()]
                return Rows.taken(columns, self._in_time(cursor, until_s), limit)
            finally:
                cursor.close()

    def _in_time(self, cursor: sqlite3.Cursor, until_s: float) -> Iterator[tuple[Cell, ...]]:
        """Rows come from SQLite in a few steps each, so that the clock must be looked at here as well."""
        for row in cursor:
            yield row
            if self._clock() > until_s:
                raise DatabaseFault(Fault.TIMEOUT, "broken off: it took too long")
