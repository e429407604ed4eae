"""/metrics: every router and the exporter itself, in the format, the size and the time that the client wants."""

import asyncio
import gzip
import subprocess
import threading
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from exporter.exposition import Format
from exporter.fleet import KNOWN_COLLECTORS
from exporter.serve.pagebody import page_body
from exporter.serve.scraperequest import ScrapeRequest
from simulator import Network, RouterSpec
from tests.fakes.served import (
    OPENMETRICS,
    PASSWORD,
    TEXT,
    Page,
    Served,
    config_text,
    logged,
    router_of,
    served,
)

TIMEOUT = "X_Prometheus_Scrape_Timeout_Seconds"
FLEET = [
    RouterSpec("core", profile="isp", password=PASSWORD),
    RouterSpec("hut", profile="home", password=PASSWORD),
    RouterSpec("old", profile="legacy", password=PASSWORD),
]


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    async with Network(FLEET) as network:
        yield network


@pytest.fixture
async def exporter(network: Network, tmp_path: Path) -> AsyncIterator[Served]:
    async with served(tmp_path, config_text(map(router_of, network))) as exporter:
        yield exporter


def of_router(page: Page, router: str) -> set[str]:
    """Names of the families that tell something of a router."""
    return {name for name, labels in page.samples if ("router", router) in labels}


async def test_the_whole_page_can_be_read_as_text(exporter: Served) -> None:
    """The text format has every router, each series once, and the exporter's own metrics after them."""
    page = await exporter.get("/metrics", Accept=TEXT)
    assert page.status == 200
    assert page.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    for router in ("core", "hut", "old"):
        assert page.value("mikrotik_up", router=router) == 1
        assert "mikrotik_interface_receive_bytes_total" in of_router(page, router)
    assert page.value("tikwatch_scrapes_total", endpoint="metrics") == 0
    assert page.value("tikwatch_cache_misses_total", collector="system") == 3
    assert "_created" not in page.text
    assert "# EOF" not in page.text


