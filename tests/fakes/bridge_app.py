"""The bridge's pages and API on a real store, without anything that sends by itself; and a scene to look at."""

from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from alertbridge.config import Config
from alertbridge.deliver.limit.store import LimitStore
from alertbridge.parts import Parts
from alertbridge.selfmetrics import SelfMetrics
from alertbridge.serve import api, metrics, openapi, pages
from alertbridge.serve.keys import CLOCK, DATABASE, GUARDS, METRICS, PARTS
from alertbridge.serve.rendering import HEADERS, error_page
from alertbridge.store.database import Database
from runtime.clock import Clock
from runtime.guards import Guards, GuardSettings
from runtime.loading import parse
from runtime.serving.document import GZIP, THREADS
from runtime.serving.problems import problems
from tests.fakes.clock import FakeClock

USER, PASSWORD, TOKEN = "budi", "w4lnut-orchard", "t0ken-of-a-program"
LOGIN = {"Authorization": f"Basic {b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"}
LOGINS = f"""\
web:
  basic_auth: [{{username: {USER}, password: {PASSWORD}}}]
  bearer: [{{name: grafana, token: {TOKEN}}}]
"""
CONFIG = """\
channels:
  - {name: wa, kind: console, limits: {spacing_s: 3, per_minute: 20}}
  - {name: sms, kind: console}
  - {name: cloud, kind: console}
recipients:
  - {name: noc, channel: wa, to: "62812000000001", language: en, fallback: [{channel: sms, to: "62812000000001"}]}
  - {name: boss, channel: wa, to: "62812000000002", language: id}
  - {name: field-team, channel: cloud, to: "62812000000003"}
"""


@dataclass
class Bench:
    """A bridge that serves and does not send."""

    client: TestClient[web.Request, web.Application]
    app: web.Application
    database: Database
    parts: Parts
    clock: FakeClock

    @property
    def url(self) -> str:
        return str(self.client.make_url("")).rstrip("/")

    async def json(self, path: str, **more: Any) -> Any:
        """The answer to a GET, which must be 200."""
        async with self.client.get(path, headers=LOGIN, **more) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def text(self, path: str = "/", **headers: str) -> str:
        """A page, which must be 200."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.client.get(path, headers={**LOGIN, **sent}) as response:
            assert response.status == 200, await response.text()
            return await response.text()

    async def post(
        self, path: str, body: Mapping[str, object], **headers: str
    ) -> tuple[int, Mapping[str, Any]]:
        """Status and answer of a POST with JSON, by the user."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.client.post(path, json=body, headers={**LOGIN, **sent}) as response:
            return response.status, await response.json(content_type=None)


def config_of(folder: Path, text: str = CONFIG, *, logins: bool = True) -> Config:
    """The configuration, with a store in `folder`."""
    whole = f"store: {{path: {folder / 'bridge.db'}}}\n{LOGINS if logins else ''}{text}"
    return parse(whole, Config, source="alertbridge.yml", folder=folder)


@asynccontextmanager
async def bench(
    folder: Path, text: str = CONFIG, *, logins: bool = True, clock: Clock | None = None
) -> AsyncIterator[Bench]:
    """The bridge behind a real port."""
    config = config_of(folder, text, logins=logins)
    used = clock or FakeClock()
    database = await Database.open(config.store, used)
    threads = ThreadPoolExecutor(2)
    try:
        async with aiohttp.ClientSession() as session:
            parts = Parts(
                config,
                database=database,
                session=session,
                metrics=SelfMetrics(process=False),
                limits=LimitStore(database, used, boot="bench"),
                clock=used,
                owner="bench",
            )
            app = _app(config, database, parts, used, threads)
            async with TestClient(TestServer(app), cookie_jar=aiohttp.DummyCookieJar()) as client:
                yield Bench(client, app, database, parts, used)  # type: ignore[arg-type]  # a fake one but for shots
    finally:
        threads.shutdown()
        await database.close()


def _app(
    config: Config, database: Database, parts: Parts, clock: Clock, threads: ThreadPoolExecutor
) -> web.Application:
    guards = Guards(GuardSettings.of(config.web))
    app = web.Application(middlewares=[problems(error_page, HEADERS), guards.middleware])
    app[DATABASE], app[PARTS], app[CLOCK], app[GUARDS] = database, lambda: parts, clock, guards
    app[METRICS] = SelfMetrics(process=False)
    app[THREADS] = threads
    app[GZIP] = lambda: True
    for module in (api, metrics, openapi, pages):
        app.add_routes(module.routes())
    return app
