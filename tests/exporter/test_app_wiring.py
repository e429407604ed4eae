"""Everything that is served hangs together: pages, API, labels, and the counts that one scrape moves."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exporter.config import ConfigError
from exporter.scrape import FAMILIES
from exporter.service import read_config
from simulator import Network, RouterSpec
from tests.fakes.served import PASSWORD, Served, config_text, router_of, served


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    async with Network([RouterSpec("hut", password=PASSWORD)]) as network:
        yield network


@pytest.fixture
async def exporter(network: Network, tmp_path: Path) -> AsyncIterator[Served]:
    async with served(tmp_path, config_text([router_of(network["hut"])])) as exporter:
        yield exporter


async def test_a_scrape_shows_on_the_page_and_in_the_api(exporter: Served) -> None:
    """The landing page and the JSON API tell of the same routers that /metrics has just asked."""
    await exporter.get("/metrics")
    page = await exporter.get("/", Accept="text/html")
    assert page.status == 200
    assert "hut" in page.text
    routers = await exporter.get("/api/v1/routers")
    assert routers.status == 200
    assert '"hut"' in routers.text
    performance = await exporter.get("/api/v1/routers/hut/performance")
    assert performance.status == 200
    assert json.loads(performance.text)["commands"] > 10
    for text in (page.text, routers.text, performance.text):
        assert PASSWORD not in text


async def test_commands_and_rows_are_counted_by_menu(exporter: Served) -> None:
    """What the client library does reaches the exporter's own metrics, each menu under its name."""
    await exporter.get("/metrics")
    page = await exporter.get("/metrics")
    assert page.value("tikwatch_commands_total", menu="/system/resource/print", outcome="ok") == 1
    assert page.value("tikwatch_commands_total", menu="/system/resource/print", outcome="deadline") == 0
    assert page.value("tikwatch_command_duration_seconds_count", menu="/system/identity/print") == 1
    rows = page.value("tikwatch_rows_received_total", menu="/interface/print")
    assert rows is not None
    assert rows > 3
    assert page.value("tikwatch_commands_total", menu="other", outcome="ok") == 0


def test_a_label_that_metrics_have_cannot_be_given_to_a_router(tmp_path: Path) -> None:
    """No series may have one label twice, so the configuration refuses every label that any family uses."""
    taken = {label for family in FAMILIES for label in family.labels} | {"router"}
    file = tmp_path / "exporter.yml"
    router = {"address": "192.0.2.1", "username": "u", "password": "p"}
    file.write_text(config_text([{**router, "labels": dict.fromkeys(sorted(taken), "x")}]), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_config(file)
    told = "\n".join(map(str, caught.value.problems))
    assert len(taken) > 20
    assert [label for label in taken if f"routers[0] (192.0.2.1) > labels > {label}: " not in told] == []
