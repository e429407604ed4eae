"""SQLite's log is worked into the file beside the writers, not by whichever commit happens to make it long.

A checkpoint inside a commit makes that commit, and all that wait for it, wait for the disk some hundred times.
Here most of it is done while others write; only the rest, a few pages, is done in a writer's turn, so that the
log can begin anew from its start.
"""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

EVERY_CHANGES = 1500
"""Rows changed between checkpoints: a log of some 40 MB when each transaction touches a dozen pages."""
LAST_RESORT_PAGES = 20_000
"""SQLite's own checkpoint inside a commit, should the one here not come to its end."""


class Checkpoints:
    """Starts a checkpoint when enough was written. `turn` is the lock that writers hold."""

    def __init__(self, path: Path, turn: asyncio.Lock) -> None:
        self._path = path
        self._turn = turn
        self._changes_then = 0
        self._running: asyncio.Task[None] | None = None

    def committed(self, total_changes: int) -> None:
        """To be called after each commit with the connection's count of changes so far."""
        if abs(total_changes - self._changes_then) < EVERY_CHANGES:  # a new connection counts from 0 again
            return
        if self._running is None or self._running.done():
            self._changes_then = total_changes
            self._running = asyncio.create_task(self._run())

    async def _run(self) -> None:
        try:
            await asyncio.to_thread(self._checkpoint)
            async with self._turn:
                await asyncio.to_thread(self._checkpoint)
        except sqlite3.Error as error:  # the next commit meets the cause itself, and tells it
            log.warning("store.checkpoint_failed", error=str(error))

    def _checkpoint(self) -> None:
        """Works in what no reader still needs, and waits for nobody. Blocks for as long as the disk takes."""
        with closing(sqlite3.connect(self._path)) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    async def finished(self) -> None:
        """Returns when none is running."""
        if self._running is not None:
            await self._running
