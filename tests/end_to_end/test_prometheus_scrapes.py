"""A real Prometheus finds the routers through /sd, scrapes them through /probe and /metrics, and rates are right."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import yaml

from simulator import Network, RouterSpec
from tests.fakes.exporter_process import exporter_process, free_port
from tests.fakes.served import PASSWORD, config_text, router_of

EXAMPLE = Path(__file__).resolve().parents[2] / "prometheus" / "prometheus.yml"
LISTEN = "exporter:9436"
DEADLINE_S = 60.0
TOWER = "tower Ä:2"
TOKEN = "orchid-99-tango"

pytestmark = [pytest.mark.system("prometheus", "promtool"), pytest.mark.timeout(300)]

Vector = dict[frozenset[tuple[str, str]], float]


@dataclass
class Prometheus:
    """A running server, asked through its API."""

    url: str
    client: aiohttp.ClientSession

    async def query(self, expression: str) -> Vector:
        """The instant vector of an expression, by its labels; empty while the server is not there yet."""
        try:
            async with self.client.get(self.url + "/api/v1/query", params={"query": expression}) as response:
                answer = await response.json()
        except aiohttp.ClientConnectionError:
            return {}
        assert answer["status"] == "success", answer
        return {
            frozenset(found["metric"].items()): float(found["value"][1]) for found in answer["data"]["result"]
        }

    async def until(self, expression: str, holds: Callable[[Vector], bool]) -> Vector:
        """The vector of an expression once it is as wanted. Raises TimeoutError."""
        found: Vector = {}
        try:
            async with asyncio.timeout(DEADLINE_S):
                while not holds(found := await self.query(expression)):  # noqa: ASYNC110  the server tells nobody
                    await asyncio.sleep(0.2)
        except TimeoutError:
            raise AssertionError(f"{expression} is still {found}; up is {await self.query('up')}") from None
        return found


@contextmanager
def prometheus_on(folder: Path, config: str) -> Iterator[str]:
    """A Prometheus with this configuration; gives its address."""
    file, port = folder / "prometheus.yml", free_port()
    file.write_text(config, encoding="utf-8")
    checked = subprocess.run(
        ["promtool", "check", "config", file], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    with (folder / "prometheus.log").open("w") as log:
        process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={file}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--log.level=warn",
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(60)


def configuration(url: str) -> str:
    """The example of this repository, hurried, with this exporter, and with two jobs more."""
    listen = url.removeprefix("http://")
    config = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8").replace(LISTEN, listen))
    config["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s"}
    probes = next(job for job in config["scrape_configs"] if "http_sd_configs" in job)
    probes["http_sd_configs"][0]["refresh_interval"] = "1s"
    shards = {
        **probes,
        "job_name": "shards",
        "http_sd_configs": [{"url": f"{url}/sd?shard=0&shards=1", "refresh_interval": "1s"}],
        "relabel_configs": [
            *probes["relabel_configs"],
            {"source_labels": ["__meta_tikwatch_shard_hint"], "target_label": "hint"},
            {
                "source_labels": ["__meta_tikwatch_router"],
                "action": "hashmod",
                "modulus": 60,
                "target_label": "hashmod",
            },
        ],
        "params": {"collect[]": ["system"]},
    }
    everything = {"job_name": "page", "static_configs": [{"targets": [listen]}]}
    config["scrape_configs"] += [shards, everything]
    bearer = {
        "type": "Bearer",
        "credentials": TOKEN,
    }  # for discovery, Prometheus 2.42 forgets that this type is usual
    for job in config["scrape_configs"]:
        job["authorization"] = bearer
        for discovery in job.get("http_sd_configs", ()):
            discovery["authorization"] = bearer
    return yaml.safe_dump(config, allow_unicode=True)


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    specs = [RouterSpec("hut", password=PASSWORD), RouterSpec(TOWER, password=PASSWORD, profile="hotspot")]
    async with Network(specs) as network:
        yield network


async def test_prometheus_finds_and_scrapes_every_router(network: Network, tmp_path: Path) -> None:
    """The example configuration works as it stands: up is 1, labels are whole, and a counter's rate is the true one."""
    collectors = {name: {"ttl_s": 0.2} for name in ("system", "interface", "hotspot")}
    file = tmp_path / "exporter.yml"
    file.write_text(
        config_text(
            [router_of(network["hut"], labels={"site": "hill"}), router_of(network[TOWER])],
            web={"listen": "127.0.0.1:0", "bearer": [{"name": "prometheus", "token": TOKEN}]},
            modules={"default": {"collectors": collectors}},
            log={"format": "json", "level": "debug"},
        ),
        encoding="utf-8",
    )
    with exporter_process("serve", "--config", file) as exporter:
        await exporter.saw("exporter.listening")
        async with aiohttp.ClientSession() as client:
            with prometheus_on(tmp_path, configuration(exporter.url)) as url:
                server = Prometheus(url, client)
                await every_router_is_up(server)
                await labels_are_whole(server)
                await rates_are_right(server, network)
                await a_router_that_hangs_is_down_alone(server, network)
        assert await asyncio.to_thread(exporter.end) == 0
        warnings = [line for line in exporter.log.splitlines() if '"warning"' in line or '"error"' in line]
        assert not [line for line in warnings if '"hut"' not in line]
        assert TOKEN not in exporter.log
        assert PASSWORD not in exporter.log
    complaints = (tmp_path / "prometheus.log").read_text(encoding="utf-8").splitlines()
    assert [line for line in complaints if "Received SIGTERM" not in line] == []


