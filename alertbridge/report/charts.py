"""Charts drawn by matplotlib, in a thread beside the event loop; one at a time.

Made to be read on a phone: wide lines, large letters, few marks, the wall clock of the people who read it. Labels
come from routers and their users, so they are drawn as they are: no formulas, no characters that the font lacks.
"""

import asyncio
import importlib.util
import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from itertools import pairwise
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import structlog

from alertbridge.deliver.render import humanise
from alertbridge.deliver.render.words import words
from alertbridge.report.lines import Charts, Line, NoCharts, Unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

log = structlog.get_logger(__name__)

MOST_LINES: Final = 6
MOST_POINTS: Final = 1_500
LARGEST_BYTES: Final = 200_000
LABEL_CHARS: Final = 28
_SIZE_INCHES: Final = (7.2, 5.4)
_DOTS: Final = (150, 110, 80)
_INK, _FAINT, _PAPER, _AREA = "#1f2933", "#cbd2d9", "#ffffff", "#9fb3c8"
_COLOURS: Final = ("#0b69a3", "#c65d21", "#2d7d46", "#8e3b8a", "#a8881c", "#5b6770")
_DAY_S: Final = 86_400
_LEAST_TOP: Final = {Unit.BITS_PER_SECOND: 1_000, Unit.BYTES: 1_024, Unit.COUNT: 5}
"""Where the axis ends when everything is 0."""


def make_charts() -> Charts:
    """Draws with matplotlib where it is installed, else nothing."""
    return MatplotlibCharts() if importlib.util.find_spec("matplotlib") is not None else NoCharts()


class MatplotlibCharts:
    """Draws with the extra `charts`."""

    def __init__(self) -> None:
        self._alone = threading.Lock()  # matplotlib's caches of fonts are not made for several threads

    async def lines(
        self, series: Sequence[Line], *, title: str, unit: Unit, zone: ZoneInfo, language: str
    ) -> bytes | None:
        """See `lines.Charts`."""
        shown = [line for line in series if line.points][:MOST_LINES]
        if not shown:
            return None
        return await asyncio.to_thread(self._drawn, _Chart(shown, title, unit, zone, language))

    def _drawn(self, chart: "_Chart") -> bytes | None:
        with self._alone:
            figure = chart.figure()
            for dots in _DOTS:
                target = BytesIO()
                figure.savefig(target, format="png", dpi=dots, facecolor=_PAPER, pad_inches=0.15)
                if target.tell() <= LARGEST_BYTES:
                    return target.getvalue()
        log.warning("chart.too_large", title=chart.title)
        return None


