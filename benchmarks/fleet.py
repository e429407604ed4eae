"""Figure 4: many routers. 100 of them on one page, and 1,000 of them around the clock."""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.exporting import ALWAYS_FRESH, exporting
from benchmarks.measures import Effort, Figure, Line, Unit, at_least, at_most, median
from benchmarks.peers import mktxp
from benchmarks.simulated import Routers, simulated


def measure(effort: Effort) -> Sequence[Line]:
    """Both, one after the other."""
    command_s = effort.pick(50, 50, 5) / 1000
    return [*_hundred(command_s, effort), *_thousand(command_s, effort)]


def _hundred(command_s: float, effort: Effort) -> list[Line]:
    rounds, count = effort.pick(5, 3), effort.pick(100, 100, 2)
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        with simulated([Routers("home", count=count, latency_s=command_s)], folder) as network:
            with exporting(network.ports, folder, ALWAYS_FRESH) as exporter:
                cold = exporter.scrape(deadline_s=60)
                for _ in range(3):
                    exporter.scrape(deadline_s=60)
                before_s = exporter.program.cpu_s()
                ours_s = median([exporter.scrape(deadline_s=60).duration_s for _ in range(rounds)])
                cpu_s = (exporter.program.cpu_s() - before_s) / rounds
            lines = [
                Line(f"{count} home routers, one page, nothing cached", ours_s, Unit.SECONDS, at_most(1)),
                Line(f"{count} home routers, the first page after the start", cold.duration_s, Unit.SECONDS),
                Line("CPU of such a page", cpu_s, Unit.SECONDS),
            ]
            if effort.with_peers:
                with mktxp(network.ports, folder, threads=64) as peer:
                    before_s = peer.program.cpu_s()
                    page = peer.scrape()
                    lines += [
                        Line(
                            "mktxp with 64 threads, the menus that both read", page.duration_s, Unit.SECONDS
                        ),
                        Line("mktxp, CPU of such a page", peer.program.cpu_s() - before_s, Unit.SECONDS),
                    ]
    return lines


def _thousand(command_s: float, effort: Effort) -> list[Line]:
    """Scraped as Prometheus does: gzip, a deadline of 10 s, on the beat."""
    intervals, count = effort.pick(4, 1), effort.pick(1000, 300, 3)
    interval_s = float(effort.pick(15, 8, 1))
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        with (
            simulated([Routers("home", count=count, latency_s=command_s)], folder) as network,
            exporting(network.ports, folder) as exporter,
        ):
            next_s = time.monotonic() + interval_s
            first = exporter.scrape(compressed=True, deadline_s=10)
            time.sleep(max(0.0, next_s - time.monotonic()))
            before_s, pages = exporter.program.cpu_s(), []
            for _ in range(intervals):
                next_s += interval_s
                pages.append(exporter.scrape(compressed=True, deadline_s=10))
                time.sleep(max(0.0, next_s - time.monotonic()))
            cores = (exporter.program.cpu_s() - before_s) / (intervals * interval_s)
            peak = exporter.program.peak_rss_bytes()
    up = min(sum(page.values("mikrotik_up")) for page in pages)
    return [
        Line(
            f"{count:,} home routers every {interval_s:g} s, CPU of the exporter",
            cores,
            Unit.CORES,
            at_most(0.5),
        ),
        Line(f"{count:,} home routers, peak memory of the exporter", peak, Unit.MEGABYTES, at_most(500e6)),
        Line(f"{count:,} home routers, slowest page", max(page.duration_s for page in pages), Unit.SECONDS),
        Line(f"{count:,} home routers, the first page after the start", first.duration_s, Unit.SECONDS),
        Line(f"{count:,} home routers, fewest up on a page", up, Unit.COUNT, at_least(count)),
    ]


FIGURE = Figure(4, "fleet", "100 and 1,000 home routers at 50 ms a command", measure)
