"""Reports read as the golden texts in both languages, and their charts are pictures for a phone.

Set UPDATE_GOLDEN=1 to write the texts anew, then read them.
"""

import os
import struct
import zlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from alertbridge.alerts import Severity
from alertbridge.deliver.model import Body
from alertbridge.deliver.render.rendering import Renderer
from alertbridge.prometheus import Series, Value
from alertbridge.report.charts import LARGEST_BYTES, MOST_POINTS, MatplotlibCharts, make_charts, thinned
from alertbridge.report.composing import AS_USUAL, Circumstances, Composer, in_messages
from alertbridge.report.gathering import Gathering
from alertbridge.report.lines import Charts, Line, NoCharts, Unit
from alertbridge.report.model import Answer, Gathered, Ledger, Missing, Track
from alertbridge.report.questions import ATTENTIONS, CURVES, PRESENT, QUESTIONS
from alertbridge.report.schedule import Kind, Occurrence, period
from tests.fakes.clock import FakeClock
from tests.fakes.report_bench import JAKARTA, entry

GOLDEN = Path(__file__).parent / "golden_reports"
END_S = datetime(2026, 11, 23, 9, tzinfo=JAKARTA).timestamp()
HOUR_S = 3600.0
GIB = float(1 << 30)


def values(*found: tuple[dict[str, str], float]) -> Answer:
    return Answer(tuple(Value(labels, value) for labels, value in found))


def beyond(*found: tuple[dict[str, str], float]) -> Answer:
    """An attention that was measured, and what is beyond its threshold."""
    return values(({PRESENT: "yes"}, 12.0), *found)


LEDGER = Ledger(
    opened={Severity.CRITICAL: 2, Severity.WARNING: 1_204},
    still_open={Severity.WARNING: 1},
    names=(("RouterCpuHigh", 1_190), ("RouterDown", 2)),
    recoveries={"cured": 19, "exhausted": 1, "cancelled": 3},
    times_to_recover_s=(18.0, 25.0, 190.0),
    messages={"acked": 341, "sent": 2, "dead": 1},
    kept_since_s=END_S - 30 * 86_400,
)

FULL = {
    "availability": values(
        ({"router": "core-1"}, 0.97916), ({"router": "edge-9"}, 0.99996), *(
            ({"router": f"pop-{number}"}, 1.0) for number in range(12)
        ), ({"router": "pop-depok"}, 1.0),
    ),
    "availability_coverage": values(({"router": "core-1"}, 1.0), ({"router": "pop-depok"}, 0.752)),
    "traffic": values(({"router": "core-1"}, 2_340 * GIB), ({"router": "pop-depok"}, 310.5 * GIB)),
    "traffic_peak": values(({"router": "core-1"}, 912e6), ({"router": "pop-depok"}, 148.2e6)),
    "traffic_coverage": values(({}, 0.9999)),
    "busiest": values(
        ({"user": "budi@rt05", "router": "core-1"}, 43.1 * GIB), ({"user": "*siti*_", "router": "core-1"}, GIB)
    ),
    "bot_sent": values(({"bot": "noc"}, 1_440.4)),
    "bot_failed": values(({"bot": "noc"}, 7)),
    "bot_connected": values(({"bot": "noc"}, 0.99841), ({"bot": "cadangan"}, 0.5)),
    "database_up": values(({"database": "billing"}, 1.0), ({"database": "radius"}, 0.992)),
    "database_size": values(({"database": "billing"}, 3.2 * GIB)),
    "database_sound": values(({"database": "billing"}, 1.0), ({"database": "radius"}, 0.0)),
    "backup_age": values(({"database": "billing"}, 5 * HOUR_S)),
    "pools": beyond(({"router": "core-1", "pool": "pppoe"}, 0.93)),
    "router_disks": beyond(({"router": "edge-9"}, 0.04)),
    "host_disks": beyond(),
    "database_disks": beyond(),
    "backups": beyond(({"database": "radius"}, 3 * 86_400)),
    "certificates": beyond(
        ({"router": "core-1", "certificate": "www"}, 5 * 86_400), ({"router": "pop-1", "certificate": "vpn"}, -86_400)
    ),
    "licences": Answer(missing=Missing.NO_DATA),
    "licence_sessions": beyond(({"router": "core-1"}, 0.91)),
    "temperatures": beyond(*(({"router": f"pop-{number}"}, 70.0 + number) for number in range(7))),
    "firmware": beyond(({"router": "pop-3"}, 1.0)),
    "updates": Answer(missing=Missing.NO_DATA),
}  # fmt: skip
TRACKS = {
    "traffic": Track((Series({}, ((END_S - 12 * HOUR_S, 905e6), (END_S - HOUR_S, 300e6))),)),
    "users": Track((Series({}, ((END_S - 11 * HOUR_S, 2_310.0), (END_S, 400.0))),)),
}


