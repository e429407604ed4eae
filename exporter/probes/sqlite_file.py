"""A SQLite file as an outsider may look at it: without writing to it, beside it, or keeping its owner waiting.

What could disturb the owner, and what is done about it:

- A connection with ``mode=ro`` still makes ``-wal`` and ``-shm`` files for a database in WAL mode that nobody has
  open. Then it is opened ``immutable``, which makes and locks nothing, and a reading during which somebody came and
  wrote is refused.
- In a rollback journal mode (the default) the owner cannot commit while a statement of ours runs. None runs longer
  than `LOCK_BUDGET_S` there; what takes longer runs on a copy (`exporter.probes.sqlite_copy`). In WAL mode readers
  keep nobody waiting.
- Who holds a lock is read from ``/proc/locks`` (`exporter.probes.sqlite_locks`), not found out by trying to take it.
"""

import contextlib
import errno
import os
import sqlite3
import stat
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from exporter.probes.database_faults import DatabaseFault, Fault

T = TypeVar("T")

LOCK_WAIT_S = 0.25
"""How long a reading waits for somebody else's lock."""
LOCK_BUDGET_S = 0.005
"""How long a reading of a database that is not in WAL mode may go on: its owner cannot commit meanwhile."""
STEPS_BETWEEN_LOOKS = 1000
"""Steps of SQLite's machine between two looks at the clock: some 20 microseconds."""
TRIES = 3
VALUE_LIMIT_BYTES = 1024 * 1024
"""Longest text or blob that SQLite may make for us."""

_MAGIC = b"SQLite format 3\0"
_READ_VERSION_AT = 19

_FAULTS: dict[int, tuple[Fault, str]] = {
    sqlite3.SQLITE_BUSY: (Fault.LOCKED, f"locked by another program for {LOCK_WAIT_S:g} s"),
    sqlite3.SQLITE_LOCKED: (Fault.LOCKED, "locked"),
    sqlite3.SQLITE_NOTADB: (Fault.NOT_A_DATABASE, "the file is not a SQLite database, or is encrypted"),
    sqlite3.SQLITE_CORRUPT: (Fault.CORRUPT, "the file is corrupt"),
    sqlite3.SQLITE_CANTOPEN: (Fault.UNREADABLE, "the file or its folder cannot be read by this user"),
    sqlite3.SQLITE_PERM: (Fault.UNREADABLE, "the file cannot be read by this user"),
    sqlite3.SQLITE_IOERR: (Fault.UNREADABLE, "reading the file failed"),
    sqlite3.SQLITE_INTERRUPT: (Fault.TIMEOUT, "broken off: it took too long"),
    sqlite3.SQLITE_AUTH: (Fault.WRITE_REFUSED, "the statement may only read"),
    sqlite3.SQLITE_READONLY: (Fault.WRITE_REFUSED, "the database is open for reading only"),
    sqlite3.SQLITE_TOOBIG: (Fault.SQL, "a value is larger than 1 MiB"),
}
_UNRECOVERED = (
    Fault.UNRECOVERED,
    "a write was broken off; the owner must open it first, which rolls it back",
)
_UNRECOVERED_CODES = (
    sqlite3.SQLITE_READONLY_ROLLBACK,
    sqlite3.SQLITE_READONLY_RECOVERY,
    sqlite3.SQLITE_READONLY_CANTINIT,
)

_ALLOWED = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
)
_FORBIDDEN_FUNCTIONS = frozenset({"load_extension", "readfile", "writefile", "edit"})


@dataclass(frozen=True, slots=True)
class FileState:
    """What the folder tells of a database, without opening it. Times are Unix seconds."""

    inode: int
    device: int
    size_bytes: int
    written_at_s: float
    wal_bytes: int | None
    has_shm: bool

    @classmethod
    def of(cls, path: Path) -> "FileState":
        """Raises DatabaseFault when there is no such file, or no right to see it."""
        try:
            found = path.stat()
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR):
                raise DatabaseFault(Fault.MISSING, "there is no such file") from error
            raise DatabaseFault(Fault.UNREADABLE, error.strerror or "the file cannot be looked at") from error
        if not stat.S_ISREG(found.st_mode):
            raise DatabaseFault(Fault.NOT_A_DATABASE, "it is not a regular file")
        wal = _stat(path, "-wal")
        return cls(
            inode=found.st_ino,
            device=found.st_dev,
            size_bytes=found.st_size,
            written_at_s=max(found.st_mtime, wal.st_mtime if wal is not None and wal.st_size else 0.0),
            wal_bytes=wal.st_size if wal is not None else None,
            has_shm=_stat(path, "-shm") is not None,
        )


