"""GET /metrics: every router, what is asked beside them, and the exporter's own metrics."""

import asyncio

import prometheus_client
from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics import exposition as openmetrics

from exporter.exposition import Format
from exporter.fleet import KNOWN_COLLECTORS
from exporter.probes.registry import Probes
from exporter.scrape import metrics_page, refresh
from exporter.serve.keys import FLEET, PROBES, SELF_METRICS
from exporter.serve.pagebody import page_body, page_response
from exporter.serve.scrapelog import late_refreshes, scrape_finished
from exporter.serve.scraperequest import ScrapeRequest
from runtime.serving.document import THREADS

ENDPOINT = "metrics"


async def metrics(request: web.Request) -> web.Response:
    """What is known of every router and probe by the deadline; `collect[]` narrows it to the collectors named.

    `tables=none` is for who scrapes each router through `/probe`: no router is asked, and its tables are left out.
    """
    began_s = asyncio.get_running_loop().time()
    fleet, probes, own = request.app[FLEET], request.app[PROBES], request.app[SELF_METRICS]
    wanted = ScrapeRequest.of(request, known=KNOWN_COLLECTORS, config=fleet.config)
    asked = fleet.asked(wanted.only) if wanted.tables else [(watched, {}) for watched in fleet]
    routers, beside = refresh(asked, deadline_s=wanted.deadline_s), _refresh_probes(probes, wanted)
    in_time = await asyncio.gather(routers, beside)
    late = None if all(in_time) else [*late_refreshes(asked), *probes.late()]
    beside_them = {} if wanted.only else probes.blocks()
    pieces = await metrics_page(asked, wanted.fmt, beside=beside_them, made=probes.families)
    if wanted.fmt is Format.OPENMETRICS:
        pieces.pop()  # the end mark; the exporter's own metrics come after and bring it
    body = await page_body(
        pieces, wanted, threads=request.app[THREADS], rest=lambda: own_page(own.registry, wanted.fmt)
    )
    scrape_finished(own, ENDPOINT, began_s=began_s, late=late, body_bytes=body.size_bytes)
    return page_response(body, wanted)


async def _refresh_probes(probes: Probes, wanted: ScrapeRequest) -> bool:
    """Who asks for some collectors asks for no probe."""
    return True if wanted.only else await probes.refresh(deadline_s=wanted.deadline_s)


def own_page(registry: CollectorRegistry, fmt: Format) -> bytes:
    """The exporter's own metrics, with the end mark if the format has one."""
    if fmt is Format.OPENMETRICS:
        page: bytes = openmetrics.generate_latest(registry)  # type: ignore[no-untyped-call]  # has no types
        return page
    return prometheus_client.generate_latest(registry)


def routes() -> list[web.RouteDef]:
    """The page of all routers."""
    return [web.get("/metrics", metrics)]
