"""Who holds the locks of a SQLite file, as the kernel tells.

SQLite locks ranges of bytes: of the database itself (pending, reserved, shared), and with a write-ahead log of the
file ``-shm`` (writing, checkpoint, recovery, then readers). `/proc/locks` says which process holds which range of
which inode; that the process has this very file open is then seen in its own folder, since numbers of devices differ
on some file systems. Nothing is opened: closing a file drops a process's own locks on it.
"""

import os
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from pathlib import Path

import psutil

from alertbridge.recover.actions.sqlite_files import COMPANIONS, companion

_DATABASE_LOCKS = range(0x40000000, 0x40000000 + 512)
_WRITERS_OF_LOG = range(120, 123)

FileId = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Lock:
    """One line of `/proc/locks` that is held. `last` is None up to the end of the file."""

    pid: int
    inode: int
    writes: bool
    first: int
    last: int | None

    def touches(self, place: range) -> bool:
        """Whether it holds some of these bytes."""
        return self.first < place.stop and (self.last is None or self.last >= place.start)


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that holds a lock. `began` tells it from a later one of the same number."""

    pid: int
    began: float
    name: str
    user: str
    uid: int


def parsed(text: str) -> Iterator[Lock]:
    """The locks in the text of `/proc/locks`; who waits for one is left out."""
    for line in text.splitlines():
        words = line.split()
        if len(words) < 8 or words[1] != "POSIX":
            continue
        try:
            yield Lock(
                pid=int(words[4]),
                inode=int(words[5].rpartition(":")[2]),
                writes=words[3] == "WRITE",
                first=int(words[6]),
                last=None if words[7] == "EOF" else int(words[7]),
            )
        except ValueError:
            continue


def blocking(locks: Iterable[Lock], *, database: int, log_index: int | None) -> frozenset[int]:
    """Numbers of the processes that keep others from writing. `log_index` is the inode of ``-shm``, if there is one."""
    held = tuple(locks)
    of_database = [lock for lock in held if lock.inode == database and lock.touches(_DATABASE_LOCKS)]
    writers = {lock.pid for lock in of_database if lock.writes}
    if log_index is not None:
        writers |= {
            lock.pid
            for lock in held
            if lock.inode == log_index and lock.writes and lock.touches(_WRITERS_OF_LOG)
        }
    elif not writers:  # without a log, one who reads keeps every other from committing
        writers = {lock.pid for lock in of_database}
    return frozenset(writers)


def holders(path: Path) -> tuple[Holder, ...]:
    """Who keeps others from writing to the file now. Raises OSError when the kernel does not tell."""
    index = companion(path, "-shm")
    files = [path.stat(), *((index.stat(),) if index.exists() else ())]
    pids = blocking(
        parsed(Path("/proc/locks").read_text(encoding="ascii", errors="replace")),
        database=files[0].st_ino,
        log_index=files[1].st_ino if len(files) > 1 else None,
    )
    wanted = {(file.st_dev, file.st_ino) for file in files}
    found = (described(pid) for pid in sorted(pids) if pid > 0 and has_open(pid, wanted))
    return tuple(holder for holder in found if holder is not None)


def described(pid: int) -> Holder | None:
    """A process as it is now; None when it is gone."""
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            return Holder(
                pid, process.create_time(), process.name(), process.username(), process.uids().effective
            )
    except psutil.Error:
        return None


def has_open(pid: int, files: Set[FileId]) -> bool:
    """Whether a process has one of these files open; False when we may not know."""
    try:
        with os.scandir(f"/proc/{pid}/fd") as entries:
            return any(_identity(entry) in files for entry in entries)
    except OSError:
        return False


def _identity(entry: "os.DirEntry[str]") -> FileId | None:
    try:
        found = entry.stat()
    except OSError:  # closed meanwhile
        return None
    return found.st_dev, found.st_ino


def users_of(path: Path) -> tuple[int, ...]:
    """Numbers of all processes that have the file, or one of its companions, open."""
    files = {(found.st_dev, found.st_ino) for found in _present(path)}
    pids = (int(name) for name in (entry.name for entry in Path("/proc").iterdir()) if name.isdecimal())
    return tuple(sorted(pid for pid in pids if has_open(pid, files)))


def _present(path: Path) -> Iterator[os.stat_result]:
    for each in (path, *(companion(path, ending) for ending in COMPANIONS)):
        if each.exists():
            yield each.stat()
