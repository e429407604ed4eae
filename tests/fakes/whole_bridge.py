"""The whole bridge in this process, behind a real port: everything that `serve` runs but the program around it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import select

from alertbridge.app import BRIDGE, make_app
from alertbridge.bridge import Bridge
from alertbridge.config import Config
from alertbridge.selfmetrics import SelfMetrics
from alertbridge.serve.keys import METRICS
from alertbridge.store.database import Database
from alertbridge.store.schema import messages, notices
from runtime.loading import parse
from runtime.logs import Redactor
from runtime.serving.life import LIFE, Phase
from tests.fakes.accepting import body_of

Row = dict[str, Any]


@dataclass
class WholeBridge:
    """A bridge that takes alerts in and tells them."""

    client: TestClient[web.Request, web.Application]
    app: web.Application
    file: Path

    @property
    def bridge(self) -> Bridge:
        return self.app[BRIDGE]

    @property
    def metrics(self) -> SelfMetrics:
        return self.app[METRICS]

    async def post(self, *alerts: object, group: str = "{}:{}") -> int:
        """The status of a notification's answer."""
        body = body_of(*alerts, groupKey=group)
        async with self.client.post("/api/v1/alerts", data=body) as response:
            return response.status

    async def ready(self) -> tuple[int, str]:
        """What `/-/ready` says."""
        async with self.client.get("/-/ready") as response:
            return response.status, await response.text()

    async def reload(self, text: str | None = None) -> int:
        """The status of reading the configuration again, which may be another one now."""
        if text is not None:
            self.file.write_text(text, encoding="utf-8")
        async with self.client.post("/-/reload") as response:
            return response.status

    def counted(self, name: str, **labels: str) -> float:
        """One of its own metrics."""
        return self.metrics.registry.get_sample_value(name, labels) or 0.0


@asynccontextmanager
async def whole_bridge(folder: Path, text: str) -> AsyncIterator[WholeBridge]:
    """A bridge with this configuration, whose `{folder}` it is; its store is in `folder`."""
    file = folder / "alertbridge.yml"
    file.write_text(text, encoding="utf-8")

    def load() -> Config:
        return parse(file.read_text(encoding="utf-8"), Config, source=file.name, folder=folder)

    app = make_app(load(), load=load, redactor=Redactor())
    async with TestClient(TestServer(app), cookie_jar=aiohttp.DummyCookieJar()) as client:
        app[LIFE].move_to(Phase.SERVING)
        yield WholeBridge(client, app, file)


async def until(condition: Callable[[], Awaitable[bool]], *, within_s: float = 60.0) -> None:
    """Returns when `condition` holds. Raises TimeoutError."""
    async with asyncio.timeout(within_s):
        while not await condition():  # noqa: ASYNC110  a store tells nobody when it changes
            await asyncio.sleep(0.05)


async def rows_of(database: Database) -> tuple[list[Row], list[Row]]:
    """All notices and all messages."""
    async with database.read() as connection:
        found = [
            [dict(row._mapping) for row in await connection.execute(select(table).order_by(table.c.id))]
            for table in (notices, messages)
        ]
    return found[0], found[1]
