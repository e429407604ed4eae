"""Puts panels on the grid, from left to right and from top to bottom, and makes a dashboard of them."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog import builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as model

from grafana.source import links
from grafana.source.annotations import Marks
from grafana.source.panels import Sized

SCHEMA_VERSION: Final = 42  # of Grafana 12
COLUMNS: Final = 24
REFRESH: Final = "30s"

Variable = builder.Builder[model.VariableModel]


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under a heading; a closed row asks nothing until it is opened. Without a title there is no heading."""

    title: str
    panels: Sequence[Sized]
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard."""

    uid: str
    title: str
    folder: str
    about: str
    tags: Sequence[str]
    variables: Sequence[Variable]
    annotations: Sequence[Marks]
    rows: Sequence[Row]
    ways: Sequence[build.DashboardLink] = ()
    since: str = "now-6h"

    @property
    def file(self) -> str:
        """Its place below `grafana/dashboards`."""
        return f"{self.folder}/{self.uid.removeprefix('tikwatch-')}.json"

    def as_json(self) -> str:
        """The file's content: keys in a stable order, no id, and nothing that Grafana would fill in by itself."""
        made = (
            build.Dashboard(self.title)
            .uid(self.uid)
            .description(self.about)
            .tags([links.TAG, *self.tags])
            .readonly()
            .refresh(REFRESH)
            .time(self.since, "now")
            .timezone("browser")
            .tooltip(model.DashboardCursorSync.CROSSHAIR)
            .variables(list(self.variables))
            .links([links.across(), *self.ways])
        ).build()
        made.schema_version = SCHEMA_VERSION
        made.annotations = model.AnnotationContainer(list(self.annotations))
        made.panels = list(_placed(self.rows))
        plain: dict[str, Any] = json.loads(json.dumps(made, cls=JSONEncoder))
        plain["id"] = None
        return json.dumps(plain, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


class _Grid:
    """Where the next panel goes."""

    def __init__(self) -> None:
        self.ids = 0
        self._top = 0
        self._left = 0
        self._height = 0

    def place(self, width: int, height: int) -> model.GridPos:
        if self._left + width > COLUMNS:
            self.end_line()
        found = model.GridPos(h=height, w=width, x=self._left, y=self._top)
        self._left += width
        self._height = max(self._height, height)
        return found

    def end_line(self) -> None:
        self._top += self._height
        self._left = self._height = 0

    def panel(self, sized: Sized) -> model.Panel:
        self.ids += 1
        panel = sized.panel
        panel.id_val = self.ids
        panel.grid_pos = self.place(sized.width, sized.height)
        if sized.repeat:
            panel.repeat, panel.repeat_direction = sized.repeat, "h"
        return panel


def _placed(rows: Iterable[Row]) -> Iterable[model.Panel | model.RowPanel]:
    grid = _Grid()
    for row in rows:
        if row.title:
            grid.end_line()
            grid.ids += 1
            heading = model.RowPanel(row.closed, row.title, id_val=grid.ids, grid_pos=grid.place(COLUMNS, 1))
            heading.panels = []
            grid.end_line()
            yield heading
            if row.closed:
                heading.panels = [grid.panel(sized) for sized in row.panels]
                grid.end_line()
                continue
        yield from [grid.panel(sized) for sized in row.panels]
        grid.end_line()
