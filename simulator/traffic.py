"""Traffic that moves by itself: counters are computed when they are read, from a clock and a known rate.

A rate swings slowly around its mean, rate(t) = mean * (1 + SWING * sin(2 pi t / PERIOD + phase)), and a
counter is its exact integral. Flows share a few phases, so one reading of a table computes few sines.
"""

import math
import random
from typing import NamedTuple

PHASES = 16
PERIOD_S = 900.0
SWING = 0.25

_OMEGA = 2 * math.pi / PERIOD_S
_OFFSETS = tuple(2 * math.pi * index / PHASES for index in range(PHASES))


def seeded(*parts: object) -> random.Random:
    """A generator that gives the same numbers for the same parts, on any machine."""
    return random.Random("/".join(map(str, parts)))  # noqa: S311 - believable data, not a secret


class Rate(NamedTuple):
    """Bytes per second, seen from the interface: what it receives, what it transmits."""

    rx_bytes_per_s: float
    tx_bytes_per_s: float


class Moment:
    """One instant at which tables are read; all rows of a reply show the same instant."""

    __slots__ = ("now_s", "slopes", "wall_s", "waves")

    def __init__(self, now_s: float, since_start_s: float, wall_s: float, *, swing: float = SWING) -> None:
        self.now_s = now_s
        self.wall_s = wall_s
        angle = since_start_s * _OMEGA
        self.waves = [
            since_start_s + swing / _OMEGA * (math.cos(phase) - math.cos(angle + phase)) for phase in _OFFSETS
        ]
        """Seconds at mean rate that have passed for each phase: the integral of the swing."""
        self.slopes = [1.0 + swing * math.sin(angle + phase) for phase in _OFFSETS]


class Flow:
    """Two counters with known rates. `rx` is what the interface receives: a subscriber's upload."""

    __slots__ = ("_mark", "_moving", "_rx", "_tx", "packet_bytes", "phase", "rx_mean", "tx_mean")

    def __init__(
        self, rx_mean: float, tx_mean: float, moment: Moment, *, phase: int = 0, age_s: float = 0.0
    ) -> None:
        """Means are bytes per second; `age_s` is for how long it has been running already."""
        self.rx_mean = rx_mean
        self.tx_mean = tx_mean
        self.phase = phase % PHASES
        self.packet_bytes = 700 + 40 * self.phase
        self._mark = moment.waves[self.phase]
        self._rx = rx_mean * age_s
        self._tx = tx_mean * age_s
        self._moving = True

    def __repr__(self) -> str:
        state = "moving" if self._moving else "standing"
        return f"<Flow {state} rx {self.rx_mean:.0f} B/s tx {self.tx_mean:.0f} B/s>"

    def rx(self, moment: Moment) -> int:
        """Bytes received up to `moment`."""
        if self._moving:
            return int(self._rx + self.rx_mean * (moment.waves[self.phase] - self._mark))
        return int(self._rx)

    def tx(self, moment: Moment) -> int:
        """Bytes transmitted up to `moment`."""
        if self._moving:
            return int(self._tx + self.tx_mean * (moment.waves[self.phase] - self._mark))
        return int(self._tx)

    def rate(self, moment: Moment) -> Rate:
        """The true rates at `moment`."""
        slope = moment.slopes[self.phase] if self._moving else 0.0
        return Rate(self.rx_mean * slope, self.tx_mean * slope)

    def stop(self, moment: Moment) -> None:
        """Counters stand still from `moment` on."""
        if self._moving:
            self._settle(moment)
            self._moving = False

    def start(self, moment: Moment) -> None:
        """Counters move again from `moment` on."""
        self._mark = self._mark if self._moving else moment.waves[self.phase]
        self._moving = True

    def reset(self, moment: Moment) -> None:
        """Both counters are zero at `moment`."""
        self._rx = self._tx = 0.0
        self._mark = moment.waves[self.phase]

    def _settle(self, moment: Moment) -> None:
        passed = moment.waves[self.phase] - self._mark
        self._rx += self.rx_mean * passed
        self._tx += self.tx_mean * passed
        self._mark = moment.waves[self.phase]
