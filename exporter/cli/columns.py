"""How a table for the terminal is written: a view of sections of columns. Plain frozen data.

A column names a metric or a label of a collector's table, and takes field, conversion and filter from there, so
that what the metrics and the terminal say of a router cannot differ.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from exporter.cli.units import Unit, Value
from exporter.collectors.table import Collector, Convert, Record, Row, Table
from exporter.collectors.table import Unit as Engine
from routeros.values import parse_int

Replies = Mapping[str, list[Record]]
Read = Callable[[Record], Value]


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `rank` 0 stays however narrow the terminal is; of the others the highest goes first.

    A `measured` column reads a counter of bytes, and shows how fast it grew between two readings.
    """

    name: str
    title: str
    unit: Unit
    read: Read
    rank: int = 0
    measured: bool = False

    @property
    def key(self) -> str:
        """Name in JSON, with the unit."""
        bare = self.unit in (Unit.TEXT, Unit.FLAG, Unit.COUNT)
        return self.name if bare else f"{self.name}_{self.unit.value}"

    @property
    def is_text(self) -> bool:
        """Whether it is sorted by the alphabet and may be cut short."""
        return self.unit is Unit.TEXT


@dataclass(frozen=True, slots=True)
class Section:
    """Rows of one kind.

    `table` is the one whose rows are shown and without which there is nothing; `clocked` the one that the
    counters of measured columns come from. `key` are the fields that tell a row from the others; `traffic`
    names the columns that rows are sorted by when nothing else is asked for, `totals` those that stand in for
    them while there is only one reading.
    """

    name: str
    table: Table
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    traffic: tuple[str, ...] = ()
    totals: tuple[str, ...] = ()
    clocked: str = ""
    rows: Callable[[Replies], list[Record]] | None = None
    one_per_router: bool = False

    def records(self, replies: Replies) -> list[Record]:
        """The rows, once the collectors' derive functions are through."""
        return replies.get(self.table.name, []) if self.rows is None else self.rows(replies)

    @property
    def clock_table(self) -> str:
        return self.clocked or self.table.name

    def column(self, name: str) -> Column | None:
        """The column of that name, or of that key in JSON."""
        return next((column for column in self.columns if name in (column.name, column.key)), None)


@dataclass(frozen=True, slots=True)
class View:
    """What one word after `print` stands for: the tables it reads and what it shows of them."""

    name: str
    help: str
    reads: tuple[tuple[Collector, tuple[str, ...]], ...]
    sections: tuple[Section, ...]

    @property
    def tables(self) -> tuple[Table, ...]:
        """Every table that is read."""
        return tuple(named(collector, name) for collector, names in self.reads for name in names)

    @property
    def column_names(self) -> tuple[str, ...]:
        """What rows can be sorted by."""
        names = (column.name for section in self.sections for column in section.columns)
        return tuple(dict.fromkeys(("router", *names)))


def named(collector: Collector, name: str) -> Table:
    """The collector's table of that name."""
    return next(table for table in collector.tables if table.name == name)


def metric(table: Table, name: str, *, times: float = 1) -> Read:
    """Value of the metric `name` of `table`, times a factor; None where the router tells none that can be read."""
    row = next(row for row in table.rows if row.name == name)
    return partial(_number, row, times)


def _number(row: Row, times: float, record: Record) -> Value:
    if row.where is not None and record.get(row.where.field, "") not in row.where.values:
        return None
    text = record.get(row.field, row.absent)
    if text is not None and row.part is not None:
        halves = text.split("/", 1)
        text = halves[row.part] if len(halves) > row.part else None
    if text is None:
        return None
    try:
        number = _convert(row)(text)
    except ValueError:
        return None
    return None if number is None else number * times


def _convert(row: Row) -> Convert:
    if row.convert is Engine.INTEGER:
        return parse_int
    if isinstance(row.convert, Engine):
        raise TypeError(f"{row.name}: no column shows a {row.convert.value}")
    return row.convert


def summed(*reads: Read) -> Read:
    """The sum of what there is of several numbers; None when there is nothing."""

    def read(record: Record) -> Value:
        numbers = [value for one in reads if isinstance(value := one(record), int | float)]
        return sum(numbers) if numbers else None

    return read


def used(free: Read, total: Read) -> Read:
    """Share (0-1) of a total that is not free."""

    def read(record: Record) -> Value:
        left, whole = free(record), total(record)
        if not isinstance(left, int | float) or not isinstance(whole, int | float) or whole <= 0:
            return None
        return 1 - left / whole

    return read


def said(table: Table, field: str) -> Read:
    """Text of a field that `table` asks for or that its collector derives."""
    if field not in _texts(table):
        raise ValueError(f"the table {table.name} has no field {field}")
    return lambda record: record.get(field) or None


def _texts(table: Table) -> set[str]:
    labels = [*table.labels, *(label for row in table.rows for label in row.labels)]
    return {*table.fields, *(label.source for label in labels)}


def text(name: str, title: str, read: Read, rank: int = 0) -> Column:
    """A column of text."""
    return Column(name, title, Unit.TEXT, read, rank)


def speed(name: str, title: str, read: Read, rank: int = 0) -> Column:
    """A column that tells in bit/s how fast a counter of bytes grows."""
    return Column(name, title, Unit.BIT_RATE, read, rank, measured=True)


def limit(name: str, title: str, read: Read, rank: int = 0) -> Column:
    """A column of rates in bit/s that the router tells."""
    return Column(name, title, Unit.BIT_RATE, read, rank)


def total(name: str, title: str, read: Read, rank: int = 0) -> Column:
    """A column of bytes."""
    return Column(name, title, Unit.BYTES, read, rank)


def count(name: str, title: str, read: Read, rank: int = 0) -> Column:
    """A column of whole numbers."""
    return Column(name, title, Unit.COUNT, read, rank)


def span(name: str, title: str, read: Read, rank: int = 0) -> Column:
    """A column of durations."""
    return Column(name, title, Unit.DURATION, read, rank)


def share(name: str, title: str, read: Read, rank: int = 0) -> Column:
    """A column of ratios (0-1), shown as percent."""
    return Column(name, title, Unit.RATIO, read, rank)
