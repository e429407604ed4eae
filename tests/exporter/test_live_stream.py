"""/live/stream and /live/choices over HTTP: the real exporter on simulated routers."""

import asyncio
import base64
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from exporter.live.hub import Pace
from exporter.live.rooms import Bounds
from exporter.serve.keys import LIVE
from simulator import Network, RouterSpec
from tests.fakes.served import Served, config_text, logged, router_of, served, until

pytestmark = pytest.mark.timeout(300)
PERIOD_S = Pace().period_s
ETHER1 = "watch=interface:ether1"
Event = tuple[str, dict[str, Any]]


@asynccontextmanager
async def exporting(
    folder: Path, spec: RouterSpec, **sections: object
) -> AsyncIterator[tuple[Network, Served]]:
    async with (
        Network([spec]) as network,
        served(folder, config_text([router_of(network[spec.name])], **sections)) as exporter,
    ):
        yield network, exporter


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[tuple[Network, Served]]:
    async with exporting(tmp_path, RouterSpec("core")) as running:
        yield running


async def events(response: aiohttp.ClientResponse) -> AsyncIterator[Event]:
    """The events of a stream, to its end."""
    text = ""
    async for chunk in response.content.iter_any():
        text += chunk.decode()
        *whole, text = text.split("\n\n")
        for one in whole:
            lines = dict(line.split(": ", 1) for line in one.split("\n"))
            if "event" in lines:
                yield lines["event"], json.loads(lines["data"])


async def first(response: aiohttp.ClientResponse, name: str, count: int = 1) -> list[dict[str, Any]]:
    """The first events of that name."""
    found = []
    async for kind, told in events(response):
        if kind == name:
            found.append(told)
            if len(found) == count:
                return found
    raise AssertionError(f"the stream ended after {len(found)} of {name}")


async def test_rates_are_those_of_the_router(home: tuple[Network, Served]) -> None:
    """What is streamed is within 1 % of what the router really carries, in both directions."""
    network, exporter = home
    true: list[tuple[float, float]] = []
    async with exporter.client.get(f"{exporter.url}/live/stream?router=core&{ETHER1}") as response:
        assert response.headers["Content-Type"].startswith("text/event-stream")
        assert response.headers["Cache-Control"] == "no-store"
        samples = []
        async for kind, told in events(response):
            if kind != "sample":
                continue
            rate = network["core"].rate_of("ether1")
            true.append((rate.rx_bytes_per_s * 8, rate.tx_bytes_per_s * 8))
            samples.append(told["rates"]["interface:ether1"])
            if len(samples) == 4:
                break
    assert samples[0] == [None, None]
    for way in (0, 1):
        measured = sum(sample[way] for sample in samples[1:]) / 3
        # the rate swings: by less than a part in 200 between the readings, by more where they came late
        carried = [rate[way] for rate in true]
        assert min(carried) * 0.99 < measured < max(carried) * 1.01


async def test_two_hundred_streams_cost_one_reading(home: tuple[Network, Served]) -> None:
    """200 connections watch; the router's own log shows one command per 2 s, and none when they are gone."""
    network, exporter = home
    device = network["core"]
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:

        async def watch() -> float:
            """When the first sample was taken that all 200 had."""
            async with client.get(f"{exporter.url}/live/stream?router=core&{ETHER1}") as response:
                async for kind, told in events(response):
                    if kind == "sample" and told["viewers"] == 200:
                        return float(told["t"])
            raise AssertionError("the stream ended")

        assert len(set(await asyncio.gather(*[watch() for _ in range(200)]))) == 1
    prints = [received for received in device.log if received.path == "/interface/print"]
    assert {received.path for received in device.log} == {"/login", "/interface/print"}
    assert len(prints) <= (prints[-1].time_s - prints[0].time_s) / PERIOD_S + 2
    await until(lambda: exporter.app[LIVE].counts.viewers == 0)
    asked = len(device.log)
    await asyncio.sleep(2.5)  # what must not come cannot be waited for otherwise
    assert len(device.log) == asked
    page = await exporter.get("/metrics?collect[]=system")
    assert page.value("tikwatch_live_viewers") == 0
    assert page.value("tikwatch_live_reads_total") == len(prints)
    assert page.value("tikwatch_live_failures_total") == 0