def without(missing: Missing) -> tuple[dict[str, Answer], dict[str, Track]]:
    names = [one.name for one in (*QUESTIONS, *ATTENTIONS)]
    return dict.fromkeys(names, Answer(missing=missing)), {
        curve.name: Track(missing=missing) for curve in CURVES
    }


def facts(
    kind: Kind, answers: dict[str, Answer], tracks: dict[str, Track], ledger: Ledger | None
) -> Gathered:
    return Gathered(kind, period(kind, END_S, JAKARTA), END_S, 5, answers, tracks, ledger)


MISSED = (Occurrence("2026-11-22T09:00", END_S - 24 * HOUR_S),)
CASES = {
    "daily": (facts(Kind.DAILY, FULL, TRACKS, LEDGER), AS_USUAL),
    "weekly-late": (facts(Kind.WEEKLY, FULL, TRACKS, LEDGER), Circumstances(2 * HOUR_S, MISSED)),
    "prometheus-down": (facts(Kind.DAILY, *without(Missing.UNREACHABLE), LEDGER), AS_USUAL),
    "nothing-known": (facts(Kind.MONTHLY, *without(Missing.NO_DATA), None), AS_USUAL),
}


def composer(charts: Charts, end_s: float = END_S) -> Composer:
    clock = FakeClock(time_s=end_s)
    return Composer(Gathering(None, None, clock, kept_s=0), charts, Renderer(JAKARTA), JAKARTA, clock)


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("name", CASES)
async def test_a_report_is_the_golden_one(name: str, language: str) -> None:
    """Character by character; holes are named, hostile names change no formatting."""
    found, circumstances = CASES[name]
    report = entry(kind=found.kind.value, chart="traffic" if name == "nothing-known" else "none")
    body = await composer(NoCharts()).body(report, found, language, circumstances)
    file = GOLDEN / f"{name}.{language}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(body.text + "\n", encoding="utf-8")
    assert body.text + "\n" == file.read_text(encoding="utf-8")
    assert len(body.text) < 4_096


class Shown:
    """Keeps what it is asked to draw."""

    def __init__(self, fails: bool = False) -> None:
        self.series: Sequence[Line] = ()
        self.fails = fails

    async def lines(
        self, series: Sequence[Line], *, title: str, unit: Unit, zone: ZoneInfo, language: str
    ) -> bytes | None:
        if self.fails:
            raise RuntimeError("no fonts at all")
        self.series = series
        return f"{title} {unit.value} {zone.key} {language}".encode()


async def test_the_picture_shows_the_total_and_the_busiest_routers() -> None:
    """The total behind, the routers by their traffic; users where they are wanted."""
    shown = Shown()
    routers = [Series({"router": name}, ((END_S, bits),)) for name, bits in (("a", 1.0), ("b", 2.0))]
    found = facts(Kind.DAILY, FULL, TRACKS | {"traffic_by_router": Track(tuple(routers))}, LEDGER)
    body = await composer(shown).body(entry(chart="traffic"), found, "id")
    assert [(line.label, line.filled) for line in shown.series] == [
        ("Semua router", True),
        ("b", False),
        ("a", False),
    ]
    assert body.image_png == b"Lalu lintas diterima bits_per_second Asia/Jakarta id"
    users = await composer(shown).body(entry(chart="users"), found, "en")
    assert users.image_png == b"Active subscribers count Asia/Jakarta en"


