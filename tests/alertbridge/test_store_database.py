"""The store's transactions, on both kinds of database."""

import pytest
from sqlalchemy import func, select

from alertbridge.store import schema
from alertbridge.store.database import Database


async def count(database: Database) -> int:
    """Rows in `rejects`."""
    async with database.read() as connection:
        return (await connection.execute(select(func.count()).select_from(schema.rejects))).scalar_one()


async def test_a_block_without_error_is_committed(database: Database) -> None:
    """What a block wrote is there for the next reader."""
    async with database.write() as connection:
        await connection.execute(
            database.insert(schema.rejects).values(at=1.0, path="alerts[0]", reason="no labels")
        )
    assert await count(database) == 1


async def test_a_block_with_an_error_wrote_nothing(database: Database) -> None:
    """An exception that leaves the block undoes all of it."""

    async def fail_midway() -> None:
        async with database.write() as connection:
            await connection.execute(database.insert(schema.rejects).values(at=1.0, path="", reason=""))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_midway()
    assert await count(database) == 0
