"""Figure 6: one router of the fleet hangs, one refuses, one sends garbage; what do the others notice?

Three looks at the healthy ones, each with and without the faults: how long the refreshes of their collectors took,
as the page itself tells; how long a probe of each takes; and how long after a scrape began their values were fresh.
The page of all routers waits for the slowest one up to its deadline, so its own times are told as well.
"""

import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.exporting import ALWAYS_FRESH, Exporting, exporting
from benchmarks.measures import Effort, Figure, Line, Unit, at_most, median
from benchmarks.pages import Page
from benchmarks.simulated import Routers, simulated

COMMAND_S = 0.05
FAULTS = {"hanging": "hang", "refusing": "refuse", "talking-nonsense": "garbage"}


@dataclass(slots=True)
class Seen:
    """What was measured in one state of the fleet."""

    refreshes_s: list[float] = field(default_factory=list)
    probes_s: list[float] = field(default_factory=list)
    pages_s: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Fleet:
    """The exporter under measurement and the names of its healthy routers."""

    exporter: Exporting
    healthy: Sequence[str]
    deadline_s: float

    def page(self) -> Page:
        """All routers; the faulty ones hold it up until the deadline."""
        return self.exporter.scrape(deadline_s=self.deadline_s)

    def look(self, rounds: int) -> Seen:
        """Pages of all routers, and probes of the healthy ones while such a page is waited for."""
        seen = Seen()
        for _ in range(rounds):
            page = self.page()
            seen.pages_s.append(page.duration_s)
            for name in self.healthy:
                refreshes_s = page.values("mikrotik_collector_duration_seconds", f'router="{name}"')
                seen.refreshes_s.append(max(refreshes_s))
            with ThreadPoolExecutor(1) as thread:
                waiting = thread.submit(self.page)
                time.sleep(0.5)  # so that the page's own refreshes of the healthy ones are done
                for name in self.healthy:
                    probe = self.exporter.scrape(f"/probe?target={name}", deadline_s=60)
                    seen.probes_s.append(probe.duration_s)
                waiting.result()
        return seen


def measure(effort: Effort) -> Sequence[Line]:
    """The same fleet well, then with faults."""
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        healthy = Routers("healthy", count=effort.pick(20, 20, 2), latency_s=COMMAND_S)
        kinds = [healthy, *[Routers(name, latency_s=COMMAND_S) for name in FAULTS]]
        with simulated(kinds, folder) as network, exporting(network.ports, folder, ALWAYS_FRESH) as exporter:
            fleet = Fleet(exporter, healthy.names, float(effort.pick(5, 5)))
            for _ in range(effort.pick(10, 10)):
                fleet.page()
            well = fleet.look(effort.pick(8, 3))
            for name, fault in FAULTS.items():
                network.break_router(name, fault)
            ill = fleet.look(effort.pick(8, 3))
    return _lines(well, ill, fleet.deadline_s)


def _lines(well: Seen, ill: Seen, deadline_s: float) -> list[Line]:
    refreshes = median(ill.refreshes_s) / median(well.refreshes_s) - 1
    probes = median(ill.probes_s) / median(well.probes_s) - 1
    return [
        Line("refreshes of the healthy routers, change", refreshes, Unit.PERCENT, at_most(0.05)),
        Line("probes of the healthy routers, change", probes, Unit.PERCENT, at_most(0.05)),
        Line("page of all routers, all well", median(well.pages_s), Unit.SECONDS),
        *[
            Line(
                f"page of all routers, number {n} with faults, deadline {deadline_s:g} s",
                taken_s,
                Unit.SECONDS,
            )
            for n, taken_s in enumerate(ill.pages_s, 1)
        ],
    ]


FIGURE = Figure(6, "faults", "a hanging, a refusing and a senseless router among healthy ones", measure)