async def test_a_broken_router_is_told_and_comes_back(tmp_path: Path) -> None:
    """Failures are told one by one; after the fifth the stream ends, and a new one finds the mended router."""
    sections = {
        "breaker": {"failure_limit": 2, "cooldown_s": 0.2, "max_cooldown_s": 0.2, "jitter_ratio": 0},
        "retry": {"attempts": 1},
    }
    async with exporting(tmp_path, RouterSpec("core"), **sections) as (network, exporter):
        exporter.app[LIVE].pace = Pace(period_s=0.3, restart_s=0.3)
        url = f"{exporter.url}/live/stream?router=core&{ETHER1}"
        async with exporter.client.get(url) as response:
            told: list[Event] = []
            async for kind, about in events(response):
                told.append((kind, about))
                if kind == "sample":
                    network["core"].faults.set("refuse")
                    network["core"].drop_connections()
        failures = [about for kind, about in told if kind == "failure"]
        assert [one["failures"] for one in failures] == [1, 2, 3, 4, 5]
        assert [one["restart"] for one in failures] == [False] * 4 + [True]
        assert failures[0]["class"] in ("unreachable", "breaker_open")
        network["core"].faults.clear()
        async with exporter.client.get(url) as response:
            found = await first(response, "sample", 2)
        assert found[-1]["rates"]["interface:ether1"][0] > 0
        assert (await exporter.get("/metrics?collect[]=system")).value("tikwatch_live_failures_total") == 5


async def test_a_slow_viewer_is_dropped(tmp_path: Path) -> None:
    """A client that opens a stream and reads nothing is cut off, and counted; the exporter keeps nothing for it."""
    async with exporting(tmp_path, RouterSpec("isp", profile="isp")) as (_, exporter):
        exporter.app[LIVE].pace = Pace(period_s=0.02)
        live = exporter.app[LIVE]
        where = urlsplit(exporter.url)
        with socket.socket() as sleepy:
            sleepy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sleepy.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(sleepy, (where.hostname, where.port))
            request = f"GET /live/stream?router=isp&users=1 HTTP/1.1\r\nHost: {where.netloc}\r\n\r\n"
            await loop.sock_sendall(sleepy, request.encode())
            await until(lambda: live.counts.viewers == 1)
            await until(lambda: live.counts.dropped == 1, within_s=60.0)
        assert live.counts.viewers == 0
        assert (await exporter.get("/metrics?collect[]=system")).value(
            "tikwatch_live_viewers_dropped_total"
        ) == 1
        assert (await exporter.get("/metrics?collect[]=system")).value("tikwatch_request_faults_total") == 0


@pytest.mark.parametrize(
    ("query", "status", "told"),
    [
        (f"router=corr&{ETHER1}", 404, 'did you mean "core"'),
        (ETHER1, 404, "there is no router"),
        ("router=core", 400, "nothing to watch"),
        ("router=core&watch=disk:1", 400, "KIND:NAME"),
        ("router=core&" + "&".join(f"watch=queue:{n}" for n in range(9)), 400, "9 things are too many"),
    ],
)
async def test_what_cannot_be_watched_is_refused(
    home: tuple[Network, Served], query: str, status: int, told: str
) -> None:
    """Each refusal says what is wrong, and asks the router nothing."""
    network, exporter = home
    page = await exporter.get(f"/live/stream?{query}")
    assert page.status == status
    assert told in page.text
    assert len(network["core"].log) == 0


async def test_viewers_are_bounded(home: tuple[Network, Served]) -> None:
    """One more than may be is answered 503, is counted, and harms nobody who is there."""
    _, exporter = home
    exporter.app[LIVE].bounds = Bounds(viewers_per_router=1, subjects_per_router=2)
    url = f"{exporter.url}/live/stream?router=core"
    async with exporter.client.get(f"{url}&{ETHER1}") as response:
        await first(response, "hello")
        page = await exporter.get(f"/live/stream?router=core&{ETHER1}")
        assert (page.status, page.headers["Retry-After"]) == (503, "10")
        assert "1 viewers are watching 'core' already" in page.text
        exporter.app[LIVE].bounds = Bounds(subjects_per_router=2)
        page = await exporter.get("/live/stream?router=core&watch=queue:a&watch=queue:b")
        assert "too many different things" in page.text
        assert len(await first(response, "sample")) == 1
    assert (await exporter.get("/metrics?collect[]=system")).value("tikwatch_live_viewers_refused_total") == 2


async def test_nobody_watches_without_a_login(tmp_path: Path) -> None:
    """Page, stream and choices are under the guards of `web`, as everything else is."""
    web = {"basic_auth": [{"username": "noc", "password": "hazel-5"}]}
    async with exporting(tmp_path, RouterSpec("core"), web=web) as (network, exporter):
        for path in ("/live", f"/live/stream?router=core&{ETHER1}", "/live/choices?router=core"):
            assert (await exporter.get(path)).status == 401
        assert len(network["core"].log) == 0
        login = {"Authorization": "Basic " + base64.b64encode(b"noc:hazel-5").decode()}
        url = f"{exporter.url}/live/stream?router=core&{ETHER1}"
        async with exporter.client.get(url, headers=login) as response:
            assert (await first(response, "hello"))[0]["router"] == "core"


