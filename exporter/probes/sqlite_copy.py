"""A private copy of a SQLite file, for what takes longer than its owner should wait.

The copy is made by SQLite's own backup, some pages at a time. Only while a step runs is the file locked for reading;
between two steps the owner gets its turn, and when it wrote something the copying begins anew. (In WAL mode readers
keep nobody waiting, and all steps see one snapshot.) The copy is a temporary
database of SQLite's: a file without a name, gone when it is closed.
"""

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator

from exporter.probes.database_faults import DatabaseFault, Fault
from exporter.probes.sqlite_file import LOCK_WAIT_S, Opened

STEP_BYTES = 2 * 1024 * 1024
"""Copied in about a millisecond from the page cache."""
PAUSE_S = 0.001
"""How long the file is left alone between two steps."""


@contextlib.contextmanager
def copied(
    source: Opened,
    *,
    until_s: float,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[sqlite3.Connection]:
    """A copy of all that `source` holds. Raises DatabaseFault (timeout) when `clock` passes `until_s` before."""

    def stepped(status: int, remaining: int, total: int) -> None:
        del status, remaining, total
        if clock() > until_s:
            raise DatabaseFault(Fault.TIMEOUT, "copying took too long, or its owner writes all the time")
        pause(PAUSE_S)

    if not source.blocks_writer:  # a snapshot: what is written meanwhile does not make the copying begin anew
        source.connection.execute("BEGIN")
        source.connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    (page_bytes,) = source.connection.execute("PRAGMA page_size").fetchone()
    with contextlib.closing(sqlite3.connect("", isolation_level=None)) as target:
        source.connection.backup(
            target, pages=max(1, STEP_BYTES // page_bytes), progress=stepped, sleep=LOCK_WAIT_S / 10
        )
        yield target
