"""Other programs at a SQLite file, as processes: one that holds a lock, one that writes, one that is a service.

Run as a program: ``hold PATH HOW`` prints ``held`` with the lock in its hand and keeps it until it is ended (HOW is
IMMEDIATE, EXCLUSIVE or READ; ``+stubborn`` appended, it ignores TERM); ``write PATH`` commits row after row and prints
the number of each; ``serve PATH`` opens the file and keeps it open.
"""

import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path


def hold(path: str, how: str) -> None:
    """A transaction that does not end."""
    if how.endswith("+stubborn"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    connection = sqlite3.connect(path, timeout=10, isolation_level=None)
    kind = how.partition("+")[0]
    connection.execute("BEGIN" if kind == "READ" else f"BEGIN {kind}")
    connection.execute("SELECT count(*) FROM writes").fetchall()
    if kind != "READ":
        connection.execute("INSERT INTO writes (text) VALUES ('never committed')")
    sys.stdout.write("held\n")
    sys.stdout.flush()
    time.sleep(600)


def write(path: str) -> None:
    """Row after row, each committed before it is told."""
    connection = sqlite3.connect(path, timeout=10, isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")
    while True:
        row = connection.execute("INSERT INTO writes (text) VALUES ('written') RETURNING id").fetchone()
        sys.stdout.write(f"{row[0]}\n")
        sys.stdout.flush()
        time.sleep(0.0005)


def serve(path: str) -> None:
    """The file is open as long as this runs."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
    sys.stdout.write("serving\n")
    sys.stdout.flush()
    time.sleep(600)


@contextmanager
def using(path: Path, verb: str, *words: str) -> Iterator["subprocess.Popen[str]"]:
    """A process at the file, once it has said its first word; killed at the end."""
    process = subprocess.Popen(
        [sys.executable, __file__, verb, str(path), *words], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.communicate()


def made(path: Path, *, journal: str = "wal", rows: int = 2000) -> Path:
    """A database with a table, an index and some rows."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA journal_mode={journal}")
        connection.execute("PRAGMA user_version=7")
        connection.execute("CREATE TABLE writes (id INTEGER PRIMARY KEY, text TEXT)")
        connection.execute("CREATE INDEX by_text ON writes (text)")
        connection.execute("BEGIN")
        text = ((f"row {number} " + "x" * 200,) for number in range(rows))
        connection.executemany("INSERT INTO writes (text) VALUES (?)", text)
        connection.execute("COMMIT")
    return path


def corrupt(path: Path) -> bytes:
    """Overwrites pages in the middle; returns what stands in the file then."""
    content = bytearray(path.read_bytes())
    for page in range(3, len(content) // 4096, 3):
        content[page * 4096 : page * 4096 + 64] = b"\xde\xad" * 32
    path.write_bytes(content)
    return bytes(content)


def rows(path: Path) -> int:
    """How many there are."""
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(*) FROM writes").fetchone()[0])


def whole(path: Path) -> bool:
    """Whether SQLite finds nothing wrong, with all that stands beside the file."""
    with closing(sqlite3.connect(path)) as connection:
        try:
            return list(connection.execute("PRAGMA integrity_check")) == [("ok",)]
        except sqlite3.DatabaseError:
            return False


if __name__ == "__main__":
    {"hold": hold, "write": write, "serve": serve}[sys.argv[1]](*sys.argv[2:])
