"""GET /metrics: the bridge's own metrics; what the limits let through is looked up at each scrape."""

import asyncio
from contextlib import suppress

from aiohttp import hdrs, web
from prometheus_client import exposition

from alertbridge.serve import limits
from alertbridge.serve.keys import DATABASE, METRICS, PARTS
from alertbridge.store.errors import StoreError

PATH = "/metrics"
LOOK_UP_S = 2.0
"""A store that is slower than this is not waited for: the limits then are those of the scrape before."""


async def metrics(request: web.Request) -> web.Response:
    """Everything that is counted, in the format that the client likes best."""
    with suppress(StoreError, TimeoutError):
        async with asyncio.timeout(LOOK_UP_S):
            await _count_tokens(request.app)
    encode, media = exposition.choose_encoder(request.headers.get(hdrs.ACCEPT, ""))
    return web.Response(body=encode(request.app[METRICS].registry), headers={hdrs.CONTENT_TYPE: media})


async def _count_tokens(app: web.Application) -> None:
    parts, told = app[PARTS](), app[METRICS]
    async with app[DATABASE].read() as connection:
        channels = await limits.of_channels(connection, parts)
        recipients = await limits.of_recipients(connection, parts)
    for one in (*channels.values(), *recipients):
        if one.left is not None:
            told.tokens(one.bucket, one.left)


def routes() -> list[web.RouteDef]:
    """The metrics."""
    return [web.get(PATH, metrics)]
