"""Circuit breaker of one router: pure, the clock and the dice are handed in."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum
from random import random

from routeros.errors import BreakerOpen
from routeros.settings import BreakerSettings


class BreakerState(Enum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class BreakerEvent(Enum):
    LIMIT_REACHED = "limit_reached"
    REFUSED = "refused"
    COOLED_DOWN = "cooled_down"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ABANDONED = "abandoned"
    RESET = "reset"


TRANSITIONS: dict[tuple[BreakerState, BreakerEvent], BreakerState] = {
    (BreakerState.CLOSED, BreakerEvent.LIMIT_REACHED): BreakerState.OPEN,
    (BreakerState.CLOSED, BreakerEvent.REFUSED): BreakerState.OPEN,
    (BreakerState.CLOSED, BreakerEvent.RESET): BreakerState.CLOSED,
    (BreakerState.OPEN, BreakerEvent.COOLED_DOWN): BreakerState.HALF_OPEN,
    (BreakerState.OPEN, BreakerEvent.RESET): BreakerState.CLOSED,
    (BreakerState.HALF_OPEN, BreakerEvent.SUCCEEDED): BreakerState.CLOSED,
    (BreakerState.HALF_OPEN, BreakerEvent.FAILED): BreakerState.OPEN,
    (BreakerState.HALF_OPEN, BreakerEvent.REFUSED): BreakerState.OPEN,
    (BreakerState.HALF_OPEN, BreakerEvent.ABANDONED): BreakerState.OPEN,
    (BreakerState.HALF_OPEN, BreakerEvent.RESET): BreakerState.CLOSED,
}


class Breaker:
    """Says whether the router may be asked.

    Each permission is a generation number; results of an older generation change nothing, so an answer that
    comes late cannot close or open what has moved on since. A run of failures is counted by incident: what
    was begun before the last counted failure happened belongs to the same incident and counts once, so that
    fifteen commands lost with one connection are one failure.
    """

    def __init__(
        self,
        settings: BreakerSettings | None = None,
        *,
        router: str = "",
        clock: Callable[[], float] = time.monotonic,
        dice: Callable[[], float] = random,
        changed: Callable[[BreakerState, BreakerState], None] | None = None,
    ) -> None:
        self._settings = settings or BreakerSettings()
        self._router = router
        self._clock = clock
        self._dice = dice
        self._changed = changed
        self._state = BreakerState.CLOSED
        self._generation = 0
        self._failures = 0
        self._last_failure_s = float("-inf")
        self._cooldown_s = self._settings.cooldown_s
        self._retry_at_s = 0.0
        self._why = ""
        self._cause: Exception | None = None

    @property
    def state(self) -> BreakerState:
        return self._state

    @property
    def generation(self) -> int:
        """What results must bear to count; each change of state begins a new one."""
        return self._generation

    @property
    def failures(self) -> int:
        """Consecutive failures counted so far."""
        return self._failures

    @property
    def retry_in_s(self) -> float | None:
        """Seconds until the next probe may go; 0 when it may go now; None while closed."""
        if self._state is BreakerState.CLOSED:
            return None
        return max(0.0, self._retry_at_s - self._clock())

    @property
    def why(self) -> str:
        """What opened it last, in words; empty while it never opened."""
        return self._why

    @property
    def cause(self) -> Exception | None:
        """The error that opened it last; None while it never opened, and after a reset."""
        return self._cause

    def __repr__(self) -> str:
        retry_in_s = self.retry_in_s
        tail = "" if retry_in_s is None else f" retry_in_s={retry_in_s:.1f} why={self._why!r}"
        return f"<Breaker {self._state.value} failures={self._failures}{tail}>"

    def admit(self) -> int:
        """Permission to send, as a generation number; the first one after the cooldown is the probe.

        Raises: BreakerOpen, with the seconds until the next try.
        """
        if self._state is BreakerState.CLOSED:
            return self._generation
        wait_s = self._retry_at_s - self._clock()
        if self._state is BreakerState.OPEN and wait_s <= 0:
            self._apply(BreakerEvent.COOLED_DOWN)
            return self._generation
        if self._state is BreakerState.HALF_OPEN:
            raise BreakerOpen(
                f"not asked: a single probe is on its way after {self._why}",
                router=self._router,
                retry_in_s=None,
            )
        raise BreakerOpen(
            f"not asked for another {wait_s:.0f} s: {self._why}", router=self._router, retry_in_s=wait_s
        )

    def succeeded(self, generation: int) -> None:
        """The router answered: the run of failures is over."""
        if generation != self._generation:
            return
        self._failures = 0
        if self._state is BreakerState.HALF_OPEN:
            self._cooldown_s = self._settings.cooldown_s
            self._apply(BreakerEvent.SUCCEEDED)

    def failed(self, generation: int, error: Exception, *, begun_s: float) -> None:
        """The router did not answer something that was begun at `begun_s` of this breaker's clock."""
        stale = generation != self._generation or begun_s < self._last_failure_s
        if stale or self._state is BreakerState.OPEN:
            return
        self._failures += 1
        self._last_failure_s = self._clock()
        if self._state is BreakerState.HALF_OPEN:
            self._open(BreakerEvent.FAILED, f"the probe failed: {_words(error)}", error, longer=True)
        elif self._failures >= self._settings.failure_limit:
            self._open(
                BreakerEvent.LIMIT_REACHED,
                f"{self._failures} failures in a row, last {_words(error)}",
                error,
            )

    def refused(self, generation: int, error: Exception) -> None:
        """The router refused the login: open at once."""
        if generation != self._generation or self._state is BreakerState.OPEN:
            return
        self._failures += 1
        self._last_failure_s = self._clock()
        longer = self._state is BreakerState.HALF_OPEN
        self._open(BreakerEvent.REFUSED, f"the login was refused ({_words(error)})", error, longer=longer)

    def abandoned(self, generation: int) -> None:
        """The probe ended without telling anything about the router; another may go at once."""
        if generation == self._generation and self._state is BreakerState.HALF_OPEN:
            self._apply(BreakerEvent.ABANDONED)

    def reset(self) -> None:
        """Close it by hand."""
        self._failures = 0
        self._cooldown_s = self._settings.cooldown_s
        self._why = ""
        self._cause = None
        self._apply(BreakerEvent.RESET)

    def _open(self, event: BreakerEvent, why: str, cause: Exception, *, longer: bool = False) -> None:
        if longer:
            self._cooldown_s = min(self._settings.max_cooldown_s, self._cooldown_s * 2)
        jitter = 1.0 + self._settings.jitter_ratio * (2.0 * self._dice() - 1.0)
        self._retry_at_s = self._clock() + self._cooldown_s * jitter
        self._why = why
        self._cause = cause
        self._apply(event)

    def _apply(self, event: BreakerEvent) -> None:
        """The only place that assigns the state. Results of an older generation never reach it."""
        old, self._state = self._state, TRANSITIONS[self._state, event]
        self._generation += 1
        if old is not self._state and self._changed is not None:
            self._changed(old, self._state)


def _words(error: Exception) -> str:
    return str(getattr(error, "message", error))
