"""How many commands one router works off side by side, found out by asking: pure, times are handed in.

The idea is TCP Vegas: latency that grows with the number in flight is a queue inside the router, and more in
flight would only make it longer. What a command takes when the router has nothing else to do, its baseline,
is measured per menu on commands that were sent alone. The slowdown of a later one is latency over baseline: 1
when it ran undisturbed among `n`, n when the router works off one at a time; of the `n`, `n * (1 - 1/slowdown)`
stood in a queue. Slowdowns are averaged, geometrically, before they are judged: when latencies of a parallel
router jitter, both they and their baselines do, and this mean is then still 1.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import exp, log

START = 4.0
FLOOR = 1.0
CEILING = 16.0
BASELINE_WEIGHT = 0.25
"""Weight of a new clean sample in a menu's baseline."""
SLOWDOWN_WEIGHT = 0.06
"""Least weight of new evidence in the average slowdown; the first pieces weigh more, as in a plain mean."""
GROW_BELOW = (0.7, 0.15)
SHRINK_ABOVE = (1.5, 0.35)
"""Queue lengths that move the limit: the larger of a number and a share of those in flight."""
CLEAN_BEFORE_PROBE = 20
"""Commands one at a time, after which two at once are tried again."""
MAX_MENUS = 512


@dataclass(slots=True)
class Flight:
    """One command on its way; `in_flight` counts itself."""

    menu: str
    sent_s: float
    in_flight: int
    epoch: int
    telling: bool


class InFlightLimit:
    """The limit and what is in flight under it.

    `pinned` fixes the limit. `changed` hears of each new limit.
    """

    def __init__(self, *, pinned: int | None = None, changed: Callable[[float], None] | None = None) -> None:
        self._pinned = pinned
        self._changed = changed
        self._limit = float(pinned) if pinned is not None else START
        self._allowed = int(self._limit)
        self._in_flight = 0
        self._epoch = 0
        self._slowdown_log = 0.0
        self._evidence = 1
        self._clean = 0
        self._baselines: OrderedDict[str, float] = OrderedDict()

    def __repr__(self) -> str:
        kind = "pinned" if self._pinned is not None else f"slowdown={exp(self._slowdown_log):.2f}"
        return f"<InFlightLimit {self._limit:.1f} in_flight={self._in_flight} {kind}>"

    @property
    def limit(self) -> float:
        return self._limit

    @property
    def in_flight(self) -> int:
        return self._in_flight

    @property
    def has_room(self) -> bool:
        """One more may be sent now."""
        return self._in_flight < self._allowed

    def baseline_s(self, menu: str) -> float | None:
        """What a command of this menu takes alone; None while it never ran alone."""
        return self._baselines.get(menu)

    def started(self, menu: str, now_s: float, *, telling: bool = True) -> Flight:
        """A command goes out; `telling` is False when its latency says nothing, as with huge replies."""
        self._in_flight += 1
        return Flight(menu, now_s, self._in_flight, self._epoch, telling)

    def answered(self, flight: Flight, now_s: float) -> None:
        """It has its whole answer."""
        self._in_flight -= 1
        if self._pinned is None and flight.telling:
            self._learn(flight, max(now_s - flight.sent_s, 1e-6))

    def ended(self, flight: Flight) -> None:
        """It ended without an answer, or with one that tells nothing."""
        self._in_flight -= 1

    def halve(self) -> None:
        """The router lost its way under this many."""
        if self._pinned is None:
            self._move(self._limit / 2)

    def _learn(self, flight: Flight, latency_s: float) -> None:
        count, baseline_s = flight.in_flight, self._baselines.get(flight.menu)
        if count == 1:
            self._learn_baseline(flight.menu, baseline_s, latency_s)
            return
        if baseline_s is None or flight.epoch != self._epoch:
            return
        self._evidence += 1
        weight = max(SLOWDOWN_WEIGHT, 1.0 / self._evidence)
        self._slowdown_log += weight * (log(latency_s / baseline_s) - self._slowdown_log)
        gain = min(1.0, exp(-self._slowdown_log))
        queue = count * (1.0 - gain)
        if queue > max(SHRINK_ABOVE[0], SHRINK_ABOVE[1] * count):
            self._move(float(int(count * gain)))
            self._begin_evidence()
        elif count >= self._allowed and queue < max(GROW_BELOW[0], GROW_BELOW[1] * count):
            self._move(self._limit + 1)

    def _begin_evidence(self) -> None:
        """Forget the slowdown; at a small limit without benefit of the doubt, which one piece would outweigh."""
        self._slowdown_log = 0.0
        self._evidence = 1 if self._limit >= START else 0

    def _learn_baseline(self, menu: str, baseline_s: float | None, latency_s: float) -> None:
        if baseline_s is None:
            if len(self._baselines) >= MAX_MENUS:
                self._baselines.popitem(last=False)
            self._baselines[menu] = latency_s
        else:
            self._baselines[menu] = baseline_s + BASELINE_WEIGHT * (latency_s - baseline_s)
        self._clean += 1
        if self._allowed == 1 and self._clean >= CLEAN_BEFORE_PROBE:
            self._move(2.0)
            self._begin_evidence()

    def _move(self, limit: float) -> None:
        """The only place that assigns the limit; evidence gathered under the old one no longer counts."""
        limit = min(CEILING, max(FLOOR, limit))
        if limit == self._limit:
            return
        self._limit, self._allowed = limit, int(limit)
        self._epoch += 1
        self._clean = 0
        if self._changed is not None:
            self._changed(limit)
