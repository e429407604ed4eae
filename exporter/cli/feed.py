"""Reads a view from one router, once or again and again, and keeps the last two readings."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from exporter.cli.columns import Section, View
from exporter.collectors.reader import LARGE_ROWS, Source
from exporter.collectors.table import Facts, Record, Table
from routeros import BreakerOpen, CommandUnsupported, ProtocolViolation, RouterError, RouterUnreachable


class Client(Source, Protocol):
    """What is needed of `routeros.Router`."""

    async def close(self) -> None:
        """End for good."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One reading of a view: rows by table, when each table had arrived (monotonic seconds), and what failed."""

    replies: Mapping[str, list[Record]]
    read_at_s: Mapping[str, float]
    failures: Mapping[str, RouterError]

    def error(self, section: Section) -> RouterError | None:
        """Why there are no rows for `section`; None when there are, or may be."""
        return self.failures.get(section.table.name)

    def answered(self) -> bool:
        """Whether the router said anything to the matter, if only that it has no such menu."""
        return bool(self.replies) or any(isinstance(e, CommandUnsupported) for e in self.failures.values())


class Feed:
    """A view of one router. `changed` is called after every reading."""

    def __init__(
        self,
        router: str,
        client: Client,
        view: View,
        *,
        interval_s: float,
        at_once: asyncio.Semaphore,
        changed: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.router = router
        self.now: Snapshot | None = None
        self.before: Snapshot | None = None
        self._client = client
        self._view = view
        self._interval_s = interval_s
        self._at_once = at_once
        self._changed = changed
        self._clock = clock
        self._facts = Facts()
        self.cause: RouterError | None = None
        """Why the router says nothing at all; None when it does. The breaker's word does not hide what opened it."""

    def __repr__(self) -> str:
        return f"<Feed {self.router} {self._view.name} read={self.now is not None} cause={self.cause!r}>"

    @property
    def is_dead(self) -> bool:
        """Whether the router could not be reached: nothing there, or nothing there that speaks the API."""
        return isinstance(self.cause, RouterUnreachable | ProtocolViolation)

    async def run(self, turns: int | None) -> None:
        """Read `turns` times, or without end; a router that fails is not read a second time unless without end."""
        turn = 0
        while turns is None or turn < turns:
            began_s = self._clock()
            async with self._at_once:
                await self._read()
            if (me := asyncio.current_task()) is not None and me.cancelling():
                raise asyncio.CancelledError  # it met the end of a reading; without end means until cancelled
            self._changed()
            turn += 1
            if turns is not None and (turn >= turns or self.cause is not None):
                return
            await asyncio.sleep(max(0.0, began_s + self._interval_s - self._clock()))

    async def close(self) -> None:
        """End the connections."""
        await self._client.close()

    async def _read(self) -> None:
        tables = self._view.tables
        answers = await asyncio.gather(*[self._ask(table) for table in tables])
        replies: dict[str, list[Record]] = {}
        read_at_s: dict[str, float] = {}
        failures: dict[str, RouterError] = {}
        for table, (answer, at_s) in zip(tables, answers, strict=True):
            if isinstance(answer, RouterError):
                failures[table.name] = answer
            else:
                replies[table.name], read_at_s[table.name] = answer, at_s
        for collector, _ in self._view.reads:
            if collector.derive is not None:
                collector.derive(replies, self._facts)
        self.before, self.now = self.now, Snapshot(replies, read_at_s, failures)
        self._learn(self.now)

    def _learn(self, snapshot: Snapshot) -> None:
        if snapshot.answered():
            self.cause = None
            return
        first = next(iter(snapshot.failures.values()))
        if self.cause is None or not isinstance(first, BreakerOpen):
            self.cause = first

    async def _ask(self, table: Table) -> tuple[list[Record] | RouterError, float]:
        try:
            reply = await self._client.call(
                table.command,
                proplist=table.fields if table.proplist else (),
                queries=table.queries,
                idempotent=True,
                large=self._is_large(table),
            )
        except RouterError as error:
            return error, self._clock()
        return reply.records, self._clock()

    def _is_large(self, table: Table) -> bool:
        """Whether the reading before says that this one takes long."""
        return self.now is not None and len(self.now.replies.get(table.name, ())) >= LARGE_ROWS
