"""The exporter as it is, in this process, on simulated routers, behind a real port."""

import asyncio
import io
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import aiohttp
import structlog
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from exporter.app import make_app
from exporter.fleet import Fleet
from exporter.selfmetrics import SelfMetrics
from exporter.serve.keys import FLEET, SELF_METRICS
from exporter.service import read_config
from runtime.logs import LogSection, Redactor, configure
from runtime.sections import secret_values
from runtime.serving.life import LIFE, Phase
from simulator import Device

PASSWORD = "w4lnut-orchard"
TEXT = "text/plain"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def config_text(routers: Iterable[Mapping[str, object]], **sections: object) -> str:
    """A configuration file with these routers."""
    return yaml.safe_dump({**sections, "routers": [dict(router) for router in routers]}, sort_keys=False)


def router_of(device: Device, **more: object) -> dict[str, object]:
    """A simulated router as the configuration names it."""
    spec = device.spec
    return {
        "name": device.name,
        "address": spec.host,
        "port": device.port,
        "username": spec.username,
        "password": spec.password,
        **more,
    }


@dataclass
class Page:
    """An answer, with its text read by the parser of prometheus_client."""

    status: int
    headers: Mapping[str, str]
    text: str

    @cached_property
    def families(self) -> list[Metric]:
        reads = read_openmetrics if "openmetrics" in self.headers["Content-Type"] else read_text
        return list(reads(self.text))

    @cached_property
    def samples(self) -> Samples:
        """Every sample by its name and labels; twice the same one is an error."""
        found: Samples = {}
        for family in self.families:
            for sample in family.samples:
                key = (sample.name, frozenset(sample.labels.items()))
                assert key not in found, f"{key} comes twice"
                found[key] = sample.value
        return found

    def value(self, name: str, **labels: str) -> float | None:
        """The sample with exactly these labels; None when there is none."""
        return self.samples.get((name, frozenset(labels.items())))


class Served:
    """A running exporter and a client of it."""

    def __init__(self, app: web.Application, file: Path, url: str, client: aiohttp.ClientSession) -> None:
        self.app = app
        self.file = file
        self.url = url
        self.client = client

    @property
    def fleet(self) -> Fleet:
        return self.app[FLEET]

    @property
    def own(self) -> SelfMetrics:
        return self.app[SELF_METRICS]

    async def get(self, path: str, **headers: str) -> Page:
        """The answer to a GET; a `_` in the name of a header stands for a `-`."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.client.get(self.url + path, headers=sent) as response:
            return Page(response.status, response.headers, await response.text())

    async def reload(self) -> Page:
        async with self.client.post(self.url + "/-/reload") as response:
            return Page(response.status, response.headers, await response.text())


@asynccontextmanager
async def served(folder: Path, text: str) -> AsyncIterator[Served]:
    """The exporter with the configuration `text`, which is put into `folder`."""
    file = folder / "exporter.yml"
    file.write_text(text, encoding="utf-8")
    config = read_config(file)
    context = config.web.tls.context() if config.web.tls is not None else None
    redactor = Redactor(secret_values(config))
    app = make_app(config, load=lambda: read_config(file), redactor=redactor, context=context)
    server = TestServer(app)
    await server.start_server(ssl=context, access_log=None)
    app[LIFE].move_to(Phase.SERVING)
    try:
        async with aiohttp.ClientSession() as client:
            yield Served(app, file, str(server.make_url("")).rstrip("/"), client)
    finally:
        await server.close()


async def until(condition: Callable[[], bool], *, within_s: float = 60.0) -> None:
    """Return when `condition` holds. Raises TimeoutError."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110  what it asks about tells nobody when it changes
            await asyncio.sleep(0.01)


@contextmanager
def logged(level: str = "debug") -> Iterator[io.StringIO]:
    """What is logged meanwhile, with nothing masked: a secret that shows here is one that was logged."""
    root = logging.getLogger()
    before, stream = root.level, io.StringIO()
    configure(LogSection.model_validate({"level": level}), Redactor(), stream=stream)
    try:
        yield stream
    finally:
        root.setLevel(before)
        root.handlers[:] = [one for one in root.handlers if getattr(one, "stream", None) is not stream]
        structlog.reset_defaults()
