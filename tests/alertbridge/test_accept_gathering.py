"""Small notifications that follow each other closely share a transaction."""

import asyncio

from sqlalchemy import select

from alertbridge.accept.config import AcceptSection
from alertbridge.accept.intake import Intake
from alertbridge.store.database import Database
from alertbridge.store.schema import episodes
from tests.fakes.accepting import Ear, FixedRoutes, Tally, firing, group
from tests.fakes.clock import FakeClock

START_S = 1_700_000_000.0


async def test_what_comes_right_after_a_transaction_is_gathered(database: Database, clock: FakeClock) -> None:
    """The first one goes at once; the next two, which come one after the other, are told of together."""
    ear = Ear()
    intake = Intake(database, FixedRoutes("noc"), AcceptSection(), Tally(), clock, [ear])
    await intake.take(group(firing("f1", START_S)))
    assert len(ear.woken) == 1
    second = asyncio.create_task(intake.take(group(firing("f2", START_S))))
    for _ in range(3):
        await asyncio.sleep(0)  # its writer is at work by now
    third = asyncio.create_task(intake.take(group(firing("f3", START_S))))
    taken = [await second, await third]
    assert [one.opened for one in taken] == [1, 1]
    assert len(ear.woken) == 2
    async with database.read() as connection:
        found = list(await connection.execute(select(episodes.c.fingerprint).order_by(episodes.c.id)))
    assert [row.fingerprint for row in found] == ["f1", "f2", "f3"]
    await intake.close()
