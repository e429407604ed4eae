"""An event loop whose time jumps to the next timer instead of passing."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class VirtualLoop(asyncio.SelectorEventLoop):
    """Waits for nothing: when nobody can run, it is at once the time of the next timer.

    A program that waits for something that can never happen is found out instead of hanging.
    """

    def __init__(self) -> None:
        self._now_s = 0.0
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        return self._now_s

    def jump(self, seconds: float) -> None:
        self._now_s += seconds

    def timers(self) -> int:
        """Timers that are still going to fire."""
        return sum(1 for timer in self._scheduled if not timer.cancelled())  # type: ignore[attr-defined] # no public way


class _JumpingSelector(selectors.SelectSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:
            raise RuntimeError("everybody waits for something that nobody will do")
        self._loop.jump(timeout)
        return []


def run_virtually(main: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine whose waiting takes no time; nothing may be left when it ends."""
    loop = VirtualLoop()
    try:
        result = loop.run_until_complete(main)
        left = asyncio.all_tasks(loop)
        assert not left, f"tasks are left: {left}"
        assert not loop.timers(), f"{loop.timers()} timers are left"
        return result
    finally:
        loop.close()
