"""Figure 3, first half: samples become text. The peer is prometheus_client's `generate_latest`.

Ours starts from records as the router said them and ends at the bytes of the page; the peer starts from metric
families that are filled already. Both texts hold the same samples, which is checked.
"""

import time
from collections.abc import Callable, Iterator, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from benchmarks.measures import Effort, Line, Unit, at_least, median
from exporter.collectors.render import render
from exporter.collectors.table import Facts, Label, Record, Table, counter
from exporter.exposition import Format, Headers, page

COLUMNS = 10

_TABLE = Table(
    name="sessions",
    path="/ip/hotspot/active",
    labels=(Label("server"), Label("user"), Label("mac_address")),
    rows=tuple(
        counter(f"mikrotik_benchmark_{n}_total", "Bytes of a session.", f"field-{n}") for n in range(COLUMNS)
    ),
)
_FAMILIES = tuple(_TABLE.families())
_HEADERS = Headers(_FAMILIES, Format.TEXT)


def records(count: int) -> list[Record]:
    """`count` sessions with a counter in each column."""
    return [
        {
            "server": f"hotspot{n % 8}",
            "user": f"guest-{n:05}",
            "mac-address": f"02:00:5E:00:{n >> 8:02X}:{n & 255:02X}",
            **{f"field-{column}": str(n * 104_729 + column) for column in range(COLUMNS)},
        }
        for n in range(count)
    ]


class Filled(Collector):
    """Families that hold their samples already."""

    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        """See `prometheus_client.registry.Collector`."""
        return iter(self._families)


def ours(rows: list[Record]) -> bytes:
    """The page of these rows."""
    rendered = render(_TABLE, rows, rows, router_label='router="core"', facts=Facts(), others={}, arrived={})
    blocks = {name: (block,) for name, block in rendered.blocks.items()}
    return b"".join(page(_FAMILIES, blocks, _HEADERS, Format.TEXT))


def peer(rows: list[Record]) -> CollectorRegistry:
    """A registry whose one collector has the same samples."""
    families: list[Metric] = []
    for row in _TABLE.rows:
        names = ("router", *(label.name for label in _TABLE.labels))
        family = CounterMetricFamily(row.name, row.help, labels=names)
        for record in rows:
            labels = ("core", *(record[label.source] for label in _TABLE.labels))
            family.add_metric(labels, int(record[row.field]))
        families.append(family)
    registry = CollectorRegistry()
    registry.register(Filled(families))
    return registry


def samples_of(text: bytes) -> dict[str, float]:
    """Value by series; label names sorted, since the two writers have orders of their own."""
    found: dict[str, float] = {}
    for line in text.decode().splitlines():
        if not line.startswith("#"):
            series, value = line.rsplit(" ", 1)
            name, labels = series.rstrip("}").split("{")
            found[f"{name}{sorted(labels.split(','))}"] = float(value)
    return found


def _cpu_s(work: Callable[[], object]) -> float:
    began_s = time.process_time()
    work()
    return time.process_time() - began_s


def measure(effort: Effort) -> Sequence[Line]:
    """Alternating rounds, medians of processor time."""
    rows = records(effort.pick(10_000, 10_000, 20))
    samples = len(rows) * COLUMNS
    registry = peer(rows)
    if samples_of(ours(rows)) != samples_of(generate_latest(registry)):
        raise AssertionError("the two texts do not hold the same samples")
    pairs = [
        (_cpu_s(lambda: ours(rows)), _cpu_s(lambda: generate_latest(registry)))
        for _ in range(effort.pick(7, 3))
    ]
    own_s, peer_s = median([own for own, _ in pairs]), median([other for _, other in pairs])
    return (
        Line(
            f"CPU of generate_latest over ours, {samples:,} samples", peer_s / own_s, Unit.TIMES, at_least(8)
        ),
        Line("samples per second, ours", samples / own_s, Unit.PER_SECOND),
        Line("samples per second, generate_latest", samples / peer_s, Unit.PER_SECOND),
    )
