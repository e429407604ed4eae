"""Figure 5: one router with long tables: 1,500 interfaces and 10,000 DHCP leases, over a line of 100 Mbit/s.

Each lease has a series of its own. The bound is what the same commands take on the same line when a client only reads
the replies and drops them. Told beside it: the same without the line, where the router answers from memory as fast as
loopback goes, so that what remains is our own work.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.exporting import collecting, exporting
from benchmarks.line import line
from benchmarks.measures import Effort, Figure, Line, Unit, at_most, median
from benchmarks.peers import mktxp
from benchmarks.simulated import Routers, simulated
from benchmarks.wire import commands_received, drain

COUNTS = {"interfaces": 1500, "leases": 10_000}
WITH_LEASES = collecting({"dhcp": {"mode": "full", "limit": 20_000}})
NAME = "switch"


def measure(effort: Effort) -> Sequence[Line]:
    """Over the line, without it, and the peer over it."""
    counts = {name: effort.pick(count, count, 5) for name, count in COUNTS.items()}
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        with (
            simulated([Routers(NAME, profile="switch", counts=counts)], folder) as network,
            line(network.ports[NAME], folder) as slow_port,
        ):
            with exporting({NAME: slow_port}, folder, WITH_LEASES) as exporter:
                page = exporter.scrape(deadline_s=60)
                cached_s = [exporter.scrape(deadline_s=60).duration_s for _ in range(effort.pick(10, 5))]
            commands = commands_received(network, NAME)
            size_bytes = drain(network.ports[NAME], commands).size_bytes
            cold_s, wire_s = _rounds(slow_port, commands, folder, effort)
            fast_cold_s, fast_wire_s = _rounds(network.ports[NAME], commands, folder, effort)
            lines = [
                Line("cold scrape over the bound", cold_s / wire_s, Unit.RATIO, at_most(2.0)),
                Line("cached scrape", median(cached_s), Unit.SECONDS, at_most(0.05)),
                Line("cold scrape", cold_s, Unit.SECONDS),
                Line("bound: the same replies over the line, only read and dropped", wire_s, Unit.SECONDS),
                Line("cold scrape, no line between", fast_cold_s, Unit.SECONDS),
                Line("the same replies, no line between, only read and dropped", fast_wire_s, Unit.SECONDS),
                Line("size of the replies", size_bytes, Unit.MEGABYTES),
                Line("samples on the page", page.samples, Unit.COUNT),
            ]
            if effort.with_peers:
                lines += _peer({NAME: slow_port}, folder)
    return lines


def _rounds(
    port: int, commands: Sequence[Sequence[str]], folder: Path, effort: Effort
) -> tuple[float, float]:
    """Seconds of a cold scrape, each by a fresh exporter, and of the bound, in turn; medians."""
    cold_s, wire_s = [], []
    for _ in range(effort.pick(5, 2)):
        with exporting({NAME: port}, folder, WITH_LEASES) as exporter:
            cold_s.append(exporter.scrape(deadline_s=60).duration_s)
        wire_s.append(drain(port, commands).duration_s)
    return median(cold_s), median(wire_s)


def _peer(ports: Mapping[str, int], folder: Path) -> list[Line]:
    with mktxp(ports, folder, also=("dhcp", "dhcp_lease")) as peer:
        taken_s = peer.scrape().duration_s
    return [Line("mktxp there, the menus that both read", taken_s, Unit.SECONDS)]


FIGURE = Figure(5, "wide", "1,500 interfaces and 10,000 DHCP leases on one router", measure)
