"""A store that cannot be used just now says why, in a word, and works again once it can."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import insert, text

from alertbridge.store.config import StoreSection
from alertbridge.store.database import Database
from alertbridge.store.errors import StoreInUse, StoreUnavailable, Unavailable
from alertbridge.store.schema import rejects
from tests.fakes.clock import FakeClock
from tests.fakes.database_servers import RunningServer, free_port, postgres, postgres_connection

pg = pytest.mark.system("pg_ctlcluster")

HOLDER = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
"""


@contextmanager
def locked_by_another_process(path: Path) -> Iterator[None]:
    """Another process has begun to write to the file and does not end."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield
        finally:
            process.kill()


async def write(database: Database, bytes_each: int = 10, rows: int = 1) -> None:
    """One transaction."""
    async with database.write() as connection:
        await connection.execute(
            insert(rejects), [{"at": 1.0, "path": "p", "reason": "x" * bytes_each} for _ in range(rows)]
        )


async def told(database: Database, bytes_each: int = 10, rows: int = 1) -> Unavailable:
    """The reason why a transaction did not happen."""
    with pytest.raises(StoreUnavailable) as caught:
        await write(database, bytes_each, rows)
    assert caught.value.reason.value in str(caught.value)
    return caught.value.reason


async def test_locked_by_another_process(sqlite_section: StoreSection, clock: FakeClock) -> None:
    """Writers give up after the busy time-out, all of them at about that time; readers go on."""
    section = sqlite_section.model_copy(update={"busy_timeout_s": 2.0})
    database = await Database.open(section, clock)
    with locked_by_another_process(section.path):
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        assert set(await asyncio.gather(*(told(database) for _ in range(5)))) == {Unavailable.LOCKED}
        assert loop.time() - began_s < 5 * 2.0
        async with database.read() as connection:
            await connection.execute(text("SELECT count(*) FROM rejects"))
    await write(database)
    await database.close()


async def test_a_short_lock_is_waited_for(sqlite_section: StoreSection, clock: FakeClock) -> None:
    """A command line that writes for a moment does not make the bridge fail."""
    database = await Database.open(sqlite_section, clock)
    with closing(sqlite3.connect(sqlite_section.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(write(database))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        other.execute("COMMIT")
        await waiting
    await database.close()


async def test_who_is_cancelled_while_it_waits_leaves_no_transaction_behind(
    sqlite_section: StoreSection, clock: FakeClock
) -> None:
    """The driver's thread may begin it all the same, later; the next writer begins its own."""
    database = await Database.open(sqlite_section.model_copy(update={"busy_timeout_s": 60.0}), clock)
    await write(database)
    with locked_by_another_process(sqlite_section.path):
        waiting = asyncio.create_task(write(database))
        done, _ = await asyncio.wait({waiting}, timeout=0.3)  # it is in the driver by then
        assert not done
        waiting.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await waiting
    for _ in range(3):
        await write(database)
    await database.close()


async def test_a_second_bridge_on_the_same_file_is_refused(
    sqlite_section: StoreSection, clock: FakeClock
) -> None:
    """The sentence names the process and what to do; when the first one ends, the second may begin."""
    first = await Database.open(sqlite_section, clock)
    with pytest.raises(
        StoreInUse, match=r"another bridge \(process \d+\) works on .*alertbridge\.db: stop it"
    ):
        await Database.open(sqlite_section, clock)
    await first.prove_writable()
    await first.close()
    await (await Database.open(sqlite_section, clock)).close()


async def test_a_full_disk(sqlite_section: StoreSection, clock: FakeClock) -> None:
    """What does not fit is told and not half written; with room again, writing goes on."""
    database = await Database.open(sqlite_section, clock)
    async with database.write() as connection:
        pages = (await connection.execute(text("PRAGMA page_count"))).scalar_one()
        await connection.execute(text(f"PRAGMA max_page_count = {pages + 3}"))
    assert await told(database, bytes_each=10_000, rows=10) is Unavailable.DISK_FULL
    async with database.write() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM rejects"))).scalar_one() == 0
        await connection.execute(text("PRAGMA max_page_count = 100000"))
    await write(database, bytes_each=10_000, rows=10)
    await database.close()


async def test_a_folder_that_is_a_file(tmp_path: Path, clock: FakeClock) -> None:
    """A path that cannot be is told with its name."""
    (tmp_path / "var").touch()
    with pytest.raises(StoreUnavailable, match=f"cannot make {tmp_path}/var/lib") as caught:
        await Database.open(StoreSection(path=tmp_path / "var/lib/store.db"), clock)
    assert caught.value.reason is Unavailable.NOT_OPENED


