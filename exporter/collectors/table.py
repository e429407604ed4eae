"""How a collector is written: tables of rows. Plain frozen data; `exporter.collectors.render` gives it life.

A `Collector` is one or more `Table`s. A table names a menu, the labels of its rows and the metrics they give;
what is asked of the router (the proplist), the HELP texts and the docs follow from it. A field whose name starts
with ``@`` is not asked for: the collector's `derive` function fills it in.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from exporter.samples import Family, Kind
from routeros.values import (
    parse_bool,
    parse_duration,
    parse_float,
    parse_int,
    parse_percent,
    parse_rate,
    parse_size,
)

Number = float | int | None
Convert = Callable[[str], Number]
Record = dict[str, str]
DERIVED = "@"
LEASES = "leases"
"""Name of every table that is read from a DHCP server's leases."""
SUM = "@sum"
"""Field of a row that stands for all subscribers without series of their own: it has their traffic, nothing else."""


@dataclass(slots=True)
class Facts:
    """What is known of a router beyond one table; collectors' derive functions read and write it."""

    identity: str = ""
    board: str = ""
    version: str = ""
    major: int | None = None
    gmt_offset_s: float | None = None
    uptime_s: float | None = None
    booted_at_s: float | None = None
    reboots_seen: int = 0
    now_s: float = 0.0
    """Wall clock (Unix seconds) at which the replies at hand had arrived."""


Derive = Callable[[dict[str, list[Record]], Facts], None]


class Unit(Enum):
    """Conversions that the engine knows by name, because it can do them for a whole column at once or needs facts."""

    INTEGER = "integer"
    LOCAL_DATE = "local date"


def flag(text: str) -> Number:
    """1 or 0; present but empty counts as true (v7 routing switches)."""
    if not text:
        return 1
    value = parse_bool(text)
    return None if value is None else int(value)


def ratio(text: str) -> Number:
    """Percent to 0-1."""
    value = parse_percent(text)
    return None if value is None else value / 100


def milli(text: str) -> Number:
    """Thousandths of a unit (mA) to the unit."""
    value = parse_float(text)
    return None if value is None else value / 1000


def nano(text: str) -> Number:
    """Nanometres to metres, exactly as the digits say."""
    value = parse_float(text)
    return None if value is None else float(f"{value}e-9")


def mega(text: str) -> Number:
    """MHz to hertz."""
    value = parse_float(text)
    return None if value is None else value * 1e6


def negated(text: str) -> Number:
    """A flag the other way round, for `disabled` told as enabled."""
    value = flag(text)
    return None if value is None else 1 - value


def byte_rate(text: str) -> Number:
    """Bits per second to bytes per second, Prometheus's base unit; 0 means no limit where limits are told."""
    value = parse_rate(text)
    return None if value is None else value / 8


def byte_limit(text: str) -> Number:
    """Like `byte_rate`, for limits: 0 is RouterOS's word for no limit, so it gives no sample."""
    return byte_rate(text) or None


integer = Unit.INTEGER
local_date = Unit.LOCAL_DATE
number: Convert = parse_float
duration: Convert = parse_duration
size: Convert = parse_size
rate: Convert = parse_rate
whole: Convert = parse_int


@dataclass(frozen=True, slots=True)
class Label:
    """Label `name` read from `field` (default: the same name with `-` for `_`); absent or empty gives no label.

    With `value` it is that of every row, and nothing is read: what tells tables apart that share a family.
    """

    name: str
    field: str = ""
    value: str = ""

    @property
    def source(self) -> str:
        """The field that is read; empty where the value is fixed."""
        return "" if self.value else self.field or self.name.replace("_", "-")


CLIENT = Label("client", "@client")
"""What DHCP calls a client; for infos only, since such names change by themselves."""


