"""How wide each column may be, and which have to go where the terminal is narrow. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

from exporter.cli.columns import Column
from exporter.cli.sheet import ROUTER, Line
from exporter.cli.units import NOTHING, Unit, shown

GAP = 2
_LEAST_TEXT = 12
"""Cells that a column of text keeps when it is cut short."""

ROUTER_COLUMN = Column(ROUTER, "router", Unit.TEXT, lambda record: None)


@dataclass(frozen=True, slots=True)
class Cells:
    """One column with what stands in it, and how wide it is."""

    column: Column
    texts: tuple[str, ...]
    width: int

    @property
    def least(self) -> int:
        """The narrowest it can be: numbers are never cut."""
        return min(self.width, _LEAST_TEXT) if self.column.is_text else self.width

    def cell(self, text: str) -> str:
        """`text` at the column's width, numbers to the right."""
        if cell_len(text) > self.width:
            return cut(text, self.width)
        if self.column.is_text:
            return set_cell_size(text, self.width)
        return " " * (self.width - cell_len(text)) + text


def cut(text: str, width: int) -> str:
    """`text`, or as much of it as fits."""
    return text if cell_len(text) <= width else set_cell_size(text, width - 1) + "…"


def cells_of(columns: Sequence[Column], lines: Sequence[Line]) -> list[Cells]:
    """The columns at their natural width."""
    found = []
    for column in columns:
        if column is ROUTER_COLUMN:
            texts = tuple(shown(line.router, Unit.TEXT) for line in lines)
        else:
            texts = tuple(shown(line.values[column.name], column.unit) for line in lines)
        width = max([cell_len(column.title), *map(cell_len, texts)])
        found.append(Cells(column, texts, width))
    return found


def fit(cells: Sequence[Cells], width: int | None) -> tuple[list[Cells], list[str]]:
    """The columns that fit into `width`, and the titles of those that do not; None means no limit.

    Columns that say nothing go first, then by rank, those of one rank together. Then text is cut short, the
    longest first.
    """
    kept = list(cells)
    if width is None:
        return kept, []
    left_out: list[str] = []
    while _sum([one.least for one in kept]) > width:
        droppable = [one for one in kept if one.column.rank > 0]
        if not droppable:
            break
        empty = [one for one in droppable if all(text == NOTHING for text in one.texts)]
        rank = max(one.column.rank for one in empty or droppable)
        goes = [one for one in empty or droppable if one.column.rank == rank]
        kept = [one for one in kept if one not in goes]
        left_out += [one.column.title for one in goes]
    return _narrowed(kept, width), left_out


def _sum(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)


def _narrowed(cells: Sequence[Cells], width: int) -> list[Cells]:
    """Take what is too much from the widest texts until all fits, or nothing more can be taken."""
    widths = [one.width for one in cells]
    while _sum(widths) > width:
        shrinkable = [index for index, one in enumerate(cells) if widths[index] > one.least]
        if not shrinkable:
            break
        widths[max(shrinkable, key=lambda index: widths[index])] -= 1
    return [Cells(one.column, one.texts, new) for one, new in zip(cells, widths, strict=True)]


def head(cells: Sequence[Cells]) -> str:
    """The line of titles."""
    return _joined([one.cell(one.column.title) for one in cells])


def body(cells: Sequence[Cells]) -> list[str]:
    """The lines below it."""
    count = len(cells[0].texts) if cells else 0
    return [_joined([one.cell(one.texts[index]) for one in cells]) for index in range(count)]


def _joined(parts: Sequence[str]) -> str:
    return (" " * GAP).join(parts).rstrip()
