"""How many messages may go: sliding windows with reserved rooms. Pure: stamps and the time are handed in.

A window of 20 per 60 s holds in every 60 s, not only on average: what counts is a log of stamps, oldest first.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

SOONEST_S = 0.001
"""The shortest wait that is told, so that a rounded difference of two floats cannot make anybody spin."""


class Room(Enum):
    """Whose share of a limit a message uses."""

    CRITICAL = "critical"
    NORMAL = "normal"
    REPLY = "reply"  # answers to operators, and probes


COURTESY = {Room.CRITICAL: 0.0, Room.REPLY: 0.05, Room.NORMAL: 0.15}
"""The share of the spacing that a room waits longer, so that who is more urgent wakes up first and goes first."""


class Stamp(NamedTuple):
    """A message that was allowed, in seconds of one monotonic clock. `mark` tells it from all others."""

    at_s: float
    room: Room
    mark: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """At most `count` in any `seconds`. A room has `reserved` of them, which no other room can take.

    `burst`: once a room has so many in the window, the rest of its share is spread evenly instead of being spent at
    once, so that nobody waits for long after a storm began.

    Raises:
        ValueError: a number is not positive, or the reservations leave a room without any.
    """

    count: int
    seconds: float
    reserved: Mapping[Room, int] = field(default_factory=dict)
    burst: int | None = None

    def __post_init__(self) -> None:
        if self.count < 1 or self.seconds <= 0 or (self.burst is not None and self.burst < 1):
            raise ValueError("count, seconds and burst must be more than zero")
        if any(reserved < 0 for reserved in self.reserved.values()):
            raise ValueError("a reservation cannot be less than zero")
        for room in Room:
            if self.share(room) < 1:
                raise ValueError(f"the reservations leave nothing of {self.count} for {room.value} messages")

    def share(self, room: Room) -> int:
        """The most that `room` can have in the window: all but what is reserved for others."""
        return self.count - sum(count for other, count in self.reserved.items() if other is not room)

    def pace_s(self, room: Room) -> float:
        """The distance that messages of `room` keep beyond the burst; 0 when they need not."""
        if self.burst is None or self.burst >= self.share(room):
            return 0.0
        return self.seconds / (self.share(room) - self.burst + 1)


@dataclass(frozen=True, slots=True)
class Policy:
    """What a bucket allows: `spacing_s` between any two, and every window.

    `slack_s` is how much later than it was allowed a message may leave: windows and spacing are longer by it, so
    that they hold where the messages arrive. It also covers clocks that do not run equally fast.
    """

    spacing_s: float = 0.0
    windows: tuple[Window, ...] = ()
    slack_s: float = 0.0

    def __post_init__(self) -> None:
        if self.spacing_s < 0 or self.slack_s < 0:
            raise ValueError("spacing_s and slack_s cannot be less than zero")

    @property
    def horizon_s(self) -> float:
        """Older stamps do not matter any more."""
        longest_s = max((window.seconds for window in self.windows), default=0.0)
        return max(longest_s, self.spacing_s * (1 + max(COURTESY.values()))) + self.slack_s


def wait_s(policy: Policy, stamps: Sequence[Stamp], room: Room, now_s: float) -> float:
    """Seconds until a message of `room` may go if nobody else goes before; 0 when it may go now."""
    at_s = now_s
    if stamps and policy.spacing_s > 0:
        spacing_s = policy.spacing_s * (1 + COURTESY[room]) + policy.slack_s
        at_s = max(at_s, stamps[-1].at_s + spacing_s)
    for window in policy.windows:
        at_s = max(at_s, _free_at_s(window, window.seconds + policy.slack_s, stamps, room, now_s))
    return max(SOONEST_S, at_s - now_s) if at_s > now_s else 0.0


def left(policy: Policy, stamps: Sequence[Stamp], room: Room, now_s: float) -> int | None:
    """How many more of `room` the windows take at once, pace and spacing apart; None without windows."""
    found = (
        max(0, _free(window, _used(_inside(stamps, window.seconds + policy.slack_s, now_s)), room))
        for window in policy.windows
    )
    return min(found, default=None)


def pruned(policy: Policy, stamps: Iterable[Stamp], now_s: float) -> tuple[Stamp, ...]:
    """The stamps that still matter."""
    horizon_s = policy.horizon_s
    return tuple(stamp for stamp in stamps if stamp.at_s + horizon_s > now_s)


def _inside(stamps: Iterable[Stamp], seconds: float, now_s: float) -> list[Stamp]:
    return [stamp for stamp in stamps if stamp.at_s + seconds > now_s]


def _used(stamps: Iterable[Stamp]) -> dict[Room, int]:
    used = dict.fromkeys(Room, 0)
    for stamp in stamps:
        used[stamp.room] += 1
    return used


def _free(window: Window, used: Mapping[Room, int], room: Room) -> int:
    """What `room` may still take: all that is not used, but for what others have reserved and not used."""
    kept = sum(max(0, count - used[other]) for other, count in window.reserved.items() if other is not room)
    return window.count - sum(used.values()) - kept


def _free_at_s(window: Window, seconds: float, stamps: Sequence[Stamp], room: Room, now_s: float) -> float:
    inside = _inside(stamps, seconds, now_s)
    used = _used(inside)
    at_s = now_s
    pace_s = window.pace_s(room)
    if pace_s > 0 and used[room] >= (window.burst or 0):
        newest_s = max(stamp.at_s for stamp in inside if stamp.room is room)
        at_s = max(at_s, newest_s + pace_s)
    for stamp in inside:
        if _free(window, used, room) > 0:
            break
        used[stamp.room] -= 1
        at_s = max(at_s, stamp.at_s + seconds)
    return at_s
