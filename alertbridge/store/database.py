"""The store, open: transactions that are on the disk when they end, and errors that say what to do next.

async with database.write() as connection:
    await connection.execute(database.insert(episodes).values(...).on_conflict_do_nothing())
# committed and fsynced here, or an exception left the block and nothing happened
"""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Literal, Self

import structlog
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alertbridge.store import integrity, migrating
from alertbridge.store.checkpoints import Checkpoints
from alertbridge.store.config import StoreSection
from alertbridge.store.engines import postgresql_engine, sqlite_engine
from alertbridge.store.errors import StoreCorrupt, StoreUnavailable, Unavailable, errors_explained
from alertbridge.store.processlock import ProcessLock
from alertbridge.store.schema import leases
from runtime.clock import Clock

log = structlog.get_logger(__name__)

Dialect = Literal["sqlite", "postgresql"]
Insert = sqlite.Insert | postgresql.Insert


class Database:
    """The store. SQLite writes are one at a time (BEGIN IMMEDIATE), PostgreSQL's as they come.

    `instance` is this opening of it, unlike any other; `replaced_file` the corrupt file that was kept aside
    when it was opened, to be told to the operator.
    """

    def __init__(self, section: StoreSection, *, lock: ProcessLock | None = None) -> None:
        """Use `open` or `visit`."""
        url = section.server_url
        self.dialect: Dialect = "sqlite" if url is None else "postgresql"
        self.instance = secrets.token_hex(8)
        self.replaced_file: Path | None = None
        self._section = section
        self._lock = lock
        self._turn = asyncio.Lock()
        self._writer: AsyncConnection | None = None
        self._checkpoints = Checkpoints(section.path, self._turn)
        self._reading: AsyncEngine
        self._sessions: AsyncEngine | None = None
        if url is None:
            self._writing = sqlite_engine(
                section.path, busy_timeout_s=section.busy_timeout_s, connections=1, writes=True
            )
            self._reading = sqlite_engine(
                section.path,
                busy_timeout_s=section.busy_timeout_s,
                connections=section.connections,
                writes=False,
            )
        else:
            timeouts = {
                "lock_timeout_s": section.busy_timeout_s,
                "statement_timeout_s": section.statement_timeout_s,
            }
            self._writing = self._reading = postgresql_engine(
                url, connections=section.connections, **timeouts
            )
            # What a job holds for hours must not be missing to those who read and write.
            self._sessions = postgresql_engine(url, connections=None, **timeouts)

    @classmethod
    async def open(cls, section: StoreSection, clock: Clock) -> Self:
        """Opens the store for a bridge: keeps a corrupt file aside, makes or migrates what is there.

        Of a SQLite file it is the only one; several can share a PostgreSQL database, and the first migrates it.
        Raises StoreUnavailable, StoreInUse, StoreTooNew, StoreForeign, StoreCorrupt.
        """
        lock, replaced = None, None
        if section.url is None:
            lock, replaced = await asyncio.to_thread(_prepared, section, clock.time())
        database = cls(section, lock=lock)
        database.replaced_file = replaced
        try:
            with database._explaining():
                before, after = await migrating.migrate(section)
        except BaseException:
            await database.close()
            raise
        if before != after:
            log.info("store.migrated", before=before, after=after)
        return database

    @classmethod
    async def visit(cls, section: StoreSection) -> Self:
        """Opens the store beside a bridge that may be at work, as a command line does; changes nothing in itself.

        Raises StoreUnavailable, StoreTooNew, StoreOutdated, StoreForeign, StoreCorrupt.
        """
        if section.url is None and not section.path.exists():
            raise StoreUnavailable(Unavailable.NOT_OPENED, f"there is no file {section.path}")
        database = cls(section)
        try:
            async with database.read() as connection:
                await connection.run_sync(migrating.require_newest)
        except BaseException:
            await database.close()
            raise
        return database

    @property
    def is_owner(self) -> bool:
        """False for a visitor of a SQLite file."""
        return self.dialect == "postgresql" or self._lock is not None

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """One transaction, on the disk when the block ends without error. Do not nest it, and wait in it for
        nothing but the store: under SQLite everybody else waits meanwhile.

        Raises StoreUnavailable, StoreCorrupt; a violated constraint leaves as SQLAlchemy's IntegrityError.
        """
        with self._explaining():
            if self.dialect == "postgresql":
                async with self._deadline(), self._writing.begin() as connection:
                    yield connection
                return
            await self._take_turn()
            try:
                connection = await self._writer_connection()
                async with connection.begin():
                    yield connection
                self._checkpoints.committed(self._changes())
            finally:
                self._turn.release()

    def _changes(self) -> int:
        """Rows that the writing connection has changed since it was made."""
        pooled = None if self._writer is None else self._writer.sync_connection
        raw = None if pooled is None else pooled.connection.driver_connection
        return 0 if raw is None else int(raw.total_changes)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that only reads. Under SQLite it sees one state of the store and never waits for writers.

        Raises StoreUnavailable, StoreCorrupt.
        """
        with self._explaining():
            async with self._deadline(), self._reading.begin() as connection:
                yield connection

    def insert(self, table: Table) -> Insert:
        """The dialect's INSERT, with `on_conflict_do_nothing` and `on_conflict_do_update`."""
        return sqlite.insert(table) if self.dialect == "sqlite" else postgresql.insert(table)

    async def prove_writable(self) -> None:
        """Writes a row to the disk. Raises StoreUnavailable or StoreCorrupt when that fails."""
        row = {"owner": self.instance, "until": 0.0}
        async with self.write() as connection:
            await connection.execute(
                self.insert(leases)
                .values(name="proof of writing", **row)
                .on_conflict_do_update(index_elements=["name"], set_=row)
            )

    async def session(self) -> AsyncConnection:
        """A PostgreSQL connection of its own, outside transactions, for locks of the session; the caller closes it."""
        if self._sessions is None:
            raise TypeError("locks of a session are PostgreSQL's")
        connection = await self._sessions.connect()
        return await connection.execution_options(isolation_level="AUTOCOMMIT")

    async def close(self) -> None:
        """Ends every connection; a transaction that is open is rolled back."""
        try:
            await self._checkpoints.finished()
            if self._writer is not None:
                await self._writer.close()
                self._writer = None
            await self._reading.dispose()
            await self._writing.dispose()
            if self._sessions is not None:
                await self._sessions.dispose()
        finally:
            if self._lock is not None:
                self._lock.release()

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        """Drivers' errors leave as ours; corruption leaves a note for the next start, whose quick check may miss it."""
        try:
            with errors_explained():
                yield
        except StoreCorrupt:
            if self.dialect == "sqlite":
                with suppress(OSError):
                    integrity.suspicion(self._section.path).touch(mode=0o600)
            raise

    @asynccontextmanager
    async def _deadline(self) -> AsyncIterator[None]:
        """Bounds a transaction with a server: one that is frozen keeps none of its own time-outs."""
        if self.dialect == "sqlite":
            yield
            return
        limit_s = self._section.busy_timeout_s + self._section.statement_timeout_s
        limit = asyncio.timeout(limit_s)
        try:
            async with limit:
                yield
        except TimeoutError:
            if not limit.expired():
                raise
            raise StoreUnavailable(Unavailable.CONNECTION_LOST, f"no answer within {limit_s:g} s") from None

    async def _take_turn(self) -> None:
        limit = asyncio.timeout(self._section.busy_timeout_s) if self._turn.locked() else nullcontext()
        try:
            async with limit:
                await self._turn.acquire()
        except TimeoutError:
            raise StoreUnavailable(
                Unavailable.LOCKED, f"no turn to write within {self._section.busy_timeout_s:g} s"
            ) from None

    async def _writer_connection(self) -> AsyncConnection:
        """SQLite's one connection that writes; kept, since fetching it anew costs more than a statement."""
        if self._writer is None or self._writer.closed:
            self._writer = await self._writing.connect()
        return self._writer


def _prepared(section: StoreSection, now_s: float) -> tuple[ProcessLock, Path | None]:
    """The lock on a whole SQLite file, or on one that is new, and where a corrupt one went. Blocks."""
    path = section.path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(
            Unavailable.NOT_OPENED, f"cannot make {path.parent}: {error.strerror}"
        ) from error
    if path.is_dir():
        raise StoreUnavailable(Unavailable.NOT_OPENED, f"{path} is a folder; it must be a file")
    lock = ProcessLock(path)
    try:
        replaced = integrity.ensure_whole(path, busy_timeout_s=section.busy_timeout_s, now_s=now_s)
        # Messages are private; SQLite gives its companions the mode of the file.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        lock.release()
        raise StoreUnavailable(Unavailable.NOT_OPENED, f"cannot open {path}: {error.strerror}") from error
    except BaseException:
        lock.release()
        raise
    return lock, replaced
