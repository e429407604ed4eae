"""What time it is, as something that can be handed in, so that tests move time instead of waiting for it."""

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time in seconds."""

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back. For durations and deadlines."""
        ...

    def time(self) -> float:
        """Seconds since 1970. For what people read."""
        ...


class SystemClock:
    """The machine's clock."""

    def monotonic(self) -> float:
        return time.monotonic()

    def time(self) -> float:
        return time.time()
