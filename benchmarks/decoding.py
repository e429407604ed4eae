"""Figure 2: the bytes of a big reply become records. The peer is librouteros on the same rows in the same run.

Both sides are used as a program would: `routeros.Router.call` here, `librouteros.connect` there, over TCP from a
process that has its bytes ready. Rounds alternate. Ours are eight bytes a row more, for the tag.
"""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import librouteros

from benchmarks.measures import Effort, Figure, Line, Unit, at_least, median
from benchmarks.programs import HOST
from benchmarks.replay import COMMAND, hotspot_rows, replaying
from benchmarks.simulated import PASSWORD, USERNAME
from routeros import Router, Target


@dataclass(slots=True)
class Spent:
    """What the rounds of one side took, in seconds by the clock and of processor."""

    clock_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)

    def add(self, began: tuple[float, float]) -> None:
        """One round that `began` at these times of clock and processor."""
        clock_s, cpu_s = now()
        self.clock_s.append(clock_s - began[0])
        self.cpu_s.append(cpu_s - began[1])


def now() -> tuple[float, float]:
    """Clock and this process's processor time, user and system."""
    return time.perf_counter(), time.process_time()


def measure(effort: Effort) -> Sequence[Line]:
    """Alternating rounds, medians."""
    count = effort.pick(5000, 5000, 50)
    with tempfile.TemporaryDirectory() as folder, replaying(count, Path(folder)) as port:
        ours, theirs = asyncio.run(_rounds(port, count, effort.pick(9, 3)))
    cpu_s, peer_cpu_s = median(ours.cpu_s), median(theirs.cpu_s)
    rate, peer_rate = count / median(ours.clock_s), count / median(theirs.clock_s)
    return (
        Line("CPU of librouteros over CPU of ours", peer_cpu_s / cpu_s, Unit.TIMES, at_least(8)),
        Line("rows per second over librouteros's", rate / peer_rate, Unit.TIMES, at_least(5)),
        Line("rows per second, ours", rate, Unit.PER_SECOND),
        Line("rows per second, librouteros", peer_rate, Unit.PER_SECOND),
        Line(f"CPU for {count:,} rows, ours", cpu_s, Unit.SECONDS),
        Line(f"CPU for {count:,} rows, librouteros", peer_cpu_s, Unit.SECONDS),
    )


async def _rounds(port: int, count: int, rounds: int) -> tuple[Spent, Spent]:
    ours, theirs = Spent(), Spent()
    router = Router(Target("replay", HOST, port, USERNAME, PASSWORD))
    peer = librouteros.connect(HOST, USERNAME, PASSWORD, port=port)
    expected = hotspot_rows(count)
    try:
        for number in range(rounds + 1):
            began = now()
            records = (await router.call(COMMAND, large=True, idempotent=True)).records
            if number:  # the first one connects, and learns the shape of a row
                ours.add(began)
            if records != expected:
                raise AssertionError("the records are not what was sent")
            began = now()
            rows = tuple(peer(COMMAND))
            if number:
                theirs.add(began)
            if len(rows) != count:
                raise AssertionError("librouteros lost rows")
            del records, rows
    finally:
        await router.close()
        peer.close()
    return ours, theirs


FIGURE = Figure(2, "decoding", "5,000 rows of 16 fields from a socket to records", measure)