async def test_a_path_that_is_a_folder(tmp_path: Path, clock: FakeClock) -> None:
    """A folder where the file should be is not set aside as corrupt."""
    (tmp_path / "store.db").mkdir()
    with pytest.raises(StoreUnavailable) as caught:
        await Database.open(StoreSection(path=tmp_path / "store.db"), clock)
    assert caught.value.reason is Unavailable.NOT_OPENED
    assert (tmp_path / "store.db").is_dir()


async def test_the_file_is_private(sqlite_section: StoreSection, clock: FakeClock) -> None:
    """Messages are nobody else's to read: neither in the file nor in its log."""
    database = await Database.open(sqlite_section, clock)
    await database.prove_writable()
    modes = {path.name: path.stat().st_mode & 0o077 for path in sqlite_section.path.parent.iterdir()}
    assert len(modes) == 4
    assert set(modes.values()) == {0}
    await database.close()


@pg
async def test_a_connection_that_the_server_ended(
    postgresql_section: StoreSection, store_server: RunningServer, clock: FakeClock
) -> None:
    """The next transaction tells it, and the one after that has a new connection."""
    database = await Database.open(postgresql_section, clock)
    await write(database)
    url = postgresql_section.server_url
    assert url is not None
    with closing(postgres_connection(store_server.port)) as owner:
        owner.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", (url.database,)
        )
    assert await told(database) is Unavailable.CONNECTION_LOST
    await write(database)
    await database.close()


@pg
async def test_a_lock_on_the_server(
    postgresql_section: StoreSection, store_server: RunningServer, clock: FakeClock
) -> None:
    """Somebody who holds a table for too long is told as such."""
    section = postgresql_section.model_copy(update={"busy_timeout_s": 0.2})
    database = await Database.open(section, clock)
    url = section.server_url
    assert url is not None
    with (
        closing(postgres_connection(store_server.port, database=str(url.database))) as other,
        other.transaction(),
    ):
        other.execute("LOCK TABLE rejects")
        assert await told(database) is Unavailable.LOCKED
    await write(database)
    await database.close()


@pg
async def test_a_server_that_only_reads(postgresql_section: StoreSection, clock: FakeClock) -> None:
    """A standby, or a server that is set to read only, is told as such."""
    database = await Database.open(postgresql_section, clock)

    async def write_where_none_may() -> None:
        async with database.write() as connection:
            await connection.execute(text("SET TRANSACTION READ ONLY"))
            await connection.execute(rejects.delete())

    with pytest.raises(StoreUnavailable) as caught:
        await write_where_none_may()
    assert caught.value.reason is Unavailable.READ_ONLY
    await database.close()


@pg
async def test_no_connection_is_left(postgresql_section: StoreSection, clock: FakeClock) -> None:
    """When every connection is busy for too long, that is told; nobody waits for ever."""
    section = postgresql_section.model_copy(update={"busy_timeout_s": 1.0, "connections": 1})
    database = await Database.open(section, clock)
    async with database.read():
        assert await told(database) is Unavailable.OVERLOADED
    await database.close()


async def test_a_server_that_is_not_there(clock: FakeClock) -> None:
    """Nobody listens: told, without the password."""
    section = StoreSection(url=f"postgresql://owner:s3cr3t-w0rd@127.0.0.1:{free_port()}/bridge")
    with pytest.raises(StoreUnavailable, match="refused") as caught:
        await Database.open(section, clock)
    assert caught.value.reason is Unavailable.CONNECTION_LOST
    assert "s3cr3t" not in f"{caught.value!r} {caught.value} {section!r}"


@pg
async def test_a_frozen_server_is_told_in_time(clock: FakeClock) -> None:
    """A server that keeps its connections open and answers nothing holds nobody for ever."""
    with postgres() as server:
        url = f"postgresql://owner:b1lling-orchard@127.0.0.1:{server.port}/postgres"
        await (
            await Database.open(StoreSection(url=url), clock)
        ).close()  # making the tables may take its time
        database = await Database.open(StoreSection(url=url, busy_timeout_s=2, statement_timeout_s=2), clock)
        server.freeze()
        assert await told(database) is Unavailable.CONNECTION_LOST
        server.thaw()
        await write(database)
        await database.close()
