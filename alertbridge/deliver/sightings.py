"""When something is due, whatever the wall clock does. Pure.

Rows hold wall time, and wall time jumps: a router without a battery steps back an hour, NTP steps forward a day.
What a row says is therefore believed once, when it is seen first, within bounds; from then on the monotonic clock
counts.
"""

from collections.abc import Collection, Hashable

from runtime.clock import Clock


class Sightings:
    """Moments, by key, in monotonic seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due_s: dict[Hashable, float] = {}
        self._since_s: dict[Hashable, float] = {}

    def remaining_s(self, key: Hashable, at_s: float, *, longest_s: float) -> float:
        """Seconds until what a row says is due at `at_s` (Unix seconds); 0 or less when it is.

        Never more than `longest_s` from when `key` was seen first.
        """
        now_s = self._clock.monotonic()
        due_s = self._due_s.get(key)
        if due_s is None:
            due_s = now_s + min(max(at_s - self._clock.time(), -1e9), longest_s)
            self._due_s[key] = due_s
        return due_s - now_s

    def age_s(self, key: Hashable, since_s: float) -> float:
        """Seconds since `since_s` (Unix seconds), a time in the future counting as now."""
        now_s = self._clock.monotonic()
        began_s = self._since_s.get(key)
        if began_s is None:
            began_s = now_s - max(0.0, self._clock.time() - since_s)
            self._since_s[key] = began_s
        return now_s - began_s

    def keep(self, keys: Collection[Hashable]) -> None:
        """Forgets everything else."""
        for table in (self._due_s, self._since_s):
            for key in [key for key in table if key not in keys]:
                del table[key]
