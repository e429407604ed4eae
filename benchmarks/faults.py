"""Figure 6: one router of the fleet hangs, one refuses, one sends garbage; what do the others notice?

Two fleets alike in all but that, each with an exporter of its own, are measured in turn, so that what else the
machine does touches both. Told of the healthy routers: how long the refreshes of their collectors took, as the
pages say, and how long a probe of each takes while a page of the whole fleet is waited for. The page itself waits
for a router that went silent until the deadline once; the pages after it are told one by one.
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
from benchmarks.simulated import Routers, Simulated, simulated

COMMAND_S = 0.05
FAULTS = {"hanging": "hang", "refusing": "refuse", "senseless": "garbage"}

SETTINGS = {**ALWAYS_FRESH, "pool": {"max_in_flight": 16}}
"""The limit is pinned: a step of it is a difference of a whole command, which has nothing to do with faults."""


@dataclass(slots=True)
class Fleet:
    """An exporter, its healthy routers, and what was measured of them."""

    exporter: Exporting
    healthy: Sequence[str]
    deadline_s: float
    refreshes_s: list[float] = field(default_factory=list)
    probes_s: list[float] = field(default_factory=list)
    pages_s: list[float] = field(default_factory=list)

    def page(self) -> Page:
        """All routers of the fleet."""
        return self.exporter.scrape(deadline_s=self.deadline_s)

    def look(self) -> None:
        """A page, then probes of the healthy routers one by one while a second page is waited for."""
        page = self.page()
        self.pages_s.append(page.duration_s)
        for name in self.healthy:
            refreshes_s = page.values("mikrotik_collector_duration_seconds", f'router="{name}"')
            self.refreshes_s.append(max(refreshes_s))
        with ThreadPoolExecutor(1) as thread:
            waiting = thread.submit(self.page)
            time.sleep(0.5)  # the page's own refreshes of the healthy ones are over by then
            for name in self.healthy:
                probe = self.exporter.scrape(f"/probe?target={name}", deadline_s=60)
                self.probes_s.append(probe.duration_s)
            waiting.result()


def measure(effort: Effort) -> Sequence[Line]:
    """Warm both fleets up, break three routers of one, look at both in turn."""
    count, deadline_s = effort.pick(20, 20, 2), float(effort.pick(5, 3, 1))
    kinds = [
        Routers(f"{fleet}-{kind}", count=number, latency_s=COMMAND_S)
        for fleet in ("well", "ill")
        for kind, number in (("healthy", count), *[(name, 1) for name in FAULTS])
    ]
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        with (
            simulated(kinds, folder) as network,
            exporting(_of("well", network), folder, SETTINGS) as well_exporter,
            exporting(_of("ill", network), folder, SETTINGS) as ill_exporter,
        ):
            well = Fleet(well_exporter, kinds[0].names, deadline_s)
            ill = Fleet(ill_exporter, kinds[len(kinds) // 2].names, deadline_s)
            for _ in range(effort.pick(5, 3)):
                well.page(), ill.page()
            for name, fault in FAULTS.items():
                network.break_router(f"ill-{name}", fault)
            for _ in range(effort.pick(8, 2)):
                well.look()
                ill.look()
    return _lines(well, ill)


def _of(fleet: str, network: Simulated) -> dict[str, int]:
    return {name: port for name, port in network.ports.items() if name.startswith(f"{fleet}-")}


def _lines(well: Fleet, ill: Fleet) -> list[Line]:
    refreshes = median(ill.refreshes_s) / median(well.refreshes_s) - 1
    probes = median(ill.probes_s) / median(well.probes_s) - 1
    return [
        Line(
            "refreshes of the healthy routers, with faults beside them",
            refreshes,
            Unit.PERCENT,
            at_most(0.05),
        ),
        Line("probes of the healthy routers, with faults beside them", probes, Unit.PERCENT, at_most(0.05)),
        Line("a refresh of a healthy router", median(well.refreshes_s), Unit.SECONDS),
        Line("page of a whole fleet, all well", median(well.pages_s), Unit.SECONDS),
        *[
            Line(f"page number {n} with faults, deadline {ill.deadline_s:g} s", taken_s, Unit.SECONDS)
            for n, taken_s in enumerate(ill.pages_s, 1)
        ],
    ]


FIGURE = Figure(6, "faults", "a hanging, a refusing and a senseless router among healthy ones", measure)
