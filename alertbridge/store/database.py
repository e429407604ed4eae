"""The store, open: transactions that are on the disk when they end, and errors that say what to do next.

async with database.write() as connection:
    await connection.execute(database.insert(episodes).values(...).on_conflict_do_nothing())
# committed and fsynced here, or an exception left the block and nothing happened
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Literal, Self

import structlog
from sqlalchemy import Table, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alertbridge.store import migrations
from alertbridge.store.config import StoreSection
from alertbridge.store.engines import postgresql_engine, sqlite_engine
from alertbridge.store.errors import StoreUnavailable, Unavailable, errors_explained
from runtime.clock import Clock

log = structlog.get_logger(__name__)

Dialect = Literal["sqlite", "postgresql"]
Insert = sqlite.Insert | postgresql.Insert
_MIGRATION_LOCK = text(
    "SELECT pg_advisory_xact_lock(hashtextextended('tikwatch alertbridge migration ' || current_schema(), 0))"
)


class Database:
    """The store. SQLite writes are one at a time (BEGIN IMMEDIATE), PostgreSQL's as they come."""

    def __init__(
        self, dialect: Dialect, writing: AsyncEngine, reading: AsyncEngine, *, busy_timeout_s: float
    ) -> None:
        self.dialect: Dialect = dialect
        self.instance = secrets.token_hex(8)
        self.replaced_file: Path | None = None
        self._writing = writing
        self._reading = reading
        self._busy_timeout_s = busy_timeout_s
        self._turn = asyncio.Lock()
        self._writer: AsyncConnection | None = None

    @classmethod
    async def open(cls, section: StoreSection, clock: Clock) -> Self:
        """Opens the store for a bridge: makes or migrates it as needed.

        Raises StoreUnavailable, StoreTooNew.
        """
        url = section.server_url
        if url is not None:
            engine = postgresql_engine(
                url,
                lock_timeout_s=section.busy_timeout_s,
                statement_timeout_s=section.statement_timeout_s,
                connections=section.connections,
            )
            database = cls("postgresql", engine, engine, busy_timeout_s=section.busy_timeout_s)
        else:
            section.path.parent.mkdir(parents=True, exist_ok=True)
            writing, reading = (
                sqlite_engine(
                    section.path,
                    busy_timeout_s=section.busy_timeout_s,
                    connections=1 if writes else section.connections,
                    writes=writes,
                )
                for writes in (True, False)
            )
            database = cls("sqlite", writing, reading, busy_timeout_s=section.busy_timeout_s)
        try:
            await database._migrate()
        except BaseException:
            await database.close()
            raise
        return database

    async def _migrate(self) -> None:
        async with self.write() as connection:
            if self.dialect == "postgresql":
                await connection.execute(text("SET LOCAL lock_timeout = 0"))
                await connection.execute(text("SET LOCAL statement_timeout = 0"))
                await connection.execute(_MIGRATION_LOCK)
            before, after = await connection.run_sync(migrations.upgrade)
        if before != after:
            log.info("store.migrated", before=before, after=after)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """One transaction, on the disk when the block ends without error. Do not nest, and do not wait in it
        for anything but the store: with SQLite everybody else waits meanwhile.

        Raises StoreUnavailable, StoreCorrupt; a violated constraint leaves as SQLAlchemy's IntegrityError.
        """
        with errors_explained():
            if self.dialect == "postgresql":
                async with self._writing.begin() as connection:
                    yield connection
                return
            await self._take_turn()
            try:
                connection = await self._writer_connection()
                async with connection.begin():
                    yield connection
            finally:
                self._turn.release()

    async def _take_turn(self) -> None:
        limit = asyncio.timeout(self._busy_timeout_s) if self._turn.locked() else nullcontext()
        try:
            async with limit:
                await self._turn.acquire()
        except TimeoutError:
            raise StoreUnavailable(
                Unavailable.LOCKED, f"no turn to write within {self._busy_timeout_s:g} s"
            ) from None

    async def _writer_connection(self) -> AsyncConnection:
        """SQLite's one connection that writes; kept, since checking it out anew costs more than a statement."""
        if self._writer is None or self._writer.closed:
            self._writer = await self._writing.connect()
        return self._writer

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that only reads. Under SQLite it sees one state of the store and never waits for writers.

        Raises StoreUnavailable, StoreCorrupt.
        """
        with errors_explained():
            async with self._reading.begin() as connection:
                yield connection

    def insert(self, table: Table) -> Insert:
        """The dialect's INSERT, with `on_conflict_do_nothing` and `on_conflict_do_update`."""
        return sqlite.insert(table) if self.dialect == "sqlite" else postgresql.insert(table)

    async def close(self) -> None:
        """Ends every connection. A transaction that is open is rolled back."""
        if self._writer is not None:
            await self._writer.close()
            self._writer = None
        await self._writing.dispose()
        if self._reading is not self._writing:
            await self._reading.dispose()
