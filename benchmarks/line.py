"""A line of limited speed between an exporter and a router. `python -m benchmarks.line` is a process that has it.

Simulated routers answer from memory over loopback, as fast as no router and no line does. What arrives here from
the router goes on at the speed of the line, whoever asks; what goes to the router is a few hundred bytes.
"""

import asyncio
import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.programs import HOST, Program, end_with_parent

FAST_ETHERNET_BYTES_PER_S = 100e6 / 8
_CHUNK_BYTES = 16 * 1024


@contextmanager
def line(port: int, folder: Path, bytes_per_s: float = FAST_ETHERNET_BYTES_PER_S) -> Iterator[int]:
    """The near end of a line to a router's `port`, while the context is open."""
    ready = folder / f"line-{port}.json"
    command = [sys.executable, "-m", "benchmarks.line", str(port), str(bytes_per_s), str(ready)]
    with Program("the line", command, folder / f"line-{port}.log") as program:
        program.wait_until(ready.is_file, "listening")
        yield int(json.loads(ready.read_text(encoding="utf-8")))


class _Line:
    """All connections share the line's speed, as they would."""

    def __init__(self, port: int, bytes_per_s: float) -> None:
        self._port = port
        self._bytes_per_s = bytes_per_s
        self._free_at_s = 0.0

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Join a client with the router until either hangs up."""
        router_reader, router_writer = await asyncio.open_connection(HOST, self._port)
        tasks = [
            asyncio.create_task(self._carry(reader, router_writer, slowly=False)),
            asyncio.create_task(self._carry(router_reader, writer, slowly=True)),
        ]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for end in (writer, router_writer):
            end.close()
        await asyncio.wait(tasks)

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, slowly: bool) -> None:
        try:
            while data := await source.read(_CHUNK_BYTES):
                if slowly:
                    self._free_at_s = max(self._free_at_s, time.monotonic()) + len(data) / self._bytes_per_s
                    await asyncio.sleep(self._free_at_s - time.monotonic())
                sink.write(data)
                await sink.drain()
        except ConnectionError:
            return


async def _serve(port: int, bytes_per_s: float, ready: Path) -> None:
    server = await asyncio.start_server(_Line(port, bytes_per_s).accept, HOST, 0)
    unfinished = ready.with_suffix(".new")
    unfinished.write_text(json.dumps(server.sockets[0].getsockname()[1]), encoding="utf-8")
    unfinished.rename(ready)
    await server.serve_forever()


if __name__ == "__main__":
    threading.Thread(target=end_with_parent, daemon=True).start()
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3])))