async def test_the_whole_page_can_be_read_as_openmetrics(exporter: Served) -> None:
    """OpenMetrics 1.0 has the same series, ends in its one end mark, and says what it is."""
    text = await exporter.get("/metrics", Accept=TEXT)
    page = await exporter.get("/metrics", Accept=OPENMETRICS)
    assert page.status == 200
    assert page.headers["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert page.text.endswith("\n# EOF\n")
    assert page.text.count("# EOF") == 1
    assert {key for key in page.samples if not key[0].startswith("process_")} == {
        key for key in text.samples if not key[0].startswith("process_")
    }


@pytest.mark.system("promtool")
async def test_promtool_finds_nothing_to_say(exporter: Served) -> None:
    """`promtool check metrics` reads a full page of all routers and has no complaint."""
    page = await exporter.get("/metrics", Accept=TEXT)
    assert len(page.samples) > 5000
    lint = await asyncio.to_thread(
        subprocess.run,
        ["promtool", "check", "metrics"],
        input=page.text.encode(),
        capture_output=True,
        timeout=120,
    )
    assert (lint.returncode, lint.stdout, lint.stderr) == (0, b"", b"")


async def test_gzip_comes_when_it_is_accepted(exporter: Served) -> None:
    """The compressed page is the page, a fraction of its size; who does not ask for gzip gets none."""
    headers = {"Accept-Encoding": "gzip", "Accept": OPENMETRICS}
    async with exporter.client.get(exporter.url + "/metrics", headers=headers) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        assert response.headers["Vary"] == "Accept, Accept-Encoding"
        text = await response.text()  # aiohttp unpacks it
        assert int(response.headers["Content-Length"]) < len(text) / 5
    assert text.endswith("# EOF\n")
    page = await exporter.get("/metrics", Accept_Encoding="identity")
    assert "Content-Encoding" not in page.headers


async def test_gzip_can_be_switched_off(network: Network, tmp_path: Path) -> None:
    """With `web.gzip: false` nobody gets a compressed page."""
    text = config_text([router_of(network["hut"])], web={"gzip": False})
    async with served(tmp_path, text) as exporter:
        page = await exporter.get("/metrics", Accept_Encoding="gzip")
        assert "Content-Encoding" not in page.headers


async def test_a_large_page_is_put_together_in_a_thread() -> None:
    """Joining, compressing and the exporter's own metrics leave the event loop free."""
    wanted = ScrapeRequest(Format.TEXT, gzip=True, deadline_s=1.0, only=frozenset())
    places: list[str] = []

    def rest() -> bytes:
        places.append(threading.current_thread().name)
        return b"b 1\n"

    with ThreadPoolExecutor(1, thread_name_prefix="page") as threads:
        body = await page_body([b"a 1\n"] * 100_000, wanted, threads=threads, rest=rest)
    assert places == ["page_0"]
    assert gzip.decompress(b"".join(body.pieces)) == b"a 1\n" * 100_000 + b"b 1\n"


async def test_a_scrape_can_be_narrowed_to_some_collectors(exporter: Served, network: Network) -> None:
    """`collect[]` gives only those collectors, and only they ask the routers."""
    page = await exporter.get("/metrics?collect[]=system&collect[]=queue")
    told = {
        dict(labels)["collector"] for name, labels in page.samples if name == "mikrotik_collector_success"
    }
    assert told == {"system", "queue"}
    assert not [name for name in of_router(page, "core") if name.startswith("mikrotik_interface")]
    asked = {command.path.split("/")[1] for device in network for command in device.log} - {"login"}
    assert asked == {"system", "queue"}


async def test_an_unknown_collector_is_refused_with_the_known_ones(
    exporter: Served, network: Network
) -> None:
    """A `collect[]` that names nothing is answered with 400 and asks no router."""
    page = await exporter.get("/metrics?collect[]=system&collect[]=wi-fi%0A")
    assert page.status == 400
    assert page.text == f'there is no collector "wi-fi?"; known: {", ".join(KNOWN_COLLECTORS)}\n'
    assert not any(device.log for device in network)


async def test_without_tables_no_router_is_asked(exporter: Served, network: Network) -> None:
    """`tables=none` tells of the exporter, its connections and probes, and costs the routers nothing."""
    before = network["hut"].commands_total
    page = await exporter.get("/metrics?tables=none")
    assert page.status == 200
    assert page.value("tikwatch_breaker_state", router="hut", state="closed") == 1
    assert not [name for name, _ in page.samples if name.startswith("mikrotik_interface")]
    assert network["hut"].commands_total == before
    assert (await exporter.get("/metrics?tables=some")).status == 400


async def test_a_deadline_of_a_millisecond_is_kept_and_answered(exporter: Served) -> None:
    """What cannot be had in time is left out; it goes on by itself, and the next scrape finds it."""
    page = await exporter.get("/metrics", **{TIMEOUT: "0.001"})
    assert page.status == 200
    assert [page.value("mikrotik_up", router=router) for router in ("core", "hut", "old")] == [0, 0, 0]
    assert page.value("mikrotik_collector_success", router="core", collector="system") == 0
    page = await exporter.get("/metrics")
    assert [page.value("mikrotik_up", router=router) for router in ("core", "hut", "old")] == [1, 1, 1]
    assert page.value("tikwatch_scrapes_late_total", endpoint="metrics") == 1
    assert page.value("tikwatch_cache_joined_total", collector="queue") == 3


async def test_scrapes_are_counted_and_told(exporter: Served) -> None:
    """Each scrape is one line at debug level, a late one at info level, and counts."""
    with logged() as log:
        await exporter.get("/metrics", **{TIMEOUT: "0.001"})
        await exporter.get("/metrics")
    lines = [line for line in log.getvalue().splitlines() if "event=scrape." in line]
    assert len(lines) == 2
    assert "event=scrape.late" in lines[0]
    assert "level=info" in lines[0]
    assert "event=scrape.finished" in lines[1]
    assert "endpoint=metrics" in lines[1]
    assert "duration_s=" in lines[1]
    page = await exporter.get("/metrics")
    assert page.value("tikwatch_scrapes_total", endpoint="metrics") == 2
    assert page.value("tikwatch_scrape_duration_seconds_count", endpoint="metrics") == 2
    assert page.value("tikwatch_scrapes_total", endpoint="probe") == 0


@pytest.mark.parametrize(
    "fault", ["hang", "refuse", "garbage", "absurd_length", "drop_mid_reply", "wrong_password"]
)
async def test_one_bad_router_changes_nothing_of_the_others(
    exporter: Served, network: Network, fault: str
) -> None:
    """Whatever one router does, the series of the others are all there, none is invented, and the deadline holds."""
    good = await exporter.get("/metrics?collect[]=system&collect[]=interface&collect[]=ppp")
    exporter.file.write_text(
        config_text(router_of(device, labels={"again": "yes"}) for device in network), encoding="utf-8"
    )
    assert (await exporter.reload()).status == 200  # every router starts afresh
    network["hut"].faults.set(fault)
    network["hut"].drop_connections()
    allowed_s = "8" if fault == "hang" else "30"
    began_s = time.monotonic()
    page = await exporter.get(
        "/metrics?collect[]=system&collect[]=interface&collect[]=ppp", **{TIMEOUT: allowed_s}
    )
    assert time.monotonic() - began_s < 30
    assert page.value("mikrotik_up", router="hut", again="yes") == 0
    assert not {name for name in of_router(page, "hut") if "interface" in name}
    for router in ("core", "old"):
        assert page.value("mikrotik_up", router=router, again="yes") == 1
        assert of_router(page, router) == of_router(good, router)
