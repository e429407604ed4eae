"""A SQLite file is measured truly, whatever state it is in, and its owner does not notice."""

import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from exporter.config import DatabaseSection
from exporter.probes.database_faults import DatabaseFault, Fault
from exporter.probes.sqlite_file import read
from exporter.probes.sqlite_health import SqliteCheck, SqliteHealth
from exporter.probes.sqlite_locks import LockWatch
from tests.fakes.clock import FakeClock
from tests.fakes.measured import reasons, values
from tests.fakes.served import logged

OWNER = Path(__file__).resolve().parents[1] / "fakes" / "sqlite_owner.py"
ROWS = 2000


def section(path: Path, **more: object) -> DatabaseSection:
    return DatabaseSection.model_validate({"name": "billing", "kind": "sqlite", "path": str(path), **more})


def fill(connection: sqlite3.Connection, names: list[str]) -> None:
    """Customers of these names, in one transaction."""
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO customers (name) VALUES (?)", [(name,) for name in names])
    connection.execute("COMMIT")


@contextmanager
def owner_of(path: Path, journal: str = "wal") -> Iterator[sqlite3.Connection]:
    """A connection of the owner, with a table of customers."""
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as connection:
        connection.execute(f"PRAGMA journal_mode={journal}")
        connection.execute("CREATE TABLE IF NOT EXISTS customers (id INTEGER PRIMARY KEY, name TEXT)")
        fill(connection, [f"c{i}" * 20 for i in range(ROWS)])
        yield connection


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "billing #1?.db"


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_healthy_file_is_told_in_numbers(path: Path, journal: str) -> None:
    """Sizes, pages and versions are SQLite's own, times are the file system's, and nothing is locked."""
    with owner_of(path, journal) as owner:
        owner.execute("DELETE FROM customers WHERE id % 2")
        owner.execute("DELETE FROM customers WHERE id < 1000")
        owner.execute("PRAGMA user_version = 7")
        if journal == "wal":
            owner.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            owner.execute("INSERT INTO customers (name) VALUES ('new')")
        found = values(SqliteHealth(section(path)).measure())
        free = owner.execute("PRAGMA freelist_count").fetchone()[0]
        pages = owner.execute("PRAGMA page_count").fetchone()[0]
        schema = owner.execute("PRAGMA schema_version").fetchone()[0]
        assert free > 0
        assert found["tikwatch_database_free_list_bytes"] == free * 4096
        assert found["tikwatch_database_pages"] == pages
        assert found["tikwatch_database_schema_version"] == schema
        assert found["tikwatch_database_size_bytes"] == path.stat().st_size
        assert found.get("tikwatch_database_wal_bytes") == (
            Path(f"{path}-wal").stat().st_size if journal == "wal" else None
        )
    assert found["tikwatch_database_up"] == 1
    assert found["tikwatch_database_user_version"] == 7
    assert found["tikwatch_database_locked"] == 0
    assert found["tikwatch_database_locked_seen_total"] == 0
    assert 0 < found["tikwatch_database_connect_duration_seconds"] < 1
    assert 0 < found["tikwatch_database_query_duration_seconds"] < 1
    assert abs(found["tikwatch_database_last_write_timestamp_seconds"] - time.time()) < 60
    assert found["tikwatch_database_disk_free_bytes"] > 0
    assert f"tikwatch_database_info{{kind=sqlite,journal_mode={journal}}}" in found


def test_the_newest_backup_counts(path: Path, tmp_path: Path) -> None:
    """Time and size are those of the newest file that the pattern finds; without any there is only a zero."""
    with owner_of(path):
        pass
    backups = tmp_path / "backups"
    backups.mkdir()
    health = SqliteHealth(section(path, backups=str(backups / "*" / "billing-*.db")))
    assert values(health.measure())["tikwatch_database_backups"] == 0
    assert "tikwatch_database_last_backup_bytes" not in values(health.measure())
    for day, size in ((1, 10), (3, 30), (2, 20)):
        folder = backups / f"day{day}"
        folder.mkdir()
        backup = folder / "billing-x.db"
        backup.write_bytes(b"x" * size)
        os.utime(backup, (1_700_000_000 + day, 1_700_000_000 + day))
    found = values(health.measure())
    assert found["tikwatch_database_backups"] == 3
    assert found["tikwatch_database_last_backup_timestamp_seconds"] == 1_700_000_003
    assert found["tikwatch_database_last_backup_bytes"] == 30


