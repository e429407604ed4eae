"""Figure 3: rendering, and a router with 5,000 PPPoE and 5,000 hotspot sessions and 10,000 queues, cold.

Cold: the exporter has just started and is not even connected. Its start itself (imports, configuration) is left
out of the time and the processor seconds, and is in the memory.
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import rendering
from benchmarks.exporting import Settings, collecting, exporting
from benchmarks.measures import Effort, Figure, Line, Unit, at_most, median
from benchmarks.peers import mktxp
from benchmarks.simulated import Routers, Simulated, simulated
from benchmarks.wire import commands_received, drain

_FULL: Settings = {"mode": "full", "limit": 20_000}
EVERY_SUBSCRIBER = collecting({"hotspot": _FULL, "ppp": _FULL, "queue": _FULL})
PATIENCE_S = 120.0


def measure(effort: Effort) -> Sequence[Line]:
    """Rendering, then a fresh exporter per round."""
    lines = [*rendering.measure(effort)]
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        with simulated(
            [Routers("large", profile="home" if effort is Effort.SMOKE else "large")], folder
        ) as network:
            lines += _ours(network, folder, effort)
            if effort.with_peers:
                lines += _peer(network, folder)
    return lines


def _ours(network: Simulated, folder: Path, effort: Effort) -> list[Line]:
    times_s, cpu_s, peaks, startups_s, compressed_s = [], [], [], [], []
    samples, idle_cores = 0, 0.0
    rounds = effort.pick(5, 1)
    for number in range(rounds):
        with exporting(network.ports, folder, EVERY_SUBSCRIBER) as exporter:
            before_s = exporter.program.cpu_s()
            page = exporter.scrape(deadline_s=PATIENCE_S)
            times_s.append(page.duration_s)
            cpu_s.append(exporter.program.cpu_s() - before_s)
            peaks.append(exporter.program.peak_rss_bytes())
            startups_s.append(before_s)
            samples = page.samples
            before_s = exporter.program.cpu_s()
            exporter.scrape(compressed=True, deadline_s=PATIENCE_S)
            compressed_s.append(exporter.program.cpu_s() - before_s)
            if number == rounds - 1:
                idle_cores = _idle_cores(exporter.program.cpu_s, effort.pick(10, 2))
    commands = commands_received(network, "large")[: len(commands_received(network, "large")) // rounds]
    wire = [drain(network.ports["large"], commands) for _ in range(3)]
    return [
        Line("large router, cold scrape", median(times_s), Unit.SECONDS, at_most(2)),
        Line("large router, CPU of the exporter", median(cpu_s), Unit.SECONDS, at_most(1.5)),
        Line("large router, peak memory of the exporter", median(peaks), Unit.MEGABYTES, at_most(150e6)),
        Line("idle after it, no scrapes", idle_cores, Unit.CORES, at_most(0.005)),
        Line("samples on the page", samples, Unit.COUNT),
        Line("CPU of the start itself", median(startups_s), Unit.SECONDS),
        Line("CPU of a cached scrape with gzip", median(compressed_s), Unit.SECONDS),
        Line(
            "bound: the same replies, only read and dropped",
            median([w.duration_s for w in wire]),
            Unit.SECONDS,
        ),
        Line("size of the replies", wire[0].size_bytes, Unit.MEGABYTES),
    ]


def _idle_cores(cpu_s: Callable[[], float], for_s: float) -> float:
    before_s = cpu_s()
    time.sleep(for_s)
    return (cpu_s() - before_s) / for_s


def _peer(network: Simulated, folder: Path) -> list[Line]:
    with mktxp(network.ports, folder) as peer:
        before_s = peer.program.cpu_s()
        page = peer.scrape()
        return [
            Line("mktxp without hotspot and PPPoE, scrape", page.duration_s, Unit.SECONDS),
            Line("mktxp, CPU", peer.program.cpu_s() - before_s, Unit.SECONDS),
            Line("mktxp, peak memory", peer.program.peak_rss_bytes(), Unit.MEGABYTES),
            Line("mktxp, samples", page.samples, Unit.COUNT),
        ]


FIGURE = Figure(3, "large", "rendering, and a large router cold", measure)
