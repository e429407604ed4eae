"""How much one person may write. No input, no output; monotonic seconds."""

from collections import deque
from dataclasses import dataclass, field
from enum import Enum, auto

WINDOW_S = 60.0


class Room(Enum):
    """Whether one more message is answered."""

    FREE = auto()
    JUST_FULL = auto()  # say so, once
    FULL = auto()


@dataclass(slots=True)
class _Sent:
    stamps: deque[float] = field(default_factory=deque)
    told_at_s: float | None = None


class Quotas:
    """Counts the messages of each person; belongs to one process."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._by_person: dict[str, _Sent] = {}

    def take(self, person: str, now_s: float) -> Room:
        """Counts a message that came in at `now_s` and says whether there was room for it."""
        sent = self._by_person.setdefault(person, _Sent())
        while sent.stamps and now_s - sent.stamps[0] >= WINDOW_S:
            sent.stamps.popleft()
        if len(sent.stamps) < self._per_minute:
            sent.stamps.append(now_s)
            return Room.FREE
        if sent.told_at_s is None or now_s - sent.told_at_s >= WINDOW_S:
            sent.told_at_s = now_s
            return Room.JUST_FULL
        return Room.FULL
