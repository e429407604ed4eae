"""A view as text: the tables, what they leave out, and the routers that said nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from exporter.cli.columns import Column, Section, View
from exporter.cli.feed import Feed
from exporter.cli.layout import ROUTER_COLUMN, body, cells_of, cut, fit, head
from exporter.cli.sheet import Choice, Line, chosen, lines_of
from exporter.cli.terminal import visible
from exporter.cli.units import Unit, Value
from exporter.collectors.table import Table
from routeros import CommandUnsupported, RouterError, failure_class
from runtime.wording import counted

HEAD, NOTE, FAULT = "bold", "dim", "red"
_LEAST_ROWS = 3


@dataclass(frozen=True, slots=True)
class Frame:
    """What the page has to fit: None where there is no limit. Without `rates` nothing is measured."""

    width: int | None = None
    height: int | None = None
    rates: bool = True


def compose(view: View, feeds: Sequence[Feed], choice: Choice, frame: Frame, *, above: str = "") -> Text:
    """The whole page; `above` is its first line, if it is to have one."""
    parts = [_Part(section, feeds, choice, frame, titled=len(view.sections) > 1) for section in view.sections]
    faults = _bounded([*_silent(feeds), *_gaps(view, feeds)], frame)
    lines = [(above, NOTE)] if above else []
    room = None
    if frame.height is not None:
        room = frame.height - len(lines) - len(faults) - sum(part.overhead for part in parts) - 1
    for index, part in enumerate(parts):
        own = None if room is None else max(_LEAST_ROWS, room // (len(parts) - index))
        shown = part.rows(own)
        if room is not None:
            room -= len(shown)
        lines += [*part.above, *shown, *part.below]
        if index < len(parts) - 1:
            lines.append(("", ""))
    lines += [(fault, FAULT) for fault in faults]
    page = Text(no_wrap=frame.width is None)
    for number, (line, style) in enumerate(lines):
        page.append("\n" if number else "")
        page.append(line, style=style or None)
    return page


class _Part:
    """One section on the page."""

    def __init__(
        self, section: Section, feeds: Sequence[Feed], choice: Choice, frame: Frame, *, titled: bool
    ) -> None:
        self._lines = chosen(section, lines_of(section, feeds), choice)
        kept, left_out = fit(cells_of(_columns(section, feeds, frame), self._lines), frame.width)
        self.above = [(section.name.replace("_", " "), HEAD)] if titled else []
        self.below: list[tuple[str, str]] = []
        if self._lines:
            self.above.append((head(kept), HEAD))
        elif any(feed.now is not None and feed.now.error(section) is None for feed in feeds):
            self.below.append(("nothing matches" if choice.text else "no rows", NOTE))
        if left_out and self._lines:
            self.below.append((f"not shown for want of width: {', '.join(left_out)}", NOTE))
        self._body = body(kept)

    @property
    def overhead(self) -> int:
        """Lines beside the rows, the gap below included."""
        return len(self.above) + len(self.below) + 1

    def rows(self, room: int | None) -> list[tuple[str, str]]:
        """The rows, or as many as there is room for and how many more there are."""
        if room is None or len(self._body) <= room:
            return [(line, "") for line in self._body]
        more = len(self._body) - room + 1
        return [*[(line, "") for line in self._body[: room - 1]], (f"and {counted(more, 'more row')}", NOTE)]


def _bounded(faults: list[str], frame: Frame) -> list[str]:
    """One line for each where lines are counted, and a third of them at most."""
    if frame.height is None:
        return faults
    most = max(_LEAST_ROWS, frame.height // 3)
    if len(faults) > most:
        faults = [*faults[: most - 1], f"and {counted(len(faults) - most + 1, 'more line')} like these"]
    return faults if frame.width is None else [cut(fault, frame.width) for fault in faults]


def _columns(section: Section, feeds: Sequence[Feed], frame: Frame) -> list[Column]:
    columns = [column for column in section.columns if frame.rates or not column.measured]
    return [ROUTER_COLUMN, *columns] if len(feeds) > 1 or section.one_per_router else columns


def is_failure(feed: Feed) -> bool:
    """Whether a router failed: it said nothing, or one of the menus that it has could not be read."""
    failures = feed.now.failures.values() if feed.now is not None else ()
    return feed.cause is not None or any(not isinstance(error, CommandUnsupported) for error in failures)


def _silent(feeds: Sequence[Feed]) -> list[str]:
    return [f"{visible(feed.router)}: {reason(feed.cause)}" for feed in feeds if feed.cause is not None]


def _gaps(view: View, feeds: Sequence[Feed]) -> list[str]:
    """What to say of menus that failed at routers that answer otherwise.

    A menu that fills a column only, and that many boards lack, is not worth a word.
    """
    shown = {section.table.name for section in view.sections}
    return [
        f"{visible(feed.router)}: {_about(table, error)}"
        for feed in feeds
        if feed.now is not None and feed.cause is None
        for table in view.tables
        if (error := feed.now.failures.get(table.name)) is not None
        and (table.name in shown or not isinstance(error, CommandUnsupported))
    ]


def _about(table: Table, error: RouterError) -> str:
    """The error, and which menu it is about where it does not say so itself."""
    told = reason(error)
    return told if told.startswith("/") else f"{table.path}: {told}"


def reason(error: RouterError) -> str:
    """An error without the router's name, fit for a terminal."""
    if isinstance(error, CommandUnsupported):
        return (
            f"{error.path.removesuffix('/print')}: this router has no such menu (package, board or version)"
        )
    return visible(error.message)


def document(view: View, feeds: Sequence[Feed], choice: Choice, *, rates: bool) -> dict[str, object]:
    """The same for programs: values in base units, None where unknown."""
    return {
        "view": view.name,
        "routers": {feed.router: _state(view, feed) for feed in feeds},
        **{
            section.name: [
                _plain(section, line, rates=rates)
                for line in chosen(section, lines_of(section, feeds), choice)
            ]
            for section in view.sections
        },
    }


def _state(view: View, feed: Feed) -> dict[str, object]:
    failures = feed.now.failures if feed.now is not None else {}
    paths = {table.name: table.path for table in view.tables}
    return {
        "ok": feed.cause is None,
        "error": None if feed.cause is None else _told(feed.cause),
        "failed_menus": {paths[name]: _told(error) for name, error in failures.items()},
    }


def _told(error: RouterError) -> dict[str, str]:
    return {"class": failure_class(error), "message": reason(error)}


def _plain(section: Section, line: Line, *, rates: bool) -> dict[str, Value]:
    values: dict[str, Value] = {"router": line.router}
    for column in section.columns:
        if rates or not column.measured:
            value = line.values[column.name]
            values[column.key] = _rounded(value, column.unit)
    return values


def _rounded(value: Value, unit: Unit) -> Value:
    if unit is Unit.FLAG and value is not None:
        return bool(value)
    return round(value, 3) if isinstance(value, float) else value
