"""Pieces of a page -> a body -> a response. Large ones are joined and compressed in a thread, off the event loop."""

import asyncio
import zlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from aiohttp import hdrs, web

from exporter.serve.scraperequest import ScrapeRequest

GZIP_LEVEL = 1
"""Exposition text shrinks to a tenth at the cheapest level already."""
_GZIP_WINDOW_BITS = 31  # zlib's way to ask for the header and trailer of gzip
INLINE_LIMIT_BYTES = 32 * 1024
"""A smaller page costs less to join and compress than to hand to a thread."""


async def page_body(
    pieces: list[bytes],
    wanted: ScrapeRequest,
    *,
    threads: ThreadPoolExecutor,
    rest: Callable[[], bytes] | None = None,
) -> bytes:
    """The body made of `pieces` and, at its end, what `rest` gives, which is called in a thread as well."""
    if rest is None and sum(map(len, pieces)) <= INLINE_LIMIT_BYTES:
        return _body(pieces, wanted.gzip, rest)
    return await asyncio.get_running_loop().run_in_executor(threads, _body, pieces, wanted.gzip, rest)


def page_response(body: bytes, wanted: ScrapeRequest) -> web.Response:
    """The response that carries `body` and says what it is."""
    headers = {hdrs.CONTENT_TYPE: wanted.fmt.value, hdrs.VARY: f"{hdrs.ACCEPT}, {hdrs.ACCEPT_ENCODING}"}
    if wanted.gzip:
        headers[hdrs.CONTENT_ENCODING] = "gzip"
    return web.Response(body=body, headers=headers)


def _body(pieces: Iterable[bytes], gzip: bool, rest: Callable[[], bytes] | None) -> bytes:
    if rest is not None:
        pieces = [*pieces, rest()]
    if not gzip:
        return b"".join(pieces)
    packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW_BITS)
    return packer.compress(b"".join(pieces)) + packer.flush()