def test_a_missing_file_is_told_and_its_backups_still_are(path: Path, tmp_path: Path) -> None:
    """Without the file `up` is 0 for that reason, nothing is created, and what can be told is told."""
    (tmp_path / "old.bak").write_bytes(b"x")
    measured = SqliteHealth(section(path, backups=str(tmp_path / "*.bak"))).measure()
    assert reasons(measured) == ["missing"]
    found = values(measured)
    assert found["tikwatch_database_up"] == 0
    assert found["tikwatch_database_backups"] == 1
    assert "tikwatch_database_size_bytes" not in found
    assert not path.exists()


def broken_header(path: Path) -> None:
    path.write_bytes(b"<!doctype html><p>not a database" * 100)


def a_folder(path: Path) -> None:
    path.mkdir()


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: 4096 * 2])


def scrambled_schema(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[100:1000] = b"\xa5" * 900
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (broken_header, "not_a_database"),
        (a_folder, "not_a_database"),
        (scrambled_schema, "corrupt"),
    ],
)
def test_what_is_no_database_is_told(path: Path, harm: Callable[[Path], None], reason: str) -> None:
    """`up` is 0 and the reason says what is wrong; it is logged once, and once when it is over."""
    if harm is not a_folder:
        with owner_of(path, "delete"):
            pass
    harm(path)
    health = SqliteHealth(section(path))
    with logged() as log:
        for _ in range(2):
            measured = health.measure()
            assert reasons(measured) == [reason]
            assert values(measured)["tikwatch_database_up"] == 0
        assert log.getvalue().count("event=database.failed") == 1


def test_a_broken_off_write_is_left_for_the_owner(path: Path) -> None:
    """A hot journal is not rolled back by us: that is a write."""
    with owner_of(path, "delete") as owner:
        owner.execute("PRAGMA cache_size=1")
        owner.execute("BEGIN IMMEDIATE")
        owner.execute("UPDATE customers SET name = name || 'x'")
        journal = Path(f"{path}-journal").read_bytes()
        dirty = path.read_bytes()
        owner.execute("ROLLBACK")
    path.write_bytes(dirty)
    Path(f"{path}-journal").write_bytes(journal)
    assert reasons(SqliteHealth(section(path)).measure()) == ["unrecovered"]
    assert Path(f"{path}-journal").read_bytes() == journal
    assert path.read_bytes() == dirty


def test_a_locked_database_is_told_quickly_and_counted(path: Path) -> None:
    """An owner that keeps everybody out is seen within half a second each time; afterwards all is well."""
    health = SqliteHealth(section(path))
    with owner_of(path, "delete") as owner:
        owner.execute("BEGIN EXCLUSIVE")
        for seen in (1, 2):
            began_s = time.monotonic()
            measured = health.measure()
            assert time.monotonic() - began_s < 20
            found = values(measured)
            assert reasons(measured) == ["locked"]
            assert found["tikwatch_database_up"] == 0
            assert found["tikwatch_database_locked"] == 1
            assert found["tikwatch_database_locked_seen_total"] == seen
            assert found["tikwatch_database_size_bytes"] > 0
        owner.execute("COMMIT")
        found = values(health.measure())
        assert (found["tikwatch_database_up"], found["tikwatch_database_locked"]) == (1, 0)
        assert found["tikwatch_database_locked_seen_total"] == 2


