"""A simulated network on a thread of its own, for commands that run an event loop of their own."""

import asyncio
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import yaml

from simulator import Device, Network, RouterSpec

T = TypeVar("T")


class NetworkThread:
    """Runs while the context is open. Devices are touched on their own thread only."""

    def __init__(self, specs: Iterable[RouterSpec]) -> None:
        self._network = Network(specs)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "NetworkThread":
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._network.__aenter__(), self._loop).result(10)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._network.__aexit__(None, None, None), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        self._loop.close()

    def port(self, name: str) -> int:
        return self._network[name].port

    def do(self, name: str, act: Callable[[Device], T]) -> T:
        """What `act` says of a device."""

        async def run() -> T:
            return act(self._network[name])

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)

    def fault(self, router: str, fault: str, **settings: str | float) -> None:
        """Switch a fault on."""
        self.do(router, lambda device: device.faults.set(fault, **settings))

    def heal(self) -> None:
        """Switch every fault off."""
        for device in self._network:
            self.do(device.spec.name, lambda device: device.faults.clear())

    def write_config(
        self, path: Path, *names: str, changes: Mapping[str, object] | None = None, **sections: object
    ) -> Path:
        """A configuration with these routers, each with `changes`, and other sections as they are given."""
        routers = [
            {
                "name": name,
                "address": "127.0.0.1",
                "port": self.port(name),
                "username": "monitor",
                "password": self._network[name].spec.password,
                **(changes or {}),
            }
            for name in names
        ]
        path.write_text(yaml.safe_dump({"routers": routers, **sections}), encoding="utf-8")
        return path
