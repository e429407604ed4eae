"""Figure 4: many routers. 100 of them on one page, and 1,000 of them around the clock."""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.exporting import ALWAYS_FRESH, exporting
from benchmarks.measures import Effort, Figure, Line, Unit, at_most, median
from benchmarks.peers import mktxp
from benchmarks.simulated import Routers, simulated

COMMAND_S = 0.05
INTERVAL_S = 15.0


def measure(effort: Effort) -> Sequence[Line]:
    """Both, one after the other."""
    return [*_hundred(effort), *_thousand(effort)]


def _hundred(effort: Effort) -> list[Line]:
    rounds = effort.pick(5, 3)
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        with simulated([Routers("home", count=100, latency_s=COMMAND_S)], folder) as network:
            with exporting(network.ports, folder, ALWAYS_FRESH) as exporter:
                cold = exporter.scrape(deadline_s=60)
                for _ in range(3):
                    exporter.scrape(deadline_s=60)
                before_s = exporter.program.cpu_s()
                ours_s = median([exporter.scrape(deadline_s=60).duration_s for _ in range(rounds)])
                cpu_s = (exporter.program.cpu_s() - before_s) / rounds
            with mktxp(network.ports, folder, threads=64) as peer:
                before_s = peer.program.cpu_s()
                peer_s = peer.scrape().duration_s
                peer_cpu_s = peer.program.cpu_s() - before_s
    return [
        Line("100 home routers, one page, nothing cached", ours_s, Unit.SECONDS, at_most(1)),
        Line("100 home routers, the first page after the start", cold.duration_s, Unit.SECONDS),
        Line("CPU of such a page", cpu_s, Unit.SECONDS),
        Line("mktxp with 64 threads, the menus that both read", peer_s, Unit.SECONDS),
        Line("mktxp, CPU of such a page", peer_cpu_s, Unit.SECONDS),
    ]


def _thousand(effort: Effort) -> list[Line]:
    """Scraped as Prometheus does: gzip, a deadline of 10 s, on the beat."""
    intervals = effort.pick(4, 1)
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        with (
            simulated([Routers("home", count=1000, latency_s=COMMAND_S)], folder) as network,
            exporting(network.ports, folder) as exporter,
        ):
            next_s = time.monotonic() + INTERVAL_S
            first = exporter.scrape(compressed=True, deadline_s=10)
            time.sleep(max(0.0, next_s - time.monotonic()))
            before_s, pages = exporter.program.cpu_s(), []
            for _ in range(intervals):
                next_s += INTERVAL_S
                pages.append(exporter.scrape(compressed=True, deadline_s=10))
                time.sleep(max(0.0, next_s - time.monotonic()))
            cores = (exporter.program.cpu_s() - before_s) / (intervals * INTERVAL_S)
            peak = exporter.program.peak_rss_bytes()
            up = sum(exporter.scrape(deadline_s=10).values("mikrotik_up"))
    return [
        Line("1,000 home routers every 15 s, CPU of the exporter", cores, Unit.CORES, at_most(0.5)),
        Line("1,000 home routers, peak memory of the exporter", peak, Unit.MEGABYTES, at_most(500e6)),
        Line("1,000 home routers, slowest page", max(page.duration_s for page in pages), Unit.SECONDS),
        Line("1,000 home routers, the first page after the start", first.duration_s, Unit.SECONDS),
        Line("1,000 home routers, up at the end", up, Unit.COUNT),
    ]


FIGURE = Figure(4, "fleet", "100 and 1,000 home routers at 50 ms a command", measure)