@dataclass(frozen=True, slots=True)
class Where:
    """Only rows whose `field` is one of `values`; an absent field reads as empty."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One metric of a table.

    `part` takes one half of a pair such as ``1200/3400`` (0 upload, 1 download); `absent` is the value of a row
    that lacks the field (None: no sample); `states` makes it a state set, `labels` an info or a count, see the
    functions below, which are how rows are written.
    """

    name: str
    kind: Kind
    help: str
    field: str = ""
    convert: Convert | Unit = integer
    part: int | None = None
    absent: str | None = None
    where: Where | None = None
    labels: tuple[Label, ...] = ()
    states: tuple[str, ...] = ()
    counts: bool = False
    arrivals: bool = False
    """Counts the rows that came since the reading before, by `labels`; the exporter's own counter."""
    in_order: bool = False
    """For arrivals: ids only grow until the next boot, so the highest one tells what is new."""
    source: str = ""
    """Menu and field in the docs, where a derived field hides them."""
    over: str = ""
    """For a count or arrivals: name of the table in the same collector whose rows are told as 0 where nothing is
    found; `over_fields` are their fields that give the labels."""
    over_fields: tuple[str, ...] = ("name",)
    always: tuple[tuple[str, ...], ...] = ()
    """For a count or arrivals: values of the labels that are told as 0 even when no row has them."""


def gauge(
    name: str,
    help_text: str,
    field_name: str,
    convert: Convert | Unit = number,
    *,
    part: int | None = None,
    where: Where | None = None,
    source: str = "",
) -> Row:
    """A value that goes up and down."""
    return Row(name, Kind.GAUGE, help_text, field_name, convert, part, None, where, source=source)


def counter(
    name: str,
    help_text: str,
    field_name: str,
    convert: Convert | Unit = integer,
    *,
    part: int | None = None,
    where: Where | None = None,
    source: str = "",
) -> Row:
    """A value that only the router sets back."""
    return Row(name, Kind.COUNTER, help_text, field_name, convert, part, None, where, source=source)


def switch(
    name: str, help_text: str, field_name: str, convert: Convert = flag, *, absent: str | None = "false"
) -> Row:
    """A flag: 1 or 0. Many menus leave a false flag out, hence `absent`; None where absent means unknown."""
    return Row(name, Kind.GAUGE, help_text, field_name, convert, None, absent)


def info(name: str, help_text: str, *labels: Label, where: Where | None = None) -> Row:
    """Text about a row, as labels of a constant 1."""
    return Row(name, Kind.INFO, help_text, labels=labels, where=where)


def state(
    name: str, help_text: str, field_name: str, states: Sequence[str], *, where: Where | None = None
) -> Row:
    """One series per state, 1 for the one that holds; a state not listed is told as ``other``."""
    return Row(name, Kind.STATE_SET, help_text, field_name, where=where, states=(*states, "other"))


def count(
    name: str,
    help_text: str,
    *by: Label,
    where: Where | None = None,
    over: str = "",
    over_fields: tuple[str, ...] = ("name",),
    always: Sequence[str | tuple[str, ...]] = (),
) -> Row:
    """How many rows there are, by labels."""
    return Row(
        name,
        Kind.GAUGE,
        help_text,
        where=where,
        labels=by,
        counts=True,
        over=over,
        over_fields=over_fields,
        always=_keys(always),
    )