@dataclass(frozen=True, slots=True)
class _Chart:
    series: Sequence[Line]
    title: str
    unit: Unit
    zone: ZoneInfo
    language: str

    def figure(self) -> "Figure":
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine

        figure = Figure(figsize=_SIZE_INCHES, layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1))
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        colours = iter(_COLOURS)
        for line in self.series:
            times, values = _with_gaps(thinned(line.points))
            if line.filled:
                axes.fill_between(times, values, color=_AREA, alpha=0.45, linewidth=0)
                axes.plot(times, values, color="#627d98", linewidth=1.6, clip_on=False)
            else:
                axes.plot(
                    times, values, color=next(colours), linewidth=2.2, solid_joinstyle="round", clip_on=False
                )
        self._frame(axes)
        self._value_axis(axes)
        self._time_axis(axes)
        if len(self.series) > 1:
            self._legend(figure, axes)
        return figure

    def _frame(self, axes: "Axes") -> None:
        left = axes.set_title(drawable(self.title), loc="left", fontsize=17, fontweight="bold", pad=14)
        right = axes.set_title(self._zone_name(), loc="right", fontsize=14, pad=14)
        for text in (left, right):
            text.set_color(_INK)
            text.set_parse_math(False)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.spines["bottom"].set_color(_FAINT)
        axes.tick_params(labelsize=14, colors=_INK, length=0, pad=9)
        axes.grid(axis="y", color=_FAINT, linewidth=0.9)
        axes.grid(axis="x", color=_FAINT, linewidth=0.5, alpha=0.6)
        axes.set_axisbelow(True)

    def _value_axis(self, axes: "Axes") -> None:
        from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator

        if self.unit is not Unit.CELSIUS:
            top = max(value for line in self.series for _, value in line.points)
            axes.set_ylim(0, top * 1.06 if top > 0 else _LEAST_TOP.get(self.unit, 1))
        axes.yaxis.set_major_locator(
            MultipleLocator(_binary_step(axes.get_ylim()[1]))
            if self.unit is Unit.BYTES
            else MaxNLocator(5, integer=self.unit is Unit.COUNT, steps=[1, 2, 2.5, 5, 10])
        )
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: self._value(value)))

    def _value(self, value: float) -> str:
        match self.unit:
            case Unit.BITS_PER_SECOND:
                return humanise.rate(value, self.language)
            case Unit.BYTES:
                return humanise.size(value, self.language)
            case Unit.RATIO:
                return humanise.percent(value, self.language)
            case Unit.CELSIUS:
                return f"{humanise.number(value, self.language)} °C"
            case Unit.COUNT:
                return humanise.number(value, self.language)

    def _time_axis(self, axes: "Axes") -> None:
        from matplotlib.dates import AutoDateLocator
        from matplotlib.ticker import FuncFormatter

        first, last = self._ends
        axes.set_xlim(first / _DAY_S, (last if last > first else first + 60) / _DAY_S)
        locator = AutoDateLocator(tz=self.zone, minticks=3, maxticks=6)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(
            FuncFormatter(lambda at, _: self._tick(at, days=last - first > 2 * _DAY_S))
        )

    @property
    def _ends(self) -> tuple[float, float]:
        """The first and the last moment, in Unix seconds."""
        return min(line.points[0][0] for line in self.series), max(line.points[-1][0] for line in self.series)

    def _zone_name(self) -> str:
        return humanise.zone_name(datetime.fromtimestamp(sum(self._ends) / 2, self.zone), self.zone)

    def _tick(self, at_days: float, *, days: bool) -> str:
        """The hour; at midnight, and where days are shown, the day."""
        moment = datetime.fromtimestamp(round(at_days * _DAY_S), self.zone)
        midnight = not moment.hour and not moment.minute
        day = f"{moment.day} {words(self.language).months[moment.month - 1]}"
        if days:
            return day if midnight else f"{day}\n{moment:%H:%M}"
        return f"{moment:%H:%M}\n{day}" if midnight else f"{moment:%H:%M}"

    def _legend(self, figure: "Figure", axes: "Axes") -> None:
        handles = axes.get_lines()
        legend = figure.legend(
            handles,
            [drawable(line.label)[:LABEL_CHARS].lstrip("_") or "?" for line in self.series],
            loc="outside lower left",
            ncols=2,
            frameon=False,
            fontsize=14,
            labelcolor=_INK,
        )
        for text in legend.get_texts():
            text.set_parse_math(False)
        for handle in legend.get_lines():
            handle.set_linewidth(4)


def thinned(points: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """At most MOST_POINTS of `points`, the largest of each stretch, so that no peak is lost."""
    if len(points) <= MOST_POINTS:
        return points
    stretch = -(-len(points) // MOST_POINTS)
    return [
        max(points[at : at + stretch], key=lambda point: point[1]) for at in range(0, len(points), stretch)
    ]


def _with_gaps(points: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    """Days since 1970, as matplotlib counts, and values; NaN where points are missing, since a line through a hole
    would be made up."""
    steps = sorted(later[0] - earlier[0] for earlier, later in pairwise(points))
    usual_s = steps[len(steps) // 2] if steps else 0.0
    times: list[float] = []
    values: list[float] = []
    before_s = points[0][0]
    for at_s, value in points:
        if at_s - before_s > 2.5 * usual_s:
            times.append((before_s + usual_s) / _DAY_S)
            values.append(float("nan"))
        times.append(at_s / _DAY_S)
        values.append(value)
        before_s = at_s
    return times, values


def _binary_step(top: float) -> float:
    """A round number of bytes, as people count them, that goes about four times into `top`."""
    step = 1024.0 ** max(0, math.floor(math.log(top, 1024)))
    while top / step > 5:
        step *= 2
    while top / step < 2.5:
        step /= 2
    return step


def drawable(text: str) -> str:
    """`text` on one line, with a box for what the font cannot show."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    font = get_font(findfont(FontProperties()))
    one_line = " ".join(text.split())
    return "".join(one if font.get_char_index(ord(one)) else "\N{WHITE SQUARE}" for one in one_line)
