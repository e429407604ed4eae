"""One bridge to a SQLite file: an flock on a file beside it, which the kernel lets go when its process ends."""

import fcntl
import os
from pathlib import Path

from alertbridge.store.errors import StoreInUse, StoreUnavailable, Unavailable


class ProcessLock:
    """Held from when it is made until `release`. The lock file stays where it is; it holds the owner's process id."""

    def __init__(self, store: Path) -> None:
        """Raises StoreInUse when another bridge has it, StoreUnavailable when the folder cannot be written to."""
        self.path = store.with_name(f"{store.name}.lock")
        try:
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreUnavailable(
                Unavailable.NOT_OPENED, f"cannot write to {self.path}: {error.strerror}"
            ) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip()
            os.close(self._descriptor)
            raise StoreInUse(
                f"another bridge{f' (process {owner})' if owner else ''} works on {store}: stop it first, or "
                "give this one another path. Several bridges can share a PostgreSQL database, not a SQLite file."
            ) from error
        self._sign()

    def _sign(self) -> None:
        try:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        except OSError:
            pass  # the disk is full: the lock holds all the same, only without a name on it

    def release(self) -> None:
        """Lets the next one have it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
