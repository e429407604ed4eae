"""Simulated routers in a process of their own. `python -m benchmarks.simulated FOLDER` is that process."""

import asyncio
import json
import signal
import sys
import threading
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.programs import HOST, Program, end_with_parent
from simulator import Network, RouterSpec

USERNAME = "monitor"
PASSWORD = "secret"  # noqa: S105 - of simulated routers


@dataclass(frozen=True, slots=True)
class Routers:
    """`count` routers of one kind; the words mean what they mean in `simulator.RouterSpec`."""

    name: str
    profile: str = "home"
    count: int = 1
    latency_s: float = 0.0
    concurrency: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """One name per router."""
        return [self.name] if self.count == 1 else [f"{self.name}-{n:04}" for n in range(self.count)]


class Simulated:
    """Routers that run: their ports by name, what they use, and their faults."""

    def __init__(self, program: Program, ports: Mapping[str, int], control_port: int) -> None:
        self.program = program
        self.ports = ports
        self.control_url = f"http://{HOST}:{control_port}"

    def __repr__(self) -> str:
        return f"<Simulated {len(self.ports)} routers>"

    def break_router(self, name: str, fault: str) -> None:
        """Switch a fault on."""
        self._ask("POST", f"/routers/{name}/faults", {"fault": fault})

    def mend_router(self, name: str) -> None:
        """Switch all faults off."""
        self._ask("DELETE", f"/routers/{name}/faults", None)

    def _ask(self, method: str, path: str, body: Mapping[str, str] | None) -> None:
        request = urllib.request.Request(  # noqa: S310 - our own child
            self.control_url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - our own child
            answer.read()


@contextmanager
def simulated(kinds: Sequence[Routers], folder: Path) -> Iterator[Simulated]:
    """Routers that run while the context is open; `folder` takes the child's files."""
    told, ready = folder / "routers.json", folder / "ports.json"
    ready.unlink(missing_ok=True)
    told.write_text(json.dumps([asdict(kind) for kind in kinds]), encoding="utf-8")
    command = [sys.executable, "-m", "benchmarks.simulated", str(folder)]
    with Program("the simulator", command, folder / "simulator.log") as program:
        program.wait_until(ready.is_file, "listening")
        found = json.loads(ready.read_text(encoding="utf-8"))
        yield Simulated(program, found["routers"], found["control"])


async def _serve(folder: Path) -> None:
    kinds = [Routers(**kind) for kind in json.loads((folder / "routers.json").read_text(encoding="utf-8"))]
    specs = [
        RouterSpec(
            name,
            profile=kind.profile,
            username=USERNAME,
            password=PASSWORD,
            latency_s=kind.latency_s,
            concurrency=kind.concurrency,
            counts=kind.counts,
        )
        for kind in kinds
        for name in kind.names
    ]
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with Network(specs, control_port=0) as network:
        for device in network:
            _ = device.world  # built before anybody measures
        ports = {device.name: device.port for device in network}
        control = network.control.port if network.control is not None else 0
        unfinished = folder / "ports.json.new"
        unfinished.write_text(json.dumps({"routers": ports, "control": control}), encoding="utf-8")
        unfinished.rename(folder / "ports.json")
        await stop.wait()


if __name__ == "__main__":
    threading.Thread(target=end_with_parent, daemon=True).start()
    asyncio.run(_serve(Path(sys.argv[1])))