async def test_a_reload_and_the_end_of_the_exporter_end_streams(home: tuple[Network, Served]) -> None:
    """After a reload viewers are asked anew who they are; a stop does not wait for them."""
    _, exporter = home
    url = f"{exporter.url}/live/stream?router=core&{ETHER1}"
    async with exporter.client.get(url) as response:
        await first(response, "hello")
        assert (await exporter.reload()).status == 200
        async with asyncio.timeout(60):
            async for _ in events(response):
                pass
    async with exporter.client.get(url) as response:
        await first(response, "hello")
        began_s = time.monotonic()
        await exporter.app.shutdown()
        async for _ in events(response):
            pass
        assert time.monotonic() - began_s < 30.0
        assert (await exporter.get(f"/live/stream?router=core&{ETHER1}")).status == 503


async def test_who_is_online(tmp_path: Path) -> None:
    """The table of users has every session of hotspot and PPPoE with its rate, and narrows to a search."""
    async with exporting(tmp_path, RouterSpec("isp", profile="isp")) as (network, exporter):
        device = network["isp"]
        async with exporter.client.get(f"{exporter.url}/live/stream?router=isp&users=1") as response:
            told = (await first(response, "users", 2))[-1]
        sessions = [*device.world.table("/ppp/active"), *device.world.table("/ip/hotspot/active")]
        assert abs(told["online"] - len(sessions)) <= 3  # some come and go
        assert {row[0] for row in told["rows"]} == {"pppoe", "hotspot"}
        row = next(row for row in told["rows"] if row[1] == "home-4")
        rate = device.rate_of("<pppoe-home-4>")
        assert row[4] == pytest.approx(rate.tx_bytes_per_s * 8, rel=0.02)
        assert row[5] == pytest.approx(rate.rx_bytes_per_s * 8, rel=0.02)
        assert row[8] == "ppp:<pppoe-home-4>"
        assert row[3] > 0
        async with exporter.client.get(
            f"{exporter.url}/live/stream?router=isp&users=1&q=HOME-17+100.64"
        ) as response:
            found = (await first(response, "users"))[0]
        assert 0 < found["matching"] == len(found["rows"]) < 20
        assert all("home-17" in row[1] for row in found["rows"])


async def test_a_guest_is_known_by_the_mac_and_called_by_name(tmp_path: Path) -> None:
    """What is watched stays the same device; the sample tells who has logged in with it."""
    async with exporting(tmp_path, RouterSpec("cafe", profile="hotspot")) as (network, exporter):
        row = next(iter(network["cafe"].world.table("/ip/hotspot/active")))
        key = f"hotspot:{row.values['mac-address']}"
        async with exporter.client.get(
            f"{exporter.url}/live/stream", params={"router": "cafe", "watch": key}
        ) as response:
            told = (await first(response, "sample"))[0]
        assert told["labels"] == {key: row.values["user"]}


async def test_what_there_is_to_watch(tmp_path: Path) -> None:
    """Names of each kind, by search; however many ask, the router is read once in a while."""
    async with exporting(tmp_path, RouterSpec("isp", profile="isp")) as (network, exporter):
        told = await asyncio.gather(*[exporter.get("/live/choices?router=isp&q=home-12") for _ in range(20)])
        assert len([one for one in network["isp"].log if one.path == "/interface/print"]) == 1
        found = json.loads(told[0].text)
        assert "ppp:<pppoe-home-12>" in [choice["key"] for choice in found["choices"]]
        assert found["kinds"]["interface"] == 40
        assert found["kinds"]["hotspot"] > 250
        narrowed = json.loads((await exporter.get("/live/choices?router=isp&kind=tree")).text)
        assert {choice["kind"] for choice in narrowed["choices"]} == {"tree"}
        assert len([one for one in network["isp"].log if one.path == "/interface/print"]) == 1
        assert (await exporter.get("/live/choices?router=nowhere")).status == 404


async def test_a_router_that_cannot_be_asked_has_a_reason(tmp_path: Path) -> None:
    """The choices of a router that refuses the login are a 502 with the reason, and no secret is logged."""
    with logged() as log:
        async with exporting(tmp_path, RouterSpec("core"), retry={"attempts": 1}) as (network, exporter):
            network["core"].faults.set("wrong_password")
            page = await exporter.get("/live/choices?router=core")
    assert page.status == 502
    assert json.loads(page.text)["class"] == "login_refused"
    assert network["core"].spec.password not in log.getvalue() + page.text
