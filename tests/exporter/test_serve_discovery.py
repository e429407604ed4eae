"""/sd: what Prometheus's HTTP service discovery wants, and a fair share of it for each of several servers."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exporter.serve.discovery import HINTS, shard_of
from tests.fakes.served import Served, config_text, served

ROUTERS = [
    {
        "name": f"tower {number}",
        "address": f"192.0.2.{number}",
        "username": "monitor",
        "password": "never asked",
        "labels": {"site": "hill" if number % 2 else "dale"},
    }
    for number in range(1, 41)
]


@pytest.fixture
async def exporter(tmp_path: Path) -> AsyncIterator[Served]:
    async with served(tmp_path, config_text(ROUTERS)) as exporter:
        yield exporter


async def targets(exporter: Served, query: str = "") -> list[str]:
    page = await exporter.get("/sd" + query)
    assert page.status == 200
    return [target for group in json.loads(page.text) for target in group["targets"]]


async def test_every_router_is_a_target_with_its_labels(exporter: Served) -> None:
    """A target is a router's name; what relabelling may want to know is in labels, and no secret is."""
    page = await exporter.get("/sd")
    assert page.headers["Content-Type"] == "application/json; charset=utf-8"
    groups = json.loads(page.text)
    assert [group["targets"] for group in groups] == [[router["name"]] for router in ROUTERS]
    assert groups[0]["labels"] == {
        "__param_target": "tower 1",
        "__meta_tikwatch_router": "tower 1",
        "__meta_tikwatch_address": "192.0.2.1",
        "__meta_tikwatch_module": "default",
        "__meta_tikwatch_shard_hint": str(shard_of("tower 1", HINTS)),
        "site": "hill",
    }
    assert "never asked" not in page.text


@pytest.mark.parametrize("shards", [1, 2, 3, 7])
async def test_each_router_is_in_exactly_one_shard(exporter: Served, shards: int) -> None:
    """The shards together are all routers, none twice, and the same ones every time."""
    parts = [await targets(exporter, f"?shard={shard}&shards={shards}") for shard in range(shards)]
    assert sorted(name for part in parts for name in part) == sorted(await targets(exporter))
    assert parts[0] == await targets(exporter, f"?shard=0&shards={shards}")
    assert all(len(part) < 40 for part in parts) or shards == 1


def test_shards_are_those_of_prometheus() -> None:
    """The part is what `hashmod` gives: the last 8 bytes of the MD5 sum, big endian, modulo the shards."""
    assert shard_of("baz", 1000) == 976  # Prometheus's own tests of relabelling have these two
    assert shard_of("foo\nbar", 1000) == 734
    assert shard_of("core", HINTS) % 3 == shard_of("core", 3)


@pytest.mark.parametrize(
    "query",
    [
        "?shard=0",
        "?shards=2",
        "?shard=&shards=",
        "?shard=2&shards=2",
        "?shard=-1&shards=2",
        "?shard=a&shards=2",
        "?shard=%D9%A0&shards=2",
        "?shard=0&shards=0",
        "?shard=0&shards=10001",
        "?shard=0&shards=99999999999999999999",
    ],
)
async def test_a_shard_that_cannot_be_is_refused(exporter: Served, query: str) -> None:
    """A number without its other, or outside what makes sense, is answered with 400 and what is allowed."""
    page = await exporter.get("/sd" + query)
    assert page.status == 400
    assert page.text.startswith("shard and shards go together: 0 <= shard < shards")