WRITER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
connection.execute("INSERT INTO customers (name) VALUES ('long')")
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_writer_that_holds_its_lock_is_seen_though_reading_works(path: Path, journal: str) -> None:
    """Another process in a long transaction shows as locked, while the database is up."""
    with owner_of(path, journal):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        with writer:
            assert writer.stdout is not None
            assert writer.stdin is not None
            assert writer.stdout.readline() == b"ready\n"
            found = values(SqliteHealth(section(path)).measure())
            writer.stdin.close()
        assert (found["tikwatch_database_up"], found["tikwatch_database_locked"]) == (1, 1)
        assert values(SqliteHealth(section(path)).measure())["tikwatch_database_locked"] == 0


def test_where_the_kernel_does_not_tell_of_locks_it_is_not_claimed(path: Path, tmp_path: Path) -> None:
    """Without a list of locks a file that can be read has no `locked` at all; lines of another kind are skipped."""
    with owner_of(path):
        watch = LockWatch(path, locks=tmp_path / "none")
        assert "tikwatch_database_locked" not in values(SqliteHealth(section(path), locks=watch).measure())
        listing = tmp_path / "locks"
        inode = path.stat().st_ino
        device = f"{os.major(path.stat().st_dev):02x}:{os.minor(path.stat().st_dev):02x}"
        listing.write_text(
            "1: FLOCK ADVISORY WRITE 1 x 0 EOF\n2: -> POSIX ADVISORY WRITE 1 a:b:c 0 EOF\nnonsense\n"
            f"3: POSIX ADVISORY WRITE {os.getpid()} {device}:{inode} 1073741825 1073741825\n"
            f"4: POSIX ADVISORY READ 1 {device}:{inode} 1073741826 1073742335\n"
        )
        assert LockWatch(path, locks=listing).is_held() is False
        listing.write_text(f"1: POSIX ADVISORY WRITE 1 {device}:{inode} 1073741824 1073741825\n")
        assert LockWatch(path, locks=listing).is_held() is True
        listing.write_text(f"1: POSIX ADVISORY WRITE 1 {device}:{inode} 0 EOF\n")
        assert LockWatch(path, locks=listing).is_held() is True


def test_a_database_that_nobody_has_open_is_left_without_traces(path: Path) -> None:
    """In WAL mode even a reader leaves files behind; ours does not, and sees what the owner wrote."""
    with owner_of(path):
        pass
    before = {file.name: file.stat().st_mtime_ns for file in path.parent.iterdir()}
    health = SqliteHealth(section(path))
    found = values(health.measure())
    assert found["tikwatch_database_up"] == 1
    assert "tikwatch_database_info{kind=sqlite,journal_mode=wal}" in found
    assert {file.name: file.stat().st_mtime_ns for file in path.parent.iterdir()} == before


def test_an_owner_who_comes_meanwhile_is_noticed(path: Path) -> None:
    """What was read without locks while somebody began to write is thrown away and read again."""
    with owner_of(path):
        pass
    counts: list[int] = []
    with closing(sqlite3.connect(path, isolation_level=None)) as owner:

        def work(opened: object) -> int:
            connection: sqlite3.Connection = opened.connection  # type: ignore[attr-defined]  # any of them
            if not counts:
                owner.execute("INSERT INTO customers (name) VALUES ('during')")
            counts.append(connection.execute("SELECT count(*) FROM customers").fetchone()[0])
            return counts[-1]

        assert read(path, work) == ROWS + 1
    assert counts == [ROWS, ROWS + 1]


def test_a_new_file_at_the_same_path_is_read_as_what_it_is(path: Path) -> None:
    """A database that was restored over the old one, in another mode, is looked at afresh."""
    health = SqliteHealth(section(path))
    with owner_of(path, "wal"):
        pass
    assert values(health.measure())["tikwatch_database_pages"] > 1
    path.unlink()
    with owner_of(path, "delete"):
        assert "tikwatch_database_info{kind=sqlite,journal_mode=delete}" in values(health.measure())