async def every_router_is_up(server: Prometheus) -> None:
    found = await server.until(
        'mikrotik_up{job="mikrotik"} == 1', lambda vector: len(vector) == 2 and set(vector.values()) == {1.0}
    )
    assert {dict(labels)["instance"] for labels in found} == {"hut", TOWER}
    await server.until('up{job=~"mikrotik|tikwatch|page|shards"} == 1', lambda vector: len(vector) == 6)
    await server.until('mikrotik_up{job="page"} == 1', lambda vector: len(vector) == 2)
    assert await server.query('mikrotik_up{job="tikwatch"}') == {}
    await server.until(
        'tikwatch_scrapes_total{job="tikwatch",endpoint="probe"} > 1', lambda vector: len(vector) == 1
    )


async def labels_are_whole(server: Prometheus) -> None:
    """The same labels either way, none of them pushed aside by one of the target, and the shards as `hashmod` has."""
    for job in ("mikrotik", "page"):
        found = await server.query(
            f'mikrotik_interface_receive_bytes_total{{job="{job}",interface="ether1"}}'
        )
        told = {(dict(labels)["router"], dict(labels).get("site")) for labels in found}
        assert told == {("hut", "hill"), (TOWER, None)}
    assert await server.query('{__name__=~".+",exported_router!=""}') == {}
    assert await server.query('{__name__=~".+",exported_instance!=""}') == {}
    assert await server.query('{__name__=~"mikrotik_.+",exported_site!=""}') == {}
    found = await server.until('mikrotik_up{job="shards"}', lambda vector: len(vector) == 2)
    assert all(dict(labels)["hint"] == dict(labels)["hashmod"] for labels in found)


async def rates_are_right(server: Prometheus, network: Network) -> None:
    truth = network["hut"].rate_of("ether1").rx_bytes_per_s
    assert truth > 1000
    for job in ("mikrotik", "page"):
        await server.until(
            f'rate(mikrotik_interface_receive_bytes_total{{job="{job}",router="hut",interface="ether1"}}[8s])',
            lambda vector: len(vector) == 1 and next(iter(vector.values())) == pytest.approx(truth, rel=0.1),
        )
    sessions = await server.query('sum(mikrotik_hotspot_active_sessions{job="mikrotik"})')
    assert sessions[frozenset()] > 0


async def a_router_that_hangs_is_down_alone(server: Prometheus, network: Network) -> None:
    network["hut"].faults.set("refuse")
    await server.until('mikrotik_up{job="mikrotik",router="hut"} == 0', lambda vector: len(vector) == 1)
    await server.until('mikrotik_up{job="page",router="hut"} == 0', lambda vector: len(vector) == 1)
    other = await server.query(f'min_over_time(mikrotik_up{{job="mikrotik",router="{TOWER}"}}[1h])')
    assert list(other.values()) == [1.0]
    assert list((await server.query('up{job="mikrotik",router="hut"}')).values()) == [1.0]
