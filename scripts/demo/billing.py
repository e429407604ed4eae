"""The billing database of the demo, and a program that holds its lock and does not let go."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

HOLDER_NAME = "billing-import"
"""What the process that holds the lock is called; the bridge may end it by that name."""
CUSTOMERS = 240
_HOLD = """
import signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=10)
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE customers SET paid = 1 - paid")
print("locked", flush=True)
signal.pause()
"""


def make_billing(file: Path) -> None:
    """A small database with a write-ahead log, in a folder of its own."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = wal")
        connection.execute(
            "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, plan TEXT, paid INTEGER)"
        )
        connection.executemany(
            "INSERT INTO customers (name, plan, paid) VALUES (?, ?, 1)",
            ((f"pelanggan-{number}", f"{10 * (1 + number % 5)}M") for number in range(1, CUSTOMERS + 1)),
        )
        connection.commit()


class LockHolder:
    """A program that writes to the database and stops in the middle of its transaction."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._process: subprocess.Popen[bytes] | None = None

    def __repr__(self) -> str:
        return f"<LockHolder {'holds' if self.holds else 'away'}>"

    @property
    def holds(self) -> bool:
        """Whether it is there; one that was ended is let go."""
        return self._process is not None and self._process.poll() is None

    def hold(self) -> None:
        """Returns once it holds the lock. Raises OSError when it does not get it."""
        if self.holds:
            return
        self.end()
        program = self._file.parent / HOLDER_NAME
        if not program.is_symlink():
            # The kernel calls a process after the path that was executed, and the interpreter finds itself by the link.
            program.symlink_to(os.path.realpath(sys.executable))
        self._process = subprocess.Popen(
            [str(program), "-c", _HOLD, str(self._file)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        if self._process.stdout is None or self._process.stdout.readline() != b"locked\n":
            self.end()
            raise OSError(f"{HOLDER_NAME} could not lock {self._file}")

    def end(self) -> None:
        """It is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process = None
