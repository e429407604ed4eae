"""One router, ready to be asked."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from types import MappingProxyType

from routeros.breaker import Breaker
from routeros.observer import NullObserver, Observer
from routeros.replies import ConnectionTest, Priority, Record, Reply, RouterStats
from routeros.settings import BreakerSettings, PoolSettings, RetrySettings, Target

NO_ARGS: Mapping[str, str] = MappingProxyType({})


class Router:
    """Asks one router over a pool of connections; every method raises only the tree of `routeros.errors`."""

    def __init__(
        self,
        target: Target,
        *,
        pool: PoolSettings | None = None,
        breaker: BreakerSettings | None = None,
        retry: RetrySettings | None = None,
        observer: Observer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.target = target
        self.breaker = Breaker(breaker, router=target.name, clock=clock)
        self._observer = observer or NullObserver()

    async def print(
        self,
        path: str,
        *,
        proplist: Sequence[str] = (),
        queries: Sequence[str] = (),
        args: Mapping[str, str] = NO_ARGS,
        deadline_s: float | None = None,
        priority: Priority = Priority.NORMAL,
        large: bool = False,
    ) -> list[Record]:
        raise NotImplementedError

    async def call(
        self,
        command: str,
        *,
        args: Mapping[str, str] = NO_ARGS,
        proplist: Sequence[str] = (),
        queries: Sequence[str] = (),
        deadline_s: float | None = None,
        priority: Priority = Priority.NORMAL,
        idempotent: bool = False,
        large: bool = False,
    ) -> Reply:
        raise NotImplementedError

    async def count(
        self,
        path: str,
        *,
        queries: Sequence[str] = (),
        args: Mapping[str, str] = NO_ARGS,
        deadline_s: float | None = None,
        priority: Priority = Priority.NORMAL,
    ) -> int:
        raise NotImplementedError

    def listen(
        self, path: str, *, proplist: Sequence[str] = (), queries: Sequence[str] = ()
    ) -> AsyncIterator[Record]:
        raise NotImplementedError

    async def test(self, *, deadline_s: float | None = None) -> ConnectionTest:
        raise NotImplementedError

    async def reset(self) -> None:
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError

    def stats(self) -> RouterStats:
        raise NotImplementedError
