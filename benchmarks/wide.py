"""Figure 5: one router with long tables: 1,500 interfaces and 10,000 hotspot hosts.

The hosts stand in for DHCP leases, whose collector comes later: as many rows, of about as many fields.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.exporting import exporting
from benchmarks.measures import Effort, Figure, Line, Unit, at_most, median
from benchmarks.peers import mktxp
from benchmarks.simulated import Routers, simulated
from benchmarks.wire import commands_received, drain

COUNTS = {"interfaces": 1500, "leases": 10_000, "hotspot_servers": 1, "hotspot_hosts": 10_000}
ROUNDS = 3


def measure(effort: Effort) -> Sequence[Line]:
    """A fresh exporter per round against the same replies only read and dropped; then from the cache."""
    rounds, cold_s, cached_s = effort.pick(5, 2), [], []
    samples = 0
    counts = {name: effort.pick(count, count, 5) for name, count in COUNTS.items()}
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        with simulated([Routers("switch", profile="switch", counts=counts)], folder) as network:
            for _ in range(rounds):
                with exporting(network.ports, folder) as exporter:
                    cold = exporter.scrape(deadline_s=60)
                    cold_s.append(cold.duration_s)
                    cached_s += [exporter.scrape(deadline_s=60).duration_s for _ in range(5)]
                    samples = cold.samples
            commands = commands_received(network, "switch")
            commands = commands[: len(commands) // rounds]
            wire = [drain(network.ports["switch"], commands) for _ in range(ROUNDS)]
            wire_s = median([drained.duration_s for drained in wire])
            lines = _lines(median(cold_s), median(cached_s), wire_s, wire[0].size_bytes, samples)
            if effort.with_peers:
                with mktxp(network.ports, folder, also=("dhcp", "dhcp_lease")) as peer:
                    what = "mktxp there, with 10,000 DHCP leases in place of hosts"
                    lines.append(Line(what, peer.scrape().duration_s, Unit.SECONDS))
    return lines


def _lines(cold_s: float, cached_s: float, wire_s: float, size_bytes: int, samples: int) -> list[Line]:
    return [
        Line("cold scrape over the bound", cold_s / wire_s, Unit.RATIO, at_most(1.5)),
        Line("cached scrape", cached_s, Unit.SECONDS, at_most(0.05)),
        Line("cold scrape", cold_s, Unit.SECONDS),
        Line("bound: the same replies, only read and dropped", wire_s, Unit.SECONDS),
        Line("size of the replies", size_bytes, Unit.MEGABYTES),
        Line("samples on the page", samples, Unit.COUNT),
    ]


FIGURE = Figure(5, "wide", "1,500 interfaces and 10,000 hosts on one router", measure)
