"""What the page and the API ask of the store gives the same on both databases."""

from alertbridge.alerts import Severity
from alertbridge.cli.outboxaccount import print_account
from alertbridge.deliver import account
from alertbridge.serve.fate import FILTERS, Fate
from alertbridge.serve.firing import firing
from alertbridge.serve.recent import recent
from alertbridge.store.database import Database
from tests.fakes.bridge_scene import bad_day
from tests.fakes.clock import FakeClock


async def test_what_fires_is_found(database: Database, clock: FakeClock) -> None:
    """In order, by severity, by words in labels, and with who was told."""
    async with database.write() as connection:
        await bad_day(connection, clock.time())
    async with database.read() as connection:
        page = await firing(connection, limit=3)
        assert [one.name for one in page.shown] == ["RouterDown", "BotSessionDead", "InterfaceErrors"]
        assert (page.matching, page.total) == (10, 10)
        assert page.counts == {Severity.CRITICAL: 2, Severity.WARNING: 7, Severity.INFO: 1}
        told = {one.recipient: one.fate for one in page.shown[0].told}
        assert told == {"noc": Fate.READ, "boss": Fate.BELIEVED}
        page = await firing(connection, severity=Severity.WARNING, words="TOWER-1 pool")
        assert [(one.name, one.labels["router"]) for one in page.shown] == [("PoolNearlyFull", "tower-1")]
        assert (await firing(connection, words="%")).matching == 0
        assert (await firing(connection, offset=50)).shown == ()


async def test_messages_are_found_by_fate(database: Database, clock: FakeClock) -> None:
    """Each of them once, over all fates, and page by page."""
    async with database.write() as connection:
        await bad_day(connection, clock.time())
    async with database.read() as connection:
        whole = [one.id for one in (await recent(connection, limit=100)).shown]
        by_fate = [one.id for fate in FILTERS for one in (await recent(connection, fate=fate)).shown]
        assert sorted(by_fate) == sorted(whole)
        found, older = [], ""
        while True:
            page = await recent(connection, limit=2, before=older, recipient="noc", scanned_most=4)
            found += [one.id for one in page.shown]
            if not (older := page.older):
                break
        noc = [one.id for one in (await recent(connection, recipient="noc", limit=100)).shown]
        assert found == noc


async def test_the_account_closes(database: Database, clock: FakeClock) -> None:
    """On every day that anything is kept of."""
    async with database.write() as connection:
        await bad_day(connection, clock.time())
    async with database.read() as connection:
        assert await print_account(connection, "Asia/Jakarta", None, as_json=False)
        assert len([one async for one in account.of_episodes(connection)]) == 12
