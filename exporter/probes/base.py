"""A probe: something that is measured in a worker thread, within a deadline, and cached like a collector.

A probe never raises for what it watches: a bot that is down is a measurement, with `up` 0 and a reason. What is
not known is left out. `ProbeReader` makes a probe readable for `exporter.cache.Slot`.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

from exporter.collectors.reader import Part, Reading
from exporter.exposition import label_text, number_text
from exporter.samples import Family, Kind


@dataclass(frozen=True, slots=True)
class Measured:
    """One value of one family; `labels` come behind the probe's own."""

    family: Family
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


def states(family: Family, current: str, known: Iterable[str]) -> Iterator[Measured]:
    """A state set: 1 for `current`, 0 for the other `known` ones, and ``other`` for a state nobody listed."""
    names = (*known, "other")
    holds = current if current in names else "other"
    return (Measured(family, int(name == holds), {"state": name}) for name in names)


class Probe(Protocol):
    """Something that can be measured. `labels` tell it from its siblings and come first on each sample."""

    @property
    def name(self) -> str:
        """Name of the thing as configured."""

    @property
    def labels(self) -> Mapping[str, str]:
        """Labels of every sample, such as ``{"bot": "billing"}``."""

    def measure(self) -> Sequence[Measured]:
        """What is known now. Blocks; runs in a thread of its own."""

    def silent(self) -> Sequence[Measured]:
        """What to tell when `measure` did not come back in time."""


class ProbeReader:
    """Reads a probe in its own thread, one measurement at a time, none past `deadline_s`.

    A measurement that hangs keeps its thread, and while it does no other is begun: a stuck bot costs one thread.
    """

    def __init__(
        self, probe: Probe, *, deadline_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.probe = probe
        self._deadline_s = deadline_s
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"probe-{probe.name}")
        self._running: asyncio.Future[Sequence[Measured]] | None = None

    def __repr__(self) -> str:
        state = "measuring" if self._running is not None and not self._running.done() else "idle"
        return f"<ProbeReader {self.probe.name} {state}>"

    async def read(self) -> Reading:
        """One measurement as a reading of one table; never fails, a probe that is late tells that it is silent."""
        if self._running is None or self._running.done():
            loop = asyncio.get_running_loop()
            self._running = loop.run_in_executor(self._thread, self.probe.measure)
        done, _ = await asyncio.wait([self._running], timeout=self._deadline_s)
        measured = self._running.result() if done else self.probe.silent()
        part = Part(
            blocks=blocks(self.probe.labels, measured),
            read_at_s=self._clock(),
            rows=1,
            samples=len(measured),
        )
        return Reading(parts={self.probe.name: part}, failures={}, unsupported=frozenset(), tables=1)

    def close(self) -> None:
        """Let the thread go; one that hangs ends with the process."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def blocks(labels: Mapping[str, str], measured: Iterable[Measured]) -> dict[str, bytes]:
    """Blocks of exposition text by family name; a sample that comes twice is told once."""
    own = label_text(labels)
    lines: dict[str, dict[str, str]] = {}
    for one in measured:
        text = label_text(one.labels)
        key = f"{own},{text}" if own and text else own or text
        head = f"{one.family.name}{{{key}}}" if key else one.family.name
        lines.setdefault(one.family.name, {}).setdefault(head, f"{head} {number_text(one.value)}\n")
    return {name: "".join(found.values()).encode() for name, found in lines.items()}


def gauge(name: str, help_text: str, *labels: str) -> Family:
    """A value that goes up and down."""
    return Family(name, Kind.GAUGE, help_text, labels=labels)


def counter(name: str, help_text: str, *labels: str) -> Family:
    """A value that only what is watched sets back."""
    return Family(name, Kind.COUNTER, help_text, labels=labels)


def info(name: str, help_text: str, *labels: str) -> Family:
    """Text as labels of a constant 1."""
    return Family(name, Kind.INFO, help_text, labels=labels)


def state_set(name: str, help_text: str) -> Family:
    """One series per state, 1 for the one that holds."""
    return Family(name, Kind.STATE_SET, help_text, labels=("state",))
