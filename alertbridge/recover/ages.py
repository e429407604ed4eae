"""How long ago something was done, whatever wall clocks do in between.

A stamp of this machine's boot is read by the monotonic clock and is exact, also after a restart of the program. One
of another machine or of an earlier boot is read by the wall clock; when that would place it in the future, it counts
from the moment at which this process first saw it. So no jump makes a stamp older than the wall clock of an honest
machine says, and none keeps it young for longer than its own length.
"""

from dataclasses import dataclass, field

from alertbridge.deliver.limit.bootclock import boot_name
from runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class Stamp:
    """A moment as it is stored: Unix seconds, and seconds of the monotonic clock of `boot`."""

    at_s: float
    boot: str
    boot_s: float


@dataclass(slots=True)
class Ages:
    """Makes stamps and tells their age."""

    clock: Clock
    boot: str = field(default_factory=boot_name)
    _first_seen_s: dict[Stamp, float] = field(default_factory=dict)

    def stamp(self) -> Stamp:
        """Now."""
        return Stamp(self.clock.time(), self.boot, self.clock.monotonic())

    def age_s(self, stamp: Stamp) -> float:
        """Seconds since `stamp`; never negative."""
        now_s = self.clock.monotonic()
        if stamp.boot == self.boot and stamp.boot_s <= now_s:
            return now_s - stamp.boot_s
        by_wall_s = self.clock.time() - stamp.at_s
        if by_wall_s >= 0 and stamp not in self._first_seen_s:
            return by_wall_s
        return now_s - self._first_seen_s.setdefault(stamp, now_s)
