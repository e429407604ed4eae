"""The kinds of panels, and what every one of them must have."""

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import bargauge, common, stat, statetimeline, timeseries
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import common as options
from grafana_foundation_sdk.models import dashboard as model

from grafana.source.limits import Limits, Line
from grafana.source.overrides import Look, threshold
from grafana.source.queries import Query, targets
from grafana.source.units import Unit
from grafana.source.variables import SOURCE
from grafana.source.words import Words, mappings

Link = build.DashboardLink


@dataclass(frozen=True, slots=True)
class Sized:
    """A panel and the room it takes, in 24ths of the width and in units of 30 pixels.

    Attributes:
        repeat: the variable for each of whose values the panel is drawn once.
    """

    panel: model.Panel
    width: int
    height: int
    repeat: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """What a panel says of itself: `english` for everybody, `indonesian` where it helps the one who is woken."""

    english: str
    indonesian: str = ""

    def __str__(self) -> str:
        return f"{self.english}\n\n_{self.indonesian}_" if self.indonesian else self.english


def finished(
    panel: model.Panel,
    title: str,
    about: str | Text,
    unit: Unit,
    queries: Sequence[Query],
    *,
    limits: Limits | None = None,
    words: Words | None = None,
    low: float | None = None,
    high: float | None = None,
    decimals: int | None = None,
    colour: str = "",
    links: Sequence[Link] = (),
    looks: Sequence[Look] = (),
    table: bool = False,
    without: str = "",
) -> model.Panel:
    """The panel with what all kinds share: title, description, data source, queries, unit, thresholds, words, links.

    `without` says why there may be no data.
    """
    panel.title, panel.description, panel.datasource = title, str(about), SOURCE
    panel.targets = targets(queries, table=table)
    fields = panel.field_config
    defaults = fields.defaults
    defaults.unit, defaults.min_val, defaults.max_val, defaults.decimals = unit.value, low, high, decimals
    defaults.thresholds = (limits or Limits("text")).build().build()
    defaults.mappings = mappings(words) if words else []
    defaults.links = [link.build() for link in links]
    if without:
        defaults.no_value = f"No data: {without}"
    if colour:
        defaults.color = model.FieldColor(mode=model.FieldColorModeId.FIXED, fixed_color=colour)
    fields.overrides = [look.build() for look in looks]
    return panel


