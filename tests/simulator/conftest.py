"""Routers to connect to, and clients that are closed after the test."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from simulator import Device, Network, RouterSpec
from tests.fakes.clock import FakeClock
from tests.simulator.wireclient import WireClient

Start = Callable[..., Awaitable[Device]]
Connect = Callable[..., Awaitable[WireClient]]


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still until the test moves it."""
    return FakeClock()


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts a router called `core`; its clock is real unless one is given."""
    async with contextlib.AsyncExitStack() as stack:

        async def starter(clock: FakeClock | None = None, **settings: object) -> Device:
            specs = [RouterSpec("core", **settings)]  # type: ignore[arg-type]  # any field of the spec
            network = Network(specs) if clock is None else Network(specs, clock=clock, wall=clock.time)
            await stack.enter_async_context(network)
            return network["core"]

        yield starter


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Connects to a router and logs in, unless told not to."""
    clients: list[WireClient] = []

    async def connector(device: Device, *, login: bool = True) -> WireClient:
        client = WireClient(*await asyncio.open_connection("127.0.0.1", device.port))
        clients.append(client)
        if login:
            await client.log_in("monitor", "secret")
        return client

    yield connector
    for client in clients:
        await client.close()
