"""Reloading: all of a new configuration or nothing of it, one at a time, and what did not change goes on."""

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from exporter.config import Config
from exporter.selfmetrics import SelfMetrics
from runtime.loading import ConfigError, Problem
from runtime.serving.life import LIFE, Life, Phase
from runtime.serving.reloads import Reloads
from simulator import Network, RouterSpec
from tests.fakes.served import PASSWORD, Served, config_text, logged, router_of, served, until


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    async with Network(
        [RouterSpec("hut", password=PASSWORD), RouterSpec("tower", password=PASSWORD)]
    ) as network:
        yield network


@pytest.fixture
async def exporter(network: Network, tmp_path: Path) -> AsyncIterator[Served]:
    async with served(tmp_path, config_text([router_of(network["hut"])])) as exporter:
        yield exporter


async def test_a_new_configuration_is_taken(exporter: Served, network: Network) -> None:
    """Routers that are new are there at once, what stayed the same keeps its connection and its cache."""
    await exporter.get("/metrics")
    asked = network["hut"].commands_total
    exporter.file.write_text(config_text(map(router_of, network)), encoding="utf-8")
    page = await exporter.reload()
    assert (page.status, page.text) == (200, "reloaded\n")
    page = await exporter.get("/metrics?collect[]=system")
    assert page.value("mikrotik_up", router="tower") == 1
    assert page.value("tikwatch_config_reloads_total") == 1
    assert page.value("tikwatch_connects_total", router="hut") == 1
    assert network["hut"].commands_total == asked


async def test_a_router_that_is_gone_is_let_go(exporter: Served, network: Network) -> None:
    """Its series end and its connections are closed."""
    await exporter.get("/metrics")
    exporter.file.write_text(config_text([router_of(network["tower"])]), encoding="utf-8")
    assert (await exporter.reload()).status == 200
    page = await exporter.get("/metrics?collect[]=system")
    assert page.value("mikrotik_up", router="hut") is None
    await until(lambda: network["hut"].connections_open == 0)


async def test_new_settings_of_a_collector_are_used(exporter: Served, network: Network) -> None:
    """A TTL that changed holds from the next scrape on, and the old results are let go."""
    await exporter.get("/metrics?collect[]=queue")
    modules = {"default": {"collectors": {"queue": {"ttl_s": 0}}}}
    exporter.file.write_text(config_text([router_of(network["hut"])], modules=modules), encoding="utf-8")
    assert (await exporter.reload()).status == 200
    watched = exporter.fleet.by_name("hut")
    assert list(watched.made()) == []
    before = network["hut"].commands_total
    for _ in range(2):
        page = await exporter.get("/metrics")
    assert network["hut"].commands_total - before == 2 * 2  # simple queues and the tree, twice
    assert page.value("mikrotik_collector_success", router="hut", collector="queue") == 1
    assert page.value("mikrotik_collector_success", router="hut", collector="system") is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "routers: [{address: 192.0.2.1, pasword: hunter2}]",
            'unknown key "pasword"; did you mean "password"?',
        ),
        ("routers: []", "routers: must have at least one router"),
        ("routers: [", "line 1"),
        ("", "the file is empty"),
        (
            "routers: [{address: 192.0.2.1, username: u, password: hunter2, labels: {interface: x}}]",
            "labels > interface: this label belongs to metrics of the collector",
        ),
    ],
)
async def test_a_bad_configuration_is_refused_and_the_old_one_goes_on(
    exporter: Served, text: str, problem: str
) -> None:
    """The answer and the log say what is wrong, without secrets; nothing changes and the failure is counted."""
    fleet = list(exporter.fleet)
    exporter.file.write_text(text, encoding="utf-8")
    with logged() as log:
        page = await exporter.reload()
    assert page.status == 500
    assert page.text.startswith("not reloaded, the old configuration goes on\n")
    assert problem in page.text
    assert "event=config.refused" in log.getvalue()
    assert "hunter2" not in page.text + log.getvalue()
    assert list(exporter.fleet) == fleet
    page = await exporter.get("/metrics?collect[]=system")
    assert page.value("mikrotik_up", router="hut") == 1
    assert page.value("tikwatch_config_reload_failures_total") == 1
    assert page.value("tikwatch_config_reloads_total") == 0


async def test_the_guards_are_replaced_as_well(exporter: Served, network: Network) -> None:
    """A token that the new configuration asks for is asked for at once."""
    web = {"bearer": [{"name": "prometheus", "token": "orchid-99-tango"}]}
    exporter.file.write_text(config_text([router_of(network["hut"])], web=web), encoding="utf-8")
    assert (await exporter.reload()).status == 200
    assert (await exporter.get("/metrics")).status == 401
    assert (await exporter.get("/metrics", Authorization="Bearer orchid-99-tango")).status == 200
    assert (await exporter.get("/-/healthy")).status == 200


