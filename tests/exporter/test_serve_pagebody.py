"""A body is sent in chunks: the same bytes, never more than a chunk at a time beside the blocks themselves."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from exporter.exposition import Format
from exporter.serve.pagebody import CHUNK_BYTES, PageBody, _chunks, page_response
from exporter.serve.scraperequest import ScrapeRequest

WANTED = ScrapeRequest(Format.TEXT, gzip=False, deadline_s=1.0, only=frozenset())


@pytest.mark.parametrize(
    "sizes",
    [
        [],
        [5],
        [100] * 10_000,
        [CHUNK_BYTES],
        [CHUNK_BYTES - 1, 1, 1],
        [3, CHUNK_BYTES * 3 + 7, 4],
        [CHUNK_BYTES // 2 + 1] * 5,
    ],
    ids=str,
)
def test_chunks_are_the_same_bytes_in_bounded_portions(sizes: list[int]) -> None:
    """Small pieces are joined and large ones cut; a chunk is less than twice the limit."""
    pieces = [bytes([number % 251]) * size for number, size in enumerate(sizes)]
    chunks = [bytes(chunk) for chunk in _chunks(pieces)]
    assert b"".join(chunks) == b"".join(pieces)
    assert all(0 < len(chunk) < 2 * CHUNK_BYTES for chunk in chunks)
    assert len(chunks) <= 2 * (sum(sizes) // CHUNK_BYTES) + 2


async def test_a_response_tells_its_length_and_a_head_has_no_body() -> None:
    """GET sends every byte under a Content-Length, HEAD the headers alone, on one connection."""
    pieces = [b"a 1\n" * 200_000, b"b 2\n"]

    async def page(_: web.Request) -> web.Response:
        return page_response(PageBody(pieces, Format.TEXT.value), WANTED)

    app = web.Application()
    app.add_routes([web.get("/", page)])
    async with TestClient(TestServer(app)) as client:
        for _ in range(2):
            async with client.head("/") as head:
                assert await head.read() == b""
            async with client.get("/") as got:
                assert await got.read() == b"".join(pieces)
            assert got.headers["Content-Length"] == head.headers["Content-Length"] == "800004"
            assert got.headers["Content-Type"] == Format.TEXT.value
