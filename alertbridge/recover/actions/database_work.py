"""Blocking work in a thread of its own, with a deadline that it looks at itself.

Work that changes files is never left behind: when its time is up, or who waits for it is cancelled, it is asked to
stop at its next look, and its end is waited for. Two of them never meet in one file because somebody lost patience.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from runtime.clock import Clock

T = TypeVar("T")


class DatabaseFailed(Exception):
    """Something could not be done with a database. `reason` is a short stable word, the message a sentence.

    `changed` is None when nobody knows.
    """

    def __init__(self, reason: str, detail: str, *, changed: bool | None = False) -> None:
        super().__init__(detail)
        self.reason = reason
        self.changed = changed


class Work:
    """What a piece of work looks at from time to time."""

    def __init__(self, clock: Clock, limit_s: float) -> None:
        self._clock = clock
        self._until_s = clock.monotonic() + limit_s
        self._limit_s = limit_s
        self._unwanted = threading.Event()

    def __repr__(self) -> str:
        return f"<Work left={self.left_s:.1f}s>"

    @property
    def left_s(self) -> float:
        """Seconds until its time is up; 0 when it is, or when nobody wants it any more."""
        return 0.0 if self._unwanted.is_set() else max(0.0, self._until_s - self._clock.monotonic())

    def stop(self) -> None:
        """Nobody wants it any more."""
        self._unwanted.set()

    def check(self) -> None:
        """Raises DatabaseFailed when it must not go on."""
        if self.left_s <= 0:
            raise DatabaseFailed("timeout", f"it was not done within {self._limit_s:g} s")


async def in_thread(
    function: Callable[[Work], T], *, limit_s: float, clock: Clock, changes: bool = True
) -> T:
    """What `function` returns. Work that `changes` nothing is left behind when it overruns its time.

    Raises DatabaseFailed, and what `function` raises.
    """
    work = Work(clock, limit_s)
    executor = ThreadPoolExecutor(1, thread_name_prefix="recovery")
    future = asyncio.get_running_loop().run_in_executor(executor, function, work)
    executor.shutdown(wait=False)
    try:
        done, _ = await asyncio.wait((future,), timeout=limit_s)
        if not done:
            work.stop()
            if not changes:
                future.add_done_callback(_forget)
                work.check()
            await asyncio.wait((future,))
    except asyncio.CancelledError:
        work.stop()
        if changes and not future.done():
            await asyncio.wait((future,))
        future.add_done_callback(_forget)
        raise
    return future.result()


def _forget(future: "asyncio.Future[T]") -> None:
    """Its outcome is nobody's any more."""
    if not future.cancelled():
        future.exception()
