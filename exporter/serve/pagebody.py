"""Pieces of a page -> a body -> a response. A page is never in memory as a whole beside the blocks that it is made of:
it is joined, compressed and sent chunk by chunk. Large ones are compressed in a thread, off the event loop."""

import asyncio
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from aiohttp import hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload

from exporter.serve.scraperequest import ScrapeRequest

GZIP_LEVEL = 1
"""Exposition text shrinks to a tenth at the cheapest level already."""
_GZIP_WINDOW_BITS = 31  # zlib's way to ask for the header and trailer of gzip
INLINE_LIMIT_BYTES = 32 * 1024
"""A smaller page costs less to compress than to hand to a thread."""
CHUNK_BYTES = 256 * 1024
"""What is joined, compressed and written at once: a page may be thousands of small blocks, or a few huge ones."""


class PageBody(Payload):
    """The bytes of a response, written in chunks as the client takes them."""

    def __init__(self, pieces: list[bytes], content_type: str) -> None:
        super().__init__(pieces, content_type=content_type)
        self.pieces = pieces
        self.size_bytes = sum(map(len, pieces))

    def __repr__(self) -> str:
        return f"<PageBody {self.size_bytes} bytes in {len(self.pieces)} pieces>"

    @property
    def size(self) -> int:
        """See `aiohttp.payload.Payload`."""
        return self.size_bytes

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """See `aiohttp.payload.Payload`."""
        return b"".join(self.pieces).decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        """See `aiohttp.payload.Payload`."""
        for chunk in _chunks(self.pieces):
            await writer.write(chunk)


async def page_body(
    pieces: list[bytes],
    wanted: ScrapeRequest,
    *,
    threads: ThreadPoolExecutor,
    rest: Callable[[], bytes] | None = None,
) -> PageBody:
    """The body made of `pieces` and, at its end, what `rest` gives, which is called in a thread."""
    if rest is None and (not wanted.gzip or sum(map(len, pieces)) <= INLINE_LIMIT_BYTES):
        body = _body(pieces, wanted.gzip, rest)
    else:
        body = await asyncio.get_running_loop().run_in_executor(threads, _body, pieces, wanted.gzip, rest)
    return PageBody(body, wanted.fmt.value)


def page_response(body: PageBody, wanted: ScrapeRequest) -> web.Response:
    """The response that carries `body` and says what it is."""
    headers = {hdrs.CONTENT_TYPE: wanted.fmt.value, hdrs.VARY: f"{hdrs.ACCEPT}, {hdrs.ACCEPT_ENCODING}"}
    if wanted.gzip:
        headers[hdrs.CONTENT_ENCODING] = "gzip"
    return web.Response(body=body, headers=headers)


def _body(pieces: list[bytes], gzip: bool, rest: Callable[[], bytes] | None) -> list[bytes]:
    if rest is not None:
        pieces = [*pieces, rest()]
    if not gzip:
        return pieces
    packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW_BITS)
    packed = [packer.compress(chunk) for chunk in _chunks(pieces)]
    return [*packed, packer.flush()]


def _chunks(pieces: Iterable[bytes]) -> Iterator[bytes | memoryview]:
    """The same bytes: small pieces joined, large ones cut without copying them."""
    small: list[bytes] = []
    size_bytes = 0
    for piece in pieces:
        if len(piece) < CHUNK_BYTES:
            small.append(piece)
            size_bytes += len(piece)
        if small and (size_bytes >= CHUNK_BYTES or len(piece) >= CHUNK_BYTES):
            yield b"".join(small)
            small, size_bytes = [], 0
        if len(piece) >= CHUNK_BYTES:
            view = memoryview(piece)
            yield from (view[at : at + CHUNK_BYTES] for at in range(0, len(piece), CHUNK_BYTES))
    if small:
        yield b"".join(small)
