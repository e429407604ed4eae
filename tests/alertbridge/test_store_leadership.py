"""One replica does the periodic jobs, and another takes over when it is gone."""

import asyncio
import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import select

from alertbridge.store.config import StoreSection
from alertbridge.store.database import Database
from alertbridge.store.leadership import Leadership
from tests.fakes.clock import FakeClock


async def test_one_leads(database: Database, clock: FakeClock) -> None:
    """Of two that ask, the first leads and keeps the lead while it asks; another name is another matter."""
    async with (
        Leadership(database, "reports", clock) as first,
        Leadership(database, "reports", clock) as second,
        Leadership(database, "probes", clock) as other,
    ):
        for _ in range(5):
            assert (await first.held(), await second.held()) == (True, False)
            clock.advance(25)
        assert await other.held()


async def test_leaders_take_no_connection_from_the_work(
    store_section: StoreSection, clock: FakeClock
) -> None:
    """However many jobs one replica leads, a store with a single connection is read and written."""
    database = await Database.open(store_section.model_copy(update={"connections": 1}), clock)
    jobs = [Leadership(database, f"job {number}", clock) for number in range(6)]
    assert all([await job.held() for job in jobs])
    async with database.write() as connection:
        await connection.execute(select(1))
    async with database.read() as connection:
        assert (await connection.execute(select(1))).scalar() == 1
    assert all([await job.held() for job in jobs])
    for job in jobs:
        await job.release()
    await database.close()


async def test_the_lead_is_handed_over(database: Database, clock: FakeClock) -> None:
    """Who releases it leaves it to the next that asks."""
    async with Leadership(database, "reports", clock) as second:
        async with Leadership(database, "reports", clock) as first:
            assert await first.held()
            assert not await second.held()
        assert await second.held()
        assert not await first.held()
        await first.release()


async def test_a_leader_that_no_longer_asks_loses_the_lead(
    store_section: StoreSection, clock: FakeClock
) -> None:
    """One that is frozen or stuck is followed by another once its lease is over, and learns it when it asks."""
    database = await Database.open(store_section, clock)
    async with (
        Leadership(database, "reports", clock, lease_s=3.0) as first,
        Leadership(database, "reports", clock, lease_s=3.0) as second,
    ):
        assert await first.held()
        assert not await second.held()
        async with asyncio.timeout(60):
            while not await second.held():
                clock.advance(0.2)
                await asyncio.sleep(0.05)
        assert not await first.held()
    await database.close()


async def test_a_process_that_is_gone_does_not_lead(sqlite_section: StoreSection, clock: FakeClock) -> None:
    """A lease that a killed process left in the file counts for nothing: only one works on the file."""
    database = await Database.open(sqlite_section, clock)
    assert await Leadership(database, "reports", clock).held()
    await database.close()
    database = await Database.open(sqlite_section, clock)
    async with Leadership(database, "reports", clock) as heir:
        assert await heir.held()
    await database.close()


@pytest.mark.system("pg_ctlcluster")
async def test_replicas_have_one_leader(postgresql_section: StoreSection, clock: FakeClock) -> None:
    """Among three replicas one leads; when its connections end, exactly one of the others takes over."""
    replicas = [await Database.open(postgresql_section, clock) for _ in range(3)]
    claims = [Leadership(replica, "reports", clock) for replica in replicas]
    held = [await claim.held() for claim in claims]
    assert sum(held) == 1
    gone = held.index(True)
    await claims.pop(gone).release()
    await replicas.pop(gone).close()
    assert sum([await claim.held() for claim in claims]) == 1
    for claim in claims:
        await claim.release()
    for replica in replicas:
        await replica.close()


async def test_without_a_store_nobody_leads(sqlite_section: StoreSection, clock: FakeClock) -> None:
    """The jobs need the store anyway: while it cannot be written to, asking tells no and raises nothing."""
    section = sqlite_section.model_copy(update={"busy_timeout_s": 0.1})
    database = await Database.open(section, clock)
    async with Leadership(database, "reports", clock) as leadership:
        with closing(sqlite3.connect(section.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert not await leadership.held()
        assert await leadership.held()
    await database.close()


async def test_a_visitor_never_leads(
    database: Database, store_section: StoreSection, clock: FakeClock
) -> None:
    """A command line beside the bridge does not take its jobs; of a server's visitors nobody can tell."""
    visitor = await Database.visit(store_section)
    async with Leadership(visitor, "reports", clock) as leadership:
        assert await leadership.held() is (visitor.dialect == "postgresql")
    await visitor.close()
