"""What is known of one collector on one router, how old it is, and the one refresh that may be under way."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from exporter.collectors.reader import Part, Reading
from routeros import NotAttempted, RouterError, RouterUnreachable, failure_class

_log = structlog.stdlib.get_logger("exporter")

UNREACHABLE_RETRY_S = 1.0
"""A refresh that could not reach the router may be tried again sooner than its TTL: nothing was read."""


class Reads(Protocol):
    """Something that can be read: `exporter.collectors.reader.Reader`."""

    async def read(self) -> Reading:
        """One reading; failures are inside it."""


@dataclass(slots=True)
class Served:
    """How often a slot could answer from what it had; only ever grows."""

    hits: int = 0
    misses: int = 0
    joined: int = 0
    stale: int = 0


@dataclass(slots=True)
class Slot:
    """One collector of one router: the last good parts, their age, and at most one refresh at a time.

    A result is fresh for `ttl_s` from the start of the reading that gave it; a part that cannot be read again is
    served up to `max_stale_s` after it was read, and then it is gone. `finished` is told every reading.
    """

    reader: Reads
    ttl_s: float
    max_stale_s: float
    finished: Callable[["Slot", Reading], None]
    clock: Callable[[], float] = time.monotonic
    served: Served = field(default_factory=Served)
    last: Reading | None = None
    duration_s: float | None = None
    failures: Counter[str] = field(default_factory=Counter)
    unparsable: int = 0
    failing_since_s: float | None = None
    """When the first of the readings that failed in a row, up to the last one, had begun."""
    started_s: float | None = None
    """When the latest refresh began (monotonic); None before the first."""
    _parts: dict[str, Part] = field(default_factory=dict)
    _task: asyncio.Task[Reading] | None = None

    def __repr__(self) -> str:
        state = "refreshing" if self._task else "idle"
        return f"<Slot {self.reader!r} {state} parts={sorted(self._parts)} failures={sum(self.failures.values())}>"

    def begin(self) -> asyncio.Task[Reading] | None:
        """The refresh to wait for, started now unless one is under way; None while what is there is fresh."""
        if self._task is not None:
            self.served.joined += 1
            return self._task
        if self._is_fresh(self.clock()):
            self.served.hits += 1
            return None
        self.served.misses += 1
        self._task = asyncio.create_task(self._refresh())
        return self._task

    def _is_fresh(self, now_s: float) -> bool:
        if self.started_s is None or self.last is None:
            return False
        ttl_s = self.ttl_s
        if not self.last.parts:
            errors = self.last.failures.values()
            if any(isinstance(error, NotAttempted) for error in errors):
                return False  # nothing was sent, so asking again costs the router nothing
            if any(isinstance(error, RouterUnreachable) for error in errors):
                ttl_s = min(UNREACHABLE_RETRY_S, ttl_s)
        return now_s - self.started_s < ttl_s

    async def _refresh(self) -> Reading:
        started_s = self.started_s = self.clock()
        try:
            reading = await self.reader.read()
        except Exception as broken:  # noqa: BLE001  # the edge of one collector: its fault must not cost a scrape
            _log.exception("collector.broke", reader=repr(self.reader))
            fault = RouterError(f"fault of the exporter: {type(broken).__name__}")
            reading = Reading(parts={}, failures={"reader": fault}, unsupported=frozenset(), tables=1)
        finally:
            self._task = None
        self.duration_s = self.clock() - started_s
        self.last = reading
        if reading.succeeded:
            self.failing_since_s = None
        elif self.failing_since_s is None:
            self.failing_since_s = started_s
        self._parts = self._servable()  # what is too old to be served is let go
        self._parts.update(reading.parts)
        for name in reading.unsupported:
            self._parts.pop(name, None)
        for failure in reading.failures.values():
            self.failures[failure_class(failure)] += 1
        self.unparsable += sum(n for part in reading.parts.values() for n, _ in part.unparsable.values())
        self.finished(self, reading)
        return reading

    def parts(self) -> list[Part]:
        """What may be served now: every part that is not older than `max_stale_s`."""
        found = self._servable()
        if self.last is not None and self.last.failures:
            self.served.stale += sum(name in self.last.failures for name in found)
        return list(found.values())

    def holds(self, table: str) -> bool:
        """Whether a part of that name is there that may be served."""
        return table in self._servable()

    def _servable(self) -> dict[str, Part]:
        oldest_s = self.clock() - max(self.max_stale_s, self.ttl_s)
        return {name: part for name, part in self._parts.items() if part.read_at_s >= oldest_s}

    @property
    def age_s(self) -> float | None:
        """Age of the oldest part that is served; None while there is none."""
        now_s = self.clock()
        return max((now_s - part.read_at_s for part in self._servable().values()), default=None)

    @property
    def is_refreshing(self) -> bool:
        """Whether a refresh is under way."""
        return self._task is not None

    @property
    def refreshing_since_s(self) -> float | None:
        """When the refresh under way began (monotonic); None while there is none."""
        return self.started_s if self._task is not None else None

    @property
    def left_out(self) -> int:
        """Rows of what is served that have no series of their own."""
        return sum(part.left_out for part in self._servable().values())

    @property
    def last_error(self) -> RouterError | None:
        """The first failure of the last reading."""
        return next(iter(self.last.failures.values()), None) if self.last else None

    async def close(self) -> None:
        """End the refresh that is under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
