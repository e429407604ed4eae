"""SQLite's log is worked into the file beside the writers and does not grow without end."""

from sqlalchemy import insert

from alertbridge.store.checkpoints import EVERY_CHANGES, LAST_RESORT_PAGES
from alertbridge.store.config import StoreSection
from alertbridge.store.database import Database
from alertbridge.store.schema import rejects
from tests.fakes.clock import FakeClock

ROW_BYTES = 2000
PAGE_BYTES = 4096


async def test_the_log_begins_anew_while_writers_go_on(
    sqlite_section: StoreSection, clock: FakeClock
) -> None:
    """After many times the amount that asks for a checkpoint, the log is shorter than half of what was written."""
    database = await Database.open(sqlite_section, clock)
    rows = [{"at": 1.0, "path": "p", "reason": "x" * ROW_BYTES} for _ in range(50)]
    log = sqlite_section.path.with_name("alertbridge.db-wal")
    written = 0
    # a disk that is busy lets writers run ahead of the first checkpoint; SQLite's own one comes later than all this
    while written < 8 * EVERY_CHANGES * ROW_BYTES or written < 2 * log.stat().st_size:
        async with database.write() as connection:
            await connection.execute(insert(rejects), rows)
        written += len(rows) * ROW_BYTES
        assert written < LAST_RESORT_PAGES * PAGE_BYTES
    await database.close()
    assert not sqlite_section.path.with_name("alertbridge.db-wal").exists()
    assert sqlite_section.path.stat().st_size > written
