"""GET /sd: the routers as Prometheus's HTTP service discovery wants them.

A target is a router's name; relabelling turns it into `/probe?target=NAME` of this exporter (see
docs/how-to/prometheus-scrape.md). Labels of the router's own come as labels of the target, since `/probe` leaves
them out together with `router`.
"""

import hashlib
from collections.abc import Mapping

from aiohttp import web

from exporter.config import RouterSection
from exporter.serve.keys import FLEET

SHARDS_LIMIT = 10_000
HINTS = 60
"""Shard hints are below this; it divides by 2, 3, 4, 5 and 6, so that for as many shards a hint says which."""


def shard_of(name: str, shards: int) -> int:
    """In which of `shards` equal parts a router is: the same as Prometheus's `hashmod` of its name."""
    digest = hashlib.md5(name.encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[8:], "big") % shards


def target_group(section: RouterSection) -> dict[str, object]:
    """One router for the list."""
    return {
        "targets": [section.name],
        "labels": {
            "__param_target": section.name,
            "__meta_tikwatch_router": section.name,
            "__meta_tikwatch_address": section.address,
            "__meta_tikwatch_module": section.module,
            "__meta_tikwatch_shard_hint": str(shard_of(section.name, HINTS)),
            **section.labels,
        },
    }


async def discovery(request: web.Request) -> web.Response:
    """Every router, or with `shard` and `shards` the part of them that falls to one of several servers."""
    part = _part(request.query)
    return web.json_response(
        [
            target_group(watched.section)
            for watched in request.app[FLEET]
            if part is None or shard_of(watched.name, part[1]) == part[0]
        ]
    )


def _part(query: Mapping[str, str]) -> tuple[int, int] | None:
    """Shard and number of shards; None when all routers are asked for. Raises HTTPBadRequest."""
    if "shard" not in query and "shards" not in query:
        return None
    words = query.get("shard", ""), query.get("shards", "")
    if all(word.isascii() and word.isdigit() and len(word) <= 9 for word in words):
        shard, shards = map(int, words)
        if shard < shards <= SHARDS_LIMIT:
            return shard, shards
    raise web.HTTPBadRequest(
        text=f"shard and shards go together: 0 <= shard < shards <= {SHARDS_LIMIT}, such as ?shard=0&shards=3\n"
    )


def routes() -> list[web.RouteDef]:
    """Service discovery."""
    return [web.get("/sd", discovery)]