async def test_a_text_too_long_for_a_caption_follows_its_picture() -> None:
    """Providers would leave the picture away; so it goes first, with the title and the time below it."""
    found = facts(Kind.DAILY, FULL, TRACKS, LEDGER)
    body = await composer(Shown()).body(entry(chart="traffic"), found, "id")
    picture, text = in_messages(body)
    assert (picture.text, picture.image_png) == (
        "\N{BAR CHART} *Laporan harian*\n22 Nov 09:00 s.d. 23 Nov 09:00 WIB",
        body.image_png,
    )
    assert (text.text, text.image_png) == (body.text, None)
    for alone in (Body("short", b"png"), Body("x" * 5_000)):
        assert in_messages(alone) == (alone,)


async def test_a_report_can_be_had_at_any_time() -> None:
    """For the day until now, to whoever asks."""
    body = await composer(NoCharts(), END_S + 1_800).now("en")
    assert body.text.startswith("\N{BAR CHART} *Daily report*\n22 Nov 09:30 to 23 Nov 09:30 WIB\n")


async def test_a_picture_that_cannot_be_drawn_costs_no_report() -> None:
    """The text goes alone and says so."""
    found = facts(Kind.DAILY, FULL, TRACKS, LEDGER)
    for charts, said in (
        (Shown(fails=True), "_No chart: "),
        (NoCharts(), "_No chart: the extra package charts"),
    ):
        body = await composer(charts).body(entry(chart="traffic"), found, "en")
        assert body.image_png is None
        assert said in body.text


def size_of(png: bytes) -> tuple[int, int]:
    """Width and height; raises when a chunk of it is broken."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    at = 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        assert (
            zlib.crc32(png[at + 4 : at + 8 + length])
            == struct.unpack(">I", png[at + 8 + length : at + 12 + length])[0]
        )
        at += 12 + length
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def curve(count: int, step_s: float = 300.0, value: float = 5e8) -> tuple[tuple[float, float], ...]:
    return tuple((END_S + number * step_s, value * (1 + number % 7)) for number in range(count))


@pytest.mark.parametrize(
    ("series", "unit"),
    [
        ([Line("a", curve(288))], Unit.BITS_PER_SECOND),
        ([Line("a", curve(1))], Unit.COUNT),
        ([Line("a", curve(60, value=0.0))], Unit.BITS_PER_SECOND),
        ([Line("a", curve(60, value=0.0))], Unit.BYTES),
        ([Line("a", curve(20_000, 60))], Unit.BYTES),
        ([Line("a", curve(50, value=-3.0))], Unit.CELSIUS),
        ([Line("a", curve(50, value=0.1))], Unit.RATIO),
        ([Line(name, curve(288)) for name in ("_x", "$\\frac{1}{0$", "\U0001f525\u200b\u05e9", "", "n" * 300)],
         Unit.BITS_PER_SECOND),
        ([Line(str(number), curve(400)) for number in range(40)], Unit.BITS_PER_SECOND),
        ([Line("gap", curve(50) + tuple((at + 86_400, value) for at, value in curve(50)))], Unit.COUNT),
    ],
)  # fmt: skip
async def test_any_lines_become_a_picture_for_a_phone(series: list[Line], unit: Unit) -> None:
    """A whole PNG of below 200 kB, whatever the names, the count and the holes; no warning of the library."""
    png = await MatplotlibCharts().lines(
        series, title="Lalu lintas $x$", unit=unit, zone=JAKARTA, language="id"
    )
    assert png is not None
    assert len(png) <= LARGEST_BYTES
    width, height = size_of(png)
    assert 500 <= width <= 1_280
    assert height >= 400


async def test_nothing_to_draw_is_no_picture() -> None:
    """Neither without lines nor without points; and nothing is drawn without matplotlib."""
    charts = make_charts()
    assert isinstance(charts, MatplotlibCharts)
    for series in ([], [Line("a", ())]):
        assert await charts.lines(series, title="", unit=Unit.COUNT, zone=JAKARTA, language="en") is None
    assert (
        await NoCharts().lines([Line("a", curve(9))], title="", unit=Unit.COUNT, zone=JAKARTA, language="en")
        is None
    )


def test_thinning_keeps_peaks() -> None:
    """Ten thousand points become fewer, and the highest is among them."""
    points = [(float(at), 1.0) for at in range(10_000)]
    points[777] = (777.0, 50.0)
    thin = thinned(points)
    assert len(thin) <= MOST_POINTS
    assert (777.0, 50.0) in thin
