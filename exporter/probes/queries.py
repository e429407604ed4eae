"""The user's own SQL as metrics: rows to samples, each statement in its own interval and time."""

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

import structlog

from exporter.config import Config, QuerySection
from exporter.probes.base import Measured, counter, gauge
from exporter.probes.database_faults import DatabaseFault, Fault, faults
from exporter.probes.rows import Cell, Database, Rows
from exporter.samples import Family, Kind

AT_ONCE = 2
"""Statements that run on one database at the same time; the others wait for their turn."""
RETRY_S = 15.0
"""A statement that failed is tried again after this, or after its own interval if that is shorter."""
LABEL_LIMIT_CHARS = 200

_OWN = ("query",)

SUCCESS = gauge(
    "tikwatch_query_success",
    "1 if the latest run of a query gave its rows; 0 if not, see tikwatch_query_failure. Its metric is then absent.",
    *_OWN,
)
FAILURE = gauge(
    "tikwatch_query_failure", "1 for the reason why a query failed, 0 for the others.", *_OWN, "reason"
)
DURATION = gauge("tikwatch_query_duration_seconds", "How long the latest run of a query took.", *_OWN)
LAST_RUN = gauge("tikwatch_query_last_success_timestamp_seconds", "When a query last gave its rows.", *_OWN)
ROWS = gauge("tikwatch_query_rows", "Rows of the latest run that became series.", *_OWN)
LEFT_OUT = gauge(
    "tikwatch_query_rows_left_out", "Rows of the latest run beyond its row limit, 10,000 at most.", *_OWN
)
UNUSABLE = gauge(
    "tikwatch_query_rows_unusable",
    "Rows of the latest run without a number in the value column, or with the labels of an earlier row.",
    *_OWN,
)

STATUS: tuple[Family, ...] = (SUCCESS, FAILURE, DURATION, LAST_RUN, ROWS, LEFT_OUT, UNUSABLE)

FAULTS = tuple(fault for fault in Fault if fault not in (Fault.TOO_LARGE, Fault.TOO_MANY, Fault.ROUTER))
"""Why a query may fail."""

_log = structlog.stdlib.get_logger("exporter.probes")


def family_of(section: QuerySection) -> Family:
    """The family that a query fills."""
    make = counter if section.type == "counter" else gauge
    return make(section.name, section.help, "database", *section.labels)


def families(config: Config) -> tuple[Family, ...]:
    """The families of all queries; one that several databases fill comes once."""
    return tuple({query.name: family_of(query) for query in config.queries}.values())


class Query:
    """One query, as a probe. `turns` are shared by the queries of one database."""

    def __init__(
        self,
        section: QuerySection,
        database: Database,
        turns: threading.Semaphore,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = f"{section.database}/{section.name}"
        self.labels: Mapping[str, str] = {"database": section.database}
        self._section = section
        self._family = family_of(section)
        self._about = {"query": section.name}
        self._database = database
        self._turns = turns
        self._clock = clock
        self._wall_clock = wall_clock
        self._ran_s: float | None = None
        self._last: list[Measured] = []
        self._told: Fault | None = None

    def __repr__(self) -> str:
        return f"<Query {self.name}>"

    def measure(self) -> Sequence[Measured]:
        """See `exporter.probes.base.Probe`. What ran within its interval is told again."""
        began_s = self._clock()
        if self._ran_s is not None and began_s - self._ran_s < self._section.interval_s:
            return self._last
        try:
            rows = self._run()
            samples, unusable = self._samples(rows)
        except DatabaseFault as fault:
            self._ran_s = None
            self._tell(fault)
            return [
                *self._status(fault.fault if fault.fault in FAULTS else Fault.OTHER),
                Measured(DURATION, self._clock() - began_s, self._about),
            ]
        self._tell(None)
        self._ran_s = began_s
        self._last = [
            *samples,
            *self._status(None),
            Measured(DURATION, self._clock() - began_s, self._about),
            Measured(LAST_RUN, self._wall_clock(), self._about),
            Measured(ROWS, len(samples), self._about),
            Measured(LEFT_OUT, rows.left_out, self._about),
            Measured(UNUSABLE, unusable, self._about),
        ]
        return self._last

    def silent(self) -> Sequence[Measured]:
        """See `exporter.probes.base.Probe`."""
        return [*self._status(Fault.TIMEOUT)]

    def _run(self) -> Rows:
        section = self._section
        if not self._turns.acquire(timeout=section.timeout_s):
            raise DatabaseFault(Fault.TIMEOUT, f"other queries held the database for {section.timeout_s:g} s")
        try:
            return self._database.rows(section.sql, timeout_s=section.timeout_s, limit=section.row_limit)
        finally:
            self._turns.release()

    def _samples(self, rows: Rows) -> tuple[list[Measured], int]:
        """A sample per row, and how many rows gave none. Raises DatabaseFault when a column is not there."""
        wanted = (self._section.value, *self._section.labels)
        missing = [column for column in wanted if column not in rows.columns]
        if missing:
            there = ", ".join(rows.columns[:20])
            raise DatabaseFault(Fault.SQL, f"gives no column {' and no '.join(missing)}; it gives {there}")
        value_at, *labels_at = (rows.columns.index(column) for column in wanted)
        found: dict[tuple[str, ...], float] = {}
        unusable = 0
        for row in rows.rows:
            value, labels = number(row[value_at]), tuple(label(row[at]) for at in labels_at)
            if value is None or labels in found or (self._family.kind is Kind.COUNTER and value < 0):
                unusable += 1
            else:
                found[labels] = value
        names = self._section.labels
        return [
            Measured(self._family, value, dict(zip(names, labels, strict=True)))
            for labels, value in found.items()
        ], unusable

    def _status(self, fault: Fault | None) -> Iterator[Measured]:
        yield Measured(SUCCESS, int(fault is None), self._about)
        for one in faults(FAILURE, fault, FAULTS):
            yield Measured(FAILURE, one.value, {**self._about, **one.labels})

    def _tell(self, fault: DatabaseFault | None) -> None:
        """Log a change."""
        reason = fault.fault if fault is not None else None
        if reason is self._told:
            return
        self._told = reason
        about = {"query": self._section.name, "database": self._section.database}
        if fault is None:
            _log.info("query.recovered", **about)
        else:
            _log.warning("query.failed", **about, reason=fault.fault.value, error=str(fault))


def number(cell: Cell) -> float | None:
    """A finite number, also from text; true is 1. None for anything else."""
    if not isinstance(cell, bool | int | float | Decimal | str):
        return None
    try:
        value = float(cell)
    except (ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def label(cell: Cell) -> str:
    """A value as a label: nothing for NULL, a whole number without a point, text cut to what a label may be."""
    if cell is None:
        return ""
    if isinstance(cell, bytes | bytearray | memoryview):
        text = bytes(cell).decode("utf-8", errors="replace")
    elif isinstance(cell, bool):
        text = "true" if cell else "false"
    elif isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        text = str(int(cell))
    else:
        text = str(cell)
    return "".join(c if c.isprintable() else " " for c in text[:LABEL_LIMIT_CHARS])


class Turns:
    """A semaphore per database, the same for all its queries."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._at_once = at_once
        self._of: dict[str, threading.Semaphore] = {}

    def of(self, database: str) -> threading.Semaphore:
        """The one of `database`."""
        return self._of.setdefault(database, threading.Semaphore(self._at_once))

    def keep(self, databases: Iterable[str]) -> None:
        """Let go of those of other databases."""
        wanted = set(databases)
        self._of = {name: turns for name, turns in self._of.items() if name in wanted}
