"""Migrations make the tables that the program expects, once, and wholly or not at all."""

import asyncio
import sqlite3
import sys
from contextlib import closing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, column, table, text, update
from sqlalchemy.exc import OperationalError

from alertbridge.store import migrations
from alertbridge.store.config import StoreSection
from alertbridge.store.database import Database
from alertbridge.store.errors import StoreForeign, StoreOutdated, StoreTooNew, StoreUnavailable
from alertbridge.store.migrations import running
from alertbridge.store.schema_report import metadata
from tests.fakes.clock import FakeClock


def defaults_differ(
    context: object, there: object, expected: object, default: str | None, given: object, written: str | None
) -> bool:
    """Compares SQLite's defaults as text; Alembic's own comparison takes two empty ones for different."""
    if default is None or written is None:
        return default is not written
    return default.strip("()'") != written.strip("()'")


def differences(connection: Connection) -> list[object]:
    """What separates the tables that are there from those that the program expects."""
    context = MigrationContext.configure(
        connection,
        opts={
            "version_table": migrations.VERSION_TABLE,
            "compare_type": True,
            "compare_server_default": defaults_differ if connection.dialect.name == "sqlite" else True,
        },
    )
    return list(compare_metadata(context, metadata))


async def test_migrations_make_the_tables_of_the_schema(database: Database) -> None:
    """Alembic finds no difference between what the revisions made and `schema.py`."""
    async with database.read() as connection:
        assert await connection.run_sync(differences) == []


def test_files_tell_the_revisions() -> None:
    """What the names of the files say is what Alembic finds in them, in its order."""
    found = [script.revision for script in running.scripts().walk_revisions()]
    assert list(migrations.known()) == found[::-1]


async def test_a_store_that_is_up_to_date_needs_no_alembic(
    sqlite_section: StoreSection, clock: FakeClock
) -> None:
    """A restart does not load what only a migration needs."""
    await (await Database.open(sqlite_section, clock)).close()
    program = (
        "import asyncio, sys; from pathlib import Path; from alertbridge.store.config import StoreSection; "
        "from alertbridge.store.database import Database; from runtime.clock import SystemClock; "
        "section = StoreSection.model_validate({'path': sys.argv[1]}); "
        "asyncio.run(asyncio.wait_for(Database.open(section, SystemClock()), 120)); "
        "print('alembic' in sys.modules)"
    )
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, str(sqlite_section.path), stdout=asyncio.subprocess.PIPE
    )
    told, _ = await child.communicate()
    assert told == b"False\n"


async def test_a_difference_would_be_found(database: Database) -> None:
    """The comparison above is not blind: a missing column, a missing index and another default are told."""
    async with database.write() as connection:
        await connection.execute(text("DROP INDEX ix_messages_bundle"))
        await connection.execute(text("ALTER TABLE channels DROP COLUMN told_at"))
        await connection.execute(text("ALTER TABLE messages DROP COLUMN parts"))
        await connection.execute(text("ALTER TABLE messages ADD COLUMN parts INTEGER DEFAULT 2 NOT NULL"))
        assert len(await connection.run_sync(differences)) == 3


async def test_replicas_that_start_together_migrate_once(
    postgresql_section: StoreSection, clock: FakeClock
) -> None:
    """The first one makes the tables while the others wait; then all of them work."""
    replicas = await asyncio.gather(*(Database.open(postgresql_section, clock) for _ in range(3)))
    for replica in replicas:
        await replica.prove_writable()
        await replica.close()


async def test_a_store_of_a_newer_program_is_refused(store_section: StoreSection, clock: FakeClock) -> None:
    """The sentence names both revisions and says what to do; the store is left as it is."""
    database = await Database.open(store_section, clock)
    async with database.write() as connection:
        await connection.execute(
            update(table(migrations.VERSION_TABLE, column("version_num"))).values(version_num="9999")
        )
    await database.close()
    told = rf"at revision 9999, this program knows none after {migrations.newest()}.* newer version"
    for _ in range(2):
        with pytest.raises(StoreTooNew, match=told):
            await Database.open(store_section, clock)
    with pytest.raises(StoreTooNew, match=told):
        await Database.visit(store_section)


async def test_a_migration_that_fails_leaves_nothing(sqlite_section: StoreSection, clock: FakeClock) -> None:
    """SQLite's file is as it was before, down to the last table."""
    sqlite_section.path.parent.mkdir()
    with closing(sqlite3.connect(sqlite_section.path)) as file:
        file.execute("CREATE VIEW notices AS SELECT 1")  # takes the name of a table that comes late
        file.commit()
    with pytest.raises(OperationalError, match="notices"):
        await Database.open(sqlite_section, clock)
    with closing(sqlite3.connect(sqlite_section.path)) as file:
        assert file.execute("SELECT name FROM sqlite_master WHERE name != 'notices'").fetchall() == []
        file.execute("DROP VIEW notices")
    await (await Database.open(sqlite_section, clock)).close()


async def test_a_file_of_another_program_is_refused(sqlite_section: StoreSection, clock: FakeClock) -> None:
    """A path that points at the billing database by mistake adds nothing to it."""
    sqlite_section.path.parent.mkdir()
    with closing(sqlite3.connect(sqlite_section.path)) as file:
        file.execute("CREATE TABLE vouchers (code TEXT)")
    with pytest.raises(StoreForeign, match="it has the table vouchers"):
        await Database.open(sqlite_section, clock)
    with closing(sqlite3.connect(sqlite_section.path)) as file:
        assert file.execute("SELECT name FROM sqlite_master").fetchall() == [("vouchers",)]


async def test_a_visitor_migrates_nothing(postgresql_section: StoreSection) -> None:
    """Beside the bridge, a command line only works on a store that is up to date."""
    with pytest.raises(StoreOutdated, match=r"revision none, .*tikwatch-alertbridge migrate"):
        await Database.visit(postgresql_section)


async def test_a_visitor_makes_no_file(sqlite_section: StoreSection) -> None:
    """A path with a spelling mistake is told instead of becoming an empty store."""
    with pytest.raises(StoreUnavailable, match="there is no file"):
        await Database.visit(sqlite_section)
    assert not sqlite_section.path.exists()


async def test_a_visitor_works_beside_the_bridge(
    database: Database, store_section: StoreSection, clock: FakeClock
) -> None:
    """It reads and writes while the bridge has the store open."""
    visitor = await Database.visit(store_section)
    await visitor.prove_writable()
    await database.prove_writable()
    await visitor.close()
