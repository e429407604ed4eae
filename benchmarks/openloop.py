"""Posts that go out at their planned times whatever the answers take, from a process of its own.

    python benchmarks/openloop.py HOST PORT PLAN RESULTS

The latency of a post counts from the moment at which it was planned: what a slow answer holds up counts too, and so
does this program when it is late itself. It speaks HTTP/1.1 with bytes that were made before, on connections that
stay open, one post at a time on each, and costs a fraction of what it measures.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

PREPARE_S = 0.2
"""From when the plan was read to the first post."""
ANSWER_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Posted:
    """What came of one post: HTTP status, seconds from its planned time to its sending and to its answer."""

    status: int
    sent_after_s: float
    answered_after_s: float


@dataclass(frozen=True, slots=True)
class Run:
    """All posts, in the order of the plan; `began_s` is the Unix time from which the plan's seconds count."""

    began_s: float
    posts: Sequence[Posted]


def run(url: str, headers: Mapping[str, str], plan: Iterable[tuple[float, bytes]]) -> Run:
    """Posts each body of `plan` at its time, in seconds after the beginning; returns when the last one is answered.

    Raises RuntimeError when one got no answer.
    """
    target = urlsplit(url)
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with tempfile.TemporaryDirectory(prefix="tikwatch-posts-") as name:
        file, results = Path(name) / "plan", Path(name) / "results.json"
        with file.open("wb") as out:
            for at_s, body in plan:
                request = (
                    f"POST {target.path} HTTP/1.1\r\nHost: {target.netloc}\r\n{head}"
                    f"Content-Length: {len(body)}\r\n\r\n"
                ).encode() + body
                out.write(f"{at_s!r} {len(request)}\n".encode() + request)
        command = [sys.executable, __file__, str(target.hostname), str(target.port)]
        ended = subprocess.run([*command, str(file), str(results)], check=False)
        if ended.returncode:
            raise RuntimeError(f"the posts came to nothing (exit code {ended.returncode})")
        found = json.loads(results.read_text(encoding="utf-8"))
        return Run(found["began_s"], [Posted(*one) for one in found["posts"]])


class _Line(asyncio.Protocol):
    """A connection; one post at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[int] | None = None
        self._given = bytearray()
        self.closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionResetError("the connection ended before the answer"))

    def data_received(self, data: bytes) -> None:
        self._given += data
        head, found, body = self._given.partition(b"\r\n\r\n")
        if not found or self._answer is None:
            return
        fields = dict(line.split(b": ", 1) for line in bytes(head).lower().split(b"\r\n")[1:])
        if len(body) >= int(fields[b"content-length"]) and not self._answer.done():
            self.closed = fields.get(b"connection") == b"close"
            self._answer.set_result(int(head.split(b" ", 2)[1]))

    async def post(self, request: bytes) -> int:
        """The status that it was answered with."""
        if self._transport is None:
            raise ConnectionError("not connected")
        self._given.clear()
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer


async def _posted(host: str, port: int, plan: Iterable[tuple[float, bytes]]) -> dict[str, object]:
    loop = asyncio.get_running_loop()
    idle: list[_Line] = []
    began_s, begin_s = time.time() + PREPARE_S, time.monotonic() + PREPARE_S

    async def one(at_s: float, request: bytes) -> tuple[int, float, float]:
        line = idle.pop() if idle else None
        while line is not None and line.closed:
            line = idle.pop() if idle else None
        if line is None:
            _, line = await loop.create_connection(_Line, host, port)
        sent_s = time.monotonic()
        async with asyncio.timeout(ANSWER_WITHIN_S):
            status = await line.post(request)
        answered_s = time.monotonic()
        if not line.closed:
            idle.append(line)
        return status, sent_s - at_s, answered_s - at_s

    under_way: list[asyncio.Task[tuple[int, float, float]]] = []
    for after_s, request in plan:
        if (wait_s := begin_s + after_s - time.monotonic()) > 0:
            await asyncio.sleep(wait_s)
        under_way.append(asyncio.create_task(one(begin_s + after_s, request)))
    return {"began_s": began_s, "posts": await asyncio.gather(*under_way)}


def _planned(file: Path) -> list[tuple[float, bytes]]:
    found: list[tuple[float, bytes]] = []
    with file.open("rb") as given:
        while line := given.readline():
            at_s, length = line.split()
            found.append((float(at_s), given.read(int(length))))
    return found


def _main(host: str, port: str, plan: str, results: str) -> None:
    found = asyncio.run(_posted(host, int(port), _planned(Path(plan))))
    Path(results).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    _main(*sys.argv[1:])
