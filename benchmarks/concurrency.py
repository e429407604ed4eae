"""Figure 1: commands side by side on one router, and how many of them the exporter finds that it may send.

The client library is measured against the sum of the commands' own times, the exporter against mktxp.
"""

import asyncio
import math
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.exporting import ALWAYS_FRESH, EVERY_DEFAULT, Exporting, exporting
from benchmarks.measures import Effort, Figure, Line, Unit, at_least, at_most, median
from benchmarks.peers import mktxp
from benchmarks.programs import HOST
from benchmarks.simulated import PASSWORD, USERNAME, Routers, Simulated, simulated
from routeros import PoolSettings, Router, Target

PINNED = ((15, 15), (24, 8), (40, 4), (12, 1))
"""Commands at once, and the limit pinned."""
SCRAPES = 10
ENOUGH = 12


def measure(effort: Effort) -> Sequence[Line]:
    """Pinned limits, then adaptive ones, then a slow home router."""
    command_s, slow_command_s = effort.pick(50, 50, 5) / 1000, effort.pick(200, 200, 10) / 1000
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        kinds = [
            Routers("parallel", latency_s=command_s),
            Routers("serial", latency_s=command_s, concurrency=1),
            Routers("slow", latency_s=slow_command_s),
        ]
        with simulated(kinds, folder) as network:
            return [
                *asyncio.run(_pinned(network.ports["parallel"], command_s, effort)),
                *_adaptive(network, folder, effort),
                *_serial(network, folder, effort),
                *_slow(network, slow_command_s, folder, effort),
            ]


async def _pinned(port: int, command_s: float, effort: Effort) -> list[Line]:
    lines = []
    for count, limit in PINNED:
        router = Router(
            Target("parallel", HOST, port, USERNAME, PASSWORD), pool=PoolSettings(max_in_flight=limit)
        )
        try:
            await router.print("/system/identity", proplist=("name",))
            taken_s = []
            for _ in range(effort.pick(7, 3)):
                began_s = time.perf_counter()
                await asyncio.gather(
                    *[router.print("/system/identity", proplist=("name",)) for _ in range(count)]
                )
                taken_s.append(time.perf_counter() - began_s)
        finally:
            await router.close()
        bound_s = command_s * math.ceil(count / limit)
        what = f"{count} commands of {Unit.SECONDS.text(command_s)}, limit {limit}, over the bound of "
        what += Unit.SECONDS.text(bound_s)
        lines.append(Line(what, median(taken_s) / bound_s, Unit.RATIO, at_most(1.15)))
    return lines


def _limits(exporter: Exporting, scrapes: int) -> tuple[list[float], list[float]]:
    """The in-flight limit after each scrape, and how long each took."""
    pages = [exporter.scrape(deadline_s=60) for _ in range(scrapes)]
    limits = [page.values("tikwatch_pool_in_flight_limit")[0] for page in pages]
    return limits, [page.duration_s for page in pages]


def _adaptive(network: Simulated, folder: Path, effort: Effort) -> list[Line]:
    ports = {"parallel": network.ports["parallel"]}
    with exporting(ports, folder, ALWAYS_FRESH) as exporter:
        limits, _ = _limits(exporter, effort.pick(SCRAPES, SCRAPES))
    reached = sum(limit < ENOUGH for limit in limits) + 1
    return [
        Line(
            f"adaptive limit after {len(limits)} scrapes, side by side",
            limits[-1],
            Unit.COUNT,
            at_least(ENOUGH),
        ),
        Line(f"scrapes until it was {ENOUGH}", reached, Unit.COUNT),
    ]


def _serial(network: Simulated, folder: Path, effort: Effort) -> list[Line]:
    """The adaptive limit against a limit of 1, scrape by scrape in turn."""
    ports = {"serial": network.ports["serial"]}
    one_by_one = {**ALWAYS_FRESH, "pool": {"max_in_flight": 1}}
    with (
        exporting(ports, folder, ALWAYS_FRESH) as adaptive,
        exporting(ports, folder, one_by_one) as sequential,
    ):
        _limits(adaptive, effort.pick(3, 3))
        sequential.scrape(deadline_s=60)
        pairs, limits = [], []
        for _ in range(effort.pick(SCRAPES - 3, 2)):
            limit, ours_s = _limits(adaptive, 1)
            limits += limit
            pairs.append((ours_s[0], sequential.scrape(deadline_s=60).duration_s))
    ratio = median([ours_s for ours_s, _ in pairs]) / median([theirs_s for _, theirs_s in pairs])
    return [
        Line(
            "adaptive limit, one at a time: the highest after three scrapes",
            max(limits),
            Unit.COUNT,
            at_most(2),
        ),
        Line("one at a time: adaptive over one command after the other", ratio, Unit.RATIO, at_most(1.05)),
    ]


def _slow(network: Simulated, command_s: float, folder: Path, effort: Effort) -> list[Line]:
    ports = {"slow": network.ports["slow"]}
    rounds = effort.pick(5, 2)
    with exporting(ports, folder, ALWAYS_FRESH) as exporter:
        cold = exporter.scrape(deadline_s=60)
        _limits(exporter, effort.pick(SCRAPES, SCRAPES))
        ours_s = median([exporter.scrape(deadline_s=60).duration_s for _ in range(rounds)])
    with exporting(ports, folder, EVERY_DEFAULT) as exporter:
        _limits(exporter, effort.pick(SCRAPES, 3))
        every_s = median([exporter.scrape(deadline_s=60).duration_s for _ in range(rounds)])
    router = f"home router at {command_s * 1000:.0f} ms a command"
    lines = [
        Line(f"{router}, warm", ours_s, Unit.SECONDS, at_most(0.6)),
        Line(f"{router}, first scrape", cold.duration_s, Unit.SECONDS),
        Line(f"{router}, warm, every collector that is on by default", every_s, Unit.SECONDS),
        Line("bound: one command", command_s, Unit.SECONDS),
    ]
    if effort.with_peers:
        for what, same_ground in (("the menus that both read", True), ("its own defaults", False)):
            with mktxp(ports, folder, only_same_ground=same_ground) as peer:
                peer_s = median([peer.scrape().duration_s for _ in range(effort.pick(3, 1))])
            lines.append(Line(f"mktxp there, {what}", peer_s, Unit.SECONDS))
    return lines


FIGURE = Figure(1, "concurrency", "commands side by side on one router", measure)
