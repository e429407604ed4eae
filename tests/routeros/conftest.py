"""A scripted router on a loopback port, and a client for it that is closed at the end."""

from collections.abc import AsyncIterator, Callable

import pytest

from routeros import BreakerSettings, Observer, PoolSettings, RetrySettings, Router, TlsSettings
from tests.fakes.scripted_router import ScriptedRouter

Connect = Callable[..., Router]


@pytest.fixture
async def device() -> AsyncIterator[ScriptedRouter]:
    async with ScriptedRouter() as router:
        yield router


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """A function that makes clients; quick retries unless told otherwise."""
    routers: list[Router] = []

    def make(
        device: ScriptedRouter,
        *,
        tls: TlsSettings | None = None,
        password: str | None = None,
        pool: PoolSettings | None = None,
        breaker: BreakerSettings | None = None,
        retry: RetrySettings | None = None,
        observer: Observer | None = None,
    ) -> Router:
        router = Router(
            device.target(tls=tls, password=password),
            pool=pool,
            breaker=breaker,
            retry=retry or RetrySettings(attempts=3, min_wait_s=0.001, max_wait_s=0.01),
            observer=observer,
        )
        routers.append(router)
        return router

    yield make
    for router in routers:
        await router.close()
