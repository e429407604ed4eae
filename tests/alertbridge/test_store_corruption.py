"""A corrupt SQLite file is kept aside, a new one begins, and the operator can be told."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text

from alertbridge.store.config import StoreSection
from alertbridge.store.database import Database
from alertbridge.store.errors import StoreCorrupt
from alertbridge.store.integrity import complaint_about, suspicion
from alertbridge.store.schema import rejects
from tests.fakes.clock import FakeClock

PAGE = 4096


def overwrite(path: Path, offset: int, what: bytes) -> None:
    """Writes into the middle of a file."""
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(what)


def truncated(path: Path) -> None:
    """Half of it is gone."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(size // 2)


def cut_inside_a_page(path: Path) -> None:
    """The last page is not whole."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(size - 1000)


def zeroed_page(path: Path) -> None:
    """A page in the middle holds nothing."""
    overwrite(path, path.stat().st_size // PAGE // 2 * PAGE, bytes(PAGE))


def garbage_page(path: Path) -> None:
    """A page in the middle holds something else."""
    overwrite(path, path.stat().st_size // PAGE // 2 * PAGE, b"\xa5" * PAGE)


def garbage_header(path: Path) -> None:
    """It does not look like SQLite any more."""
    overwrite(path, 0, b"not a database, " * 8)


def other_file(path: Path) -> None:
    """Somebody wrote a text over it."""
    path.write_text("store:\n  path: /var/lib/tikwatch/alertbridge.db\n" * 100, encoding="ascii")


def garbage_log(path: Path) -> None:
    """The write-ahead log's header is overwritten, so that SQLite would ignore what was committed into it."""
    overwrite(path.with_name(f"{path.name}-wal"), 0, b"\xa5" * 64)


def cut_log_header(path: Path) -> None:
    """The write-ahead log ends inside its header."""
    with path.with_name(f"{path.name}-wal").open("r+b") as file:
        file.truncate(20)


def emptied(path: Path) -> None:
    """The file is empty and its log is not."""
    with path.open("r+b") as file:
        file.truncate(0)


async def left_by_a_crash(section: StoreSection, clock: FakeClock) -> None:
    """A store of some pages with a log beside it, as a process leaves it that was killed."""
    database = await Database.open(section, clock)
    for path in ("committed long ago", "committed just now"):
        async with database.write() as connection:
            await connection.execute(
                insert(rejects), [{"at": float(row), "path": path, "reason": "x" * 500} for row in range(300)]
            )
        if path == "committed long ago":
            async with database.read() as connection:
                await connection.execute(text("PRAGMA wal_checkpoint(FULL)"))
    files = {
        path: path.read_bytes() for path in section.path.parent.iterdir() if not path.name.endswith(".lock")
    }
    await database.close()
    for path, content in files.items():
        path.write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [
        truncated, cut_inside_a_page, zeroed_page, garbage_page, garbage_header, other_file, garbage_log,
        cut_log_header, emptied,
    ],
)  # fmt: skip
async def test_a_corrupt_file_is_kept_and_a_new_one_begins(
    sqlite_section: StoreSection, clock: FakeClock, damage: Callable[[Path], None]
) -> None:
    """Whatever broke it: the old file with its companions has a name with the time, the new store works."""
    path = sqlite_section.path
    await left_by_a_crash(sqlite_section, clock)
    path.with_name(f"{path.name}-shm").unlink()
    if damage not in (garbage_log, cut_log_header, emptied):  # else the log would mend what is broken
        with closing(sqlite3.connect(path)) as file:
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        path.with_name(f"{path.name}-wal").write_bytes(b"")
    damage(path)
    broken = path.read_bytes()

    database = await Database.open(sqlite_section, clock)
    kept = path.with_name("alertbridge.db.corrupt-20231114T221320Z")
    assert database.replaced_file == kept
    assert kept.read_bytes() == broken
    assert kept.with_name(f"{kept.name}-wal").exists()
    async with database.read() as connection:
        assert (await connection.execute(select(rejects.c.id))).all() == []
    await database.prove_writable()
    await database.close()
    again = await Database.open(sqlite_section, clock)
    assert again.replaced_file is None
    await again.close()


