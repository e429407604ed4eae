"""GET /probe?target=NAME: one router, told by `instance`, so without the `router` label."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import hdrs, web

from exporter.exposition import Format
from exporter.fleet import KNOWN_COLLECTORS, Fleet, UnknownModule, UnknownTarget
from exporter.scrape import probe_page, refresh
from exporter.serve.keys import FLEET, GUARDS, SELF_METRICS
from exporter.serve.pagebody import page_body, page_response
from exporter.serve.probetrace import ProbeTrace
from exporter.serve.scrapelog import late_refreshes, scrape_finished
from exporter.serve.scraperequest import COLLECT, ScrapeRequest, unknown_word
from exporter.watch import Watched
from runtime.guards import Refusal
from runtime.serving.document import THREADS

ENDPOINT = "probe"
TRUE_WORDS = ("1", "true", "yes")


class Rooms:
    """How many probes of each router are under way.

    The limit is per router, since probes of one that hangs last until their deadline and must not use up the room
    of the others.
    """

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()

    def __repr__(self) -> str:
        return f"<Rooms {dict(self._taken)}>"

    @contextmanager
    def room(self, router: str, limit: int) -> Iterator[bool]:
        """True inside when there is room for one more probe of `router`."""
        if self._taken[router] >= limit:
            yield False
            return
        self._taken[router] += 1
        try:
            yield True
        finally:
            self._taken[router] -= 1
            if not self._taken[router]:
                del self._taken[router]


ROOMS = web.AppKey("rooms", Rooms)


async def probe(request: web.Request) -> web.Response:
    """What is known of one router by the deadline.

    `module` (default: the router's own) and `collect[]` choose the collectors; `debug=true` tells how it went.
    """
    fleet = request.app[FLEET]
    watched, module = _chosen(fleet, request)
    limit = fleet.config.web.max_concurrent_scrapes
    with request.app[ROOMS].room(watched.name, limit) as has_room:
        if not has_room:
            request.app[GUARDS].refused[Refusal.BUSY] += 1
            raise web.HTTPServiceUnavailable(
                text=f"{limit} probes of this router are under way already\n", headers={hdrs.RETRY_AFTER: "1"}
            )
        return await _probe(request, fleet, watched, module)


async def _probe(request: web.Request, fleet: Fleet, watched: Watched, module: str) -> web.Response:
    began_s = asyncio.get_running_loop().time()
    wanted = ScrapeRequest.of(request, known=KNOWN_COLLECTORS, config=fleet.config)
    settings = fleet.settings(module)
    slots = watched.slots(settings, wanted.only)
    if wanted.only and not slots:
        raise web.HTTPBadRequest(
            text=f"module {module} has none of the collectors in {COLLECT}; it has: {', '.join(settings)}\n"
        )
    asked = [(watched, slots)]
    trace = ProbeTrace(watched, module, slots)
    late = None if await refresh(asked, deadline_s=wanted.deadline_s) else late_refreshes(asked)
    if request.query.get("debug", "").lower() in TRUE_WORDS:
        text = trace.text(wanted.deadline_s)
        pieces = [text.encode(), *probe_page(watched, slots, Format.TEXT)]
        return web.Response(body=b"".join(pieces), content_type="text/plain", charset="utf-8")
    body = await page_body(probe_page(watched, slots, wanted.fmt), wanted, threads=request.app[THREADS])
    own = request.app[SELF_METRICS]
    scrape_finished(
        own, ENDPOINT, began_s=began_s, late=late, body_bytes=body.size_bytes, router=watched.name
    )
    return page_response(body, wanted)


def _chosen(fleet: Fleet, request: web.Request) -> tuple[Watched, str]:
    """The router and module that are asked for. Raises HTTPBadRequest, with the known ones, when there are none."""
    try:
        watched = fleet.find(request.query.get("target", ""))
    except UnknownTarget as error:
        raise unknown_word("target", error.target, error.known) from error
    module = request.query.get("module", "") or watched.section.module
    try:
        fleet.settings(module)
    except UnknownModule as error:
        raise unknown_word("module", error.module, error.known) from error
    return watched, module


def routes() -> list[web.RouteDef]:
    """The page of one router."""
    return [web.get("/probe", probe)]