def number(
    title: str,
    about: str | Text,
    unit: Unit,
    query: str,
    *,
    limits: Limits | None = None,
    words: Words | None = None,
    links: Sequence[Link] = (),
    spark: bool = False,
    width: int = 4,
    height: int = 3,
    decimals: int | None = None,
    high: float | None = None,
) -> Sized:
    """One number that answers one question; `spark` draws how it went behind it."""
    kind = (
        stat.Panel()
        .graph_mode(options.BigValueGraphMode.AREA if spark else options.BigValueGraphMode.NONE)
        .color_mode(options.BigValueColorMode.VALUE)
        .color_scheme(build.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
        .text_mode(options.BigValueTextMode.VALUE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(False))
    )
    low = 0 if high is not None else None
    panel = finished(
        kind.build(),
        title,
        about,
        unit,
        [Query(query, now=not spark)],
        limits=limits,
        words=words,
        links=links,
        decimals=decimals,
        low=low,
        high=high,
    )
    return Sized(panel, width, height)


def tiles(
    title: str,
    about: str | Text,
    unit: Unit,
    queries: Sequence[Query],
    *,
    limits: Limits | None = None,
    words: Words | None = None,
    links: Sequence[Link] = (),
    looks: Sequence[Look] = (),
    width: int = 24,
    height: int = 5,
    upright: bool = False,
    repeat: str = "",
    filled: bool = True,
) -> Sized:
    """A field with name and value for each series; `filled` colours all of it, `upright` puts them below each other."""
    kind = (
        stat.Panel()
        .graph_mode(options.BigValueGraphMode.NONE)
        .color_mode(options.BigValueColorMode.BACKGROUND if filled else options.BigValueColorMode.VALUE)
        .color_scheme(build.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
        .text_mode(options.BigValueTextMode.VALUE_AND_NAME)
        .orientation(options.VizOrientation.HORIZONTAL if upright else options.VizOrientation.AUTO)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(False))
    )
    if upright:  # else each panel would choose its size by its longest word
        kind = kind.text(common.VizTextDisplayOptions().title_size(14).value_size(18))
    now = [Query(query.expr, query.legend, now=True) for query in queries]
    panel = finished(
        kind.build(), title, about, unit, now, limits=limits, words=words, links=links, looks=looks
    )
    return Sized(panel, width, height, repeat)


def graph(
    title: str,
    about: str | Text,
    unit: Unit,
    *queries: Query,
    limits: Limits | None = None,
    links: Sequence[Link] = (),
    looks: Sequence[Look] = (),
    words: Words | None = None,
    low: float | None = None,
    high: float | None = None,
    colour: str = "",
    stack: bool = False,
    bars: bool = False,
    mirror: bool = False,
    steps: bool = False,
    width: int = 12,
    height: int = 9,
    calcs: Sequence[str] = ("lastNotNull", "max"),
    decimals: int | None = None,
    without: str = "",
) -> Sized:
    """Values over time, with thresholds as broken lines.

    `mirror` centres zero for a graph whose one half is turned down by its looks. `without` says why there may be no
    data, and then there are no thresholds either.
    """
    lines = () if limits is None else limits.lines
    looks = [*looks, *(threshold(line) for line in lines)]
    many = any("{{" in query.legend for query in queries)  # areas upon areas hide each other
    legend = (
        common.VizLegendOptions()
        .show_legend(True)
        .display_mode(options.LegendDisplayMode.TABLE)
        .placement(options.LegendPlacement.BOTTOM)
        .calcs(list(calcs))
        .sort_by("Last *")
        .sort_desc(True)
    )
    kind = (
        timeseries.Panel()
        .draw_style(options.GraphDrawStyle.BARS if bars else options.GraphDrawStyle.LINE)
        .line_width(1 if bars or stack else 1.5)
        .line_interpolation(
            options.LineInterpolation.STEP_AFTER if steps else options.LineInterpolation.LINEAR
        )
        .fill_opacity(60 if bars else 30 if stack else 0 if many else 10)
        .show_points(options.VisibilityMode.AUTO)
        .span_nulls(False)
        .axis_centered_zero(mirror)
        .axis_soft_min(0 if low is None and not mirror else low if low is not None else 0)
        .legend(legend)
        .tooltip(
            common.VizTooltipOptions()
            .mode(options.TooltipDisplayMode.MULTI)
            .sort(options.SortOrder.DESCENDING)
        )
        .stacking(
            common.StackingConfig()
            .mode(options.StackingMode.NORMAL if stack else options.StackingMode.NONE)
            .group("A")
        )
        .color_scheme(build.FieldColor().mode(model.FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
    )
    if limits is not None and limits.drawn:
        kind = kind.thresholds_style(
            common.GraphThresholdsStyleConfig().mode(options.GraphTresholdsStyleMode.DASHED)
        )
    panel = finished(
        kind.build(),
        title,
        about,
        unit,
        [*queries, *(_drawn(line, queries[0] if without else None) for line in lines)],
        limits=limits,
        words=words,
        low=low,
        high=high,
        decimals=decimals,
        colour=colour,
        links=links,
        looks=looks,
        without=without,
    )
    return Sized(panel, width, height)


def _drawn(line: Line, beside: Query | None) -> Query:
    expr = f"({line.expr}) and on () ({beside.expr})" if beside else line.expr
    return Query(expr, line.legend)


def timeline(
    title: str,
    about: str | Text,
    words: Words,
    *queries: Query,
    links: Sequence[Link] = (),
    width: int = 24,
    height: int = 6,
    without: str = "",
) -> Sized:
    """Which state each thing was in, and for how long."""
    kind = (
        statetimeline.Panel()
        .show_value(options.VisibilityMode.NEVER)
        .merge_values(True)
        .row_height(0.8)
        .fill_opacity(80)
        .line_width(0)
        .legend(
            common.VizLegendOptions()
            .show_legend(True)
            .display_mode(options.LegendDisplayMode.LIST)
            .placement(options.LegendPlacement.BOTTOM)
        )
        .color_scheme(build.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
    )
    panel = finished(
        kind.build(), title, about, Unit.NONE, queries, words=words, links=links, without=without
    )
    return Sized(panel, width, height)


def bars(
    title: str,
    about: str | Text,
    unit: Unit,
    query: Query,
    *,
    limits: Limits | None = None,
    links: Sequence[Link] = (),
    high: float | None = None,
    width: int = 12,
    height: int = 9,
    without: str = "",
) -> Sized:
    """A bar for each series, as of now."""
    kind = (
        bargauge.Panel()
        .display_mode(options.BarGaugeDisplayMode.BASIC)
        .orientation(options.VizOrientation.HORIZONTAL)
        .value_mode(options.BarGaugeValueMode.TEXT)
        .show_unfilled(True)
        .color_scheme(build.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(False))
    )
    panel = finished(
        kind.build(),
        title,
        about,
        unit,
        [Query(query.expr, query.legend, now=True)],
        limits=limits,
        links=links,
        low=0,
        high=high,
        without=without,
    )
    return Sized(panel, width, height)
