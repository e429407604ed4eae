"""Every collector gives, for a recorded reply, exactly the exposition text beside the recording.

Set UPDATE_GOLDEN=1 to write the texts anew, then read the difference before you commit it.
"""

import os
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from exporter.cardinality import Cardinality
from exporter.collectors import ALL, BY_NAME
from exporter.collectors.reader import Part, Reader
from exporter.collectors.table import Collector, Facts
from exporter.exposition import Format, Headers, page
from tests.fakes.recording import Recording

GOLDEN = Path(__file__).parent / "golden"
RECORDINGS = sorted(GOLDEN.glob("*.replies"))
NOW_S = 1770102914.0  # 2026-02-03 14:15:14 +07:00


def exposition(collector: Collector, parts: list[Part], fmt: Format = Format.TEXT) -> str:
    blocks: dict[str, list[bytes]] = {}
    for part in parts:
        for name, block in part.blocks.items():
            blocks.setdefault(name, []).append(block)
    families = collector.families
    return b"".join(page(families, blocks, Headers(families, fmt), fmt)).decode()


async def read_recording(
    path: Path, cardinality: Cardinality | None = None
) -> tuple[Collector, Reader, list[Part]]:
    collector = BY_NAME[path.stem.split("-")[0]]
    facts = Facts(gmt_offset_s=7 * 3600.0)
    reader = Reader(
        collector,
        Recording.load(path),
        facts,
        router_label='router="core"',
        cardinality=cardinality or Cardinality(),
        clock=lambda: 1000.0,
        wall_clock=lambda: NOW_S,
    )
    reading = await reader.read()
    assert not reading.failures
    return collector, reader, list(reading.parts.values())


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
async def test_a_recorded_reply_gives_its_golden_text(path: Path) -> None:
    """The text for a recording is the golden one, to the letter."""
    collector, _, parts = await read_recording(path)
    text = exposition(collector, parts)
    golden = path.with_suffix(".prom")
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
async def test_prometheus_reads_both_formats_alike(path: Path) -> None:
    """prometheus_client reads the same samples from the text format and from OpenMetrics."""
    collector, _, parts = await read_recording(path)
    text = {
        (sample.name, tuple(sorted(sample.labels.items())), sample.value)
        for family in read_text(exposition(collector, parts))
        for sample in family.samples
    }
    openmetrics = {
        (sample.name, tuple(sorted(sample.labels.items())), sample.value)
        for family in read_openmetrics(exposition(collector, parts, Format.OPENMETRICS))
        for sample in family.samples
    }
    assert text
    assert text == openmetrics


def test_every_collector_has_a_recording() -> None:
    """No collector goes without a golden text."""
    assert {path.stem.split("-")[0] for path in RECORDINGS} == {collector.name for collector in ALL}


async def test_every_family_occurs_in_some_golden_text() -> None:
    """No row of a table is dead: each family is given by at least one recording."""
    seen: set[str] = set()
    for path in RECORDINGS:
        _, _, parts = await read_recording(path)
        seen |= {name for part in parts for name in part.blocks}
    arrivals = {row.name for c in ALL for table in c.tables for row in table.rows if row.arrivals}
    assert {family.name for c in ALL for family in c.families} - seen - arrivals == set()


def test_no_family_stands_in_two_collectors() -> None:
    """A family has one home, so its header comes once."""
    names = [family.name for collector in ALL for family in collector.families]
    assert len(names) == len(set(names))
