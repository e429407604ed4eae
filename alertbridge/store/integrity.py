"""Whether a SQLite file is whole; one that is not is kept aside, so that a new one can begin.

What is not found: frames of the write-ahead log that were overwritten in its middle. SQLite takes the log up to
the last frame whose checksum is right, as it must after a power cut, and the rest is gone without a word.
"""

import os
import sqlite3
import struct
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import structlog

from alertbridge.store.errors import StoreCorrupt, errors_explained

log = structlog.get_logger(__name__)

_WAL_HEADER = struct.Struct(">8I")
_WAL_MAGIC = 0x377F0682  # its last bit says in which order of bytes the checksums were made
_COMPANIONS = ("-wal", "-shm")


def ensure_whole(path: Path, *, busy_timeout_s: float, now_s: float) -> Path | None:
    """Checks the file at `path`, if there is one; a corrupt one is renamed and its new path returned.

    Takes about a second for each 500 MB. Blocks. `now_s` is the time for the name, Unix seconds. Raises
    StoreUnavailable when the file cannot be read just now.
    """
    if not path.exists():
        return None
    suspected = suspicion(path).exists()
    complaint = complaint_about(path, thorough=suspected, busy_timeout_s=busy_timeout_s)
    kept = None
    if complaint:
        kept = set_aside(path, now_s)
        log.error("store.corrupt_file_kept_aside", kept=str(kept), complaint=complaint)
    suspicion(path).unlink(missing_ok=True)
    return kept


def suspicion(path: Path) -> Path:
    """The file that asks the next start for the thorough check, since corruption was met at work."""
    return path.with_name(f"{path.name}.suspect")


def complaint_about(path: Path, *, thorough: bool, busy_timeout_s: float) -> str:
    """What is wrong with the file's structure; empty when it is whole. `thorough` compares indexes with tables too."""
    if complaint := _wal_complaint(path):
        return complaint
    check = "integrity_check" if thorough else "quick_check"
    try:
        with errors_explained(), closing(_opened(path, busy_timeout_s)) as connection:
            rows = connection.execute(f"PRAGMA {check}(3)").fetchall()
    except StoreCorrupt as error:
        return str(error)
    findings = [str(row[0]) for row in rows]
    return "" if findings == ["ok"] else "; ".join(findings)


def _opened(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    """A connection that cannot write: one that can would work the log into a broken file when it is closed.

    Only what a crash left in the first moment of a new file, before it had a write-ahead log, needs writing.
    """
    mode = "rw" if path.with_name(f"{path.name}-journal").exists() else "ro"
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=busy_timeout_s)


def _wal_complaint(path: Path) -> str:
    """SQLite ignores a log without a right header, and all that was committed into it. That is no sound start."""
    try:
        with path.with_name(f"{path.name}-wal").open("rb") as log_file:
            header = log_file.read(_WAL_HEADER.size)
    except FileNotFoundError:
        return ""
    if not header.strip(b"\0"):  # never used, or a power cut before its first commit
        return ""
    if len(header) < _WAL_HEADER.size:
        return "the write-ahead log is cut off inside its header"
    words = _WAL_HEADER.unpack(header)
    if words[0] & ~1 != _WAL_MAGIC or _checksum(header[:24], big_endian=bool(words[0] & 1)) != words[6:]:
        return "the write-ahead log has no valid header"
    if path.stat().st_size == 0:
        return "the file is empty, its write-ahead log is not"
    return ""


def _checksum(data: bytes, *, big_endian: bool) -> tuple[int, int]:
    """The two sums of SQLite's log format over `data`, a multiple of eight bytes."""
    first = second = 0
    for low, high in struct.iter_unpack(">2I" if big_endian else "<2I", data):
        first = (first + low + second) & 0xFFFFFFFF
        second = (second + high + first) & 0xFFFFFFFF
    return first, second


def set_aside(path: Path, now_s: float) -> Path:
    """Renames the file and its companions; returns the new path. What was renamed opens with SQLite's own tools."""
    moment = datetime.fromtimestamp(now_s, UTC).strftime("%Y%m%dT%H%M%SZ")
    kept, again = path.with_name(f"{path.name}.corrupt-{moment}"), 1
    while kept.exists():
        again += 1
        kept = path.with_name(f"{path.name}.corrupt-{moment}-{again}")
    # The companions go first: a new file must never meet the old one's log.
    for companion in _COMPANIONS:
        source = path.with_name(path.name + companion)
        if source.exists():
            source.rename(kept.with_name(kept.name + companion))
    path.rename(kept)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return kept
