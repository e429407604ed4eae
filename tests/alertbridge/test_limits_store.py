"""Limits as rows, on both databases: all buckets or none, with the transaction, across processes and machines."""

import asyncio

import pytest
from sqlalchemy import select

from alertbridge.deliver.limit.limits import Policy, Room, Window
from alertbridge.deliver.limit.store import LimitStore
from alertbridge.store.database import Database
from alertbridge.store.schema import limits
from tests.fakes.clock import FakeClock

MINUTE = Policy(windows=(Window(2, 60.0),))
SPACED = Policy(spacing_s=3.0)
BOTH = {"channel:wa": SPACED, "recipient:noc": MINUTE}


async def ask(store: LimitStore, database: Database, room: Room = Room.CRITICAL) -> float:
    """A reservation in BOTH, in a transaction of its own."""
    async with database.write() as connection:
        return await store.reserve(connection, BOTH, room)


async def test_a_message_counts_in_every_bucket_or_in_none(database: Database, clock: FakeClock) -> None:
    """A bucket that is full keeps the others from being charged."""
    store = LimitStore(database, clock, boot="b")
    assert await ask(store, database) == 0.0
    assert await ask(store, database) == pytest.approx(3.0)
    clock.advance(3.0)
    assert await ask(store, database) == 0.0
    clock.advance(3.0)
    assert await ask(store, database) == pytest.approx(54.0)
    async with database.read() as connection:
        rows = {row.bucket: row for row in await connection.execute(select(limits))}
        assert await store.left(connection, BOTH, Room.CRITICAL) == {"channel:wa": None, "recipient:noc": 0}
    assert [len(rows[bucket].stamps) for bucket in BOTH] == [2, 2]


async def test_a_rolled_back_message_does_not_count(database: Database, clock: FakeClock) -> None:
    """The stamp lives and dies with the message's transaction."""
    store = LimitStore(database, clock, boot="b")

    async def fail() -> None:
        async with database.write() as connection:
            assert await store.reserve(connection, BOTH, Room.CRITICAL) == 0.0
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert await ask(store, database) == 0.0


async def test_a_restart_forgets_nothing(database: Database, clock: FakeClock) -> None:
    """The next process of the same boot goes on where the last one was, whatever the wall clock says."""
    assert await ask(LimitStore(database, clock, boot="b"), database) == 0.0
    later = FakeClock(clock.monotonic() + 1.0, clock.time() + 86_400)
    assert await ask(LimitStore(database, later, boot="b"), database) == pytest.approx(2.0)


async def test_after_a_boot_the_limits_are_too_strict_at_most(database: Database, clock: FakeClock) -> None:
    """The newest stamp counts from when the new boot first saw it."""
    assert await ask(LimitStore(database, clock, boot="b"), database) == 0.0
    booted = FakeClock(5.0, clock.time() - 86_400)
    store = LimitStore(database, booted, boot="c")
    assert await ask(store, database) == pytest.approx(3.0)
    booted.advance(3.0)
    assert await ask(store, database) == 0.0


async def test_replicas_that_ask_at_once_share_the_room(database: Database, clock: FakeClock) -> None:
    """Of twelve questions at the same time, in buckets named in either order, exactly two are granted."""
    stores = [LimitStore(database, clock, boot=boot) for boot in ("b", "b", "c")]
    policies = [{"x": MINUTE, "y": MINUTE}, {"y": MINUTE, "x": MINUTE}]

    async def one(number: int) -> float:
        async with database.write() as connection:
            return await stores[number % 3].reserve(connection, policies[number % 2], Room.NORMAL)

    waits = await asyncio.gather(*(one(number) for number in range(12)))
    assert waits.count(0.0) == 2
