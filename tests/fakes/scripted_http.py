"""An HTTP server that answers what a test wrote down, or does not: it can stall, hang up and talk nonsense."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum

from aiohttp import web


class Trick(Enum):
    """What a server can do instead of answering."""

    STALL = "stall"  # reads the request and says nothing
    HANG_UP = "hang_up"  # reads the request and closes
    NONSENSE = "nonsense"  # answers what is no HTTP
    HALF = "half"  # promises more than it sends, and closes
    DRIP = "drip"  # begins a body and never ends it


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. `body` as it goes out."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    trick: Trick | None = None

    @classmethod
    def json(cls, status: int, value: object, **headers: str) -> "Reply":
        """An answer of JSON; ``Retry_After="7"`` is a header."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return cls(status, json.dumps(value).encode(), {"Content-Type": "application/json", **named})


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, object]:
        value = json.loads(self.body)
        assert isinstance(value, dict)
        return value


class ScriptedHttp:
    """Answers `queue` in turn, then `usual`; replies `by_path` (the path without its query) go before both."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        self.queue: deque[Reply] = deque()
        self.by_path: dict[str, Reply] = {}
        self.usual = Reply(404)
        self.reached = asyncio.Event()
        self._ending = asyncio.Event()

    def __repr__(self) -> str:
        return f"<ScriptedHttp asked={len(self.asked)}>"

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["ScriptedHttp"]:
        """Listens on a free port until the block ends."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, shutdown_timeout=0.5, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            self._ending.set()
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.asked.append(Asked(request.method, request.path_qs, dict(request.headers), body))
        self.reached.set()
        reply = self.by_path.get(request.path) or (self.queue.popleft() if self.queue else self.usual)
        if reply.trick is None:
            return web.Response(status=reply.status, body=reply.body, headers=reply.headers)
        return await self._trick(request, reply)

    async def _trick(self, request: web.Request, reply: Reply) -> web.StreamResponse:
        assert request.transport is not None
        if reply.trick is Trick.STALL:
            await self._ending.wait()
        elif reply.trick is Trick.NONSENSE:
            request.transport.write(b"\x00\x01 not HTTP at all\r\n\r\n")
        elif reply.trick is Trick.HALF:
            request.transport.write(b"HTTP/1.1 %d OK\r\nContent-Length: 5000\r\n\r\n{" % reply.status)
        elif reply.trick is Trick.DRIP:
            request.transport.write(b"HTTP/1.1 %d OK\r\nContent-Length: 5000\r\n\r\n{" % reply.status)
            await self._ending.wait()
        request.transport.close()
        return web.Response()
