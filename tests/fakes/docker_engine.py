"""The Engine's API on a unix socket, for containers that exist in memory only.

Paths, status codes, bodies and the framing of logs are those of the Engine's API 1.41 to 1.47; there is no Engine on
the machines that run these tests.
"""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web


@dataclass
class Container:
    """One container. `trouble`: `fails` (500 after it was stopped), `silent` (no answer comes), `falls`, `dies`,
    `cut` (the connection ends without an answer)."""

    name: str
    status: str = "running"
    pid: int = 4000
    starts: int = 0
    restarts: int = 0
    health: str | None = None
    trouble: str = ""
    logs: bytes = b""

    def begin(self) -> None:
        """A new process stands there, or none."""
        self.starts += 1
        lives = self.trouble != "dies"
        self.status, self.pid = ("running", 4000 + self.starts) if lives else ("exited", 0)

    def end(self) -> None:
        """Nothing runs."""
        self.status, self.pid = "exited", 0

    def inspected(self) -> dict[str, Any]:
        """What GET /containers/{name}/json says, as far as anybody here looks."""
        began = datetime(2026, 2, 3, 4, 5, self.starts % 60, 678901, tzinfo=UTC)
        state: dict[str, Any] = {
            "Status": self.status,
            "Running": self.status in ("running", "restarting", "paused"),
            "Paused": self.status == "paused",
            "Restarting": self.status == "restarting",
            "OOMKilled": False,
            "Dead": False,
            "Pid": self.pid,
            "ExitCode": 0 if self.pid else 137,
            "Error": "",
            "StartedAt": began.strftime("%Y-%m-%dT%H:%M:%S.%f") + "901Z",
            "FinishedAt": "0001-01-01T00:00:00Z",
        }
        if self.health is not None:
            state["Health"] = {"Status": self.health, "FailingStreak": 0, "Log": []}
        return {
            "Id": "8dfafdbc3a40" + "0" * 52,
            "Name": f"/{self.name}",
            "RestartCount": self.restarts,
            "State": state,
            "Config": {"Env": ["API_KEY=orchard-19"], "Tty": False},
        }


@dataclass
class Engine:
    """The Engine and what was asked of it."""

    socket: Path
    containers: dict[str, Container] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def add(self, name: str, **given: Any) -> Container:
        """A container that runs."""
        return self.containers.setdefault(name, Container(name, **given))

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Any request about one container."""
        name, what = request.match_info["name"], request.match_info["what"]
        self.asked.append(f"{request.method} {request.path_qs}")
        container = self.containers.get(name)
        if container is None:
            return web.json_response({"message": f"No such container: {name}"}, status=404)
        if what == "json" and request.method == "GET":
            if container.trouble == "falls":
                container.restarts += 1
                container.begin()
            return web.json_response(container.inspected())
        if what == "logs" and request.method == "GET":
            framed = struct.pack(">B3xI", 2, len(container.logs)) + container.logs
            return web.Response(body=framed, content_type="application/vnd.docker.multiplexed-stream")
        if request.method == "POST" and what in ("restart", "stop", "start"):
            return await self._told(request, container, what)
        return web.json_response({"message": "page not found"}, status=404)

    async def _told(self, request: web.Request, container: Container, what: str) -> web.StreamResponse:
        if container.trouble == "silent":
            await asyncio.sleep(600)
        if container.trouble == "cut":
            container.end()
            assert request.transport is not None
            request.transport.close()
        elif container.trouble == "fails":
            container.end()
            said = (
                f"Cannot {what} container {container.name}: driver failed programming external connectivity"
            )
            return web.json_response({"message": said}, status=500)
        running = container.status == "running"
        if (what == "stop" and not running) or (what == "start" and running):
            return web.Response(status=304)
        container.end()
        if what != "stop":
            container.begin()
        return web.Response(status=204)


@asynccontextmanager
async def engine(folder: Path) -> AsyncIterator[Engine]:
    """An Engine that listens in `folder`."""
    made = Engine(folder / "docker.sock")
    app = web.Application()
    app.router.add_route("*", "/containers/{name}/{what}", made.answer)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.UnixSite(runner, str(made.socket)).start()
        yield made
    finally:
        await runner.cleanup()
