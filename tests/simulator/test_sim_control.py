"""The HTTP control and the command line of a simulated network."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import yaml

from simulator import FAULTS, Network, RouterSpec
from simulator.__main__ import main
from tests.simulator.conftest import Connect


@pytest.fixture
async def net() -> AsyncIterator[Network]:
    """Two routers with HTTP control."""
    async with Network([RouterSpec("one"), RouterSpec("two", profile="chr")], control_port=0) as network:
        yield network


@pytest.fixture
async def http(net: Network) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of the control."""
    assert net.control is not None
    async with aiohttp.ClientSession(net.control.url) as session:
        yield session


async def test_routers_are_listed_without_passwords(net: Network, http: aiohttp.ClientSession) -> None:
    """Name, profile, port and state of each router, and no secret."""
    async with http.get("/routers") as answer:
        text, routers = await answer.text(), await answer.json()
    assert [(row["name"], row["profile"], row["port"]) for row in routers] == [
        ("one", "home", net["one"].port),
        ("two", "chr", net["two"].port),
    ]
    assert "secret" not in text
    async with http.get("/healthz") as answer:
        assert await answer.json() == {"status": "ok", "routers": 2}


async def test_faults_are_switched_over_http(net: Network, http: aiohttp.ClientSession) -> None:
    """POST adds, PUT replaces, DELETE clears one or all; GET shows what is on."""
    url = "/routers/one/faults"
    async with http.post(url, json={"fault": "slow_menu", "menu": "/interface", "seconds": 2}) as answer:
        assert answer.status == 200
    async with http.post(url, json={"fault": "wrong_password"}) as answer:
        assert list(await answer.json()) == ["slow_menu", "wrong_password"]
    assert net["one"].faults.active["slow_menu"] == {"menu": "/interface", "seconds": 2}
    async with http.delete(url, params={"fault": "slow_menu"}) as answer:
        assert list(await answer.json()) == ["wrong_password"]
    async with http.put(url, json={"hang": {}, "session_limit": {"limit": 3}}) as answer:
        assert list(await answer.json()) == ["hang", "session_limit"]
    async with http.delete(url) as answer:
        assert await answer.json() == {}
    async with http.get(url) as answer:
        assert await answer.json() == {}
    assert net["two"].faults.active == {}
    async with http.get("/faults") as answer:
        assert (await answer.json()).keys() == FAULTS.keys()


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"fault": "explode"}', "unknown fault 'explode'"),
        (b'{"fault": "slow_menu", "seconds": "long"}', "seconds must be a number"),
        (b'{"fault": "hang", "speed": 1}', "unknown parameter 'speed'"),
        (b'{"hang": 1}', "hang: parameters must be an object"),
        (b"[]", "not an object"),
        (b"hang", "not JSON"),
    ],
)
async def test_wrong_faults_get_400_with_what_is_allowed(
    net: Network, http: aiohttp.ClientSession, body: bytes, error: str
) -> None:
    """Each mistake is named together with what may be there, and changes nothing."""
    headers = {"Content-Type": "application/json"}
    async with http.post("/routers/one/faults", data=body, headers=headers) as answer:
        said = await answer.json()
        assert answer.status == 400
    assert error in said["error"]
    assert said["allowed"]
    assert net["one"].faults.active == {}


async def test_unknown_routers_and_numbers_are_told(http: aiohttp.ClientSession) -> None:
    """An unknown router is 404 with the known ones, a wrong number 400."""
    async with http.get("/routers/three/log") as answer:
        assert answer.status == 404
        assert (await answer.json())["allowed"] == ["one", "two"]
    for method, url in (
        ("POST", "/routers/one/reboot?down_s=soon"),
        ("POST", "/routers/one/reboot?down_s=-1"),
        ("GET", "/routers/one/log?limit=all"),
        ("DELETE", "/routers/one/faults?fault=explode"),
    ):
        async with http.request(method, url) as answer:
            assert answer.status == 400, url


async def test_reboot_and_log_over_http(net: Network, http: aiohttp.ClientSession, connect: Connect) -> None:
    """The log holds what clients sent, without passwords; a reboot cuts them off."""
    client = await connect(net["one"])
    await client.ask("/interface/print", "=.proplist=name", "?type=ether")
    async with http.get("/routers/one/log", params={"limit": "1"}) as answer:
        (entry,) = await answer.json()
    assert (entry["path"], entry["user"]) == ("/interface/print", "monitor")
    assert entry["words"] == ["/interface/print", "=.proplist=name", "?type=ether"]
    async with http.get("/routers/one/log") as answer:
        assert "secret" not in await answer.text()
    async with http.post("/routers/one/reboot", params={"down_s": "0.05"}) as answer:
        assert answer.status == 200
    assert await client.ended() == b""


async def test_ports_are_free_after_the_network_closed() -> None:
    """A second network takes the ports of the first one at once."""
    async with Network([RouterSpec("one")]) as first:
        port = first["one"].port
    async with Network([RouterSpec("one", port=port)]) as second:
        assert second["one"].port == port


async def test_a_taken_port_is_an_error_and_leaves_nothing_open() -> None:
    """When one port is taken, the routers that were open already are closed again."""
    async with Network([RouterSpec("one")]) as first:
        second = Network([RouterSpec("free"), RouterSpec("taken", port=first["one"].port)])
        with pytest.raises(OSError, match="Address already in use"):
            await second.__aenter__()
        assert not second["free"].listening


async def test_command_line_runs_a_network_until_a_signal(tmp_path: Path) -> None:
    """It prints the routers, writes a configuration whose ports answer, and ends cleanly."""
    config = tmp_path / "exporter.yml"
    arguments = ("--profile", "home:2", "--profile", "isp", "--base-port", "0", "--control", "127.0.0.1:0")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulator", *arguments, "--rows", "pppoe=7", "--write-config", str(config),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    said = b""
    async with asyncio.timeout(60):
        while b"written to" not in said:
            said += await process.stdout.readline()
    routers = yaml.safe_load(config.read_text())
    assert routers["web"] == {"listen": "127.0.0.1:9436"}
    assert [row["name"] for row in routers["routers"]] == ["home-1", "home-2", "isp"]
    assert routers["routers"][0].keys() == {"name", "address", "port", "username", "password"}
    _, writer = await asyncio.open_connection("127.0.0.1", routers["routers"][2]["port"])
    writer.close()
    process.send_signal(signal.SIGTERM)
    _, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--profile", "hme"], "unknown profile 'hme'"),
        (["--rows", "pppoe"], "wanted WHAT=NUMBER"),
        (["--rows", "cows=3"], "unknown counts ['cows']"),
        (["--control", "18080"], "wanted HOST:PORT"),
        (["--latency-ms", "slow"], "not a duration"),
        (["--profile", "home", "--profile", "home"], "two routers are called 'home'"),
    ],
)
def test_command_line_names_mistakes(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong argument ends with 2 and says what was wrong."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
