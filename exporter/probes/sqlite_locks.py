"""Whether somebody holds the write lock of a SQLite file, as the kernel's list of locks tells it.

SQLite has no way to ask without trying, and trying means taking the lock. The kernel lists who holds which bytes of
which file; SQLite's bytes are fixed by its file format. Linux only, and only programs in the same PID namespace are
listed: from inside a container the locks of programs outside it are not seen.
"""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

PROC_LOCKS = Path("/proc/locks")
LOOK_EVERY_S = 0.02

_PENDING = 0x40000000
_RESERVED = _PENDING + 1
_SHARED = _PENDING + 2
_WAL_WRITE = 120
"""Byte of the -shm file that a writer holds in WAL mode."""
_MAJOR_OF_LAYERED = 0
"""Overlay and copy-on-write file systems show another device in stat() than in the list of locks."""


class LockWatch:
    """Looks for a writer's lock on one database. None where the kernel does not tell."""

    def __init__(
        self,
        path: Path,
        *,
        locks: Path = PROC_LOCKS,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._path = path
        self._locks = locks
        self._clock = clock
        self._pause = pause

    def is_held(self) -> bool | None:
        """Whether another process holds the write lock now."""
        try:
            listing = self._locks.read_text(encoding="ascii", errors="replace")
        except OSError:
            return None
        held = list(_write_locks(listing))
        database, shared_memory = _identity(self._path), _identity(Path(f"{self._path}-shm"))
        return any(
            (
                _is(database, identity)
                and any(first <= byte <= last for byte in (_PENDING, _RESERVED, _SHARED))
            )
            or (_is(shared_memory, identity) and first <= _WAL_WRITE <= last)
            for identity, first, last in held
        )

    def stays_held(self, for_s: float) -> bool | None:
        """Whether it is held at each look for `for_s` seconds; returns as soon as it is not."""
        until_s = self._clock() + for_s
        while (held := self.is_held()) and self._clock() < until_s:
            self._pause(LOOK_EVERY_S)
        return held


_Identity = tuple[int, int, int]


def _identity(path: Path) -> _Identity | None:
    """Major and minor of the device, and inode."""
    try:
        found = path.stat()
    except OSError:
        return None
    return os.major(found.st_dev), os.minor(found.st_dev), found.st_ino


def _is(ours: _Identity | None, listed: _Identity) -> bool:
    if ours is None or ours[2] != listed[2]:
        return False
    return ours == listed or ours[0] == _MAJOR_OF_LAYERED


def _write_locks(listing: str) -> Iterator[tuple[_Identity, int, int]]:
    """Exclusive locks of other processes that are held (not waited for): file, first byte, last byte."""
    for line in listing.splitlines():
        words = line.split()  # 1: POSIX ADVISORY WRITE 812 08:01:131 1073741825 1073741825
        if len(words) != 8 or words[1] not in ("POSIX", "OFDLCK") or words[3] != "WRITE":
            continue
        try:
            major, minor, inode = words[5].split(":")
            last = 2**63 if words[7] == "EOF" else int(words[7])
            owner, first = int(words[4]), int(words[6])
            identity = (int(major, 16), int(minor, 16), int(inode))
        except ValueError:
            continue
        if owner != os.getpid():
            yield identity, first, last
