"""A fleet of routers that do as a test says, and the exporter's HTTP side on it."""

from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from exporter.cache import Served, Slot
from exporter.collectors.reader import Reading
from exporter.config import Config, RouterSection
from exporter.fleet import Fleet
from exporter.performance import Performance
from exporter.scrape import refresh
from exporter.serve import api, openapi, pages
from exporter.serve.keys import FLEET, GUARDS
from exporter.serve.rendering import HEADERS, error_page
from exporter.serve.survey import SURVEY, Survey
from exporter.watch import Watched
from runtime.guards import Guards, GuardSettings
from runtime.serving.document import GZIP, THREADS
from runtime.serving.problems import problems
from tests.fakes.client import FakeClient
from tests.fakes.clock import FakeClock

Client = TestClient[web.Request, web.Application]


class Silence:
    """Hears of readings and says nothing."""

    def reading_finished(self, router: str, collector: str, slot: Slot, reading: Reading) -> None: ...

    def served(self, collector: str) -> Served:
        return Served()


class FakeFleet:
    """Routers by name, each with its `FakeClient`; nothing is asked until `scrape`."""

    def __init__(self, *names: str, web: Mapping[str, object] | None = None, **more: object) -> None:
        self.clock = FakeClock()
        self.clients: dict[str, FakeClient] = {}
        routers = [
            {"name": name, "address": f"192.0.{2 + n // 256}.{n % 256}"} for n, name in enumerate(names, 1)
        ]
        given = {
            "web": web or {},
            "credentials": {"username": "monitor", "password": "secret"},
            "routers": routers,
            **more,
        }
        self.config = Config.model_validate(given)
        self.fleet = Fleet(self.config, self._make)
        self.performance = Performance(clock=self.clock)
        self.survey = Survey(self.fleet, self.performance, wall_clock=self.clock.time)

    def _make(self, section: RouterSection, config: Config) -> Watched:
        client = self.clients[section.name] = FakeClient(section.name, self.clock)
        return Watched(
            section,
            client,
            Silence(),
            max_stale_s=config.cache.max_stale_s,
            clock=self.clock,
            wall_clock=self.clock.time,
        )

    def __getitem__(self, name: str) -> FakeClient:
        return self.clients[name]

    async def scrape(self) -> None:
        """Ask every router for what is due."""
        await refresh(self.fleet.asked(), deadline_s=5.0)

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[Client]:
        """A client of the API and the pages."""
        guards = Guards(GuardSettings.of(self.config.web), clock=self.clock)
        app = web.Application(middlewares=[problems(error_page, HEADERS), guards.middleware])
        app[GZIP] = lambda: self.config.web.gzip
        app[FLEET], app[SURVEY], app[GUARDS] = self.fleet, self.survey, guards
        for module in (api, openapi, pages):
            app.add_routes(module.routes())
        with ThreadPoolExecutor(1) as threads:
            app[THREADS] = threads
            async with TestClient(TestServer(app)) as client:
                yield client
