"""How fast and how late one may write to a person through Meta's Cloud API."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

WINDOW_S = 24 * 3600.0
PAIR_PACE_S = 6.0
BURST = 45
BURST_WITHIN_S = 6.0
THROUGHPUT = 80
"""Messages a second of one sending number."""


@dataclass(slots=True)
class PairRate:
    """One message per 6 s to a person; a burst is lent against the time after it. Times are monotonic seconds."""

    paid_until_s: float = 0.0
    burst_began_s: float = -1e9
    burst: int = 0

    def take(self, now_s: float) -> bool:
        """Whether one more may go now."""
        if now_s >= self.paid_until_s:
            self.burst_began_s, self.burst = now_s, 0
            self.paid_until_s = now_s
        elif now_s - self.burst_began_s > BURST_WITHIN_S or self.burst >= BURST:
            return False
        self.burst += 1
        self.paid_until_s += PAIR_PACE_S
        return True


@dataclass(slots=True)
class Throughput:
    """Messages of the last second."""

    times_s: deque[float] = field(default_factory=deque)

    def take(self, now_s: float) -> bool:
        """Whether one more may go now."""
        while self.times_s and now_s - self.times_s[0] >= 1.0:
            self.times_s.popleft()
        if len(self.times_s) >= THROUGHPUT:
            return False
        self.times_s.append(now_s)
        return True


@dataclass(slots=True)
class Windows:
    """When each person last wrote (Unix seconds)."""

    wrote_s: dict[str, float] = field(default_factory=dict)

    def is_open(self, person: str, now_s: float) -> bool:
        """Whether anything but a template may be sent."""
        wrote_s = self.wrote_s.get(person)
        return wrote_s is not None and now_s - wrote_s < WINDOW_S
