"""From readings to lines: values of each column, rates between two readings, order, filter. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from exporter.cli.columns import Column, Section
from exporter.cli.feed import Feed, Snapshot
from exporter.cli.units import Value, shown
from exporter.collectors.table import Record

_BITS_PER_BYTE = 8
ROUTER = "router"


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table: the router it is of, and its values by column name."""

    router: str
    values: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which lines are wanted, and in which order. `column` empty means by traffic."""

    column: str = ""
    top: int | None = None
    text: str = ""
    reverse: bool = False


def lines_of(section: Section, feeds: Sequence[Feed]) -> list[Line]:
    """The lines of `section`, of every router that said anything."""
    return [line for feed in feeds for line in _lines(section, feed)]


def _lines(section: Section, feed: Feed) -> list[Line]:
    if feed.now is None or feed.now.error(section):
        return []
    growth = _Growth(section, feed.now, feed.before)
    return [
        Line(
            feed.router,
            {
                column.name: growth(column, record) if column.measured else column.read(record)
                for column in section.columns
            },
        )
        for record in section.records(feed.now.replies)
    ]


class _Growth:
    """How fast counters grew since the reading before, in bit/s."""

    def __init__(self, section: Section, now: Snapshot, before: Snapshot | None) -> None:
        self._section = section
        self._old: dict[tuple[str, ...], Record] = {}
        self._passed_s = 0.0
        clock = section.clock_table
        if before is not None and clock in before.read_at_s and clock in now.read_at_s:
            self._old = {self._key(record): record for record in section.records(before.replies)}
            self._passed_s = now.read_at_s[clock] - before.read_at_s[clock]

    def _key(self, record: Record) -> tuple[str, ...]:
        return tuple(record.get(field, "") for field in self._section.key)

    def __call__(self, column: Column, record: Record) -> Value:
        """None for a row that is new, or whose counter was set back: nobody knows when."""
        old = self._old.get(self._key(record))
        if old is None or self._passed_s <= 0:
            return None
        before, now = column.read(old), column.read(record)
        if not isinstance(before, int | float) or not isinstance(now, int | float) or now < before:
            return None
        return (now - before) * _BITS_PER_BYTE / self._passed_s


def chosen(section: Section, lines: Sequence[Line], choice: Choice) -> list[Line]:
    """The wanted lines in the wanted order; without a column, the most traffic first."""
    wanted = [line for line in lines if _has(line, section, choice.text)] if choice.text else list(lines)
    column = section.column(choice.column) if choice.column else None
    if choice.column == ROUTER:
        wanted.sort(key=lambda line: line.router.casefold(), reverse=choice.reverse)
    elif column is not None and column.is_text:
        wanted.sort(key=_by_text(column), reverse=choice.reverse)
    elif column is not None:
        wanted.sort(key=lambda line: _amount(line, (column.name,)), reverse=not choice.reverse)
    elif section.traffic:
        names = section.traffic if _is_measured(section, wanted) else section.totals
        wanted.sort(key=lambda line: _amount(line, names), reverse=not choice.reverse)
    return wanted if choice.top is None else wanted[: choice.top]


def _has(line: Line, section: Section, text: str) -> bool:
    texts = [line.router, *[shown(line.values[c.name], c.unit) for c in section.columns if c.is_text]]
    return any(text.casefold() in one.casefold() for one in texts)


def _is_measured(section: Section, lines: Sequence[Line]) -> bool:
    return any(line.values[name] is not None for line in lines for name in section.traffic)


def _amount(line: Line, names: Sequence[str]) -> tuple[bool, float]:
    """Sum of the columns; what is not known comes last."""
    numbers = [value for name in names if isinstance(value := line.values[name], int | float)]
    return bool(numbers), sum(numbers)


def _by_text(column: Column) -> Callable[[Line], tuple[str, str]]:
    def key(line: Line) -> tuple[str, str]:
        value = str(line.values[column.name] or "")
        return value.casefold(), value

    return key
