"""A document for people or programs -> a response. What is long is made and compressed in a thread, off the loop."""

import asyncio
import zlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from aiohttp import hdrs, web
from multidict import CIMultiDict

from runtime.serving.negotiation import accepts_gzip

THREADS = web.AppKey("threads", ThreadPoolExecutor)
"""For work on pages and files; the loop's own threads may all be waiting for name servers."""
GZIP: web.AppKey[Callable[[], bool]] = web.AppKey("gzip")
"""Whether answers may be compressed, as the configuration in force says."""

_GZIP_LEVEL = 1
_GZIP_WINDOW_BITS = 31  # zlib's way to ask for the header and trailer of gzip
_GZIP_WORTH_BYTES = 1024
"""A shorter body fits into one packet either way."""


async def document(
    request: web.Request,
    make: Callable[[], str],
    *,
    media: str,
    headers: Mapping[str, str],
    long: bool = False,
) -> web.Response:
    """The response with the text that `make` gives, which runs in a thread if the text may be `long`."""
    gzip = request.app[GZIP]() and accepts_gzip(request.headers.getall(hdrs.ACCEPT_ENCODING, []))
    finish = partial(_body, make, gzip=gzip)
    if long:
        body, is_gzip = await asyncio.get_running_loop().run_in_executor(request.app[THREADS], finish)
    else:
        body, is_gzip = finish()
    sent = CIMultiDict(headers)
    sent[hdrs.VARY] = hdrs.ACCEPT_ENCODING
    if is_gzip:
        sent[hdrs.CONTENT_ENCODING] = "gzip"
    return web.Response(body=body, content_type=media, charset="utf-8", headers=sent)


def _body(make: Callable[[], str], *, gzip: bool) -> tuple[bytes, bool]:
    body = make().encode()
    if not gzip or len(body) < _GZIP_WORTH_BYTES:
        return body, False
    return zlib.compress(body, _GZIP_LEVEL, _GZIP_WINDOW_BITS), True
