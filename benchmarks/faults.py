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
from benchmarks.simulated import Routers, Simulated, simulated

COMMAND_S = 0.05
HEALTHY = 20
FAULTS = {"hanging": "hang", "refusing": "refuse", "talking-nonsense": "garbage"}
DEADLINE_S = 5.0


@dataclass(slots=True)
class Seen:
    """What was measured in one state of the fleet."""

    refreshes_s: list[float] = field(default_factory=list)
    probes_s: list[float] = field(default_factory=list)
    pages_s: list[float] = field(default_factory=list)


def measure(effort: Effort) -> Sequence[Line]:
    """The same fleet well, with faults, and well again."""
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        kinds = [
            Routers("healthy", count=HEALTHY, latency_s=COMMAND_S),
            *[Routers(name, latency_s=COMMAND_S) for name in FAULTS],
        ]
        with simulated(kinds, folder) as network, exporting(network.ports, folder, ALWAYS_FRESH) as exporter:
            return _states(network, exporter, effort.pick(8, 3))


def _states(network: Simulated, exporter: Exporting, rounds: int) -> list[Line]:
    for _ in range(10):
        exporter.scrape(deadline_s=60)
    well = _look(exporter, rounds)
    for name, fault in FAULTS.items():
        network.break_router(name, fault)
    ill = _look(exporter, rounds)
    return [
        Line(
            "refreshes of the healthy routers, change",
            median(ill.refreshes_s) / median(well.refreshes_s) - 1,
            Unit.PERCENT,
            at_most(0.05),
        ),
        Line(
            "probes of the healthy routers, change",
            median(ill.probes_s) / median(well.probes_s) - 1,
            Unit.PERCENT,
            at_most(0.05),
        ),
        Line("page of all routers, all well", median(well.pages_s), Unit.SECONDS),
        *[
            Line(f"page of all routers, scrape {n} with faults, deadline 5 s", taken_s, Unit.SECONDS)
            for n, taken_s in enumerate(ill.pages_s, 1)
        ],
    ]


def _look(exporter: Exporting, rounds: int) -> Seen:
    seen = Seen()
    for _ in range(rounds):
        page = exporter.scrape(deadline_s=DEADLINE_S)
        seen.pages_s.append(page.duration_s)
        for n in range(HEALTHY):
            router = f'router="healthy-{n:04}"'
            seen.refreshes_s.append(max(page.values("mikrotik_collector_duration_seconds", router)))
        with ThreadPoolExecutor(2) as threads:
            running = threads.submit(
                exporter.scrape, deadline_s=DEADLINE_S
            )  # the page asks the faulty ones again
            time.sleep(0.5)
            for n in range(HEALTHY):
                seen.probes_s.append(
                    exporter.scrape(f"/probe?target=healthy-{n:04}", deadline_s=60).duration_s
                )
            running.result()
    return seen


FIGURE = Figure(6, "faults", "a hanging, a refusing and a senseless router among healthy ones", measure)
