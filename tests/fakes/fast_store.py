"""A store in memory without threads: what `Database` offers, on one synchronous SQLite connection.

No statement suspends, so that transactions are one at a time by themselves. A handle can be killed: its next
statement, or the one that `dies_at` names, is the last, and its transaction never was.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal, cast

from sqlalchemy import Connection, Result, create_engine
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import StaticPool

from alertbridge.store.database import Database
from alertbridge.store.schema_recovery import audit_head, metadata

_numbers = itertools.count(1)
_HEAD = audit_head.insert().values(id=1, count=0, hash="0" * 64)


class _Statements:
    """A connection whose `execute` is awaited and does not wait."""

    def __init__(self, connection: Connection, handle: "FastStore") -> None:
        self._connection = connection
        self._handle = handle

    async def execute(self, statement: Any, parameters: Any = None) -> Result[Any]:
        self._handle.step()
        return self._connection.execute(statement, parameters)


class FastStore:
    """One handle on a store; `beside` makes another one on the same rows, of the same process or of a new one."""

    dialect: Literal["sqlite"] = "sqlite"
    is_owner = True

    def __init__(self, connection: Connection | None = None, instance: str = "") -> None:
        if connection is None:
            engine = create_engine("sqlite://", poolclass=StaticPool)
            connection = engine.connect()
            metadata.create_all(connection)
            connection.execute(_HEAD)
            connection.commit()
        self._connection = connection
        self.instance = instance or f"process{next(_numbers)}"
        self.dead = False
        self.dies_at: int | None = None
        self.steps = 0

    @property
    def database(self) -> Database:
        """As what it stands for."""
        return cast("Database", self)

    def beside(self, *, same_process: bool) -> "FastStore":
        """Another handle."""
        return FastStore(self._connection, self.instance if same_process else "")

    def cleared(self) -> "FastStore":
        """The first handle of a store that has just been made."""
        for table in reversed(metadata.sorted_tables):
            self._connection.execute(table.delete())
        self._connection.execute(_HEAD)
        self._connection.commit()
        return FastStore(self._connection)

    def step(self) -> None:
        """One statement more."""
        self.steps += 1
        if self.dies_at is not None and self.steps >= self.dies_at:
            self.dead = True
        if self.dead:
            raise asyncio.CancelledError

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        with self._connection.begin():
            self.step()
            yield cast("AsyncConnection", _Statements(self._connection, self))
            self.step()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        with self._connection.begin():
            yield cast("AsyncConnection", _Statements(self._connection, self))

    def insert(self, table: Any) -> sqlite.Insert:
        return sqlite.insert(table)
