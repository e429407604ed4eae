"""Any number of routers in one process, and the HTTP control beside them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AsyncExitStack
from types import TracebackType

from .control import Control
from .device import Device
from .spec import RouterSpec, SpecError


class Network:
    """Routers that run while the context is open.

    >>> async with Network([RouterSpec("core"), RouterSpec("isp", profile="isp")]) as net:
    ...     net["core"].faults.set("hang")

    Args:
        control_port: where HTTP control listens; 0 is any free port, None is no control.
        clock: what counters and uptimes go by, seconds that only grow.
        wall: Unix time at the start; from then on dates go by `clock`.

    Raises:
        SpecError: two routers of one name.
    """

    def __init__(
        self,
        specs: Iterable[RouterSpec],
        *,
        control_host: str = "127.0.0.1",
        control_port: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.devices: dict[str, Device] = {}
        for spec in specs:
            if spec.name in self.devices:
                raise SpecError(f"two routers are called {spec.name!r}")
            self.devices[spec.name] = Device(spec, clock=clock, wall=wall)
        self.control = None if control_port is None else Control(self, control_host, control_port)
        self._stack = AsyncExitStack()

    def __repr__(self) -> str:
        return f"<Network {len(self.devices)} routers {self.control!r}>"

    def __getitem__(self, name: str) -> Device:
        return self.devices[name]

    def __iter__(self) -> Iterator[Device]:
        return iter(self.devices.values())

    def __len__(self) -> int:
        return len(self.devices)

    async def __aenter__(self) -> Network:
        async with AsyncExitStack() as stack:
            for device in self:
                stack.push_async_callback(device.close)
                await device.open()
            if self.control is not None:
                stack.push_async_callback(self.control.close)
                await self.control.open()
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.aclose()
