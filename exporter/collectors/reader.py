"""Reads one collector from one router: sends its commands side by side, joins, selects and renders the replies."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from exporter.arrivals import Arrivals
from exporter.cardinality import Cardinality, Ledger, Mode
from exporter.collectors.clients import LEASE_FIELDS, ClientNames
from exporter.collectors.render import render
from exporter.collectors.table import Collector, Facts, Record, Table
from routeros import CommandFailed, CommandUnsupported, PermissionDenied, Priority, Reply, RouterError

UNSUPPORTED_RETRY_S = 3600.0
"""How long the answer "no such menu" is believed, unless the router reboots before."""

LARGE_ROWS = 500
"""A table that had this many rows at the last reading may take a connection for itself, so that others pass it."""


class Source(Protocol):
    """Where commands go: `routeros.Router`, or a recording in tests."""

    async def call(
        self,
        command: str,
        *,
        args: Mapping[str, str] = ...,
        proplist: Sequence[str] = ...,
        queries: Sequence[str] = ...,
        priority: Priority = ...,
        idempotent: bool = ...,
        large: bool = ...,
    ) -> Reply:
        """Rows of one command; raises `routeros.RouterError`."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one table gave: finished blocks and when (monotonic seconds) they were read."""

    blocks: Mapping[str, bytes]
    read_at_s: float
    rows: int = 0
    samples: int = 0
    left_out: int = 0
    duplicates: int = 0
    unparsable: Mapping[str, tuple[int, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reading:
    """One refresh of a collector: fresh parts by table, and what became of the tables that gave none."""

    parts: Mapping[str, Part]
    failures: Mapping[str, RouterError]
    unsupported: frozenset[str]
    tables: int

    @property
    def succeeded(self) -> bool:
        """Whether every table was read or is known not to exist on this router."""
        return not self.failures

    @property
    def supported(self) -> bool:
        """Whether the router has any of the collector's menus."""
        return len(self.unsupported) < self.tables


class Reader:
    """Keeps what one collector must remember about one router between refreshes."""

    def __init__(
        self,
        collector: Collector,
        source: Source,
        facts: Facts,
        *,
        router_label: str,
        cardinality: Cardinality,
        clients: ClientNames | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.collector = collector
        self._source = source
        self._facts = facts
        self._router_label = router_label
        self._cardinality = cardinality
        self._clients = clients
        self._clock = clock
        self._wall_clock = wall_clock
        self._tables = tuple(table for table in collector.tables if self._is_wanted(table))
        self._ledgers = {
            table.name: Ledger(table.subscribers) for table in self._tables if table.subscribers is not None
        }
        self._arrivals = Arrivals()
        self._unsupported: dict[str, float] = {}
        self._reboots_seen = facts.reboots_seen
        self._numbers: dict[str, str] = {}
        self._wanted: dict[str, bool] = {}
        self._rows: dict[str, int] = {}

    def __repr__(self) -> str:
        return f"<Reader {self.collector.name} unsupported={sorted(self._unsupported)}>"

    def _is_wanted(self, table: Table) -> bool:
        """A table that is there only for per-subscriber series is not asked for where those are off."""
        return self._cardinality.mode is not Mode.OFF or not table.detail

    async def read(self) -> Reading:
        """Ask the router and render what it says; a failure of one table leaves the others whole."""
        now_s = self._clock()
        self._forget_unsupported(now_s)
        replies: dict[str, list[Record]] = {}
        failures: dict[str, RouterError] = {}
        due = [table for table in self._tables if table.name not in self._unsupported]
        asked = [table for table in due if not table.made]
        await asyncio.gather(self._ask_or_stand_in(asked, replies, failures), self._settle_clients())
        for name, error in failures.items():
            if isinstance(error, CommandUnsupported):
                self._unsupported[name] = now_s + UNSUPPORTED_RETRY_S
        for table in asked:
            if table.each and table.name in replies:
                _take_labels(table, replies[table.name], replies[table.numbers])
        self._facts.now_s = self._wall_clock()
        if self.collector.derive is not None:
            self.collector.derive(replies, self._facts)
        self._name_clients(replies)
        read_at_s = self._clock()
        return Reading(
            parts={
                table.name: self._part(table, replies, read_at_s) for table in due if table.name in replies
            },
            failures={name: e for name, e in failures.items() if name not in self._unsupported},
            unsupported=frozenset(self._unsupported),
            tables=sum(not table.made for table in self._tables),
        )

    async def _ask_or_stand_in(
        self, tables: Sequence[Table], replies: dict[str, list[Record]], failures: dict[str, RouterError]
    ) -> None:
        usual = [t for t in tables if not t.instead_of or t.instead_of in self._unsupported]
        await self._ask_all(usual, replies, failures)
        stand_ins = [t for t in tables if isinstance(failures.get(t.instead_of), CommandUnsupported)]
        await self._ask_all(stand_ins, replies, failures)

    async def _settle_clients(self) -> None:
        """Names are waited for only where rows have series of their own to bear them."""
        is_shown = self._cardinality.mode in (Mode.TOP, Mode.FULL)
        if self._clients is not None and is_shown and any(table.client_by for table in self._tables):
            await self._clients.settle()

    def _name_clients(self, replies: Mapping[str, list[Record]]) -> None:
        if self._clients is None:
            return
        for table in self._tables:
            if table.name in replies and table.tells_clients:
                self._clients.learn(replies[table.name])
            elif table.name in replies and table.client_by:
                self._clients.put_on(replies[table.name], table.client_by)

    async def _ask_all(
        self, tables: Sequence[Table], replies: dict[str, list[Record]], failures: dict[str, RouterError]
    ) -> None:
        """Monitors run beside the tables they are over where those tables' rows are remembered, else after them."""
        before = dict(self._numbers)
        first = [table for table in tables if self._is_ready(table)]
        await self._ask(first, replies, failures)
        again = [
            table for table in tables if table.numbers and self._must_ask(table, before, replies, failures)
        ]
        again += [table for table in tables if table.after and self._has_become_wanted(table, replies)]
        await self._ask(again, replies, failures)

    def _forget_unsupported(self, now_s: float) -> None:
        if self._reboots_seen != self._facts.reboots_seen:  # a package may have come with the reboot
            self._reboots_seen = self._facts.reboots_seen
            self._unsupported.clear()
        self._unsupported = {name: until for name, until in self._unsupported.items() if until > now_s}

    def _is_ready(self, table: Table) -> bool:
        """Whether a table can be asked with the first ones: for those that follow others, by the last reading."""
        if table.after is not None:
            return self._wanted.get(table.name, False)
        return not table.numbers or bool(self._numbers.get(table.name))

    def _has_become_wanted(self, table: Table, replies: Mapping[str, list[Record]]) -> bool:
        """Whether a table that follows others is to be asked now, having not been among the first."""
        before = self._wanted.get(table.name, False)
        now = self._wanted[table.name] = table.after is not None and table.after(replies)
        return now and not before

    def _must_ask(
        self,
        table: Table,
        before: Mapping[str, str],
        replies: dict[str, list[Record]],
        failures: dict[str, RouterError],
    ) -> bool:
        """Whether a monitor has to run (again) now that the rows it is over are known."""
        if table.numbers not in replies:
            if table.numbers in failures:
                failures[table.name] = failures[table.numbers]
                if table.each:  # nobody knows which rows these replies are about
                    replies.pop(table.name, None)
            elif table.numbers in self._unsupported:
                self._unsupported[table.name] = self._unsupported[table.numbers]
            return False
        numbers = _numbers(table, replies[table.numbers])
        self._numbers[table.name] = numbers
        if not numbers:
            replies[table.name] = []
            failures.pop(table.name, None)
            return False
        error = failures.get(table.name)
        if numbers == before.get(table.name) and not _is_stale_numbers(error):
            return False
        failures.pop(table.name, None)
        return True

    async def _ask(
        self, tables: Sequence[Table], replies: dict[str, list[Record]], failures: dict[str, RouterError]
    ) -> None:
        answers = await asyncio.gather(*[self._call(table) for table in tables])
        for table, (records, error) in zip(tables, answers, strict=True):
            if error is not None:
                failures[table.name] = error
            if records is not None:
                replies[table.name] = records
                self._rows[table.name] = len(records)

    async def _call(self, table: Table) -> tuple[list[Record] | None, RouterError | None]:
        """The rows of one table, and what failed; a table of commands per row may have both."""
        numbers = self._numbers.get(table.name, "")
        if not table.each:
            return await self._send(table, numbers)
        ids = numbers.split(",")
        answers = await asyncio.gather(*[self._send(table, one) for one in ids])
        found = [(one, rows) for one, (rows, _) in zip(ids, answers, strict=True) if rows is not None]
        error = next((error for _, error in answers if error is not None), None)
        if error is not None and not found:
            return None, error
        return [{**row, ".id": one} for one, rows in found for row in rows], error

    async def _send(self, table: Table, numbers: str) -> tuple[list[Record] | None, RouterError | None]:
        args: dict[str, str] = {}
        if table.numbers:
            args = {table.number_word: numbers, "once": ""}
        elif table.once:
            args = {"once": ""}
        elif table.counted:
            args = {"count-only": ""}
        try:
            reply = await self._source.call(
                table.command,
                args=args,
                proplist=self._fields(table) if table.proplist and (table.each or not args) else (),
                queries=table.queries,
                priority=Priority.NORMAL,
                idempotent=True,
                large=self._rows.get(table.name, 0) >= LARGE_ROWS,
            )
        except RouterError as error:
            return None, error
        if table.counted:
            return ([] if reply.ret is None else [{"@count": reply.ret}]), None
        return reply.records, None

    def _fields(self, table: Table) -> Sequence[str]:
        is_counted = table.subscribers is not None and self._cardinality.mode is Mode.OFF
        fields = table.counted_fields if is_counted else table.fields
        if table.tells_clients and self._clients is not None:
            return tuple(dict.fromkeys((*fields, *LEASE_FIELDS)))
        return fields

    def _part(self, table: Table, replies: Mapping[str, list[Record]], read_at_s: float) -> Part:
        records = replies[table.name]
        listed, left_out = records, 0
        if table.name in self._ledgers:
            selection = self._ledgers[table.name].select(records, self._cardinality, read_at_s)
            listed, left_out = selection.records, selection.left_out
        rendered = render(
            table,
            records,
            listed,
            router_label=self._router_label,
            facts=self._facts,
            others=replies,
            arrived=self._arrivals.update(table, records, replies),
        )
        return Part(
            blocks=rendered.blocks,
            read_at_s=read_at_s,
            rows=len(records),
            samples=rendered.samples,
            left_out=left_out,
            duplicates=rendered.duplicates,
            unparsable=rendered.unparsable,
        )


def _numbers(table: Table, records: Sequence[Record]) -> str:
    """Ids of the rows that a monitor runs over. Ids, because a name may hold a comma."""
    where = table.numbers_where
    return ",".join(
        [
            record[".id"]
            for record in records
            if ".id" in record and (where is None or record.get(where.field, "") in where.values)
        ]
    )


def _take_labels(table: Table, records: Sequence[Record], rows: Sequence[Record]) -> None:
    """Give each reply of a monitor the labels it lacks, from the row that it is about."""
    by_id = {row.get(".id"): row for row in rows}
    for record in records:
        row = by_id.get(record[".id"], {})
        for source in [label.source for label in table.labels]:
            if source not in record and source in row:
                record[source] = row[source]


def _is_stale_numbers(error: RouterError | None) -> bool:
    """One row that is gone fails a whole monitor; asking again with fresh ids mends that."""
    return isinstance(error, CommandFailed) and not isinstance(error, CommandUnsupported | PermissionDenied)
