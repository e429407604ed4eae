"""The store's transactions, on both kinds of database."""

import asyncio
import random

import pytest
from sqlalchemy import Table, func, insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.store.config import StoreSection
from alertbridge.store.database import Database
from alertbridge.store.schema import IS_OPEN, attempts, episodes, messages, rejects
from tests.fakes.clock import FakeClock

EPISODE = {
    "status": "open", "name": "RouterDown", "severity": "critical", "labels": {"router": "core-1"},
    "annotations": {}, "starts_at": 1.0, "opened_at": 1.0, "last_seen_at": 1.0,
}  # fmt: skip
MESSAGE = {
    "bundle": "B", "recipient": "oncall", "channel": "waha", "address": "6281200000001", "kind": "single",
    "room": "critical", "severity": "critical", "text": "x", "state": "ready", "created_at": 1.0,
    "accepted_at": 1.0, "deadline_at": 46.0,
}  # fmt: skip


async def count(database: Database, table: Table = rejects) -> int:
    """Rows in `table`."""
    async with database.read() as connection:
        return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())


async def reject(connection: AsyncConnection, path: str = "alerts[0]") -> None:
    """Writes one row."""
    await connection.execute(insert(rejects).values(at=1.0, path=path, reason="no labels"))


async def test_a_block_without_error_is_committed(database: Database) -> None:
    """What a block wrote is there for the next reader."""
    async with database.write() as connection:
        await reject(connection)
    assert await count(database) == 1


async def test_a_block_with_an_error_wrote_nothing(database: Database) -> None:
    """An exception that leaves the block undoes all of it."""

    async def fail_midway() -> None:
        async with database.write() as connection:
            await reject(connection)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_midway()
    assert await count(database) == 0


async def test_a_violated_constraint_is_the_callers_to_judge(database: Database) -> None:
    """Only faults of the store itself become StoreError; the next transaction goes on as if nothing was."""

    async def open_twice() -> None:
        async with database.write() as connection:
            for _ in range(2):
                await connection.execute(insert(episodes).values(fingerprint="f1", **EPISODE))

    with pytest.raises(IntegrityError):
        await open_twice()
    async with database.write() as connection:
        await reject(connection)
    assert (await count(database, episodes), await count(database)) == (0, 1)


async def test_one_open_episode_a_fingerprint(database: Database) -> None:
    """A second opening of what is open changes nothing; closed ones do not stand in the way."""
    opening = database.insert(episodes).on_conflict_do_nothing(
        index_elements=["fingerprint"], index_where=IS_OPEN
    )
    async with database.write() as connection:
        await connection.execute(insert(episodes).values(fingerprint="f1", **EPISODE | {"status": "closed"}))
        results = [await connection.execute(opening.values(fingerprint="f1", **EPISODE)) for _ in range(2)]
    assert [result.rowcount for result in results] == [1, 0]


async def test_two_writers_open_one_episode_once(database: Database) -> None:
    """The index decides between transactions that run at the same time."""

    async def opened() -> int:
        async with database.write() as connection:
            result = await connection.execute(
                database.insert(episodes)
                .values(fingerprint="f1", **EPISODE)
                .on_conflict_do_nothing(index_elements=["fingerprint"], index_where=IS_OPEN)
            )
            return result.rowcount

    assert sorted(await asyncio.gather(*(opened() for _ in range(3)))) == [0, 0, 1]


async def test_numbers_of_episodes_are_never_given_again(database: Database) -> None:
    """`ack 7` means one episode for ever, also after retention took it."""
    numbers = []
    for _ in range(2):
        async with database.write() as connection:
            added = await connection.execute(insert(episodes).values(fingerprint="f1", **EPISODE))
            numbers += added.inserted_primary_key or ()
            await connection.execute(episodes.delete())
    assert numbers == [1, 2]


async def test_json_columns_hold_what_they_were_given(database: Database) -> None:
    """Text of any script comes back as it was; None is NULL and not the JSON word."""
    labels = {"jalan": "Jl. Sudirman 1", "متن": "نص", "emoji": "🔥", "markup": "*_~`"}
    async with database.write() as connection:
        await connection.execute(insert(episodes).values(fingerprint="f1", **EPISODE | {"labels": labels}))
        await connection.execute(insert(messages).values(id="M", extra=None, **MESSAGE))
    async with database.read() as connection:
        assert (await connection.execute(select(episodes.c.labels))).scalar_one() == labels
        assert (await connection.execute(select(messages.c.id).where(messages.c.extra.is_(None)))).all()


async def test_foreign_keys_hold(database: Database) -> None:
    """An attempt belongs to a message: none without it, and it goes with it."""

    async def orphan() -> None:
        async with database.write() as connection:
            await connection.execute(
                insert(attempts).values(message_id="none", channel="waha", started_at=1.0)
            )

    with pytest.raises(IntegrityError):
        await orphan()
    async with database.write() as connection:
        await connection.execute(insert(messages).values(id="M", **MESSAGE))
        await connection.execute(insert(attempts).values(message_id="M", channel="waha", started_at=1.0))
        await connection.execute(messages.delete())
    assert await count(database, attempts) == 0


