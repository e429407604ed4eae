"""SQLite files as recovery opens them: in a thread, with a deadline, and never changed by looking at them."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal

from alertbridge.recover.actions.database_work import DatabaseFailed, Work
from alertbridge.store.errors import StoreUnavailable
from alertbridge.store.integrity import complaint_about

COMPANIONS = ("-wal", "-shm", "-journal")
_STEPS = 20_000  # of SQLite's virtual machine, some milliseconds
_CHUNK_BYTES = 1 << 20
_REASONS = {
    sqlite3.SQLITE_BUSY: "locked",
    sqlite3.SQLITE_LOCKED: "locked",
    sqlite3.SQLITE_CORRUPT: "corrupt",
    sqlite3.SQLITE_NOTADB: "corrupt",
    sqlite3.SQLITE_FULL: "disk_full",
    sqlite3.SQLITE_CANTOPEN: "cannot_open",
    sqlite3.SQLITE_PERM: "no_permission",
    sqlite3.SQLITE_READONLY: "read_only",
    sqlite3.SQLITE_INTERRUPT: "timeout",
}

Mode = Literal["ro", "rw"]


@contextmanager
def explained(changed: bool | None = False) -> Iterator[None]:
    """Errors of SQLite and of the file system leave as DatabaseFailed."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        raise DatabaseFailed(_REASONS.get(code, "database_error"), str(error), changed=changed) from error
    except OSError as error:
        reason = "disk_full" if error.errno == 28 else "no_permission" if error.errno == 13 else "io_error"
        raise DatabaseFailed(reason, f"{error.strerror}: {error.filename}", changed=changed) from error


@contextmanager
def opened(
    path: Path, work: Work, *, busy_s: float, mode: Mode = "ro", immutable: bool = False
) -> Iterator[sqlite3.Connection]:
    """A connection without transactions of its own; long statements end when their time is up.

    `immutable` is for files that nobody else has: it takes no locks and looks at no log.
    """
    options = f"mode={mode}{'&immutable=1' if immutable else ''}"
    uri = f"{path.absolute().as_uri()}?{options}"
    with closing(sqlite3.connect(uri, uri=True, timeout=busy_s, isolation_level=None)) as connection:
        connection.set_progress_handler(lambda: int(work.left_s <= 0), _STEPS)
        yield connection


def require_file(path: Path) -> None:
    """Raises DatabaseFailed when there is none."""
    if not path.is_file():
        raise DatabaseFailed("no_such_file", f"there is no file {path}")


def live_complaint(path: Path, *, busy_s: float) -> str:
    """What `quick_check` holds against a file in use; empty when it is whole. Raises DatabaseFailed."""
    require_file(path)
    try:
        with explained():
            return complaint_about(path, thorough=False, busy_timeout_s=busy_s)
    except StoreUnavailable as unavailable:
        raise DatabaseFailed(unavailable.reason.value, unavailable.detail) from unavailable


def copy_complaint(path: Path, work: Work) -> str:
    """What `integrity_check` holds against a file that nobody uses; empty when it is whole."""
    try:
        with explained(), opened(path, work, busy_s=1, immutable=True) as connection:
            rows = connection.execute("PRAGMA integrity_check(3)").fetchall()
    except DatabaseFailed as failed:
        if failed.reason != "corrupt":
            raise
        return str(failed)
    findings = [str(row[0]) for row in rows]
    return "" if findings == ["ok"] else "; ".join(findings)[:300]


def copied(source: Path, target: Path, work: Work) -> None:
    """`target` is a copy of `source` and on the disk. Raises OSError, DatabaseFailed."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    with source.open("rb") as reading, os.fdopen(os.open(target, flags, 0o600), "wb") as writing:
        while piece := reading.read(_CHUNK_BYTES):
            work.check()
            writing.write(piece)
        writing.flush()
        os.fsync(writing.fileno())


def synced(path: Path) -> None:
    """What is in a file, or which names are in a folder, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def companion(path: Path, ending: str) -> Path:
    """A file that SQLite keeps beside another."""
    return path.with_name(path.name + ending)


def removed(path: Path) -> None:
    """The file is gone with its companions."""
    for each in (*(companion(path, ending) for ending in COMPANIONS), path):
        each.unlink(missing_ok=True)