AS_NOBODY = """
import os, sys
from pathlib import Path
from exporter.probes.database_faults import DatabaseFault
from exporter.probes.sqlite_file import read
from exporter.probes.sqlite_locks import LockWatch

LockWatch(Path("/")).is_held()  # what is imported on demand must be there before the rights are gone
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
for name in sys.argv[1:]:
    try:
        rows = read(Path(name), lambda opened: opened.connection.execute("SELECT count(*) FROM customers").fetchall())
        print(rows[0][0])
    except DatabaseFault as fault:
        print(fault.fault.value)
"""


def test_the_right_to_read_is_enough() -> None:
    """Somebody else's database is read without a right to write, in WAL mode under a writer too; without the right
    to read it is told to be unreadable."""
    with tempfile.TemporaryDirectory(prefix="tikwatch-owner-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with owner_of(folder / "wal.db", "wal"), owner_of(folder / "delete.db", "delete"):
            with owner_of(folder / "secret.db", "delete"):
                (folder / "secret.db").chmod(0)
            names = [str(folder / f"{which}.db") for which in ("wal", "delete", "secret")]
            told = subprocess.run(
                [sys.executable, "-c", AS_NOBODY, *names], capture_output=True, text=True, check=True
            )
    assert told.stdout.split() == [str(ROWS), str(ROWS), "unreadable"]


class Writing:
    """The owner's process, and what it tells at its end."""

    def __init__(self, path: Path, journal: str, busy_timeout_s: float) -> None:
        command = [sys.executable, str(OWNER), str(path), journal, str(busy_timeout_s)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    def end(self) -> tuple[list[float], int]:
        """Latencies of its commits in seconds, and how often it was told BUSY."""
        told, _ = self._process.communicate(timeout=60)
        found = json.loads(told)
        return found["latencies_s"], found["busy"]


@pytest.mark.parametrize(
    ("journal", "patience_s"),
    [("wal", 0.0), ("delete", 5.0)],
    ids=["wal, no patience at all", "rollback journal, the usual five seconds"],
)
def test_the_owner_does_not_notice(path: Path, journal: str, patience_s: float) -> None:
    """While it writes all the time and everything is measured all the time, it is never told BUSY, and a commit
    takes what it takes without us: in WAL mode also for an owner that does not wait at all."""
    with owner_of(path, journal) as owner:
        fill(owner, ["y" * 500] * 20_000)
    alone = Writing(path, journal, patience_s)
    time.sleep(0.7)
    alone_s, _ = alone.end()
    probes = [SqliteHealth(section(path)), SqliteHealth(section(path))]
    watched = Writing(path, journal, patience_s)
    failures = set(reasons(SqliteCheck(section(path, quick_check={"timeout_s": 1})).measure()))
    until_s = time.monotonic() + 1.5
    measured: list[float] = []
    while time.monotonic() < until_s or len(measured) < 40:
        measured.extend(values(probe.measure())["tikwatch_database_up"] for probe in probes)
        time.sleep(0.01)
    watched_s, busy = watched.end()
    assert busy == 0
    assert len(watched_s) > 10
    assert measured.count(1) == len(measured)
    assert failures <= {"timeout"}
    for part in (5, 9):  # of ten: the usual commit, and a slow one
        with_us, without = (statistics.quantiles(taken, n=10)[part - 1] for taken in (watched_s, alone_s))
        assert with_us < 3 * without + 0.1, (part, with_us, without)


def test_a_check_finds_nothing_in_a_sound_file_and_holds_for_its_interval(path: Path) -> None:
    """The result bears the time of the check; within the interval no other one is made."""
    clock = FakeClock()
    with owner_of(path) as owner:
        check = SqliteCheck(
            section(path, quick_check={"interval_s": 3600}), clock=clock, wall_clock=clock.time
        )
        first = values(check.measure())
        assert first["tikwatch_database_quick_check_success"] == 1
        assert first["tikwatch_database_quick_check_problems"] == 0
        assert first["tikwatch_database_quick_check_timestamp_seconds"] == clock.time()
        clock.advance(3599)
        assert values(check.measure()) == first
        clock.advance(1)
        again = values(check.measure())
        assert again["tikwatch_database_quick_check_timestamp_seconds"] == clock.time()
        assert owner.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_check_finds_a_corrupt_file(path: Path, journal: str) -> None:
    """A page full of nonsense opens and reads well, and is found by the check all the same."""
    with owner_of(path, journal):
        pass
    content = bytearray(path.read_bytes())
    content[4096 * 4 : 4096 * 5] = b"\xa5" * 4096
    path.write_bytes(content)
    with logged() as log:
        found = values(SqliteCheck(section(path)).measure())
    assert found["tikwatch_database_quick_check_success"] == 0
    assert found["tikwatch_database_quick_check_problems"] >= 1
    assert "event=database.corrupt" in log.getvalue()


def test_a_file_that_was_cut_off_is_found_corrupt(path: Path) -> None:
    """Half a file is found by the check, if it can be opened at all."""
    with owner_of(path, "delete"):
        pass
    cut_off(path)
    found = values(SqliteCheck(section(path)).measure())
    assert found["tikwatch_database_quick_check_success"] == 0


def test_a_file_beyond_the_limit_is_checked_on_demand_only(path: Path) -> None:
    """`auto` leaves a large file alone and says so; `true` checks it."""
    with owner_of(path):
        auto = SqliteCheck(section(path, quick_check={"limit_bytes": 1000}))
        assert reasons(auto.measure()) == ["too_large"]
        forced = SqliteCheck(section(path, quick_check={"limit_bytes": 1000, "enabled": True}))
        assert values(forced.measure())["tikwatch_database_quick_check_success"] == 1


def test_a_check_that_takes_too_long_is_broken_off_and_tried_again(path: Path) -> None:
    """Past its limit nothing is concluded; the next measurement tries again."""
    clock = FakeClock()
    with owner_of(path):
        check = SqliteCheck(section(path, quick_check={"timeout_s": 0.001}), clock=Hurrying(clock))
        measured = check.measure()
        assert reasons(measured) == ["timeout"]
        assert "tikwatch_database_quick_check_success" not in values(measured)


class Hurrying:
    """A clock that goes on by a second each time it is looked at."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock

    def __call__(self) -> float:
        self._clock.advance(1)
        return self._clock()


def test_readings_side_by_side_keep_their_locks(path: Path) -> None:
    """Closing a descriptor drops a process's locks on a file: no thread of ours opens and closes one by hand."""
    with owner_of(path, "delete") as owner:
        go_on, reading = threading.Event(), threading.Event()
        blocked: list[str] = []

        def hold(opened: object) -> None:
            connection: sqlite3.Connection = opened.connection  # type: ignore[attr-defined]  # any of them
            cursor = connection.execute("SELECT name FROM customers")
            cursor.fetchone()
            reading.set()
            assert go_on.wait(10)
            cursor.close()

        thread = threading.Thread(target=read, args=(path, hold))
        thread.start()
        assert reading.wait(10)
        assert values(SqliteHealth(section(path)).measure())["tikwatch_database_up"] == 1
        writer = subprocess.run(
            [sys.executable, "-c", OTHER_WRITER, str(path)], capture_output=True, text=True, check=True
        )
        blocked.append(writer.stdout.strip())
        go_on.set()
        thread.join()
        owner.execute("INSERT INTO customers (name) VALUES ('after')")
    assert blocked == ["SQLITE_BUSY"]


OTHER_WRITER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=0)
try:
    connection.execute("INSERT INTO customers (name) VALUES ('other')")
    print("written")
except sqlite3.OperationalError as error:
    print(error.sqlite_errorname)
"""


def test_silence_has_a_reason(path: Path) -> None:
    """A measurement that does not end, as on a dead network file system, is told as a timeout."""
    assert reasons(SqliteHealth(section(path)).silent()) == ["timeout"]
    assert reasons(SqliteCheck(section(path)).silent()) == ["timeout"]


def test_a_fault_holds_no_more_than_one_line() -> None:
    """Messages of other programs may be long and have line breaks."""
    assert str(DatabaseFault(Fault.SQL, "a\n  b" + "c" * 1000)) == ("a b" + "c" * 1000)[:300]