async def test_what_needs_a_restart_is_said(exporter: Served, network: Network) -> None:
    """A new address to listen on is taken note of, and said at every reload until the restart."""
    web = {"listen": "127.0.0.1:1", "max_body_bytes": 2048}
    exporter.file.write_text(config_text([router_of(network["hut"])], web=web), encoding="utf-8")
    for _ in range(2):
        page = await exporter.reload()
        assert page.status == 200
        assert page.text.splitlines() == [
            "reloaded",
            "web > listen changes with a restart only; it stays 127.0.0.1:9436",
            "web > max_body_bytes changes with a restart only; it stays 65536",
        ]


async def test_a_body_is_refused(exporter: Served) -> None:
    """A reload that brings a body is not what its sender thinks, so nothing is read again."""
    for body in ({"data": b"routers: []"}, {"json": {}}):
        async with exporter.client.post(exporter.url + "/-/reload", **body) as response:
            assert response.status == 400
            assert "takes no body" in await response.text()
    page = await exporter.get("/metrics?collect[]=system")
    assert page.value("tikwatch_config_reloads_total") == 0
    assert page.value("tikwatch_config_reload_failures_total") == 0


async def test_only_post_reloads(exporter: Served) -> None:
    """A link that is followed by mistake changes nothing."""
    page = await exporter.get("/-/reload")
    assert page.status == 405
    assert page.headers["Allow"] == "POST"


async def test_a_scrape_under_way_survives_a_reload(exporter: Served, network: Network) -> None:
    """A scrape that waits for a router that the new configuration changes is answered with what there is."""
    network["hut"].faults.set("hang")
    scrape = asyncio.create_task(exporter.get("/metrics"))
    await until(lambda: bool(network["hut"].log))
    exporter.file.write_text(
        config_text([router_of(network["hut"], labels={"site": "hill"})]), encoding="utf-8"
    )
    assert (await exporter.reload()).status == 200
    async with asyncio.timeout(60):
        page = await scrape
    assert page.status == 200
    assert page.value("mikrotik_up", router="hut") == 0


async def test_reloads_are_made_one_after_the_other() -> None:
    """A second reload begins when the first has ended, however many are asked for at once."""
    under_way = threading.Semaphore(1)
    overlapping: list[bool] = []

    def load() -> Config:
        overlapping.append(not under_way.acquire(blocking=False))
        return Config.model_validate(
            {"routers": [{"address": "192.0.2.1"}], "credentials": {"username": "u", "password": "p"}}
        )

    async def take(config: Config) -> list[str]:
        await asyncio.sleep(0)
        under_way.release()
        return []

    metrics = SelfMetrics(process=False)
    with ThreadPoolExecutor(4) as threads, logged():
        reloads = Reloads(load, take, metrics, threads)
        await asyncio.gather(*[reloads.run() for _ in range(5)])
    assert overlapping == [False] * 5
    assert metrics.registry.get_sample_value("tikwatch_config_reloads_total") == 5


async def test_a_signal_that_finds_a_bad_configuration_ends_nothing() -> None:
    """What SIGHUP starts raises nothing: the log and the count tell."""

    def load() -> Config:
        raise ConfigError("exporter.yml", [Problem("routers", 3, "is required")])

    async def take(config: Config) -> list[str]:
        raise AssertionError("nothing to take")

    metrics = SelfMetrics(process=False)
    with ThreadPoolExecutor(1) as threads, logged() as log:
        await Reloads(load, take, metrics, threads).run_for_signal()
    assert "line 3: routers: is required" in log.getvalue()
    assert metrics.registry.get_sample_value("tikwatch_config_reload_failures_total") == 1


async def test_health_and_readiness(exporter: Served, network: Network) -> None:
    """A process that works is healthy whatever its routers do, and ready until it begins to stop."""
    network["hut"].faults.set("refuse")
    assert ((await exporter.get("/-/healthy")).status, (await exporter.get("/-/ready")).status) == (200, 200)
    exporter.app[LIFE].move_to(Phase.STOPPING)
    page = await exporter.get("/-/ready")
    assert (page.status, page.text) == (503, "stopping\n")
    assert (await exporter.get("/-/healthy")).status == 200


def test_a_life_goes_one_way() -> None:
    """Nothing that stops serves again."""
    life = Life()
    assert repr(life) == "<Life starting>"
    for wanted, found in (
        (Phase.SERVING, Phase.SERVING),
        (Phase.STARTING, Phase.SERVING),
        (Phase.STOPPING, Phase.STOPPING),
        (Phase.SERVING, Phase.STOPPING),
    ):
        life.move_to(wanted)
        assert life.phase is found
