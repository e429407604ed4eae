"""How well each router has been answering lately: a bounded window over its latest commands."""

import math
import time
from array import array
from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from operator import sub
from typing import TypeVar

T = TypeVar("T", int, float)

WINDOW_COMMANDS = 256
WINDOW_S = 300.0
ANSWERED = frozenset({"ok", "unsupported"})
"""Outcomes that are the router's proper answer; that it lacks a menu is one."""


@dataclass(frozen=True, slots=True)
class Recent:
    """What the commands of the last minutes say. Ratios and quantiles are None where no command was sent."""

    commands: int = 0
    answered: int = 0
    span_s: float = 0.0
    mean_in_flight: float | None = None
    """Commands the router had at once on average: the sum of their durations over the time they span."""
    p50_s: float | None = None
    p95_s: float | None = None
    p99_s: float | None = None

    @property
    def success_ratio(self) -> float | None:
        """Share of the commands that were answered."""
        return self.answered / self.commands if self.commands else None


NOTHING_RECENT = Recent()


class Ring:
    """The latest commands of one router in three flat arrays: 4 KiB, and no object per command."""

    __slots__ = ("_capacity", "_count", "_durations_s", "_ended_s", "_ok")

    def __init__(self, capacity: int = WINDOW_COMMANDS) -> None:
        self._capacity = capacity
        self._count = 0
        self._ended_s = array("d", bytes(8 * capacity))
        self._durations_s = array("d", bytes(8 * capacity))
        self._ok = array("b", bytes(capacity))

    def add(self, ended_s: float, duration_s: float, ok: bool) -> None:
        """Take the place of the oldest command."""
        place = self._count % self._capacity
        self._ended_s[place] = ended_s
        self._durations_s[place] = duration_s
        self._ok[place] = ok
        self._count += 1

    def since(self, moment_s: float) -> Recent:
        """What the commands that ended at `moment_s` or later say."""
        ended_s = self._in_order(self._ended_s)
        first = bisect_left(ended_s, moment_s)
        if first == len(ended_s):
            return NOTHING_RECENT
        ended_s = ended_s[first:]
        durations_s = self._in_order(self._durations_s)[first:]
        span_s = ended_s[-1] - min(map(sub, ended_s, durations_s))
        ascending = sorted(durations_s)
        return Recent(
            commands=len(ended_s),
            answered=sum(self._in_order(self._ok)[first:]),
            span_s=span_s,
            mean_in_flight=sum(ascending) / span_s if span_s > 0 else None,
            p50_s=quantile(ascending, 0.5),
            p95_s=quantile(ascending, 0.95),
            p99_s=quantile(ascending, 0.99),
        )

    def _in_order(self, column: "array[T]") -> "array[T]":
        """The filled part of a column, oldest first; whole-column work, since a page asks it of every router."""
        if self._count <= self._capacity:
            return column[: self._count]
        place = self._count % self._capacity
        return column[place:] + column[:place]


def quantile(ascending: Sequence[float], share: float) -> float:
    """The smallest of the values that at least `share` of them do not exceed (nearest rank)."""
    return ascending[max(0, math.ceil(share * len(ascending)) - 1)]


class Performance:
    """Keeps a window for each router.

    It hears of commands as an observer, together with `SelfMetrics`:

        performance = Performance()
        Router(target, ..., observer=Observers(self_metrics, performance=performance))
        app[PERFORMANCE] = performance

    and is told by `keep` which routers a new configuration leaves.
    """

    def __init__(self, *, window_s: float = WINDOW_S, clock: Callable[[], float] = time.monotonic) -> None:
        self.window_s = window_s
        self._clock = clock
        self._rings: dict[str, Ring] = {}

    def __repr__(self) -> str:
        return f"<Performance routers={len(self._rings)} window_s={self.window_s:g}>"

    def command_finished(self, router: str, path: str, outcome: str, duration_s: float, rows: int) -> None:
        """See `routeros.Observer`. A command that we gave up ourselves says nothing of the router."""
        if outcome == "cancelled":
            return
        ring = self._rings.get(router)
        if ring is None:
            ring = self._rings[router] = Ring()
        ring.add(self._clock(), duration_s, outcome in ANSWERED)

    def recent(self, router: str) -> Recent:
        """What the last `window_s` seconds, at most `WINDOW_COMMANDS` commands, say of a router."""
        ring = self._rings.get(router)
        return ring.since(self._clock() - self.window_s) if ring is not None else NOTHING_RECENT

    def keep(self, routers: Collection[str]) -> None:
        """Forget every router but these."""
        self._rings = {name: ring for name, ring in self._rings.items() if name in routers}
