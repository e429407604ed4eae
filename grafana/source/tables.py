"""Tables: one row for each thing, a column for each question about it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from grafana_foundation_sdk.builders import common
from grafana_foundation_sdk.builders import table as kind
from grafana_foundation_sdk.models import dashboard as model

from grafana.source.limits import Limits
from grafana.source.overrides import Look
from grafana.source.panels import Link, Sized, Text, finished
from grafana.source.queries import Query, letter
from grafana.source.units import Unit
from grafana.source.words import Words

_LEAST: Final = {
    Unit.AGO: 128,
    Unit.BITS_PER_S: 90,
    Unit.BYTES: 85,
    Unit.VOLUME: 85,
    Unit.SECONDS: 85,
    Unit.CELSIUS: 75,
    Unit.DBM: 85,
}
"""Pixels that a value needs."""
_LEAST_OF_OTHERS: Final = 65
_LEAST_OF_BARS: Final = 90
_LEAST_OF_NAMES: Final = 85


_ARROW: Final = 14
"""Of the column that rows are sorted by."""


def _least(title: str, content: int) -> int:
    """Values have this width; names and bars share what is left, and none becomes narrower than this. Where that is
    more than there is room for, as on a phone, the table is moved sideways."""
    return max(content, 8 * len(title) + 18)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of values.

    Attributes:
        expr: gives one series per row; all its labels but those that `Label` columns show are aggregated away.
        cell: `coloured`, `text`, `bar`, or nothing for plain text.
    """

    title: str
    expr: str
    unit: Unit
    limits: Limits | None = None
    words: Words | None = None
    cell: str = ""
    high: float | None = None
    decimals: int | None = None
    links: Sequence[Link] = ()

    def look(self, *, leads: bool) -> Look:
        """The override that makes it so; `leads` where rows are sorted by it."""
        content = _LEAST_OF_BARS if self.cell == "bar" else _LEAST.get(self.unit, _LEAST_OF_OTHERS)
        least = _least(self.title, content) + (_ARROW if leads else 0)
        chosen = self.cell or ("coloured" if self.words else "text" if self.limits else "")
        return Look(
            self.title,
            exact=True,
            unit=self.unit,
            limits=self.limits,
            words=self.words,
            cell=chosen,
            high=self.high,
            decimals=self.decimals,
            width=None if self.cell == "bar" else least,
            least_width=least if self.cell == "bar" else None,
            links=self.links,
        )


@dataclass(frozen=True, slots=True)
class Label:
    """A column that shows a label of the series.

    Attributes:
        least: pixels that its values need.
    """

    name: str
    title: str
    least: int = _LEAST_OF_NAMES
    links: Sequence[Link] = ()
    words: Words | None = None

    def look(self) -> Look:
        """The override that makes it so."""
        return Look(
            self.title,
            exact=True,
            least_width=_least(self.title, self.least),
            links=self.links,
            words=self.words,
            unit=Unit.TEXT,
            cell="text" if self.words else "",
        )


@dataclass(frozen=True, slots=True)
class Order:
    """By which column rows are sorted at first."""

    title: str
    falling: bool = False


def table(
    title: str,
    about: str | Text,
    labels: Sequence[Label],
    columns: Sequence[Column],
    *,
    order: Order | None = None,
    last: Sequence[str] = (),
    width: int = 24,
    height: int = 8,
) -> Sized:
    """Rows joined over their labels. Labels come first, but for those that `last` names."""
    built = kind.Panel().show_header(True)
    if order is not None:
        sorting = common.TableSortByFieldState().display_name(order.title).desc(order.falling)
        built = built.sort_by([sorting])
    names = ", ".join(label.name for label in labels)
    looks = [label.look() for label in labels] + [
        column.look(leads=order is not None and order.title == column.title) for column in columns
    ]
    panel = finished(
        built.build(),
        title,
        about,
        Unit.COUNT,
        [Query(f"max by ({names}) ({column.expr})", now=True) for column in columns],
        looks=looks,
        table=True,
    )
    panel.transformations = _arranged(labels, columns, last)
    return Sized(panel, width, height)


@dataclass(slots=True)
class _Places:
    """Column by column, what is shown under which title."""

    order: dict[str, int] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, title: str) -> None:
        self.order[name] = len(self.order)
        self.titles[name] = title


def _arranged(
    labels: Sequence[Label], columns: Sequence[Column], last: Sequence[str]
) -> list[model.DataTransformerConfig]:
    places = _Places()
    for label in labels:
        if label.name not in last:
            places.add(label.name, label.title)
    for number, column in enumerate(columns):
        places.add("Value" if len(columns) == 1 else f"Value #{letter(number)}", column.title)
    for label in labels:
        if label.name in last:
            places.add(label.name, label.title)
    arranged = model.DataTransformerConfig(
        "organize",
        options={"excludeByName": {"Time": True}, "indexByName": places.order, "renameByName": places.titles},
    )
    if len(columns) == 1:
        return [arranged]
    return [model.DataTransformerConfig("merge", options={}), arranged]
