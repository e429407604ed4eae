"""A process that is killed while it writes has lost nothing that it was told is committed."""

import asyncio
import random
import signal
import sys
from pathlib import Path

from sqlalchemy import select

from alertbridge.store.config import StoreSection
from alertbridge.store.database import Database
from alertbridge.store.schema import rejects
from tests.fakes.clock import FakeClock

KILLS = 4
ROOT = Path(__file__).parents[2]

WRITER = """
import asyncio, sys
from pathlib import Path
from sqlalchemy import insert
from alertbridge.store.config import StoreSection
from alertbridge.store.database import Database
from alertbridge.store.schema import rejects
from runtime.clock import SystemClock

async def main(where, first):
    given = {"url": where} if where.startswith("postgresql") else {"path": Path(where)}
    database = await Database.open(StoreSection(**given), SystemClock())
    number = first
    while True:
        async with database.write() as connection:
            for part in ("a", "b"):
                await connection.execute(insert(rejects).values(at=number, path=part, reason="x" * 3000))
        print("committed", number, flush=True)
        number += 1

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


async def killed_while_writing(section: StoreSection, first: int, after_s: float) -> int:
    """Starts a writer, kills it `after_s` after its first commit; returns the last number it reported."""
    where = section.url.get_secret_value() if section.url else str(section.path)
    writer = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, where, str(first), stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert writer.stdout is not None
    reported = []
    while b"committed" not in (line := await writer.stdout.readline()):
        assert line, "the writer ended before its first commit"
    reported.append(line)
    await asyncio.sleep(after_s)
    writer.kill()
    reported += (await writer.stdout.read()).splitlines()
    assert await writer.wait() == -signal.SIGKILL
    # The last line may be cut off by the kill; what it would have said was committed all the same.
    return max(
        int(line.split()[1]) for line in reported if line.startswith(b"committed ") and line.split()[1:]
    )


async def test_a_kill_loses_nothing_that_was_committed(store_section: StoreSection, clock: FakeClock) -> None:
    """After each kill: every reported transaction is there, whole; the next process begins without help."""
    rng = random.Random(9)  # noqa: S311  not for secrets
    expected: set[float] = set()
    first = 0
    for _ in range(KILLS):
        last = await killed_while_writing(store_section, first, rng.uniform(0, 0.1))
        expected |= set(range(first, last + 1))
        database = await Database.open(store_section, clock)
        assert database.replaced_file is None
        async with database.read() as connection:
            rows = (await connection.execute(select(rejects.c.at, rejects.c.path))).all()
        await database.close()
        halves = [{at for at, path in rows if path == part} for part in ("a", "b")]
        assert halves[0] == halves[1]
        assert expected <= halves[0]
        first = int(max(halves[0])) + 1
    assert len(expected) > KILLS


async def test_the_lock_on_the_file_ends_with_its_process(
    sqlite_section: StoreSection, clock: FakeClock
) -> None:
    """When a bridge is killed, the next one may begin at once, although the lock file is still there."""
    await killed_while_writing(sqlite_section, 0, 0.0)
    assert sqlite_section.path.with_name("alertbridge.db.lock").exists()
    await (await Database.open(sqlite_section, clock)).close()
