"""A report as it is sent: the text in a language, and its picture."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from alertbridge.deliver.model import Body
from alertbridge.deliver.render import humanise
from alertbridge.deliver.render.contexts import Report, ReportSection
from alertbridge.deliver.render.rendering import Renderer
from alertbridge.report.config import ReportEntry
from alertbridge.report.gathering import Gathering
from alertbridge.report.lines import Charts, Line, NoCharts, Unit
from alertbridge.report.model import Gathered, Part, Track
from alertbridge.report.schedule import Kind, Occurrence, Period, period
from alertbridge.report.sections import SECTIONS, Writer
from alertbridge.report.words import ReportWords, report_words
from runtime.clock import Clock

log = structlog.get_logger(__name__)


CAPTION_CHARS: Final = 960
"""What may stand below a picture: WhatsApp takes 1,024, and delivering may put a few words before it."""

ON_DEMAND: Final = ReportEntry(name="now", recipients=("nobody",))
"""The daily report as somebody gets it who asks for one."""


def in_messages(body: Body) -> tuple[Body, ...]:
    """`body` as it can be sent: a text that is too long for below its picture follows in a message of its own."""
    if body.image_png is None or len(body.text) <= CAPTION_CHARS:
        return (body,)
    head = "\n".join(body.text.split("\n")[:2])
    return Body(head[:CAPTION_CHARS], body.image_png, body.quote_id), Body(body.text)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is to be said of a report itself: how late it is, and which ones were missed before it."""

    late_s: float = 0.0
    missed: tuple[Occurrence, ...] = ()


AS_USUAL = Circumstances()


class Composer:
    """Makes reports. `zone` is that of `delivery`, on whose wall clock everything is told."""

    def __init__(
        self, gathering: Gathering, charts: Charts, renderer: Renderer, zone: ZoneInfo, clock: Clock
    ) -> None:
        self.zone = zone
        self._gathering = gathering
        self._charts = charts
        self._renderer = renderer
        self._clock = clock

    async def gather(self, entry: ReportEntry, at_s: float) -> Gathered:
        """What `entry` needs for a report that is due at `at_s` (Unix seconds); never raises for what is missing."""
        about: Period = period(entry.what, at_s, entry.zone(self.zone))
        now_s = self._clock.time()
        state_at_s = now_s if 0 <= now_s - at_s <= entry.late_within_h * 3600 else at_s
        parts = [Part(name) for name in entry.sections]
        return await self._gathering.gather(
            entry.what, about, state_at_s=state_at_s, parts=_with_chart(parts, entry.chart), top=entry.top
        )

    async def now(self, language: str) -> Body:
        """The daily report as of now; see `in_messages`."""
        return await self.body(ON_DEMAND, await self.gather(ON_DEMAND, self._clock.time()), language)

    async def body(
        self,
        entry: ReportEntry,
        gathered: Gathered,
        language: str,
        circumstances: Circumstances = AS_USUAL,
    ) -> Body:
        """The report in `language` (id or en)."""
        image = await self._picture(entry, gathered, language)
        said = report_words(language)
        report = Report(
            title=said.titles[entry.what],
            since_s=gathered.period.since_s,
            until_s=gathered.period.until_s,
            sections=self._sections(entry, gathered, language),
            notes=tuple(self._notes(entry, gathered, language, circumstances, image)),
            span=self._span(gathered, language),
        )
        text = self._renderer.report(report, language=language, now_s=self._clock.time())
        return Body(text, image)

    def given_up(self, entry: ReportEntry, missed: Occurrence, late_s: float, language: str) -> Body:
        """What is said instead of a report that came to nothing."""
        said = report_words(language)
        return Body(
            said.given_up.format(
                title=said.titles[entry.what],
                when=self._time(missed.at_s, language),
                late=humanise.duration(late_s, language),
            )
        )

    def _sections(self, entry: ReportEntry, gathered: Gathered, language: str) -> tuple[ReportSection, ...]:
        writer = Writer(gathered, language, self.zone)
        parts = [Part(name) for name in entry.sections]
        return tuple(
            ReportSection(writer.words.headings[part], tuple(SECTIONS[part](writer))) for part in parts
        )

    def _notes(
        self,
        entry: ReportEntry,
        gathered: Gathered,
        language: str,
        circumstances: Circumstances,
        image: bytes | None,
    ) -> list[str]:
        said, notes = report_words(language), []
        if circumstances.late_s:
            notes.append(said.late.format(humanise.duration(circumstances.late_s, language)))
        if missed := circumstances.missed:
            when = self._time(missed[0].at_s, language)
            notes.append(
                said.missed_one.format(when) if len(missed) == 1 else said.missed.format(len(missed))
            )
        if gathered.is_unreachable:
            notes.append(said.unreachable)
        elif entry.chart != "none" and image is None:
            notes.append(said.no_charts if isinstance(self._charts, NoCharts) else said.no_chart)
        return notes

    async def _picture(self, entry: ReportEntry, gathered: Gathered, language: str) -> bytes | None:
        series, title, unit = _drawn(entry, gathered, report_words(language))
        if not series:
            return None
        try:
            return await self._charts.lines(series, title=title, unit=unit, zone=self.zone, language=language)
        except Exception:  # the edge of a library that draws what strangers named: the text goes alone
            log.exception("report.chart_failed", report=entry.name)
            return None

    def _span(self, gathered: Gathered, language: str) -> str:
        """Times for a day; for what ends at midnight the first and the last of its days."""
        about, zone = gathered.period, self.zone
        if gathered.kind is Kind.DAILY:
            first = humanise.time_of(about.since_s, zone, language, now_s=about.until_s, with_zone=False)
            last = humanise.time_of(about.until_s, zone, language, now_s=about.since_s)
        else:
            first, last = (
                humanise.day_of(at_s, zone, language) for at_s in (about.since_s, about.until_s - 1)
            )
        return report_words(language).span.format(first, last)

    def _time(self, at_s: float, language: str) -> str:
        return humanise.time_of(at_s, self.zone, language, now_s=self._clock.time())


def _with_chart(parts: Collection[Part], chart: str) -> frozenset[Part]:
    """The parts to ask for: the picture needs its curve also where the section is left out."""
    needed = {"traffic": {Part.TRAFFIC}, "users": {Part.SUBSCRIBERS}}
    return frozenset(parts) | needed.get(chart, set())


def _drawn(entry: ReportEntry, gathered: Gathered, said: ReportWords) -> tuple[list[Line], str, Unit]:
    if entry.chart == "users":
        return _lines(gathered.track("users"), said.chart_users), said.chart_users, Unit.COUNT
    if entry.chart == "none":
        return [], "", Unit.COUNT
    routers = [
        Line(one.labels.get("router", "?"), one.points) for one in gathered.track("traffic_by_router").series
    ]
    routers.sort(key=lambda line: -sum(value for _, value in line.points))
    total = [Line(said.all_routers, one.points, filled=True) for one in gathered.track("traffic").series]
    return (total + routers if len(routers) > 1 else total), said.chart_traffic, Unit.BITS_PER_SECOND


def _lines(track: Track, label: str) -> list[Line]:
    return [Line(label, one.points) for one in track.series]