async def test_a_transaction_sees_what_it_wrote(database: Database) -> None:
    """A claim may select what it has just inserted, RETURNING included."""
    async with database.write() as connection:
        returned = await connection.execute(
            insert(rejects).values(at=1.0, path="p", reason="r").returning(rejects.c.id)
        )
        found = await connection.execute(select(rejects.c.id).with_for_update(skip_locked=True))
        assert returned.scalar_one() == found.scalar_one()


async def test_readers_do_not_wait_for_a_writer_and_see_nothing_of_it(database: Database) -> None:
    """While a transaction is open, others read the state before it."""
    async with database.write() as connection:
        await reject(connection)
        assert await asyncio.wait_for(count(database), 60) == 0
    assert await count(database) == 1


async def test_claims_of_two_workers_do_not_overlap(database: Database) -> None:
    """What one transaction has claimed, another skips (PostgreSQL) or finds claimed (SQLite)."""
    async with database.write() as connection:
        for number in range(8):
            await connection.execute(insert(messages).values(id=f"M{number}", **MESSAGE))

    async def claim() -> list[str]:
        async with database.write() as connection:
            picked = (
                select(messages.c.id)
                .where(messages.c.state == "ready")
                .order_by(messages.c.id)
                .limit(4)
                .with_for_update(skip_locked=True)
            )
            ids = list((await connection.execute(picked)).scalars())
            await asyncio.sleep(0.02)
            await connection.execute(messages.update().where(messages.c.id.in_(ids)).values(state="sending"))
            return ids

    first, second = await asyncio.gather(claim(), claim())
    assert sorted([*first, *second]) == [f"M{number}" for number in range(8)]


async def test_many_writers_at_once_lose_nothing(database: Database) -> None:
    """Each of a hundred transactions counts one up, and all of them are counted."""
    async with database.write() as connection:
        await connection.execute(insert(rejects).values(id=1, at=0.0, path="", reason=""))

    async def count_up() -> None:
        async with database.write() as connection:
            await connection.execute(rejects.update().values(at=rejects.c.at + 1))

    await asyncio.gather(*(count_up() for _ in range(100)))
    async with database.read() as connection:
        assert (await connection.execute(select(rejects.c.at))).scalar_one() == 100


async def test_cancelling_leaves_the_store_usable(database: Database) -> None:
    """Whoever is cancelled in the middle of a transaction, at whatever moment, takes nothing with him."""
    rng = random.Random(4)  # noqa: S311  not for secrets
    finished = 0

    async def write_two() -> None:
        nonlocal finished
        async with database.write() as connection:
            await reject(connection, "a")
            await reject(connection, "b")
        finished += 1

    for _ in range(60):
        task = asyncio.create_task(write_two())
        await asyncio.sleep(rng.uniform(0, 0.004))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    rows = await count(database)
    assert rows % 2 == 0
    assert rows >= 2 * finished
    async with database.write() as connection:
        await reject(connection)
    assert await count(database) == rows + 1


async def test_what_is_read_cannot_be_changed(sqlite_section: StoreSection, clock: FakeClock) -> None:
    """Under SQLite a reader's connection refuses to write, so that no write escapes the queue."""
    database = await Database.open(sqlite_section, clock)
    with pytest.raises(Exception, match="readonly"):
        async with database.read() as connection:
            await reject(connection)
    await database.close()


async def test_what_was_committed_is_there_after_a_restart(
    store_section: StoreSection, clock: FakeClock
) -> None:
    """A store that is closed and opened again holds what it held, and opening it changes nothing."""
    for opening in range(3):
        database = await Database.open(store_section, clock)
        assert await count(database) == opening
        assert database.replaced_file is None
        async with database.write() as connection:
            await reject(connection)
        await database.close()


async def test_a_store_proves_that_it_can_be_written_to(database: Database) -> None:
    """The proof may be asked for again and again."""
    await database.prove_writable()
    await database.prove_writable()


async def test_a_commit_waits_for_the_disk(database: Database) -> None:
    """Neither database is set to answer before what was committed is on the disk."""
    question = "PRAGMA synchronous" if database.dialect == "sqlite" else "SHOW synchronous_commit"
    async with database.write() as connection:
        assert (await connection.execute(text(question))).scalar_one() in (2, "on")


async def test_nothing_answers_after_the_end(database: Database) -> None:
    """A statement of somebody who kept a connection beyond its block is refused."""
    async with database.read() as connection:
        pass
    with pytest.raises(Exception, match="closed"):
        await connection.execute(text("SELECT 1"))
