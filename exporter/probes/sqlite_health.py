"""The health of a SQLite file, measured without disturbing its owner; and the check of its structure on a copy."""

import glob
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import structlog

from exporter.config import DatabaseSection
from exporter.probes import databases as metrics
from exporter.probes.base import Measured
from exporter.probes.database_faults import DatabaseFault, Fault, faults
from exporter.probes.sqlite_copy import copied
from exporter.probes.sqlite_file import LOCK_WAIT_S, FileState, Opened, bounded, read, translated
from exporter.probes.sqlite_locks import LockWatch

FAULTS = (
    Fault.MISSING,
    Fault.UNREADABLE,
    Fault.NOT_A_DATABASE,
    Fault.CORRUPT,
    Fault.LOCKED,
    Fault.UNRECOVERED,
    Fault.TIMEOUT,
    Fault.OTHER,
)
"""What may be wrong with a file."""
PROBLEMS_LIMIT = 100

_log = structlog.stdlib.get_logger("exporter.probes")


class SqliteHealth:
    """One SQLite file, as a probe. Every measurement is a matter of milliseconds for its owner."""

    def __init__(
        self,
        section: DatabaseSection,
        *,
        locks: LockWatch | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = section.name
        self.labels: Mapping[str, str] = {"database": section.name}
        self._path = Path(section.path or "")
        self._backups = section.backups
        self._timeout_s = section.timeout_s
        self._locks = locks or LockWatch(self._path, clock=clock)
        self._clock = clock
        self._locked_seen = 0
        self._told: Fault | None = None

    def __repr__(self) -> str:
        return f"<SqliteHealth {self.name}>"

    def measure(self) -> Sequence[Measured]:
        """See `exporter.probes.base.Probe`."""
        measured: list[Measured] = []
        fault: DatabaseFault | None = None
        held: bool | None = None
        try:
            measured.extend(self._of_the_folder())
            held = self._locks.stays_held(LOCK_WAIT_S)
            measured.extend(read(self._path, self._of_the_file))
        except DatabaseFault as found:
            fault = found
        locked = bool(held) or (fault is not None and fault.fault is Fault.LOCKED)
        self._locked_seen += locked
        self._tell(fault)
        return [
            Measured(metrics.UP, int(fault is None)),
            *faults(metrics.FAILURE, _listed(fault), FAULTS),
            *measured,
            *([Measured(metrics.LOCKED, int(locked))] if locked or held is not None else ()),
            Measured(metrics.LOCKED_SEEN, self._locked_seen),
        ]

    def silent(self) -> Sequence[Measured]:
        """See `exporter.probes.base.Probe`."""
        return [Measured(metrics.UP, 0), *faults(metrics.FAILURE, Fault.TIMEOUT, FAULTS)]

    def _of_the_folder(self) -> Iterator[Measured]:
        """What can be told without opening the file. Raises DatabaseFault when it is not there."""
        if self._backups is not None:
            yield from _backups(self._backups)
        with suppress(OSError):
            yield Measured(metrics.DISK_FREE, shutil.disk_usage(self._path.parent).free)
        state = FileState.of(self._path)
        yield Measured(metrics.SIZE, state.size_bytes)
        yield Measured(metrics.WRITTEN, state.written_at_s)
        if state.wal_bytes is not None:
            yield Measured(metrics.WAL, state.wal_bytes)

    def _of_the_file(self, opened: Opened) -> list[Measured]:
        connection = opened.connection
        bounded(connection, self._clock() + self._timeout_s, self._clock)
        began_s = self._clock()
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        query_s = self._clock() - began_s
        numbers = {name: _pragma(connection, name) for name in _PRAGMAS}
        return [
            Measured(metrics.CONNECT, opened.open_s),
            Measured(metrics.QUERY, query_s),
            Measured(metrics.FREE_LIST, numbers["freelist_count"] * numbers["page_size"]),
            Measured(metrics.PAGES, numbers["page_count"]),
            Measured(metrics.SCHEMA, numbers["schema_version"]),
            Measured(metrics.USER_VERSION, numbers["user_version"]),
            Measured(metrics.INFO, 1, {"kind": "sqlite", "journal_mode": opened.journal_mode}),
        ]

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


_PRAGMAS = ("freelist_count", "page_size", "page_count", "schema_version", "user_version")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _listed(fault: DatabaseFault | None) -> Fault | None:
    if fault is None:
        return None
    return fault.fault if fault.fault in FAULTS else Fault.OTHER


def _backups(pattern: str) -> Iterator[Measured]:
    """Number of backups, and time and size of the newest. One that vanishes while it is looked at does not count."""
    found: list[tuple[float, int]] = []
    for name in glob.iglob(pattern):  # noqa: PTH207  takes patterns with folders in them, absolute ones too
        with suppress(OSError):
            state = Path(name).stat()
            found.append((state.st_mtime, state.st_size))
    yield Measured(metrics.BACKUPS, len(found))
    if found:
        newest_at_s, size_bytes = max(found)
        yield Measured(metrics.BACKUP_AT, newest_at_s)
        yield Measured(metrics.BACKUP_SIZE, size_bytes)


class SqliteCheck:
    """``PRAGMA quick_check`` on a private copy, as a probe that has something new to tell once in `interval_s`.

    A check that could not be made (file too large, owner writing all the time) is tried again at the next
    measurement; the result of the latest one that was made stands until then.
    """

    def __init__(
        self,
        section: DatabaseSection,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = section.name
        self.labels: Mapping[str, str] = {"database": section.name}
        self._path = Path(section.path or "")
        self._settings = section.quick_check
        self._clock = clock
        self._wall_clock = wall_clock
        self._result: list[Measured] = []
        self._checked_s: float | None = None

    def __repr__(self) -> str:
        return f"<SqliteCheck {self.name}>"

    def measure(self) -> Sequence[Measured]:
        """See `exporter.probes.base.Probe`."""
        now_s = self._clock()
        fault: Fault | None = None
        if self._checked_s is None or now_s - self._checked_s >= self._settings.interval_s:
            try:
                self._check(now_s)
            except DatabaseFault as found:
                fault = found.fault if found.fault in CHECK_FAULTS else Fault.OTHER
        return [*self._result, *faults(metrics.CHECK_FAILURE, fault, CHECK_FAULTS)]

    def silent(self) -> Sequence[Measured]:
        """See `exporter.probes.base.Probe`."""
        return [*self._result, *faults(metrics.CHECK_FAILURE, Fault.TIMEOUT, CHECK_FAULTS)]

    def _check(self, now_s: float) -> None:
        """Make a check and keep its result. Raises DatabaseFault when none can be made."""
        size_bytes = FileState.of(self._path).size_bytes
        if self._settings.enabled == "auto" and size_bytes > self._settings.limit_bytes:
            raise DatabaseFault(
                Fault.TOO_LARGE, f"the file has {size_bytes} bytes, more than quick_check.limit_bytes"
            )
        until_s = now_s + self._settings.timeout_s
        try:
            problems = read(self._path, lambda opened: self._problems(opened, until_s))
        except DatabaseFault as found:
            if found.fault is not Fault.CORRUPT:
                raise
            problems = [str(found)]
        if problems:
            _log.error(
                "database.corrupt", database=self.name, problems=len(problems), first=problems[0][:200]
            )
        self._checked_s = now_s
        self._result = [
            Measured(metrics.CHECK_OK, int(not problems)),
            Measured(metrics.CHECK_PROBLEMS, len(problems)),
            Measured(metrics.CHECK_AT, self._wall_clock()),
            Measured(metrics.CHECK_DURATION, self._clock() - now_s),
        ]

    def _problems(self, opened: Opened, until_s: float) -> list[str]:
        with copied(opened, until_s=until_s, clock=self._clock) as copy, translated():
            bounded(copy, until_s, self._clock)
            rows = copy.execute(f"PRAGMA quick_check({PROBLEMS_LIMIT})").fetchall()
        told = [str(row[0]) for row in rows]
        return [] if told == ["ok"] else told


CHECK_FAULTS = (*FAULTS, Fault.TOO_LARGE)
"""Why a check may not be made."""
