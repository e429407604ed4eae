"""A lane is a recipient's way: what goes through it goes in order, one message at a time. Plain data.

Way 0 is the first one, the others are the fallbacks in their order. A notice that waits for another way than the
first says so in its `reason`: ``way1:no_ack``.
"""

import re
from typing import NamedTuple

_WAITING = re.compile(r"way(\d+):(.*)")
REASON_CHARACTERS = 40


class Lane(NamedTuple):
    """`str()` is its name in the table `lanes` and in the names of limits."""

    recipient: str
    way: int = 0

    def __str__(self) -> str:
        return self.recipient if self.way == 0 else f"{self.recipient}#{self.way}"


def waiting(way: int, why: str) -> str:
    """The reason of a notice that waits for `way`, and why it does."""
    return f"way{way}:{why}"[:REASON_CHARACTERS] if way or why else ""


def read_waiting(reason: str) -> tuple[int, str]:
    """The way that a pending notice waits for, and why: the other way round."""
    found = _WAITING.fullmatch(reason)
    return (int(found[1]), found[2]) if found else (0, "")
