"""A probe: something that is measured in a worker thread, within a deadline, and cached like a collector.

A probe never raises for what it watches: a bot that is down is a measurement, with `up` 0 and a reason. What is
not known is left out. `ProbeReader` makes a probe readable for `exporter.cache.Slot`.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from exporter.collectors.reader import Part, Reading
from exporter.exposition import label_text, number_text
from exporter.samples import Family, Kind
from routeros import CommandDeadline, RouterError

T = TypeVar("T")


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
    """Reads a probe in a thread, one measurement at a time, none past `deadline_s`.

    A measurement that hangs keeps its thread, and while it does no other is begun: a stuck bot costs one thread.
    The reading that waited for it in vain, and each one after it until it ends, tells at once that the probe is
    silent. The threads are daemons, so that one that hangs does not hold up the end of the process.
    """

    def __init__(
        self, probe: Probe, *, deadline_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.probe = probe
        self._deadline_s = deadline_s
        self._clock = clock
        self._running: asyncio.Future[Sequence[Measured]] | None = None

    def __repr__(self) -> str:
        state = "measuring" if self._is_measuring else "idle"
        return f"<ProbeReader {self.probe.name} {state}>"

    @property
    def _is_measuring(self) -> bool:
        return self._running is not None and not self._running.done()

    async def read(self) -> Reading:
        """One measurement as a reading of one table. A probe that is late tells that it is silent, which counts
        as a failure of the probe; what it watches being down does not. Raises what the probe raises."""
        if not self._is_measuring:
            self._running = self._begin()
            await asyncio.wait([self._running], timeout=self._deadline_s)
        assert self._running is not None  # noqa: S101  begun above, or under way
        late = not self._running.done()
        measured = self.probe.silent() if late else self._running.result()
        part = Part(
            blocks=blocks(self.probe.labels, measured),
            read_at_s=self._clock(),
            rows=1,
            samples=len(measured),
        )
        failures = {self.probe.name: self._lateness()} if late else {}
        return Reading({self.probe.name: part}, failures, unsupported=frozenset(), tables=1)

    def _begin(self) -> "asyncio.Future[Sequence[Measured]]":
        loop = asyncio.get_running_loop()
        finished: asyncio.Future[Sequence[Measured]] = loop.create_future()
        finished.add_done_callback(_look_at)

        def work() -> None:
            try:
                measured = self.probe.measure()
            except BaseException as error:  # noqa: BLE001  whatever it is, it belongs to whoever reads
                _hand_over(loop, finished.set_exception, error)
            else:
                _hand_over(loop, finished.set_result, measured)

        threading.Thread(target=work, name=f"probe-{self.probe.name}", daemon=True).start()
        return finished

    def _lateness(self) -> RouterError:
        return CommandDeadline(
            f"no measurement within {self._deadline_s:g} s", path=self.probe.name, allowed_s=self._deadline_s
        )


def _hand_over(loop: asyncio.AbstractEventLoop, take: Callable[[T], None], what: T) -> None:
    with contextlib.suppress(RuntimeError):  # the loop ended meanwhile: nobody waits any more
        loop.call_soon_threadsafe(take, what)


def _look_at(finished: "asyncio.Future[Sequence[Measured]]") -> None:
    """Take note of an error that came too late to be read, so that asyncio does not complain of it."""
    if not finished.cancelled():
        finished.exception()


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