def _keys(values: Sequence[str | tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    return tuple((value,) if isinstance(value, str) else value for value in values)


def arrivals(
    name: str,
    help_text: str,
    *by: Label,
    over: str = "",
    always: Sequence[str | tuple[str, ...]] = (),
    in_order: bool = False,
) -> Row:
    """How many rows came since the exporter started, by labels; told apart by ``.id``."""
    return Row(
        name,
        Kind.COUNTER,
        help_text,
        ".id",
        labels=by,
        arrivals=True,
        over=over,
        always=_keys(always),
        in_order=in_order,
    )


@dataclass(frozen=True, slots=True)
class Subscribers:
    """Marks a table as one row per subscriber, so that cardinality modes and limits apply to its rows' series.

    `key` names the fields that tell one session from another, `traffic` the counters that are summed for the
    rest (`paired` where each is ``upload/download``), `who` the field that carries ``_rest``, `group` the fields
    that the rest is split by. Without `traffic` there is nothing to sum, and so no rest.
    """

    key: tuple[str, ...]
    traffic: tuple[str, ...]
    who: str
    group: tuple[str, ...] = ()
    paired: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """One command and what its rows give.

    `numbers` names a table of the same collector: the command is then a monitor over all of that table's rows.
    `numbers_where` narrows those rows. `each` sends it once per row, for monitors that take one row only or whose
    replies do not tell which row they are about: labels that a reply lacks are then taken from the row it is for,
    and only the fields that are needed are asked for, as of a table.
    `verb` and `number_word` are for monitors that bear other names.
    `instead_of` names a table of the same collector: this one is asked only where that one's menu does not exist.
    `proplist` False asks for every field, where names are not known ahead.
    `once` says that the command is a monitor over nothing, `counted` that only the number of rows is asked for,
    told as the field ``@count`` of one record. `after` has the table wait for the others, and be asked only if it
    says so of their records.
    `made` says that the collector's derive function makes the rows and nothing is asked; `detail` that the table
    is read for per-subscriber series only. A table without rows feeds the derive function.
    `client_by` names the field with a MAC address by which rows get the field ``@client`` where a module asks for
    `client_names`; `tells_clients` marks the lease table, which those names are learnt from.
    """

    name: str
    path: str
    rows: tuple[Row, ...]
    labels: tuple[Label, ...] = ()
    queries: tuple[str, ...] = ()
    proplist: bool = True
    also: tuple[str, ...] = ()
    numbers: str = ""
    numbers_where: Where | None = None
    each: bool = False
    once: bool = False
    counted: bool = False
    after: Callable[[Mapping[str, list[Record]]], bool] | None = None
    verb: str = "monitor"
    number_word: str = "numbers"
    instead_of: str = ""
    subscribers: Subscribers | None = None
    made: bool = False
    detail: bool = False
    client_by: str = ""
    tells_clients: bool = False

    @property
    def command(self) -> str:
        """The command word sent."""
        return f"{self.path}/{self.verb if self.numbers or self.once else 'print'}"

    @property
    def fields(self) -> tuple[str, ...]:
        """What is asked for, each field once: what labels, rows, filters and `also` need."""
        return _asked(self._field_names())

    @property
    def counted_fields(self) -> tuple[str, ...]:
        """What is asked for where subscribers have no series: less, unless a table has nothing else to tell."""
        counts = [row for row in self.rows if row.counts or row.arrivals]
        return _asked((*_row_fields(counts), *self.also)) or self.fields

    def _field_names(self) -> Iterator[str]:
        for label in self.labels:
            yield label.source
        yield from _row_fields(self.rows)
        if self.subscribers:
            yield from (*self.subscribers.key, *self.subscribers.traffic, *self.subscribers.group)
        yield from self.also

    def families(self) -> Iterator[Family]:
        """The families of this table, in order."""
        for row in self.rows:
            yield Family(row.name, row.kind, row.help, self._source(row), self._label_names(row))

    def _source(self, row: Row) -> str:
        if row.source:
            return row.source
        if row.field and not row.field.startswith(DERIVED):
            return f"{self.path} {row.field}"
        return self.path

    def _label_names(self, row: Row) -> tuple[str, ...]:
        own = () if row.counts or row.arrivals else tuple(label.name for label in self.labels)
        return (*own, *(label.name for label in row.labels), *(("state",) if row.states else ()))


def _row_fields(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        yield from (label.source for label in row.labels)
        yield row.field
        if row.where:
            yield row.where.field


def _asked(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name and not name.startswith(DERIVED)))


@dataclass(frozen=True, slots=True)
class Collector:
    """What one name in a module's `collectors:` list stands for."""

    name: str
    help: str
    ttl_s: float
    tables: tuple[Table, ...]
    derive: Derive | None = None
    policies: tuple[str, ...] = ("read",)
    on_by_default: bool = True
    """Whether it runs in a module that does not choose its collectors."""
    mode: Literal["off", "aggregate", "top", "full"] = "full"
    """What becomes of rows that are one per subscriber, unless a module says otherwise."""

    @property
    def families(self) -> tuple[Family, ...]:
        """Every family this collector can give, in order, each once."""
        found: dict[str, Family] = {}
        for table in self.tables:
            for family in table.families():
                found.setdefault(family.name, family)
        return tuple(found.values())

    @property
    def has_subscribers(self) -> bool:
        """Whether cardinality modes and limits mean anything here."""
        return any(table.subscribers for table in self.tables)

    @property
    def knows_clients(self) -> bool:
        """Whether the names of DHCP clients mean anything here: they are shown, or learnt."""
        return any(table.client_by or table.tells_clients for table in self.tables)