async def test_what_a_crash_leaves_is_not_corrupt(sqlite_section: StoreSection, clock: FakeClock) -> None:
    """A log beside the file is taken up, and all that was committed is there."""
    await left_by_a_crash(sqlite_section, clock)
    database = await Database.open(sqlite_section, clock)
    assert database.replaced_file is None
    async with database.read() as connection:
        assert len((await connection.execute(select(rejects.c.id))).all()) == 600
    await database.close()


async def test_a_log_that_was_never_used_is_not_corrupt(
    sqlite_section: StoreSection, clock: FakeClock
) -> None:
    """Zeros where the log's header should be are what a power cut leaves before the first commit."""
    await (await Database.open(sqlite_section, clock)).close()
    sqlite_section.path.with_name("alertbridge.db-wal").write_bytes(bytes(32))
    database = await Database.open(sqlite_section, clock)
    assert database.replaced_file is None
    await database.close()


async def test_two_corrupt_files_of_one_second_are_both_kept(
    sqlite_section: StoreSection, clock: FakeClock
) -> None:
    """The second one does not overwrite the first."""
    kept = set()
    for _ in range(2):
        await left_by_a_crash(sqlite_section, clock)
        garbage_log(sqlite_section.path)
        database = await Database.open(sqlite_section, clock)
        kept.add(database.replaced_file)
        await database.close()
    assert len(kept) == 2


async def test_corruption_that_is_met_at_work_is_told_and_mended_by_the_next_start(
    sqlite_section: StoreSection, clock: FakeClock
) -> None:
    """A statement that meets it raises StoreCorrupt; opening the store again begins a new file."""
    await left_by_a_crash(sqlite_section, clock)
    database = await Database.open(sqlite_section, clock)
    async with database.write() as connection:
        await connection.execute(text("SELECT 1"))
    async with database.read() as connection:
        await connection.execute(text("PRAGMA wal_checkpoint(FULL)"))
    size = sqlite_section.path.stat().st_size
    overwrite(sqlite_section.path, PAGE, b"\xa5" * (size - PAGE))
    with pytest.raises(StoreCorrupt, match="corrupt"):
        async with database.read() as connection:
            await connection.execute(text("SELECT path, reason, at FROM rejects"))
    await database.close()
    assert suspicion(sqlite_section.path).exists()
    database = await Database.open(sqlite_section, clock)
    assert database.replaced_file is not None
    assert not suspicion(sqlite_section.path).exists()
    await database.close()


async def test_an_index_that_lies_is_found_after_a_suspicion(
    sqlite_section: StoreSection, clock: FakeClock
) -> None:
    """The quick check does not compare indexes with their tables; after trouble at work the thorough one does."""
    path = sqlite_section.path
    await left_by_a_crash(sqlite_section, clock)
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA writable_schema = ON")
        file.execute(
            "UPDATE sqlite_master SET sql = replace(sql, '(at)', '(reason)') WHERE name = 'ix_rejects_at'"
        )
        file.commit()
    assert complaint_about(path, thorough=False, busy_timeout_s=1) == ""
    suspicion(path).touch()
    database = await Database.open(sqlite_section, clock)
    assert database.replaced_file is not None
    await database.close()


async def test_a_suspicion_without_ground_is_forgotten(
    sqlite_section: StoreSection, clock: FakeClock
) -> None:
    """A file that passes the thorough check goes on."""
    await left_by_a_crash(sqlite_section, clock)
    suspicion(sqlite_section.path).touch()
    database = await Database.open(sqlite_section, clock)
    assert database.replaced_file is None
    assert not suspicion(sqlite_section.path).exists()
    await database.close()