def _stat(path: Path, suffix: str) -> os.stat_result | None:
    with contextlib.suppress(OSError):
        return Path(f"{path}{suffix}").stat()
    return None


class HeaderKeeper:
    """Reads the first bytes of database files over descriptors that stay open.

    One per process, since what it guards against is per process: POSIX lets go of all locks that a process has on a
    file when it closes any descriptor of that file, those of SQLite's connections in other threads included. A
    descriptor is closed when another file has taken the path, and nobody reads the old one any more.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[Path, tuple[tuple[int, int], int]] = {}

    def is_wal(self, path: Path, state: FileState) -> bool:
        """Whether the file says that it is in WAL mode. Raises DatabaseFault."""
        same = (state.device, state.inode)
        with self._lock:
            kept = self._kept.get(path)
            try:
                if kept is None or kept[0] != same:
                    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
                    self._kept[path] = (same, descriptor)
                    if kept is not None:
                        os.close(kept[1])
                head = os.pread(self._kept[path][1], len(_MAGIC) + 4, 0)
            except OSError as error:
                raise DatabaseFault(Fault.UNREADABLE, error.strerror or "the file cannot be read") from error
        if head and not head.startswith(_MAGIC):
            raise DatabaseFault(*_FAULTS[sqlite3.SQLITE_NOTADB])
        return head[_READ_VERSION_AT : _READ_VERSION_AT + 1] == b"\x02"


_headers = HeaderKeeper()


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection for one reading, opened within `open_s`. `blocks_writer` says that the owner cannot commit while
    a statement runs."""

    connection: sqlite3.Connection
    journal_mode: str
    blocks_writer: bool
    open_s: float


def read(path: Path, work: Callable[[Opened], T]) -> T:
    """What `work` makes of the file, which is open for reading meanwhile. Raises DatabaseFault.

    `work` may be called again when the owner came while nobody had the file open.
    """
    for _ in range(TRIES):
        before = FileState.of(path)
        is_wal = _headers.is_wal(path, before)
        idle = is_wal and not before.has_shm
        if idle and before.wal_bytes:
            raise DatabaseFault(*_UNRECOVERED)
        with translated():
            result = _read(path, work, is_wal=is_wal, idle=idle)
        if not idle or FileState.of(path) == before:
            return result
    raise DatabaseFault(Fault.LOCKED, "others open, write and close it all the time")


def _read(path: Path, work: Callable[[Opened], T], *, is_wal: bool, idle: bool) -> T:
    mode = "immutable=1" if idle else "mode=ro"
    began_s = time.monotonic()
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?{mode}",
        uri=True,
        timeout=LOCK_WAIT_S,
        isolation_level=None,
        check_same_thread=False,
    )
    with contextlib.closing(connection):
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, VALUE_LIMIT_BYTES)
        connection.text_factory = _text
        connection.execute("PRAGMA schema_version").fetchone()  # opens the file, which connecting does not
        open_s = time.monotonic() - began_s
        journal = "wal" if is_wal else str(connection.execute("PRAGMA journal_mode").fetchone()[0])
        return work(Opened(connection, journal, blocks_writer=not is_wal, open_s=open_s))


def _text(raw: bytes) -> str:
    """Text as UTF-8, and what is none, legible."""
    return raw.decode("utf-8", errors="replace")


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Turns what sqlite3 raises into DatabaseFault."""
    try:
        yield
    except sqlite3.Error as error:
        raise fault_of(error) from error


def fault_of(error: sqlite3.Error) -> DatabaseFault:
    """What an error of sqlite3 means."""
    extended = getattr(error, "sqlite_errorcode", None)
    if extended is None:
        return DatabaseFault(Fault.SQL, str(error))
    if extended in _UNRECOVERED_CODES:
        return DatabaseFault(*_UNRECOVERED)
    fault, message = _FAULTS.get(extended & 0xFF, (Fault.SQL, str(error)))
    return DatabaseFault(fault, message)


def only_reading(
    action: int, first: str | None, second: str | None, base: str | None, source: str | None
) -> int:
    """SQLite's authorizer: lets statements read, and nothing else: no ATTACH, no PRAGMA, no file functions."""
    del base, source, first
    if action not in _ALLOWED or (action == sqlite3.SQLITE_FUNCTION and second in _FORBIDDEN_FUNCTIONS):
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


def bounded(
    connection: sqlite3.Connection, until_s: float, clock: Callable[[], float] = time.monotonic
) -> None:
    """From now on statements are broken off when `clock` passes `until_s`."""
    connection.set_progress_handler(lambda: int(clock() > until_s), STEPS_BETWEEN_LOOKS)
